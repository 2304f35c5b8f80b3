"""What a call has moved so far, on one line of a terminal."""

from __future__ import annotations

import asyncio
import math
import time
from contextlib import suppress
from typing import Self, TextIO

_REDRAW_S = 0.1
_CLEAR = "\r\x1b[K"
_UNITS = ("kB", "MB", "GB")


class Progress:
    """Shows messages, bytes and rate while the ``async with`` lasts, at most ten times a second.

    Args:
        stream: where to; nothing is shown unless it is a terminal.

    Attributes:
        sent_messages, sent_bytes, received_records, received_bytes: counted by the caller.
    """

    def __init__(self, stream: TextIO) -> None:
        self.sent_messages = 0
        self.sent_bytes = 0
        self.received_records = 0
        self.received_bytes = 0
        self._stream = stream
        self._shown = stream.isatty()
        self._drawn = False
        self._began = time.monotonic()
        self._task: asyncio.Task[None] | None = None

    def clear(self) -> None:
        """Take the line away, before something else is written to the terminal."""
        if self._drawn:
            self._drawn = False
            self._stream.write(_CLEAR)
            self._stream.flush()

    def text(self, elapsed_s: float) -> str:
        """The line."""
        rate = self.sent_messages / elapsed_s if elapsed_s > 0 else 0.0
        speed = self.sent_bytes / elapsed_s if elapsed_s > 0 else 0.0
        return (
            f"sent {self.sent_messages:,} messages, {_size(self.sent_bytes)} ({rate:,.0f}/s, {_size(speed)}/s); "
            f"received {self.received_records:,}, {_size(self.received_bytes)}; {elapsed_s:.1f} s"
        )

    async def __aenter__(self) -> Self:
        self._began = time.monotonic()
        if self._shown:
            self._task = asyncio.create_task(self._redraw())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._draw("\n")
            self._drawn = False

    async def _redraw(self) -> None:
        while True:
            await asyncio.sleep(_REDRAW_S)
            self._draw()

    def _draw(self, end: str = "") -> None:
        self._stream.write(_CLEAR + self.text(time.monotonic() - self._began) + end)
        self._stream.flush()
        self._drawn = True


def _size(count: float) -> str:
    """Bytes, in the largest unit that leaves at least one of it."""
    if count < 1000:
        return f"{count:.0f} B"
    power = min(int(math.log10(count)) // 3, len(_UNITS))
    return f"{count / 1000**power:.1f} {_UNITS[power - 1]}"
