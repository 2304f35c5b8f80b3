"""JSON text sequences: each value stands between a record separator and a line feed.

Bytes in any chunking come in, one frame for each value goes out. A record separator ends whatever came before it; a
value that is not whole by then, or a number or a literal without white space behind it, is truncated. Where RFC 7464
lets a reader skip a damaged value, this one stops: no message of a call is ever left out in silence.
"""

from __future__ import annotations

import re

from asgi_grpc.errors import UsageError
from asgi_grpc.framing._events import Broken, End, Event, Fault, Frame
from asgi_grpc.framing._mark import LeadingMark
from asgi_grpc.framing._scanner import SPACE, Outcome, ValueScanner
from asgi_grpc.framing._shortcut import frame_lines, prove_lines

_RS = b"\x1e"
_JOINT = b"\n\x1e"
_BRACE = 0x7B
_SCALAR = re.compile(rb'[^ \t\r\n"{\[]*+')
_ANY_DEPTH = 1 << 62  # the decoder's own limit holds; here depth is only counted


class JsonSeqFramer:
    """Cut a byte stream of ``application/json-seq`` into JSON values.

    A frame is exactly a value's bytes, given out with its last byte (a number or a literal with the byte behind it).
    A byte order mark at the very start, separators and white space without a value are skipped. Anything before the
    first separator, or a second value behind one, is ``NOT_JSON``.

    Args:
        max_frame_bytes: longest value accepted.

    Source: RFC 7464, sections 2.1 to 2.4.
    """

    def __init__(self, *, max_frame_bytes: int) -> None:
        self._max_frame_bytes = max_frame_bytes
        self._scanner = ValueScanner(max_frame_bytes=max_frame_bytes, max_depth=_ANY_DEPTH, scalar=_SCALAR)
        self._mark = LeadingMark()
        self._expecting = False  # a separator was seen, its value not yet
        self._begin = 0  # offset of the unfinished value
        self._seen = 0  # bytes handled
        self._open = True

    @property
    def held_bytes(self) -> int:
        """Bytes kept between two calls: at most ``max_frame_bytes``, or two of a byte order mark."""
        return len(self._scanner.held) + len(self._mark.held)

    def feed(self, chunk: bytes) -> list[Event]:
        """The frames that a chunk completes, then ``Broken`` if the body can't be cut any further.

        Raises:
            UsageError: after the last event.
        """
        if not self._open:
            raise UsageError("feed() after the end")
        events: list[Event] = []
        if not self._mark.passed:
            chunk = self._mark.strip(chunk)
            self._seen = self._mark.length
        head, separator, rest = chunk.partition(_RS)
        self._cut(head, events)
        if separator and self._separate(events):
            head, *records = self._cut_whole_records(rest, events).split(_RS)
            self._cut(head, events)
            for record in records:
                if not self._separate(events):
                    break
                self._cut(record, events)
        return events

    def close(self) -> list[Event]:
        """``End``, or ``Broken`` if the last value is not whole.

        Raises:
            UsageError: after the last event.
        """
        if not self._open:
            raise UsageError("close() after the end")
        events: list[Event] = []
        if self._mark.close():
            self._break(Fault.NOT_JSON, 0, events)
        elif self._scanner.held:
            self._break(Fault.TRUNCATED, self._begin, events)
        else:
            events.append(End())
            self._open = False
        return events

    def _cut_whole_records(self, rest: bytes, events: list[Event]) -> bytes:
        """Take the short way through what follows a separator; what is left behind another one."""
        end = rest.rfind(_JOINT)
        if end < 0 or rest[0] != _BRACE:
            return rest
        lines = prove_lines(rest[:end], _JOINT, self._max_frame_bytes, _ANY_DEPTH)
        if lines is None:
            return rest
        events += frame_lines(lines, self._seen, len(_JOINT))
        end += len(_JOINT)
        self._seen += end
        return rest[end:]

    def _cut(self, piece: bytes, events: list[Event]) -> None:
        """Handle bytes that hold no separator."""
        pos = 0
        while self._open and pos < len(piece):
            held = self._scanner.held
            if not held:
                pos = len(piece) - len(piece[pos:].lstrip(SPACE))
                if pos == len(piece):
                    break
                self._begin = self._seen + pos
                if not self._expecting:
                    self._break(Fault.NOT_JSON, self._begin, events)
                    break
                self._expecting = False
            outcome, end = self._scanner.take(piece, pos)
            if outcome is Outcome.DONE:
                events.append(Frame(bytes(held) + piece[pos:end], self._begin))
                held.clear()
            elif outcome is not Outcome.MORE:
                self._break(Fault.FRAME_TOO_LARGE, self._begin, events)
            pos = end
        self._seen += len(piece)

    def _separate(self, events: list[Event]) -> bool:
        """Pass a separator; False if there is nothing more to cut."""
        if self._scanner.held:
            self._break(Fault.TRUNCATED, self._begin, events)
        self._seen += 1
        self._expecting = True
        return self._open

    def _break(self, fault: Fault, offset: int, events: list[Event]) -> None:
        events.append(Broken(fault, offset))
        self._scanner.held.clear()
        self._open = False
