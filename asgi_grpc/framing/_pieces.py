"""A long chunk in shorter ones, so that what is made of it at once is bounded.

The frames of the shortest values are some fifty times as large as their bytes, and a read-ahead may hold a hundred
thousand of them. A value that is cut is scanned twice, hence line ends are the places to cut, and a long line stays
whole if there can't be many values in it.
"""

from __future__ import annotations

from collections.abc import Iterator

_PIECE = 16 << 10
_MANY = 4096
_ENDS = (b"}", b"]", b'"', b",", b" ", b"\t", b"\r", b"\x1e")
"""Every value but the last has one of them as its last byte, or behind it."""


def in_pieces(chunk: bytes) -> Iterator[bytes]:
    """Cut a chunk behind the last line end of each 16 KiB; none of the pieces is empty.

    A line that is longer is a piece, unless it may hold more than some thousand values: then it is cut after 16 KiB.
    """
    at = dense = 0  # up to dense there may be many
    while len(chunk) - at > _PIECE:
        end = chunk.rfind(b"\n", at, at + _PIECE) + 1
        if not end:
            end = chunk.find(b"\n", at + _PIECE) + 1 or len(chunk)
            if at < dense or _holds_many(chunk, at, end):
                dense, end = end, at + _PIECE
        yield chunk[at:end]
        at = end
    if at < len(chunk):
        yield chunk[at:]


def _holds_many(chunk: bytes, at: int, end: int) -> bool:
    """Whether there may be more than some thousand values; what is found nowhere is not counted, which takes longer."""
    found = ((mark, chunk.find(mark, at, end)) for mark in _ENDS)
    return sum(chunk.count(mark, first, end) for mark, first in found if first >= 0) > _MANY
