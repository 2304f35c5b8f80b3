"""Where one JSON value ends: the structure is scanned, nothing is decoded.

Bytes come in, in any chunking; out comes the position behind the value, or the limit that it broke. The work is done
by compiled patterns; Python sees one step for each bracket and for each chunk.

Two rules hold for bytes that are not JSON, so that the answer never depends on the chunking, and a stream with a bad
line is refused soon instead of being swallowed as one endless value:

- A line feed inside a string ends the value in front of it: JSON has no raw line feed in a string. Source: RFC 8259,
  section 7.
- An opening bracket ends the value in front of it unless it follows ``,`` ``:`` ``[`` or ``{``: between two values of
  one document there is always a comma or a colon.

A value that ends by either rule is handed on whole, for the decoder to refuse. Kinds of brackets are not matched, for
the same reason.
"""

from __future__ import annotations

import enum
import re

from asgi_grpc.errors import UsageError

SPACE = b" \t\r\n"
"""White space between tokens. Source: RFC 8259, section 2."""

_LF, _QUOTE, _BACKSLASH = b'\n"\\'
_OPENERS = b"{["
_MAY_PRECEDE_A_VALUE = b",:[{"

_PLAIN = rb'[^"{}\[\]]++'
_STRING = rb'"[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+"'
_LEAF = rb"(?<=[,:\[{])[{\[](?:%b|%b)*+[}\]]" % (_PLAIN, _STRING)
_BRANCH = rb"(?<=[,:\[{])[{\[](?:%b|%b|%b)*+[}\]]" % (_PLAIN, _STRING, _LEAF)
# Up to the next bracket, over whole strings; it stops in front of a string whose end is not in sight.
_OUTSIDE = re.compile(rb"(?:%b|%b)*+" % (_PLAIN, _STRING))
# The same over whole objects and arrays too, of at most two levels, where nothing but a comma, colon or bracket is in
# front. A try that fails is repeated one level deeper: a byte is seen four times at most.
_OVER_BRANCHES = re.compile(rb"(?:%b|%b|%b)*+" % (_PLAIN, _STRING, _BRANCH))
# Up to the string's last quote, a line feed, or a backslash whose other half is not in sight.
_INSIDE = re.compile(rb'[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+')


class Outcome(enum.Enum):
    """What a scan found."""

    MORE = "the value goes on behind the bytes seen so far"
    DONE = "the value ends here"
    TOO_LARGE = "a byte of the value is over max_frame_bytes"
    TOO_DEEP = "a bracket opens level max_depth + 1"


