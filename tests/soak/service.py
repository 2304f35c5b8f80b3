"""The service under load: four kinds of method, async and sync, that do what a call's metadata says."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import msgspec
from google.protobuf.message_factory import GetMessageClass

from asgi_grpc import Schema
from tests.soak.ledger import Ledger

SCHEMA = Schema.from_protos(Path(__file__).parent / "soak.proto")
Request: Any = GetMessageClass(SCHEMA.pool.FindMessageTypeByName("soak.Request"))
Reply: Any = GetMessageClass(SCHEMA.pool.FindMessageTypeByName("soak.Reply"))

NATURAL_END = -1


class Script(msgspec.Struct, omit_defaults=True):
    """What a servicer does in one call. It travels as metadata.

    Attributes:
        replies: of a server-streaming method.
        pad: bytes of text in each reply.
        pause_every: messages between two pauses; 0: none.
        pause_s: length of each.
        end: ``"OK"``, ``"raise"``, ``"hang"``, or the code to abort with.
        after: messages (requests read; replies written where there is one request) before that end.
        explicit: async servicers use ``context.read`` and ``context.write``.
    """

    replies: int = 0
    pad: int = 0
    pause_every: int = 0
    pause_s: float = 0.0
    end: str = "OK"
    after: int = NATURAL_END
    explicit: bool = False


class PlannedError(Exception):
    """A servicer fails on purpose."""


class Run:
    """One call, as its servicer sees it."""

    def __init__(self, number: str, script: Script) -> None:
        self.number = number
        self.script = script
        self.how = ""
        self.count = self.sum = self.replies = 0
        self.ordered = True

    def read(self, request: Any) -> None:
        """Count a request."""
        self.count += 1
        self.sum += request.number
        self.ordered &= request.number == self.count

    def reply(self) -> Any:
        """The next reply."""
        self.replies += 1
        return Reply(number=self.replies, count=self.count, sum=self.sum & 0xFFFFFFFF, pad="r" * self.script.pad)

    def due(self, messages: int) -> bool:
        """Whether the planned end comes after so many messages."""
        return messages == self.script.after

    def pause_s(self, messages: int) -> float:
        """How long to wait behind so many messages."""
        every = self.script.pause_every
        return self.script.pause_s if every and messages % every == 0 else 0.0


class Servicer:
    """What both kinds have in common."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @contextmanager
    def run(self, context: Any) -> Iterator[Run]:
        """Book one call, however it ends."""
        metadata = dict((key, value) for key, value in context.invocation_metadata())  # noqa: C402 - grpc's own pairs
        run = Run(metadata["soak-id"], msgspec.json.decode(metadata["soak-script"], type=Script))
        self._ledger.note("S", run.number)
        try:
            yield run
            run.how = run.how or "OK"
        except BaseException as exc:
            ended = isinstance(exc, asyncio.CancelledError | GeneratorExit | grpc.RpcError | grpc.aio.BaseError)
            run.how = run.how or ("cancelled" if ended else type(exc).__name__)
            raise
        finally:
            self._ledger.note("E", run.number, run.how, run.count, run.sum, run.replies, run.ordered)


