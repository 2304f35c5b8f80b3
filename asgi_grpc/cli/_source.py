"""A file, or standard input: its bytes as they come, never whole in memory."""

from __future__ import annotations

import asyncio
import os
import sys
from types import TracebackType
from typing import Self

CHUNK_BYTES = 256 << 10  # large enough that the cost of a chunk vanishes, small enough to show progress


class SourceError(Exception):
    """The input can't be read, or not be sent as it is; the text says why."""


class Source:
    """Chunks of a file, or of standard input.

    Args:
        path: ``"-"`` is standard input.

    Raises:
        SourceError: the file can't be opened.
    """

    def __init__(self, path: str) -> None:
        self._name = "standard input" if path == "-" else path
        self._owned = path != "-"
        self._can_wait = True
        if not self._owned and sys.stdin is None:
            raise SourceError("can't read standard input: it is closed")
        try:
            self._fd = os.open(path, os.O_RDONLY) if self._owned else sys.stdin.fileno()
        except OSError as exc:
            raise self._error(exc) from exc

    async def read(self) -> bytes:
        """What is there, up to 256 KiB; waits for a byte of a pipe or terminal. Empty at the end.

        Raises:
            SourceError: it can't be read.
        """
        if self._can_wait:
            await self._wait()
        try:
            return os.read(self._fd, CHUNK_BYTES)
        except OSError as exc:
            raise self._error(exc) from exc

    async def _wait(self) -> None:
        """Wait until a read does not block. A thread would do it too, but nobody could end it at Ctrl-C."""
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        try:
            loop.add_reader(self._fd, ready.set)
        except (PermissionError, NotImplementedError):  # a plain file, which is always ready; or no such loop
            self._can_wait = False
            return
        try:
            await ready.wait()
        finally:
            loop.remove_reader(self._fd)

    def _error(self, error: OSError) -> SourceError:
        return SourceError(f"can't read {self._name}: {(error.strerror or str(error)).lower()}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._owned:
            os.close(self._fd)