class ValueScanner:
    """The state of one unfinished value: what is kept of it, and where in its structure we are.

    Args:
        max_frame_bytes: longest value accepted, from its first to its last byte.
        max_depth: most brackets open at once.
        scalar: matches a number or a literal, up to whatever ends it.
    """

    __slots__ = (
        "_before",
        "_depth",
        "_escaped",
        "_in_string",
        "_max_depth",
        "_max_frame_bytes",
        "_scalar",
        "_text",
        "held",
    )

    def __init__(self, *, max_frame_bytes: int, max_depth: int, scalar: re.Pattern[bytes]) -> None:
        if max_frame_bytes < 1 or max_depth < 1:
            raise UsageError("max_frame_bytes and max_depth must be at least 1")
        self.held = bytearray()
        self._max_frame_bytes = max_frame_bytes
        self._max_depth = max_depth
        self._scalar = scalar
        self._text = False  # a number or a literal: no structure
        self._depth = 0
        self._in_string = False
        self._escaped = False  # the last byte was a backslash in a string, its other half is not here yet
        self._before = 0  # the last byte that was not white space

    @property
    def delimits_itself(self) -> bool:
        """False for numbers and literals: only what follows tells that they are whole."""
        return not self._text

    def take(self, chunk: bytes, pos: int) -> tuple[Outcome, int]:
        """Scan on from ``chunk[pos]``; the first byte of a value if nothing is held.

        Returns:
            ``DONE`` with the position behind the value, what was held of it is then the caller's to clear; ``MORE``
            with the chunk's length, everything is then held; or the limit broken.
        """
        over = pos + self._max_frame_bytes - len(self.held)  # the index of the first byte too many
        stop = min(len(chunk), over + 1)
        begin = pos if self.held else self._begin(chunk, pos)
        outcome, end = self._scan_scalar(chunk, begin, stop) if self._text else self._scan(chunk, begin, stop)
        if outcome is Outcome.MORE:
            if len(chunk) > over:
                return Outcome.TOO_LARGE, over
            self.held += memoryview(chunk)[pos:]
        elif end > over or (outcome is Outcome.TOO_DEEP and end == over):
            return Outcome.TOO_LARGE, over
        return outcome, end

    def _begin(self, chunk: bytes, pos: int) -> int:
        """Start over with the value at ``chunk[pos]``; where to scan from."""
        first = chunk[pos]
        self._text = first not in b'{["'
        self._depth = 0
        self._in_string = first == _QUOTE
        self._escaped = False
        self._before = _MAY_PRECEDE_A_VALUE[0]
        return pos + self._in_string

    def _scan_scalar(self, chunk: bytes, pos: int, stop: int) -> tuple[Outcome, int]:
        end = _end(self._scalar, chunk, pos, stop)
        return (Outcome.MORE if end == stop else Outcome.DONE), end

    def _scan(self, chunk: bytes, pos: int, stop: int) -> tuple[Outcome, int]:
        """Walk from bracket to bracket."""
        while True:
            if self._in_string:
                outcome, pos = self._leave_string(chunk, pos, stop)
                if outcome is not None:
                    return outcome, pos
            run = _OVER_BRANCHES if 0 < self._depth <= self._max_depth - 2 else _OUTSIDE
            begin, pos = pos, _end(run, chunk, pos, stop)
            if pos > begin:
                last = chunk[pos - 1]
                if last not in SPACE:
                    self._before = last
                elif seen := chunk[begin:pos].rstrip(SPACE):
                    self._before = seen[-1]
            if pos == stop:
                return Outcome.MORE, pos
            byte = chunk[pos]
            if byte == _QUOTE:
                self._in_string = True
            else:
                outcome = self._pass_bracket(byte)
                if outcome is not None:
                    return outcome, pos + (byte not in _OPENERS)
            self._before = byte
            pos += 1

    def _pass_bracket(self, byte: int) -> Outcome | None:
        """Count a bracket; an outcome if it ends the value, or must not be here."""
        if byte not in _OPENERS:
            self._depth -= 1
            return None if self._depth else Outcome.DONE
        if self._before not in _MAY_PRECEDE_A_VALUE:
            return Outcome.DONE
        if self._depth == self._max_depth:
            return Outcome.TOO_DEEP
        self._depth += 1
        return None

    def _leave_string(self, chunk: bytes, pos: int, stop: int) -> tuple[Outcome | None, int]:
        """Go behind the string's last quote; an outcome if that is the end, or not in sight."""
        if self._escaped and pos < stop:
            self._escaped = False
            pos += chunk[pos] != _LF
        pos = _end(_INSIDE, chunk, pos, stop)
        if pos == stop:
            return Outcome.MORE, pos
        if chunk[pos] == _BACKSLASH:
            pos += 1
            if pos == stop:
                self._escaped = True
                return Outcome.MORE, pos
        if chunk[pos] == _LF:
            return Outcome.DONE, pos
        self._in_string = False
        return (None if self._depth else Outcome.DONE), pos + 1


def _end(pattern: re.Pattern[bytes], chunk: bytes, pos: int, stop: int) -> int:
    found = pattern.match(chunk, pos, stop)
    assert found is not None  # every pattern here matches the empty string
    return found.end()
