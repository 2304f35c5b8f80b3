"""Any bytes, as a compressed body. The first byte picks the encoding, the limits and the cuts.

Legal: every ``Broken``. A find: bytes or a fault that depend on the chunking, or differ from the model's; a piece of
more than 64 KiB; more bytes than the limit allows; any exception.
"""

from __future__ import annotations

from typing import Literal

from asgi_grpc.framing import Broken, End, Inflater
from fuzz.engine import run
from fuzz.oracles import cut
from tests.framing.model_inflate import model_inflate

FREE = 100
RATIOS = [1, 2, 3, 7, 100]  # the last lets a body pass 64 KiB, a piece's size
SLOW = 10_000  # so many inflated bytes are too many for the model


def inflate(chunks: list[bytes], encoding: Literal["gzip", "deflate"], ratio: int) -> tuple[bytes, Broken | End]:
    """All that comes out, and the last event."""
    inflater = Inflater(encoding, max_inflation=ratio, free_bytes=FREE)
    inflated = bytearray()
    for chunk in chunks:
        for piece in inflater.feed(chunk):
            if isinstance(piece, Broken):
                return bytes(inflated), piece
            assert 0 < len(piece) <= 64 << 10
            inflated += piece
    return bytes(inflated), inflater.close()[0]


def one_input(data: bytes) -> None:
    """Play one input."""
    seed, body = (data[0] if data else 0), data[1:]
    encoding: Literal["gzip", "deflate"] = "gzip" if seed % 2 else "deflate"
    ratio = RATIOS[seed // 2 % len(RATIOS)]
    expected = inflate([body], encoding, ratio)
    assert len(expected[0]) <= max(FREE, ratio * (len(body) + 1023))
    if len(expected[0]) < SLOW:
        assert model_inflate(body, encoding, ratio, FREE) == expected
    assert inflate(cut(body, seed), encoding, ratio) == expected
    assert inflate(cut(body, 0), encoding, ratio) == expected


if __name__ == "__main__":
    run(one_input, "inflate")
