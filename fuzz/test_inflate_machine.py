"""The machine of the inflating stage."""

from __future__ import annotations

import gzip
import zlib
from typing import Literal

from hypothesis import strategies as st
from hypothesis.stateful import rule

from asgi_grpc.framing import Broken, End, Inflater
from fuzz.framer_machine import FramerMachine
from tests.framing.model_inflate import joined, model_inflate

Piece = bytes | Broken | End
Option = tuple[Literal["gzip", "deflate"], int, int]
FREE = 100


def bare(text: bytes) -> bytes:
    """Deflate data without a header."""
    return zlib.compress(text, wbits=-15)


def stored(text: bytes) -> bytes:
    """A member that is as long as its text."""
    return gzip.compress(text, 0, mtime=0)


TEXTS = st.one_of(
    st.sampled_from([b"", b"x", b'{"a":1}\n' * 9, b"\0" * (FREE - 1), b"\0" * FREE, b"\0" * (FREE + 1), b"\0" * 3000]),
    st.binary(max_size=40),
)
FORMATS = st.sampled_from([lambda text: gzip.compress(text, mtime=0), stored, zlib.compress, bare])
MEMBERS = st.builds(lambda wrap, text: wrap(text), FORMATS, TEXTS)


class InflaterFramer:
    """``Inflater`` with the lists that the other framers give."""

    def __init__(self, option: Option) -> None:
        encoding, ratio, free = option
        self._inflater = Inflater(encoding, max_inflation=ratio, free_bytes=free)

    @property
    def held_bytes(self) -> int:
        """Its own."""
        return self._inflater.held_bytes

    def feed(self, chunk: bytes) -> list[Piece]:
        """All pieces of a chunk."""
        return list(self._inflater.feed(chunk))

    def close(self) -> list[Piece]:
        """The last event."""
        return list(self._inflater.close())


class InflateMachine(FramerMachine[Piece]):
    """Compressed bodies: whole members, cut and damaged ones, one behind the other."""

    OPTIONS = (("gzip", 1, FREE), ("deflate", 1, FREE), ("gzip", 3, 0), ("gzip", 9, 1 << 20), ("deflate", 9, 1 << 20))

    def make(self, option: Option) -> InflaterFramer:
        """One encoding, one limit."""
        return InflaterFramer(option)

    def model(self, body: bytes, option: Option) -> list[Piece]:
        """All inflated bytes, then how it ended."""
        return joined(model_inflate(body, *option))

    def most_held(self, option: Option) -> int:
        """The byte that may begin a zlib header."""
        return option[0] == "deflate"

    def feed(self, chunk: bytes) -> None:
        """Feed a chunk; pieces count as one."""
        super().feed(chunk)
        self.events = joined(self.events)

    @rule(member=MEMBERS, cuts=st.lists(st.integers(0, 70), max_size=3).map(sorted))
    def feed_member(self, member: bytes, cuts: list[int]) -> None:
        """A member in some chunks."""
        begin = 0
        for cut in [*cuts, len(member)]:
            self.feed(member[begin:cut])
            begin = max(begin, cut)

    @rule(member=MEMBERS, at=st.integers(0, 80), new=st.binary(max_size=2))
    def feed_damaged(self, member: bytes, at: int, new: bytes) -> None:
        """A member with a few bytes that are not its own."""
        self.feed(member[:at] + new + member[at + len(new) :])

    @rule(member=MEMBERS, end=st.integers(0, 40))
    def feed_begin(self, member: bytes, end: int) -> None:
        """A member's begin."""
        self.feed(member[:end])

    @rule(piece=st.one_of(st.binary(min_size=1, max_size=3), st.integers(1, 2000).map(bytes)))
    def feed_piece(self, piece: bytes) -> None:
        """Whatever."""
        self.feed(piece)


TestInflate = InflateMachine.TestCase
