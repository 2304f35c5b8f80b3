from __future__ import annotations

import asyncio
import io

import pytest

from asgi_grpc.cli import _progress
from asgi_grpc.cli._output import Output, OutputClosed
from asgi_grpc.cli._progress import Progress


class Terminal(io.StringIO):
    """Remembers what is written to it."""

    def isatty(self) -> bool:
        return True


class Gone(io.BytesIO):
    """A pipe that nobody reads."""

    def write(self, data: object) -> int:
        raise BrokenPipeError


def test_the_line_says_messages_bytes_and_rate() -> None:
    progress = Progress(io.StringIO())
    assert progress.text(0.0) == "sent 0 messages, 0 B (0/s, 0 B/s); received 0, 0 B; 0.0 s"
    progress.sent_messages, progress.sent_bytes = 200_000, 12_345_678
    progress.received_records, progress.received_bytes = 2, 999
    assert progress.text(2.0) == "sent 200,000 messages, 12.3 MB (100,000/s, 6.2 MB/s); received 2, 999 B; 2.0 s"
    progress.sent_bytes = 5_000_000_000_000
    assert progress.text(1000.0).startswith("sent 200,000 messages, 5000.0 GB (200/s, 5.0 GB/s)")


async def test_nothing_is_shown_where_there_is_no_terminal() -> None:
    stream = io.StringIO()
    async with Progress(stream) as progress:
        progress.clear()
    assert stream.getvalue() == ""


async def test_a_terminal_is_redrawn_and_makes_room_for_replies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_progress, "_REDRAW_S", 0.001)
    terminal, replies = Terminal(), io.BytesIO()
    async with Progress(terminal) as progress:
        output = Output(replies, progress)
        output.write(b"early")
        while terminal.getvalue().count("\r\x1b[Ksent 0 messages") < 2:
            await asyncio.sleep(0.001)
        output.write(b"{}\n")
        assert terminal.getvalue().endswith("\r\x1b[K")
    assert replies.getvalue() == b"early{}\n"
    assert terminal.getvalue().endswith(" s\n")
    assert "received 1, 8 B" in terminal.getvalue()


def test_output_ends_an_open_line_once() -> None:
    replies = io.BytesIO()
    output = Output(replies, Progress(io.StringIO()))
    for data in (b"", b"a", b"b\n", b""):
        output.write(data)
        output.end_line()
    assert replies.getvalue() == b"a\nb\n"
    assert output.last.value() == b"b"


def test_a_reader_that_has_gone_is_told_apart() -> None:
    with pytest.raises(OutputClosed):
        Output(Gone(), Progress(io.StringIO())).write(b"a")
