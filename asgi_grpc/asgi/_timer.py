"""The timers of one exchange, without a task: idle time, early headers, heartbeats."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class IdleTimer:
    """Calls back once nothing was noted for a while.

    Args:
        after_s: seconds of silence; None: never.
        call: what to do then. Returns whether to go on watching for the next silence.
    """

    def __init__(self, after_s: float | None, call: Callable[[], bool]) -> None:
        self._after_s = after_s
        self._call = call
        self._loop = asyncio.get_running_loop()
        self._noted = self._loop.time()
        self._handle = None if after_s is None else self._loop.call_later(after_s, self._look)

    def note(self) -> None:
        """Something happened; it costs one clock reading and no new timer."""
        self._noted = self._loop.time()

    def stop(self) -> None:
        """Forget about it. Idempotent."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _look(self) -> None:
        assert self._after_s is not None
        silent = self._loop.time() - self._noted
        rest = self._after_s - silent
        if rest <= 0:
            if not self._call():
                self._handle = None
                return
            self._noted, rest = self._loop.time(), self._after_s
        self._handle = self._loop.call_later(rest, self._look)
