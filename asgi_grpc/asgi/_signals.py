"""Signals that begin the drain before the server hears of them."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Awaitable, Callable, Collection
from types import FrameType
from typing import Any

_log = logging.getLogger("asgi_grpc.error")


class DrainSignals:
    """Stands in front of the server's own signal handlers, from start-up to shutdown.

    The first signal starts the drain, and the server gets it when that has ended; a second one reaches it at once.
    Servers that set their handlers with ``signal.signal`` before they start the application up, as uvicorn does, can be
    served so; a server has no other way to tell an application that it is about to stop.

    Args:
        signals: which ones; none: nothing is done.
        drain: waits for the running calls.
    """

    def __init__(self, signals: Collection[signal.Signals], drain: Callable[[], Awaitable[object]]) -> None:
        self._signals = signals
        self._drain = drain
        self._before: dict[int, Any] = {}
        self._draining: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def install(self) -> None:
        """Take the place of the handlers. To be called on the server's loop."""
        if not self._signals:
            return
        if threading.current_thread() is not threading.main_thread():
            _log.warning("drain_signals: signals reach the main thread only, and the server runs in another one")
            return
        self._loop = asyncio.get_running_loop()
        for number in self._signals:
            self._before[number] = signal.signal(number, self._handle)

    def remove(self) -> None:
        """Put the handlers back."""
        for number, handler in self._before.items():
            if signal.getsignal(number) == self._handle:
                signal.signal(number, handler)
        self._before.clear()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        """A signal, between two instructions of whatever runs."""
        assert self._loop is not None
        if self._draining is not None:
            self._pass_on(number, frame)
        else:
            self._loop.call_soon_threadsafe(self._start, number)

    def _start(self, number: int) -> None:
        if self._draining is None:
            self._draining = asyncio.ensure_future(self._drain_first(number))

    async def _drain_first(self, number: int) -> None:
        try:
            await self._drain()
        finally:
            self._pass_on(number, None)

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        """To the server's handler; a default action is taken by the operating system."""
        handler = self._before.get(number, signal.SIG_DFL)
        if callable(handler):
            handler(number, frame)
        elif handler is not signal.SIG_IGN:
            self.remove()
            signal.raise_signal(number)
