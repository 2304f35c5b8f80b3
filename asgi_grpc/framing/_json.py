"""JSON values one after the other, or one JSON array, cut from a stream.

Bytes in any chunking come in, one frame for each value goes out. The first byte that is not white space decides:
``[`` makes the body one array, its elements are the frames; anything else makes it values, separated by white space:
normally one a line, but a value may span lines and several may share one. Bytes between values that begin none (``}``,
``x``) are handed on as a frame up to the next white space, bracket or quote, for the decoder to refuse.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator

from asgi_grpc.errors import UsageError
from asgi_grpc.framing._events import Broken, End, Event, Fault, Frame
from asgi_grpc.framing._mark import LeadingMark
from asgi_grpc.framing._pieces import in_pieces
from asgi_grpc.framing._scanner import SPACE, Outcome, ValueScanner
from asgi_grpc.framing._shortcut import cut_elements, cut_valid_values, cut_values, has_no_end, is_one_value

_SPACES = re.compile(rb"[ \t\r\n]*+")
_SCALAR = re.compile(rb'[^ \t\r\n"{\[]*+')
_SCALAR_IN_ARRAY = re.compile(rb'[^ \t\r\n"{\[\]},:]*+')
_BRACE, _BRACKET = b"{["

_FAULTS = {Outcome.TOO_LARGE: Fault.FRAME_TOO_LARGE, Outcome.TOO_DEEP: Fault.TOO_DEEP}


class _Place(enum.Enum):
    """Where in the body we are."""

    FIRST = "in front of the byte that decides"
    VALUES = "among values, or in one"
    BRACKET = "behind ["
    COMMA = "behind a comma"
    ELEMENT = "behind an element, or in one"
    END = "behind ]"

    __hash__ = object.__hash__  # Enum's own is Python, and the tables below are looked up for every value


# What a byte that is not white space means between two values: a new place, a fault, or (not listed) a value's begin.
_MOVES: dict[_Place, dict[int, _Place | Fault]] = {
    _Place.FIRST: {_BRACKET: _Place.BRACKET},
    _Place.VALUES: {},
    _Place.BRACKET: {0x5D: _Place.END, 0x2C: Fault.NOT_JSON, 0x3A: Fault.NOT_JSON, 0x7D: Fault.NOT_JSON},
    _Place.COMMA: {0x5D: Fault.NOT_JSON, 0x2C: Fault.NOT_JSON, 0x3A: Fault.NOT_JSON, 0x7D: Fault.NOT_JSON},
    _Place.ELEMENT: dict.fromkeys(range(256), Fault.NOT_JSON) | {0x2C: _Place.COMMA, 0x5D: _Place.END},
    _Place.END: dict.fromkeys(range(256), Fault.TRAILING_DATA),
}
_BEHIND_A_VALUE = {_Place.FIRST: _Place.VALUES, _Place.VALUES: _Place.VALUES} | dict.fromkeys(
    (_Place.BRACKET, _Place.COMMA), _Place.ELEMENT
)


class JsonFramer:
    """Cut a byte stream into JSON values.

    A frame is exactly a value's bytes; one that is not valid JSON is the decoder's to refuse. A byte order mark at the
    very start is skipped. The events so far depend on the bytes so far and on nothing else: a value is given out with
    its last byte, a number or a literal with the byte behind it or at ``close()``.

    Args:
        max_frame_bytes: longest value accepted, from its first to its last byte.
        max_depth: most brackets open at once within one value; an array round the values is not counted.

    Source: RFC 8259; ndjson-spec 1.0.0, section 3.
    """

    _FIRST = _Place.FIRST

    def __init__(self, *, max_frame_bytes: int, max_depth: int) -> None:
        self._max_frame_bytes = max_frame_bytes
        self._max_depth = max_depth
        self._scanner = ValueScanner(max_frame_bytes=max_frame_bytes, max_depth=max_depth, scalar=_SCALAR)
        self._place = self._FIRST
        self._line = bytearray()  # the begin of an object's line, not scanned yet: nothing can end or open in it
        self._mark = LeadingMark()
        self._begin = 0  # offset of the unfinished value
        self._seen = 0  # bytes in all chunks before this one
        self._open = True

    @property
    def held_bytes(self) -> int:
        """Bytes kept between two calls: at most ``max_frame_bytes``, or two of a byte order mark."""
        return len(self._scanner.held) + len(self._line) + len(self._mark.held)

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
            self._seen += self._mark.length
        self._cut(chunk, events)
        return events

    def close(self) -> list[Event]:
        """The last number or literal, then ``End``; ``Broken`` if the body ends inside a value or an array.

        Raises:
            UsageError: after the last event.
        """
        if not self._open:
            raise UsageError("close() after the end")
        events: list[Event] = []
        if rest := self._mark.close():
            self._cut(rest, events)
        if self._open:
            self._close(events)
        return events

    def _close(self, events: list[Event]) -> None:
        held = self._scanner.held
        in_array = self._place in (_Place.BRACKET, _Place.COMMA, _Place.ELEMENT)
        if in_array or self._line or (held and self._scanner.delimits_itself):
            self._break(Fault.TRUNCATED, self._begin if held or self._line else self._seen, events)
            return
        if held:
            events.append(Frame(bytes(held), self._begin))
            held.clear()
        events.append(End())
        self._open = False

    def _cut(self, chunk: bytes, events: list[Event]) -> None:
        pos = 0
        if self._line:
            chunk, pos = self._end_line(chunk, events)
        fresh = True  # the short way is tried once for each chunk: its failures stay linear
        while self._open and pos < len(chunk):
            if not self._scanner.held:
                if chunk[pos] in SPACE:
                    pos = _behind_space(chunk, pos)
                    continue
                move = _MOVES[self._place].get(chunk[pos])
                if move is not None:
                    self._move(move, self._seen + pos, events)
                    pos += 1
                    continue
                self._place = _BEHIND_A_VALUE[self._place]
                if fresh:
                    fresh = False
                    if end := self._take_short_way(chunk, pos, events):
                        pos = end
                        continue
                if self._holds_line(chunk, pos):
                    break
            pos = self._scan(chunk, pos, events)
        self._seen += len(chunk)

    def _move(self, move: _Place | Fault, offset: int, events: list[Event]) -> None:
        if isinstance(move, Fault):
            self._break(move, offset, events)
            return
        self._place = move
        if move is _Place.BRACKET:
            self._scanner = ValueScanner(
                max_frame_bytes=self._max_frame_bytes, max_depth=self._max_depth, scalar=_SCALAR_IN_ARRAY
            )

    def _take_short_way(self, chunk: bytes, pos: int, events: list[Event]) -> int:
        """Cut as many whole values as can be proved to be some; the position behind them, 0 if there are none."""
        way = cut_elements if self._place is _Place.ELEMENT else cut_values
        cut = way(chunk, pos, self._seen + pos, max_frame_bytes=self._max_frame_bytes, max_depth=self._max_depth)
        if cut is None:
            return 0
        events += cut[0]
        return cut[1]

    def _holds_line(self, chunk: bytes, pos: int) -> bool:
        """Keep the chunk's rest without a scan, if it is the begin of an object and nothing more."""
        fits = len(chunk) - pos <= self._max_frame_bytes
        if chunk[pos] != _BRACE or self._place is not _Place.VALUES or not fits or not has_no_end(chunk, pos + 1):
            return False
        self._begin = self._seen + pos
        self._line += memoryview(chunk)[pos:]
        return True

    def _end_line(self, chunk: bytes, events: list[Event]) -> tuple[bytes, int]:
        """Go on with the line that is held; what to cut then, and from where."""
        end = chunk.find(b"\n")
        if len(self._line) + len(chunk) <= self._max_frame_bytes and end < 0 and has_no_end(chunk, 0):
            self._line += chunk
            return chunk, len(chunk)
        text = bytes(self._line)
        self._line.clear()
        line = (text + chunk[: max(end, 0)]).removesuffix(b"\r")
        if len(line) <= self._max_frame_bytes and is_one_value(line, max_depth=self._max_depth):
            events.append(Frame(line, self._begin))
            return chunk, end
        self._seen -= len(text)
        return text + chunk, 0

    def _scan(self, chunk: bytes, pos: int, events: list[Event]) -> int:
        """Go to the end of the value at hand, or of the chunk; where to go on."""
        held = self._scanner.held
        if not held:
            self._begin = self._seen + pos
        outcome, end = self._scanner.take(chunk, pos)
        if outcome is Outcome.DONE:
            events.append(Frame(bytes(held) + chunk[pos:end] if held else chunk[pos:end], self._begin))
            held.clear()
        elif outcome is not Outcome.MORE:
            self._break(_FAULTS[outcome], self._begin, events)
        return end

    def _break(self, fault: Fault, offset: int, events: list[Event]) -> None:
        events.append(Broken(fault, offset))
        self._scanner.held.clear()
        self._line.clear()
        self._open = False


