"""What every fuzz entry asks: the same bytes, cut otherwise, must give the same events, and the model agrees."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from asgi_grpc.framing import Broken, Event
from asgi_grpc.testing import Framer, play

Model = Callable[[bytes], Sequence[Event]]


def cut(body: bytes, seed: int) -> list[bytes]:
    """One chunking of a body for each seed, from single bytes to the whole."""
    size = 1 + seed % 37
    chunks = []
    while body:
        chunks.append(body[:size])
        body = body[size:]
        size = 1 + (size * 29 + seed) % 53
    return chunks


def agree(make: Callable[[], Framer[Event]], model: Model, body: bytes, seed: int, *, most_held: int) -> None:
    """Play a body whole, cut by the seed, and byte by byte.

    Raises:
        AssertionError: the events differ, or the framer held more than it may.
    """
    expected = list(model(body))
    assert play(make, [body], most_held=most_held) == expected, "whole"
    assert play(make, cut(body, seed), most_held=most_held) == expected, "cut"
    if len(body) < 200:
        assert play(make, [body[at : at + 1] for at in range(len(body))], most_held=most_held) == expected, "bytes"
    assert sum(isinstance(event, Broken) for event in expected[:-1]) == 0, "nothing follows a Broken"
