"""Timers without a task."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextvars import Context
from typing import Protocol


class Slow(Protocol):
    """Who is told that it takes long."""

    def note_slowness(self) -> None:
        """Called once, on the loop."""
        ...


class Patience:
    """Tells those that take long, with one timer for all of them: a timer for each costs as much as a tenth of a call.

    Args:
        after_s: what long means; they are told after twice that at the latest.
    """

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self._of_thread = _OfThread()

    def enter(self, one: Slow) -> None:
        """Count from now. To be called on a loop."""
        here = self._of_thread.young  # looked up once: it takes as long as ten other attributes
        if here.timer is None or not here.loop.is_running():  # a loop that ended took its timer along
            here.by_age.clear()
            here.loop = asyncio.get_running_loop()
            here.timer = here.loop.call_later(self._after_s, self._look, context=Context())  # it is of no single call
        here.by_age[one] = time.monotonic()

    def leave(self, one: Slow) -> None:
        """Count no more."""
        self._of_thread.young.by_age.pop(one, None)

    def _look(self) -> None:
        here = self._of_thread.young
        before = time.monotonic() - self._after_s
        found: list[Slow] = []
        for one, since in here.by_age.items():
            if since > before:
                break
            found.append(one)
        for one in found:
            del here.by_age[one]
            one.note_slowness()
        here.timer = here.loop.call_later(self._after_s, self._look) if here.by_age else None


class _OfThread(threading.local):
    """What each thread has of its own."""

    def __init__(self) -> None:
        self.young = _Young()


class _Young:
    """Those that a thread's loop serves, oldest first, and the timer that looks at them."""

    loop: asyncio.AbstractEventLoop
    timer: asyncio.TimerHandle | None = None

    def __init__(self) -> None:
        self.by_age: dict[Slow, float] = {}


class SilenceTimer:
    """Calls back after every silence of some length, from its start until its stop.

    Args:
        after_s: seconds without a ``note``; None: never.
    """

    def __init__(self, after_s: float | None) -> None:
        self._after_s = after_s
        self._call: Callable[[], None] | None = None
        self._noted = 0.0
        self._handle: asyncio.TimerHandle | None = None

    def start(self, call: Callable[[], None]) -> None:
        """Listen from now on.

        Args:
            call: what to do after a silence. It is held until the stop only: mostly it is of whoever holds the timer,
                and a circle of the two would have to wait for the garbage collector.
        """
        if self._after_s is not None:
            self._loop = asyncio.get_running_loop()
            self._noted = self._loop.time()
            self._call = call
            self._handle = self._loop.call_later(self._after_s, self._look)

    def note(self) -> None:
        """Something happened; it costs one clock reading and no new timer, and nothing before the start."""
        if self._handle is not None:
            self._noted = self._loop.time()

    def stop(self) -> None:
        """Forget about it. Idempotent."""
        if self._handle is not None:
            self._handle.cancel()
            self._call = None

    def _look(self) -> None:
        assert self._after_s is not None
        assert self._call is not None
        rest = self._noted + self._after_s - self._loop.time()
        if rest <= 0:
            self._noted, rest = self._loop.time(), self._after_s
            self._call()
        self._handle = self._loop.call_later(rest, self._look)