class MessageFramer(JsonFramer):
    """Cut the values of one message: no array is round them, and their offsets may count from an earlier begin.

    Args:
        offset: of the message's first byte.
    """

    _FIRST = _Place.VALUES

    def __init__(self, *, max_frame_bytes: int, max_depth: int, offset: int = 0) -> None:
        super().__init__(max_frame_bytes=max_frame_bytes, max_depth=max_depth)
        self._seen = offset

    @property
    def at(self) -> int:
        """Offset of the value at hand, or of the next byte."""
        return self._begin if self._scanner.held or self._line else self._seen


def cut_message(text: bytes, *, max_frame_bytes: int, max_depth: int) -> list[Event]:
    """Cut one whole WebSocket message into JSON values.

    Values are separated by white space, mostly line feeds; a ``[`` begins a value here, not an array of messages, and
    a value never spans two messages.

    Args:
        text: the message, UTF-8.
        max_frame_bytes: longest value accepted.
        max_depth: most brackets open at once.

    Returns:
        Frames with offsets from the message's start, then ``End`` or ``Broken``. White space alone gives ``End``.
    """
    if len(text) <= max_frame_bytes and is_one_value(text, max_depth=max_depth):
        return [Frame(text, 0), End()]
    if text[:1] == b"{":
        body = text.rstrip(SPACE)
        ends = text[len(body) : len(body) + 1] == b"\n" or is_one_value(
            body[body.rfind(b"\n") + 1 :], max_depth=max_depth
        )
        way = cut_values if ends else cut_valid_values
        lines = body + b"\n"
        cut = way(lines, 0, 0, max_frame_bytes=max_frame_bytes, max_depth=max_depth)
        if cut is not None and cut[1] >= len(lines) - 1:
            return [*cut[0], End()]
    framer = MessageFramer(max_frame_bytes=max_frame_bytes, max_depth=max_depth)
    events = framer.feed(text)
    return events if events and isinstance(events[-1], Broken) else events + framer.close()


def cut_long_message(text: bytes, *, max_frame_bytes: int, max_depth: int) -> Iterator[list[Event]]:
    """Cut like ``cut_message``, but a piece of the message at a time, each when it is asked for.

    A message of 16 MiB may hold five million values, and their frames would take a gigabyte at once.
    """
    if len(text) <= max_frame_bytes and is_one_value(text, max_depth=max_depth):
        yield [Frame(text, 0), End()]
        return
    framer = MessageFramer(max_frame_bytes=max_frame_bytes, max_depth=max_depth)
    for piece in in_pieces(text):
        events = framer.feed(piece)
        yield events
        if events and isinstance(events[-1], Broken):
            return
    yield framer.close()


def _behind_space(chunk: bytes, pos: int) -> int:
    found = _SPACES.match(chunk, pos)
    assert found is not None  # the pattern matches the empty string
    return found.end()
