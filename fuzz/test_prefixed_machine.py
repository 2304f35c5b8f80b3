"""The machine of the length-prefixed framer."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from asgi_grpc.framing import Event, PrefixedFramer
from fuzz.framer_machine import FramerMachine
from tests.framing.models import model_prefixed

LIMIT = 24
FLAGS = st.sampled_from([0, 0, 0, 0, 1, 2, 0x80, 0xFF])
PREFIX = 5


class PrefixedMachine(FramerMachine[Event]):
    """Messages behind five bytes: gRPC's flags, gRPC-Web's and Connect's."""

    OPTIONS = ((LIMIT, (0, 1)), (LIMIT, (0, 1, 0x80)), (0, (0, 2)), (1 << 32, (0,)))

    def make(self, option: tuple[int, tuple[int, ...]]) -> PrefixedFramer:
        """Some protocol's framer."""
        return PrefixedFramer(max_frame_bytes=option[0], flags=option[1])

    def model(self, body: bytes, option: tuple[int, tuple[int, ...]]) -> list[Event]:
        """Message by message."""
        return model_prefixed(body, *option)

    def most_held(self, option: tuple[int, tuple[int, ...]]) -> int:
        """A prefix and its message."""
        return min(option[0], len(self.body)) + PREFIX

    @rule(flags=FLAGS, size=st.sampled_from([0, 1, LIMIT - 1, LIMIT, LIMIT + 1]), cut=st.integers(0, LIMIT + PREFIX))
    def feed_message(self, flags: int, size: int, cut: int) -> None:
        """One message in two chunks."""
        message = bytes([flags]) + size.to_bytes(4) + b"m" * size
        self.feed(message[:cut])
        self.feed(message[cut:])

    @rule(messages=st.lists(st.tuples(st.sampled_from([0, 0, 0, 1]), st.binary(max_size=LIMIT)), max_size=5))
    def feed_messages(self, messages: list[tuple[int, bytes]]) -> None:
        """One chunk of good messages."""
        self.feed(b"".join([bytes([flags]) + len(data).to_bytes(4) + data for flags, data in messages]))

    @rule(flags=FLAGS, length=st.sampled_from([0, 5, LIMIT, LIMIT + 1, 1 << 31, (1 << 32) - 1]), keep=st.integers(1, 5))
    def feed_prefix(self, flags: int, length: int, keep: int) -> None:
        """A prefix, or its begin, without its message."""
        self.feed((bytes([flags]) + length.to_bytes(4))[:keep])

    @rule(piece=st.one_of(st.binary(max_size=3), st.integers(0, 60).map(bytes)))
    def feed_piece(self, piece: bytes) -> None:
        """Whatever: within a message all is good, and zeros are empty messages."""
        self.feed(piece)


TestPrefixed = PrefixedMachine.TestCase
