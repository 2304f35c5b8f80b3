"""A machine that is client and service at once: it opens, feeds, pauses, vanishes, replies and fails in any order.

Whatever the order: the application never hangs, never writes out of turn or after the end, never holds more than its
bound, and always says how the call ended unless the client is gone.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Coroutine
from typing import Any

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from asgi_grpc import CallError, Code, GrpcMiddleware, Limits
from asgi_grpc.calls import Requests
from asgi_grpc.errors import Metadata
from asgi_grpc.schema import Method
from asgi_grpc.testing import HttpExchange, WebSocketExchange
from tests.asgi.fakes import BIDI, DOWN, GREETER, HELLO, UP

READ_AHEAD, MESSAGE = 64, 48
PIECES = ['{"name":"Ada"}\n', '{"name":"Ada"}', '{"name":', '"Bob"}', "\n", "[", ",", "]", '{"name":5}', "x", "é", " "]
INPUT = st.one_of(st.just(PIECES[0]), st.sampled_from(PIECES))  # mostly good: what is broken is not read any more
MOST = 9  # of a piece in one event
TURNS = 30  # of the loop, after which nothing more happens by itself


class Service:
    """The backend, and the one call that it serves: it reads all the time, and does otherwise as it is told."""

    initial_metadata: Metadata = ()
    trailers: Metadata = ()

    def __init__(self) -> None:
        self.read_bytes = 0
        self.reading = asyncio.Event()
        self._orders: asyncio.Queue[str] = asyncio.Queue()
        self._requests: Requests | None = None
        self._method: Method | None = None

    async def open(self) -> None:
        """See ``Backend.open``."""

    async def close(self) -> None:
        """See ``Backend.close``."""

    def start(
        self, method: Method, requests: Requests, *, metadata: Metadata = (), deadline_s: float | None = None
    ) -> Service:
        """See ``Backend.start``."""
        self._method, self._requests = method, requests
        return self

    def order(self, what: str) -> None:
        """Tell the service to ``reply``, ``fail`` or ``finish``."""
        self._orders.put_nowait(what)

    async def replies(self) -> AsyncGenerator[list[Message], None]:
        """See ``Call.replies``."""
        assert self._method is not None
        reply = GetMessageClass(self._method.output)(message="x" * 40)
        reader = asyncio.create_task(self._read())
        order = asyncio.create_task(self._orders.get())
        try:
            while True:
                await asyncio.wait({order} if reader.done() else {order, reader}, return_when=asyncio.FIRST_COMPLETED)
                if reader.done() and (problem := reader.exception()) is not None:
                    raise problem
                if not order.done():
                    continue
                what, order = order.result(), asyncio.create_task(self._orders.get())
                if what == "fail":
                    raise CallError(Code.ABORTED, "as told")
                if self._method.server_streaming and what == "reply":
                    yield [reply]
                elif what == "finish":
                    if not self._method.server_streaming:
                        yield [reply]
                    return
        finally:
            for task in (reader, order):
                task.cancel()
            await asyncio.wait({reader, order})

    async def _read(self) -> None:
        assert self._requests is not None
        while messages := await self._requests():
            await self.reading.wait()
            self.read_bytes += sum(len(message.SerializeToString()) for message in messages)


class ApplicationMachine(RuleBasedStateMachine):
    """One connection, from its begin to its end."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.gone = self.told = self.paused = False

    def run(self, step: Coroutine[Any, Any, Any]) -> None:
        """Do one thing, and let everything happen that follows from it."""

        async def settle() -> None:
            await step
            for _ in range(TURNS):
                await asyncio.sleep(0)

        self.runner.run(settle())

    @initialize(path=st.sampled_from([HELLO, DOWN, UP, BIDI]), door=st.sampled_from(["http", "websocket"]))
    def begin(self, path: str, door: str) -> None:
        """Connect."""

        async def connect() -> None:
            self.service = Service()
            self.service.reading.set()
            limits = Limits(read_ahead_bytes=READ_AHEAD, max_message_bytes=MESSAGE)
            app = GrpcMiddleware(schema=GREETER, upstream=self.service, limits=limits, early_headers=path == BIDI)
            if door == "http":
                self.exchange: HttpExchange | WebSocketExchange = HttpExchange(app, method="POST", path=path)
            else:
                self.exchange = WebSocketExchange(app, path=path)
            await self.exchange.__aenter__()

        self.sent_bytes = 0
        self.ended_input = False
        self.run(connect())

    @precondition(lambda self: not self.gone and not self.ended_input)
    @rule(piece=INPUT, times=st.sampled_from([1, 1, MOST]), events=st.sampled_from([1, 1, MOST]))
    def feed(self, piece: str, times: int, events: int) -> None:
        """Send some input, good or bad, in one event or several."""
        text = piece * times
        for _ in range(events):
            self.sent_bytes += len(text.encode())
            if isinstance(self.exchange, HttpExchange):
                self.run(self.exchange.send_body(text.encode()))
            else:
                self.run(self.exchange.send_text(text))

    @precondition(lambda self: not self.gone and not self.ended_input)
    @rule()
    def flood(self) -> None:
        """Send far more than is read ahead, to a service that does not read."""
        self.be_busy(busy=True)
        self.feed(PIECES[0], MOST, MOST)

    @precondition(lambda self: not self.gone and not self.ended_input)
    @rule()
    def half_close(self) -> None:
        """End the input."""
        self.ended_input = True
        if isinstance(self.exchange, HttpExchange):
            self.run(self.exchange.send_body(more=False))
        else:
            self.run(self.exchange.send_text(""))

    @precondition(lambda self: not self.gone)
    @rule()
    def disconnect(self) -> None:
        """Vanish."""
        self.gone = True
        self.told = self.says_how_it_ended()
        self.run(self.exchange.disconnect())

    @rule(paused=st.booleans())
    def read_slowly(self, paused: bool) -> None:
        """Stop reading the answer, or go on."""
        if paused:
            self.exchange.hold_sends()
        else:
            self.exchange.release_sends()

    @rule(busy=st.booleans())
    def be_busy(self, busy: bool) -> None:
        """The service stops reading, or goes on."""
        if busy and self.service.reading.is_set():
            self.service.reading.clear()
            self.taken_before = self.taken()
        elif not busy:
            self.service.reading.set()

    @rule(what=st.sampled_from(["reply", "reply", "fail", "finish"]))
    def order(self, what: str) -> None:
        """The service does something."""

        async def tell() -> None:
            self.service.order(what)

        self.run(tell())

    @invariant()
    def in_turn(self) -> None:
        """Every event was legal, and none was sent to nobody."""
        if hasattr(self, "exchange"):
            assert self.exchange.violations == []

    @invariant()
    def bounded(self) -> None:
        """What is taken for a busy service is bounded: one pull of its own, what is read ahead, an event of each."""
        if hasattr(self, "exchange") and not self.service.reading.is_set():
            event = MOST * max(len(piece.encode()) for piece in PIECES)
            assert self.taken() - self.taken_before <= 2 * (READ_AHEAD + event)

    def taken(self) -> int:
        """How much of the input the application has taken, in bytes."""
        events = self.exchange._script
        waiting = sum(len(event.get("body", b"") or event.get("text", "").encode()) for event in events)
        return self.sent_bytes - waiting

    def says_how_it_ended(self) -> bool:
        """The last thing that the client heard tells success or failure."""
        if isinstance(self.exchange, WebSocketExchange):
            return self.exchange.close_code is not None
        if not self.exchange.complete:
            return False
        last = json.loads(self.exchange.body.splitlines()[-1])
        return last.get("type") in ("complete", "error") or "code" in last

    def teardown(self) -> None:
        """However it stands: it ends, in time, and says how."""
        if not hasattr(self, "exchange"):
            self.runner.close()
            return

        async def end() -> None:
            self.exchange.release_sends()
            self.service.reading.set()
            if not self.gone and not self.ended_input:
                if isinstance(self.exchange, HttpExchange):
                    await self.exchange.send_body(more=False)
                else:
                    await self.exchange.send_text("")
            if not self.gone:  # else the call ends because nobody is left to answer
                self.service.order("finish")
            await asyncio.wait_for(self.exchange.ended(), 5)
            assert self.gone or self.says_how_it_ended()
            await self.exchange.__aexit__(None, None, None)
            left = asyncio.all_tasks() - {asyncio.current_task()}
            assert not left, f"still running: {left}"

        try:
            self.runner.run(end())
        finally:
            self.runner.close()


TestApplication = ApplicationMachine.TestCase
