"""Machines that feed, close and start over, each beside a slow model of the whole input.

``HYPOTHESIS_PROFILE=soak python -m pytest fuzz`` runs them for hours.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from asgi_grpc.errors import UsageError
from asgi_grpc.framing import Broken, Event, JsonFramer, JsonSeqFramer, WholeFramer
from asgi_grpc.testing import Framer, array_bodies, json_seq_bodies, json_values, ndjson_bodies
from tests.framing.models import model_json, model_json_seq, model_whole

LIMIT, DEPTH = 24, 3
SHARDS = st.sampled_from([b"{", b"}", b"[", b"]", b'"', b"\\", b",", b"\n", b" ", b"1", b"\x1e", b'{"a":1}\n' * 3, b""])


class FramerMachine(RuleBasedStateMachine):
    """Feed one framer until it breaks or is closed; then begin again with a new one."""

    make: Callable[[], Framer[Event]]
    model: Callable[[bytes], list[Event]]

    @initialize()
    def begin(self) -> None:
        """A new stream."""
        self.framer = type(self).make()
        self.body = b""
        self.events: list[Event] = []
        self.ended = False

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

    @rule()
    def close(self) -> None:
        """End the body; compare; begin again."""
        if not self.ended:
            self.events += self.framer.close()
            assert self.events == type(self).model(self.body)
        self.begin()

    @invariant()
    def holds_little(self) -> None:
        """Memory stays bounded, and nothing is kept behind the end."""
        assert self.framer.held_bytes <= (0 if self.ended else LIMIT)

    def feed(self, chunk: bytes) -> None:
        """Feed a chunk, and compare as soon as the stream broke."""
        if self.ended:
            with pytest.raises(UsageError):
                self.framer.feed(chunk)
            return
        self.body += chunk
        self.events += self.framer.feed(chunk)
        if self.events and isinstance(self.events[-1], Broken):
            self.ended = True
            assert self.events == type(self).model(self.body)


class JsonMachine(FramerMachine):
    """JSON values, or an array."""

    make = staticmethod(lambda: JsonFramer(max_frame_bytes=LIMIT, max_depth=DEPTH))
    model = staticmethod(lambda body: model_json(body, LIMIT, DEPTH))


class JsonSeqMachine(FramerMachine):
    """RFC 7464."""

    make = staticmethod(lambda: JsonSeqFramer(max_frame_bytes=LIMIT))
    model = staticmethod(lambda body: model_json_seq(body, LIMIT))


class WholeMachine(FramerMachine):
    """Unary bodies."""

    make = staticmethod(lambda: WholeFramer(max_frame_bytes=LIMIT))
    model = staticmethod(lambda body: model_whole(body, LIMIT))


TestJson = JsonMachine.TestCase
TestJsonSeq = JsonSeqMachine.TestCase
TestWhole = WholeMachine.TestCase
