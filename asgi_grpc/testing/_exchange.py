"""A scripted peer for one ASGI connection: it feeds ``receive``, records ``send``, and sleeps nowhere."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from types import TracebackType
from typing import Any, Self

Scope = MutableMapping[str, Any]  # ASGI's own dictionaries have no closed set of keys
Message = MutableMapping[str, Any]
Application = Callable[[Scope, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]


class ExchangeEndedError(Exception):
    """The application has ended, and every event that it sent was taken."""


class Exchange:
    """What ``HttpExchange`` and ``WebSocketExchange`` have in common.

    The application runs as a task of its own from ``async with`` on. Leaving the block disconnects if it still runs,
    waits for its end, raises what it raised, and fails if it broke ASGI's order of events.

    Args:
        app: any ASGI application.
        scope: of the connection.
        patience_s: a wait for the application fails with ``TimeoutError`` after so long, so that no test hangs.
        broken_pipe: once disconnected, ``send`` raises ``OSError``, as ASGI 2.4 allows; else it does nothing.

    Attributes:
        scope: what the application was called with.
        sent: every event that reached the peer, in order.
        unheard: every event that the application sent after the disconnect.
        violations: what the application must not have sent, a sentence for each event. They fail the block's end.
    """

    def __init__(self, app: Application, scope: Scope, *, patience_s: float, broken_pipe: bool) -> None:
        self.scope = scope
        self.sent: list[Message] = []
        self.unheard: list[Message] = []
        self.violations: list[str] = []
        self._app = app
        self._patience_s = patience_s
        self._broken_pipe = broken_pipe
        self._disconnection: Message | None = None  # what receive() gives when the script is used up, at the end
        self._vanished = False
        self._script: deque[Message] = deque()
        self._waiting = 0  # calls of receive() that have nothing to return
        self._holding = False
        self._taken = 0  # events of ``sent`` that receive() returned
        self._told = False  # what the application raised
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
            return
        if not self._running.done() and not self._vanished:
            await self._leave()
        await self.ended()
        assert not self.violations, "; ".join(self.violations)

    async def receive(self) -> Message:
        """The next event that the application sends.

        Raises:
            ExchangeEndedError: it has ended and sent no more. What it raised is raised first.
        """
        await self._until(lambda: self._taken < len(self.sent) or self._running.done())
        if self._taken == len(self.sent):
            await self.ended()
            raise ExchangeEndedError
        self._taken += 1
        return self.sent[self._taken - 1]

    async def starved(self) -> None:
        """Wait until the application waits for an event that the script does not have, or has ended."""
        await self._until(lambda: self._is_starved() or self._running.done())

    async def ended(self) -> None:
        """Wait for the application's end; what it raised is raised here, once."""
        await self._until(self._running.done)
        if not self._told:
            self._told = True
            self._running.result()

    def hold_sends(self) -> None:
        """From now on ``send`` delivers its event and does not return: a peer that reads slowly."""
        self._holding = True

    def release_sends(self) -> None:
        """Every held ``send`` returns, and those to come do at once."""
        self._holding = False
        self._changed.set()

    @property
    def _running(self) -> asyncio.Task[None]:
        assert self._task is not None, "use the exchange in an 'async with'"
        return self._task

    def _end_input(self, disconnection: Message) -> None:
        self._disconnection = disconnection
        self._changed.set()

    def _is_starved(self) -> bool:
        return self._waiting > 0 and not self._script and self._disconnection is None

    def _give(self, event: Message) -> None:
        assert not self._vanished, "the peer has vanished"
        self._script.append(event)
        self._changed.set()

    async def _until(self, settled: Callable[[], bool]) -> None:
        async with asyncio.timeout(self._patience_s):
            await self._watch(settled)

    async def _watch(self, settled: Callable[[], bool]) -> None:
        while not settled():
            self._changed.clear()
            await self._changed.wait()

    async def _run(self) -> None:
        try:
            await self._app(self.scope, self._on_receive, self._on_send)
        finally:
            asyncio.get_running_loop().call_soon(self._changed.set)  # by then this task is done

    async def _on_receive(self) -> Message:
        self._waiting += 1
        try:
            self._changed.set()
            await self._watch(lambda: bool(self._script) or self._disconnection is not None)
        finally:
            self._waiting -= 1
        if self._script:
            return self._script.popleft()
        assert self._disconnection is not None  # watched for
        return dict(self._disconnection)

    async def _on_send(self, event: Message) -> None:
        problem = self._check(event)
        if problem:
            self.violations.append(problem)
            raise RuntimeError(problem)
        if self._vanished:
            self.unheard.append(event)
            if self._broken_pipe:
                raise OSError("the client has disconnected")
            return
        self.sent.append(event)
        self._changed.set()
        await self._watch(lambda: not self._holding or self._vanished)

    async def _leave(self) -> None:
        """Disconnect, as the peer does that has no more to say."""
        raise NotImplementedError

    def _check(self, event: Message) -> str:
        """What is wrong with sending this event now, empty if nothing; keeps the order's state."""
        raise NotImplementedError
