"""Replies, straight through to standard output."""

from __future__ import annotations

import os
import sys
from typing import BinaryIO

from asgi_grpc.cli._progress import Progress
from asgi_grpc.cli._verdict import LastRecord


class OutputClosed(Exception):  # noqa: N818 - it says what happened
    """Nobody reads standard output any more, as after ``| head``."""


class Output:
    """Writes replies as they come, and remembers the last.

    Args:
        stream: standard output's bytes.
        progress: counts what is written, and makes room on a terminal.
    """

    def __init__(self, stream: BinaryIO, progress: Progress) -> None:
        self.last = LastRecord()
        self._stream = stream
        self._progress = progress
        self._in_line = False

    def write(self, data: bytes) -> None:
        """Pass bytes on, at once.

        Raises:
            OutputClosed: nobody reads them.
        """
        if not data:
            return
        self.last.feed(data)
        self._in_line = not data.endswith(b"\n")
        self._progress.received_bytes += len(data)
        self._progress.received_records = self.last.records
        self._progress.clear()
        self._put(data)

    def end_line(self) -> None:
        """End a last line that has no LF."""
        if self._in_line:
            self.write(b"\n")

    def _put(self, data: bytes) -> None:
        try:
            self._stream.write(data)
            self._stream.flush()
        except BrokenPipeError as exc:
            raise OutputClosed from exc


def forget_output() -> None:
    """Nobody reads standard output: what Python still holds of it must not become an error at the exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
