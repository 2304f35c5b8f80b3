"""The machines of the framers that cut JSON. ``python -m fuzz.soak`` runs all machines for as long as you like."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from asgi_grpc.framing import (
    Broken,
    Event,
    Frame,
    JsonFramer,
    JsonSeqFramer,
    WholeFramer,
    cut_long_message,
    cut_message,
)
from asgi_grpc.framing._json import MessageFramer
from asgi_grpc.testing import array_bodies, json_seq_bodies, json_values, ndjson_bodies
from fuzz.framer_machine import FramerMachine
from tests.framing.models import model_json, model_json_seq, model_whole

LIMIT, DEPTH = 24, 3
SHARDS = st.sampled_from(
    [b"{", b"}", b"[", b"]", b'"', b"\\", b",", b"\n", b" ", b"1", b"\x1e", b"\xef", b"\xbb\xbf", b'{"a":1}\n' * 3]
)
LINES = st.sampled_from(
    [b"{}", b'{"a":1}', b'{"a":1}', b'{"a:1}', b'{a":1}', b'{"a":"}', b'{"a":"\\"}', b'{"}"}', b'{"{":1}', b'{"a":[1]}',
     b'{"a":1}}', b'{"a":1', b'{"a":{}}', b'{"a":1} ', b"{1}\r", b"{]}", b'{"a":"' + b"x" * (LIMIT - 8) + b'"}']
)  # fmt: skip


class JsonTextMachine(FramerMachine[Event]):
    """The rules: whatever is nearly JSON."""

    def most_held(self, option: tuple[int, int]) -> int:
        """The limit, or half a byte order mark."""
        return max(option[0], 2)

    @rule(piece=st.one_of(SHARDS, json_values(limit=LIMIT, depth=DEPTH)))
    def feed_piece(self, piece: bytes) -> None:
        """One chunk that is a token, a value or nothing."""
        self.feed(piece)

    @rule(body=st.one_of(ndjson_bodies(limit=LIMIT, depth=DEPTH), json_seq_bodies(limit=LIMIT)))
    def feed_lines(self, body: bytes) -> None:
        """One chunk of many values."""
        self.feed(body)

    @rule(body=array_bodies(limit=LIMIT, depth=DEPTH), at=st.integers(0, 40))
    def feed_array_piece(self, body: bytes, at: int) -> None:
        """One chunk from the middle of an array, or its begin."""
        self.feed(body[at:] if self.body else body)

    @rule(
        lines=st.lists(st.one_of(LINES, st.binary(max_size=6).map(lambda noise: b"{" + noise + b"}")), max_size=5),
        end=st.sampled_from([b"\n", b"\r\n", b"\n\x1e"]),
        last=st.sampled_from([b"\n", b"\r\n", b"", b" "]),
    )
    def feed_short_lines(self, lines: list[bytes], end: bytes, last: bytes) -> None:
        """One chunk of lines that look like objects, a quote or a brace too many or too few."""
        self.feed(end.join(lines) + last)

    @rule(size=st.integers(1, 2 * LIMIT), byte=st.sampled_from([b"9", b" ", b"\n", b"[", b"x"]))
    def feed_run(self, size: int, byte: bytes) -> None:
        """One chunk of the same byte."""
        self.feed(byte * size)


class JsonMachine(JsonTextMachine):
    """JSON values, or an array."""

    OPTIONS = ((LIMIT, DEPTH), (LIMIT, DEPTH), (1000, DEPTH), (LIMIT, 100), (3, 1))

    def make(self, option: tuple[int, int]) -> JsonFramer:
        """JSON in a body."""
        return JsonFramer(max_frame_bytes=option[0], max_depth=option[1])

    def model(self, body: bytes, option: tuple[int, int]) -> list[Event]:
        """Byte by byte."""
        return model_json(body, *option)

    def until_close(self, events: list[Event]) -> list[Event]:
        """The last number or literal is not known to be whole."""
        return without_open_scalar(events, self.body)


class JsonMessageMachine(JsonMachine):
    """The values of one WebSocket message, in fragments."""

    def make(self, option: tuple[int, int]) -> JsonFramer:
        """JSON in a message."""
        return MessageFramer(max_frame_bytes=option[0], max_depth=option[1])

    def model(self, body: bytes, option: tuple[int, int]) -> list[Event]:
        """Byte by byte; an array is one value."""
        return model_json(body, *option, message=True)

    @invariant()
    def the_whole_is_cut_alike(self) -> None:
        """The short way for whole messages says the same."""
        limit, depth = self.option
        expected = self.model(self.body, self.option)
        assert cut_message(self.body, max_frame_bytes=limit, max_depth=depth) == expected
        pieces = cut_long_message(self.body, max_frame_bytes=limit, max_depth=depth)
        assert [event for events in pieces for event in events] == expected


class JsonSeqMachine(JsonTextMachine):
    """RFC 7464."""

    OPTIONS = ((LIMIT, 0), (LIMIT, 0), (1000, 0), (3, 0))

    def make(self, option: tuple[int, int]) -> JsonSeqFramer:
        """Records."""
        return JsonSeqFramer(max_frame_bytes=option[0])

    def model(self, body: bytes, option: tuple[int, int]) -> list[Event]:
        """Record by record."""
        return model_json_seq(body, option[0])

    @rule(values=st.lists(json_values(limit=LIMIT), max_size=5), end=st.sampled_from([b"\n", b"\r\n", b""]))
    def feed_records(self, values: list[bytes], end: bytes) -> None:
        """One chunk of records, most of them good."""
        self.feed(b"".join([b"\x1e" + value + end for value in values]))


class WholeMachine(JsonTextMachine):
    """Unary bodies."""

    OPTIONS = ((LIMIT, 0), (1000, 0), (3, 0))

    def make(self, option: tuple[int, int]) -> WholeFramer:
        """A body."""
        return WholeFramer(max_frame_bytes=option[0])

    def model(self, body: bytes, option: tuple[int, int]) -> list[Event]:
        """At once."""
        return model_whole(body, option[0])

    def until_close(self, events: list[Event]) -> list[Event]:
        """Nothing is known before the end."""
        return []


def without_open_scalar(events: list[Event], body: bytes) -> list[Event]:
    """Without the last event, and without a number or a literal in front of it that a further byte could prolong."""
    *known, last = events
    if known and not isinstance(last, Broken) and isinstance(value := known[-1], Frame):
        is_scalar = value.data[:1] not in (b"{", b"[", b'"')
        return known[:-1] if is_scalar and value.offset + len(value.data) == len(body) else known
    return known


TestJson = JsonMachine.TestCase
TestJsonMessage = JsonMessageMachine.TestCase
TestJsonSeq = JsonSeqMachine.TestCase
TestWhole = WholeMachine.TestCase
