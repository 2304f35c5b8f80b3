"""Signals that begin the drain before the server hears of them."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Collection
from types import FrameType
from typing import Any

_log = logging.getLogger("asgi_grpc.error")

SAME_S = 2.0
"""A signal that follows another one so soon says nothing new.

A terminal tells each process of a group, and systemd each of a service; a supervisor of workers, that was told so too,
then tells its workers once more. uvicorn's does within half a second.
"""


class DrainSignals:
    """Stands in front of the server's own signal handlers, from start-up to shutdown.

    The first signal starts the drain, and the server gets it when that has ended. Another one, later than ``SAME_S``,
    says that somebody is in a hurry; those that come after it reach the server at once. Where several gateways stand in
    front of one server, they drain together.

    Servers that set their handlers with ``signal.signal`` before they start the application up, as uvicorn does, can be
    served so; a server has no other way to tell an application that it is about to stop.

    Args:
        signals: which ones; none: nothing is done.
        drain: waits for the running calls.
        hurry: ends the running calls, and with them the drain.

    Attributes:
        before: the handlers that ours stand in front of, by signal.
    """

    def __init__(
        self,
        signals: Collection[signal.Signals],
        drain: Callable[[], Awaitable[object]],
        hurry: Callable[[], None],
    ) -> None:
        self._signals = signals
        self.drain = drain
        self.hurry = hurry
        self.before: dict[int, Any] = {}
        self._draining: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._heard_at: float | None = None
        self._is_hurried = False

    def install(self) -> None:
        """Take the place of the handlers. To be called on the server's loop."""
        if not self._signals:
            return
        if threading.current_thread() is not threading.main_thread():
            _log.warning("drain_signals: signals reach the main thread only, and the server runs in another one")
            return
        self._loop = asyncio.get_running_loop()
        self._draining = self._heard_at = None
        self._is_hurried = False
        for number in self._signals:
            self.before[number] = signal.signal(number, self._handle)

    def remove(self) -> None:
        """Put the handlers back."""
        for number, handler in self.before.items():
            if signal.getsignal(number) == self._handle:
                signal.signal(number, handler)
        self.before.clear()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        """A signal, between two instructions of whatever runs."""
        assert self._loop is not None
        now = time.monotonic()
        if self._heard_at is None:
            self._heard_at = now
            self._loop.call_soon_threadsafe(self._start, number)
        elif self._is_hurried:
            self._line(number)[-1].pass_on(number, frame)
        elif now - self._heard_at > SAME_S:
            self._is_hurried = True
            self._loop.call_soon_threadsafe(self._hurry_all, number)

    def _start(self, number: int) -> None:
        self._draining = asyncio.ensure_future(self._drain_first(number))

    async def _drain_first(self, number: int) -> None:
        line = self._line(number)
        try:
            await asyncio.gather(*(each.drain() for each in line))
        finally:
            line[-1].pass_on(number, None)

    def _hurry_all(self, number: int) -> None:
        """Somebody does not want to wait. Where nothing is left to wait for, it is meant for the server."""
        if self._draining is not None and self._draining.done():
            self._line(number)[-1].pass_on(number, None)
            return
        for each in self._line(number):
            each.hurry()

    def _line(self, number: int) -> list[DrainSignals]:
        """This one, and those that it stands in front of."""
        line = [self]
        while isinstance(behind := getattr(line[-1].before.get(number), "__self__", None), DrainSignals):
            line.append(behind)
        return line

    def pass_on(self, number: int, frame: FrameType | None) -> None:
        """To the server's handler; a default action is taken by the operating system. Behind the end, to nobody."""
        handler = self.before.get(number, signal.SIG_IGN)
        if callable(handler):
            handler(number, frame)
        elif handler is not signal.SIG_IGN:
            self.remove()
            signal.raise_signal(number)
