"""The timers of one exchange, without a task."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class SilenceTimer:
    """Calls back after every silence of some length, once it was started.

    Args:
        after_s: seconds without a ``note``; None: never.
        call: what to do then.
    """

    def __init__(self, after_s: float | None, call: Callable[[], None]) -> None:
        self._after_s = after_s
        self._call = call
        self._noted = 0.0
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Listen from now on."""
        if self._after_s is not None:
            self._loop = asyncio.get_running_loop()
            self._noted = self._loop.time()
            self._handle = self._loop.call_later(self._after_s, self._look)

    def note(self) -> None:
        """Something happened; it costs one clock reading and no new timer, and nothing before the start."""
        if self._handle is not None:
            self._noted = self._loop.time()

    def stop(self) -> None:
        """Forget about it. Idempotent."""
        if self._handle is not None:
            self._handle.cancel()

    def _look(self) -> None:
        assert self._after_s is not None
        rest = self._noted + self._after_s - self._loop.time()
        if rest <= 0:
            self._noted, rest = self._loop.time(), self._after_s
            self._call()
        self._handle = self._loop.call_later(rest, self._look)
