"""The machine of the reader of event streams."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from asgi_grpc.framing import SseReader, SseStreamEvent
from asgi_grpc.testing import sse_bodies
from fuzz.framer_machine import FramerMachine
from tests.framing.models import model_sse

LIMIT = 24
PIECES = st.sampled_from(
    [b"data", b"data:", b"data: x", b"event:e", b"id:1", b"id", b"id:\0", b"retry:", b":", b":c", b" ", b"\xef\xbb\xbf",
     b"\xef", b"\xbb\xbf", b"\xff", b"\xc3", b"\xa9", b"\0"]
)  # fmt: skip
LINE_ENDS = st.sampled_from([b"\n", b"\r", b"\r\n", b"\n\n", b"\r\r", b"\r\n\r\n", b"\n\r", b"\n\r\n"])


class SseMachine(FramerMachine[SseStreamEvent]):
    """Event streams."""

    OPTIONS = (LIMIT, LIMIT, 6, 1000)

    def make(self, option: int) -> SseReader:
        """A reader with some limit."""
        return SseReader(max_event_bytes=option)

    def model(self, body: bytes, option: int) -> list[SseStreamEvent]:
        """Line by line."""
        return model_sse(body, option)

    def most_held(self, option: int) -> int:
        """An event."""
        return option

    @rule(piece=PIECES)
    def feed_piece(self, piece: bytes) -> None:
        """A part of a line."""
        self.feed(piece)

    @rule(end=LINE_ENDS)
    def feed_line_end(self, end: bytes) -> None:
        """One line's end, or an event's; half of a CR LF too."""
        self.feed(end)

    @rule(body=sse_bodies(limit=LIMIT))
    def feed_lines(self, body: bytes) -> None:
        """One chunk of many lines."""
        self.feed(body)

    @rule(size=st.sampled_from([1, LIMIT - 6, LIMIT - 5, LIMIT - 4, LIMIT, LIMIT + 1]))
    def feed_run(self, size: int) -> None:
        """One chunk of the same byte."""
        self.feed(b"x" * size)


TestSse = SseMachine.TestCase