class AsyncServicer(Servicer):
    """Coroutines and async generators."""

    async def _end(self, run: Run, context: Any) -> None:
        """Do what the script says of the end; return where it says OK."""
        context.set_trailing_metadata((("soak-count", str(run.count)),))
        match run.script.end:
            case "OK":
                return
            case "hang":
                await asyncio.Event().wait()
            case "raise":
                run.how = "raise"
                raise PlannedError
            case code:
                run.how = code
                await context.abort(grpc.StatusCode[code], f"soak {run.number}")

    async def _requests(self, run: Run, requests: Any, context: Any) -> AsyncIterator[Any]:
        """The requests, counted, up to the planned end."""
        while not run.due(run.count):
            if run.script.explicit:
                request = await context.read()
                if request is grpc.aio.EOF:
                    return
            else:
                request = await anext(requests, None)
                if request is None:
                    return
            run.read(request)
            yield request
            if pause_s := run.pause_s(run.count):
                await asyncio.sleep(pause_s)

    async def unary(self, request: Any, context: Any) -> Any:
        """One to one."""
        with self.run(context) as run:
            run.read(request)
            if run.script.pause_s:
                await asyncio.sleep(run.script.pause_s)
            await self._end(run, context)
            return run.reply()

    async def down(self, request: Any, context: Any) -> AsyncIterator[Any]:
        """One to many."""
        with self.run(context) as run:
            run.read(request)
            while run.replies < run.script.replies and not run.due(run.replies):
                reply = run.reply()
                if run.script.explicit:
                    await context.write(reply)
                else:
                    yield reply
                if pause_s := run.pause_s(run.replies):
                    await asyncio.sleep(pause_s)
            await self._end(run, context)

    async def up(self, requests: Any, context: Any) -> Any:
        """Many to one."""
        with self.run(context) as run:
            async for _ in self._requests(run, aiter(requests), context):
                pass
            await self._end(run, context)
            return run.reply()

    async def bidi(self, requests: Any, context: Any) -> AsyncIterator[Any]:
        """Many to as many."""
        with self.run(context) as run:
            async for _ in self._requests(run, aiter(requests), context):
                reply = run.reply()
                if run.script.explicit:
                    await context.write(reply)
                else:
                    yield reply
            await self._end(run, context)


class SyncServicer(Servicer):
    """Functions and generators."""

    def _end(self, run: Run, context: Any) -> None:
        """As above."""
        context.set_trailing_metadata((("soak-count", str(run.count)),))
        match run.script.end:
            case "OK":
                return
            case "hang":
                ended = threading.Event()
                if context.add_callback(ended.set) and not ended.wait(120):
                    run.how = "forgotten"
                run.how = run.how or "cancelled"
                raise grpc.RpcError
            case "raise":
                run.how = "raise"
                raise PlannedError
            case code:
                run.how = code
                context.abort(grpc.StatusCode[code], f"soak {run.number}")

    def _requests(self, run: Run, requests: Any) -> Iterator[Any]:
        while not run.due(run.count):
            request = next(requests, None)
            if request is None:
                return
            run.read(request)
            yield request
            if pause_s := run.pause_s(run.count):
                time.sleep(pause_s)

    def unary(self, request: Any, context: Any) -> Any:
        """One to one."""
        with self.run(context) as run:
            run.read(request)
            time.sleep(run.script.pause_s)
            self._end(run, context)
            return run.reply()

    def down(self, request: Any, context: Any) -> Iterator[Any]:
        """One to many."""
        with self.run(context) as run:
            run.read(request)
            while run.replies < run.script.replies and not run.due(run.replies):
                yield run.reply()
                if pause_s := run.pause_s(run.replies):
                    time.sleep(pause_s)
            self._end(run, context)

    def up(self, requests: Any, context: Any) -> Any:
        """Many to one."""
        with self.run(context) as run:
            for _ in self._requests(run, iter(requests)):
                pass
            self._end(run, context)
            return run.reply()

    def bidi(self, requests: Any, context: Any) -> Iterator[Any]:
        """Many to as many."""
        with self.run(context) as run:
            for _ in self._requests(run, iter(requests)):
                yield run.reply()
            self._end(run, context)


def register(servicer: Servicer, server: Any) -> None:
    """Register a servicer as generated code would."""
    kinds: list[tuple[str, Any]] = [
        ("Unary", grpc.unary_unary_rpc_method_handler),
        ("Down", grpc.unary_stream_rpc_method_handler),
        ("Up", grpc.stream_unary_rpc_method_handler),
        ("Bidi", grpc.stream_stream_rpc_method_handler),
    ]
    handlers = {
        name: make(getattr(servicer, name.lower()), Request.FromString, Reply.SerializeToString) for name, make in kinds
    }
    name = "soak.Async" if isinstance(servicer, AsyncServicer) else "soak.Sync"
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, handlers),))
