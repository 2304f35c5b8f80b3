"""Compressed bodies: the same bytes, cut otherwise, inflate to the same bytes and the same fault."""

from __future__ import annotations

import gzip
import hashlib
import tracemalloc
import zlib
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi_grpc.errors import UsageError
from asgi_grpc.framing import Broken, End, Fault, Inflater
from asgi_grpc.testing import chunkings
from tests.framing.model_inflate import model_inflate

Encoding = Literal["gzip", "deflate"]
TEXT = b'{"name":"x"}\n' * 40
PIECE = 64 << 10


def inflate(
    encoding: Encoding, chunks: list[bytes], *, max_inflation: int = 100, free_bytes: int = 1 << 20
) -> tuple[bytes, Broken | End]:
    """All inflated bytes, and the last event."""
    inflater = Inflater(encoding, max_inflation=max_inflation, free_bytes=free_bytes)
    inflated: list[bytes] = []
    for chunk in chunks:
        for piece in inflater.feed(chunk):
            if isinstance(piece, Broken):
                return b"".join(inflated), piece
            assert 0 < len(piece) <= PIECE
            inflated.append(piece)
    return b"".join(inflated), inflater.close()[0]


GZIP, ZLIB = gzip.compress(TEXT, mtime=0), zlib.compress(TEXT)
NOISE = b"".join([hashlib.sha256(bytes([n])).digest() for n in range(128)])  # it does not deflate


@st.composite
def damaged(draw: st.DrawFn) -> list[bytes]:
    text = draw(st.sampled_from([b"x", b"\0", TEXT])) * draw(st.sampled_from([1, 9, 700, 3000]))
    wire = bytearray(gzip.compress(text, mtime=0, compresslevel=draw(st.sampled_from([0, 1, 9]))))
    for at in draw(st.lists(st.integers(0, len(wire) - 1), max_size=2)):
        wire[at] = draw(st.integers(0, 255))
    return draw(chunkings(bytes(wire)))


@given(damaged(), st.sampled_from([1, 3, 10]), st.sampled_from([0, 1000, 1 << 20]))
def test_damage_shows_at_the_same_byte_however_it_is_cut(chunks: list[bytes], ratio: int, free: int) -> None:
    wire = b"".join(chunks)
    whole = inflate("gzip", [wire], max_inflation=ratio, free_bytes=free)
    assert inflate("gzip", chunks, max_inflation=ratio, free_bytes=free) == whole
    if len(whole[0]) < 10_000:
        assert whole == model_inflate(wire, "gzip", ratio, free)


# A literal, 255 runs of 258 bytes (two bits each), and a bad code: of the last raw byte two runs are good.
RUNS = bytes.fromhex("edc0010900000080a0adfd3fd1110d") + b"\0" * 63 + b"\x10"


def test_damage_shows_at_the_same_byte_wherever_a_piece_ended() -> None:
    expected = model_inflate(RUNS, "deflate", 100, 1 << 20)
    assert len(expected[0]) > PIECE
    assert isinstance(expected[1], Broken)
    for cut in range(len(RUNS) + 1):
        assert inflate("deflate", [RUNS[:cut], RUNS[cut:]]) == expected, f"cut at {cut}"
    assert inflate("deflate", [RUNS[at : at + 1] for at in range(len(RUNS))]) == expected


def test_a_bomb_trips_at_the_first_byte_over_the_limit() -> None:
    bomb = gzip.compress(b"\0" * (8 << 20), mtime=0)
    assert len(bomb) < 9 << 10
    inflated, last = inflate("gzip", [bomb])
    assert (len(inflated), last) == (1 << 20, Broken(Fault.INFLATES_TOO_MUCH, 1 << 20))
    assert len(inflate("gzip", [bomb], max_inflation=2000)[0]) == 8 << 20
    exact = gzip.compress(b"\0" * (1 << 20), mtime=0)
    assert inflate("gzip", [exact]) == (b"\0" * (1 << 20), End())
    one_over = gzip.compress(b"\0" * ((1 << 20) + 1), mtime=0)
    assert inflate("gzip", [one_over])[1] == Broken(Fault.INFLATES_TOO_MUCH, 1 << 20)


def test_pieces_are_made_when_they_are_asked_for() -> None:
    bomb = gzip.compress(b"\0" * (64 << 20), mtime=0)
    inflater = Inflater("gzip", max_inflation=100000)
    tracemalloc.start()
    pieces = inflater.feed(bomb)
    assert isinstance(next(pieces), bytes)
    assert isinstance(next(pieces), bytes)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 1 << 20
    with pytest.raises(UsageError, match="before the last"):
        inflater.feed(b"")


def test_the_limit_is_found_without_inflating_more() -> None:
    bomb = gzip.compress(b"\0" * (64 << 20), mtime=0)
    inflater = Inflater("gzip", max_inflation=100, free_bytes=PIECE)
    tracemalloc.start()
    sizes = [len(piece) for piece in inflater.feed(bomb[:1024]) if isinstance(piece, bytes)]
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(sizes) == 100 * 1024
    assert most < 300 << 10


@pytest.mark.parametrize("ratio", [1, 2, 3])
def test_the_limit_does_not_depend_on_the_cuts(ratio: int) -> None:
    wire = gzip.compress(NOISE[:1500] + b"\0" * (1 << 20), mtime=0)
    whole = inflate("gzip", [wire], max_inflation=ratio, free_bytes=0)
    assert isinstance(whole[1], Broken)
    for cut in range(0, len(wire), 31):
        chunks = [wire[:cut], wire[cut:]]
        assert inflate("gzip", chunks, max_inflation=ratio, free_bytes=0) == whole, f"cut at {cut}"


def test_all_that_can_be_inflated_is() -> None:
    wire = gzip.compress(b"\0" * 300000, mtime=0)
    for cut in range(len(wire)):
        sizes = []
        for chunks in ([wire[:cut]], [wire[at : at + 1] for at in range(cut)]):
            inflater = Inflater("gzip", max_inflation=2000)
            sizes.append(
                sum([len(piece) for chunk in chunks for piece in inflater.feed(chunk) if isinstance(piece, bytes)])
            )
        assert sizes[0] == sizes[1], f"cut at {cut}"


@pytest.mark.parametrize("wire", [GZIP[:-1] + b"x", gzip.compress(b"\0" * (2 << 20), mtime=0)])
def test_a_fault_is_the_last_piece(wire: bytes) -> None:
    inflater = Inflater("gzip", max_inflation=100)
    *pieces, last = inflater.feed(wire + b"behind")
    assert isinstance(last, Broken)
    assert all(isinstance(piece, bytes) for piece in pieces)
    with pytest.raises(UsageError, match="after the end"):
        inflater.feed(b"")


def test_nothing_is_taken_after_the_end() -> None:
    inflater = Inflater("gzip", max_inflation=100)
    assert inflater.close() == [End()]
    with pytest.raises(UsageError, match="after the end"):
        inflater.feed(b"")
    with pytest.raises(UsageError, match="after the end"):
        inflater.close()


def test_one_byte_of_deflate_is_kept() -> None:
    inflater = Inflater("deflate", max_inflation=100)
    assert list(inflater.feed(ZLIB[:1])) == []
    assert inflater.held_bytes == 1
    assert inflater.close() == [Broken(Fault.TRUNCATED, 0)]
    assert inflater.held_bytes == 0
    inflater = Inflater("deflate", max_inflation=100)
    assert list(inflater.feed(ZLIB[:1])) == []
    assert b"".join([piece for piece in inflater.feed(ZLIB[1:] + b"x") if isinstance(piece, bytes)]) == TEXT
