"""PINGs that find out whether the other end is still there.

Source: gRPC proposal A8, "Client-side Keepalive", section "Basic Keepalive".
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

_ANSWER_S = 20.0  # as grpcio waits


class Keepalive:
    """Watches one connection with one timer, as long as there are streams on it.

    Time counts from the last byte that came, also over a time without streams: the first stream behind it has its PING
    at once.

    Args:
        idle_s: without a byte, until a PING is sent.
        is_needed: whether there are streams.
        ping: sends a PING.
        on_silence: called when not a byte has come for 20 s after it. Nothing is watched any more then.
    """

    def __init__(
        self, idle_s: float, *, is_needed: Callable[[], bool], ping: Callable[[], None], on_silence: Callable[[], None]
    ) -> None:
        self._idle_s = idle_s
        self._is_needed = is_needed
        self._ping = ping
        self._on_silence = on_silence
        self._loop = asyncio.get_running_loop()
        self._heard_at = self._loop.time()
        self._is_asking = False  # a PING was sent, and nothing has come since
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """A stream was opened."""
        if self._timer is None:
            self._look()

    def heard(self) -> None:
        """Something has come."""
        self._heard_at = self._loop.time()
        if self._is_asking:
            self._is_asking = False
            self.stop()
            self._look()

    def stop(self) -> None:
        """The connection has ended."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        """See how long it has been silent."""
        self._timer = None
        now = self._loop.time()
        if self._is_asking:
            self._on_silence()
        elif self._is_needed():
            due = self._heard_at + self._idle_s
            if due <= now:
                self._ping()
                self._is_asking = True
                due = now + _ANSWER_S
            self._timer = self._loop.call_at(due, self._look)
