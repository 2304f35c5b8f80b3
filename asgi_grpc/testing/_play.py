"""Play chunks to a framer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from asgi_grpc.framing import Broken, Event

E = TypeVar("E")


class Framer(Protocol[E]):
    """What every framer can do: see ``asgi_grpc.framing``. ``E`` is what its lists hold."""

    @property
    def held_bytes(self) -> int:
        """Bytes kept between two calls."""

    def feed(self, chunk: bytes) -> list[E]:
        """The events that a chunk completes."""

    def close(self) -> list[E]:
        """The last events."""


def play(make: Callable[[], Framer[E]], chunks: Iterable[bytes], *, most_held: int | None = None) -> list[E]:
    """Feed a new framer every chunk, close it, and return all events.

    A ``Broken`` ends the play early, as it must end a real stream.

    Args:
        make: gives a new framer.
        chunks: a body, as the network cut it.
        most_held: fail with ``AssertionError`` when the framer keeps more bytes than this between two calls.
    """
    framer = make()
    events: list[E] = []
    for chunk in chunks:
        events += framer.feed(chunk)
        assert most_held is None or framer.held_bytes <= most_held, f"{framer.held_bytes} bytes held"
        if events and isinstance(events[-1], Broken):
            return events
    return events + framer.close()


def play_prefixes(make: Callable[[], Framer[Event]], body: bytes) -> list[int]:
    """How many events a framer has given after each prefix of a body, byte by byte; shorter if it broke."""
    framer = make()
    counts = []
    given = 0
    for at in range(len(body)):
        events = framer.feed(body[at : at + 1])
        given += len(events)
        counts.append(given)
        if events and isinstance(events[-1], Broken):
            break
    return counts
