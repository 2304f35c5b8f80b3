"""The calls that run at this moment: their number is bounded, and at shutdown they are drained."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Protocol

from asgi_grpc.asgi._timer import Patience
from asgi_grpc.errors import Code, RequestError
from asgi_grpc.limits import Limits
from asgi_grpc.schema import Method

SLOW_AFTER_S = 0.02
"""A call that takes longer gets what quick ones never pay for: a watcher of its client, and a timer of its silence."""

FAREWELL_S = 5.0
"""A client that does not read gets so long to hear of a failure; then its connection is left to the server."""


class RunningCall(Protocol):
    """A call, as seen from here."""

    @property
    def method(self) -> Method:
        """Which method it is of."""
        ...

    def note_slowness(self) -> None:
        """Called once, when it has run for ``SLOW_AFTER_S``."""
        ...

    def end(self, reason: RequestError) -> None:
        """End it; the client is told the reason."""
        ...


class RunningCalls:
    """All calls of one gateway.

    Args:
        limits: of the gateway.
        own_limits: of single methods, by full name.

    Attributes:
        draining: no more calls are taken.
    """

    def __init__(self, limits: Limits, own_limits: Mapping[str, Limits]) -> None:
        self.draining = False
        self._limits = limits
        self._own_limits = own_limits
        self._of_method: Counter[str] = Counter()  # of those that have limits of their own
        self._calls: set[RunningCall] = set()
        self._patience = Patience(SLOW_AFTER_S)
        self._last_left: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        return len(self._calls)

    def begin(self, call: RunningCall) -> None:
        """Take one more call; ``end`` has to follow, unless this raises.

        Raises:
            RequestError: 503, there are as many as ``Limits.max_streams`` already, or the server is shutting down.
        """
        if self.draining:
            raise going_away()
        if len(self._calls) >= self._limits.max_streams:
            raise _too_many("too many streams: try again in a second")
        if self._own_limits and (own := self._own_limits.get(name := call.method.full_name)) is not None:
            if self._of_method[name] >= own.max_streams:
                raise _too_many("too many streams of this method: try again in a second")
            self._of_method[name] += 1
        self._calls.add(call)
        self._patience.enter(call)

    def end(self, call: RunningCall) -> None:
        """One call less."""
        self._calls.discard(call)
        self._patience.leave(call)
        if self._own_limits and call.method.full_name in self._own_limits:
            self._of_method[call.method.full_name] -= 1
        if not self._calls and self._last_left is not None and not self._last_left.done():
            self._last_left.set_result(None)

    async def drain(self, timeout_s: float) -> int:
        """Take no more calls, and wait for the running ones; those that are left then end with UNAVAILABLE.

        Returns:
            How many were left.
        """
        self.draining = True
        await self._wait(timeout_s)
        left = list(self._calls)
        for call in left:
            call.end(going_away())
        await self._wait(FAREWELL_S)
        return len(left)

    def hurry(self) -> None:
        """Grant the running calls no more time: they end with UNAVAILABLE now."""
        for call in list(self._calls):
            call.end(going_away())

    async def _wait(self, timeout_s: float) -> None:
        """Until the last call has left, or the time is over."""
        if self._calls:
            if self._last_left is None or self._last_left.done():  # else somebody waits for it already
                self._last_left = asyncio.get_running_loop().create_future()
            await asyncio.wait({self._last_left}, timeout=timeout_s)


def going_away() -> RequestError:
    """What a client is told when the server shuts down."""
    return RequestError(
        "the server is shutting down", code=Code.UNAVAILABLE, http_status=503, headers=[(b"retry-after", b"1")]
    )


def _too_many(text: str) -> RequestError:
    return RequestError(text, code=Code.UNAVAILABLE, headers=[(b"retry-after", b"1")])
