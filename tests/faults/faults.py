"""The type of a fault, and what must come of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from asgi_grpc import Code, Limits
from tests.faults.cells import Back, Kind, Way
from tests.faults.scenes import Place, Scene
from tests.faults.speaking import Answer

Ends = frozenset[tuple[str, ...]]
"""The ends that a servicer may note, of each of the cell's calls; one of these has to be."""

NEVER_CALLED: Ends = frozenset({()})
RETURNED: Ends = frozenset({("returned",)})
FAILED: Ends = frozenset({("failed",)})
CANCELLED: Ends = frozenset({("cancelled",)})


def always(_way: Way, _back: Back) -> bool:
    """The fault exists everywhere."""
    return True


def sockets(way: Way, _back: Back) -> bool:
    """Over WebSockets only."""
    return way.door.is_socket


def bodies(way: Way, _back: Back) -> bool:
    """Over HTTP only."""
    return not way.door.is_socket


def remote(_way: Way, back: Back) -> bool:
    """At servers of their own only."""
    return back.is_remote


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault.

    Attributes:
        name: for people.
        play: lets it happen.
        answer: what the client must get.
        seen: what the servicer must see.
        exists: the ways and back ends that can have it.
        limits: of the gateway.
        headers: of the request: its deadline in milliseconds.
        upstream: ``greeter``; or ``nowhere``, ``broken`` and ``silent``, which are no servers.
        spares: a call beside it goes on.
        errors: what a back end logs for each cell, by logger.
    """

    name: str
    play: Callable[[Scene], Awaitable[None]]
    answer: Callable[[Way], Answer]
    seen: Callable[[Way, Back], Ends]
    exists: Callable[[Way, Back], bool] = always
    limits: Limits = field(default_factory=Limits)
    headers: tuple[tuple[bytes, bytes], ...] = ()
    upstream: str = "greeter"
    spares: bool = True
    errors: dict[Back, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name

    def slowed(self) -> Fault:
        """The same, with five times as much time."""
        idle_s = self.limits.idle_timeout_s
        limits = replace(self.limits, idle_timeout_s=None if idle_s is None else idle_s * 5)
        headers = tuple((name, b"%dm" % (5 * int(value[:-1]))) for name, value in self.headers)
        return replace(self, limits=limits, headers=headers)


def at(place: Place) -> Callable[[Way, Back], bool]:
    """The ways that have such a place."""
    return lambda way, _: way.kind is not Kind.UNARY or not place.streams_only


def both(*rules: Callable[[Way, Back], bool]) -> Callable[[Way, Back], bool]:
    """All of some rules."""
    return lambda way, back: all(rule(way, back) for rule in rules)


def fine(*replies: str) -> Callable[[Way], Answer]:
    """The call succeeds; where there is one reply, it is made of all."""

    def answer(way: Way) -> Answer:
        got = replies if way.kind.gets_many else (",".join(replies),)
        return Answer(101, got, "complete", 1000) if way.door.is_socket else Answer(200, got, "complete")

    return answer


def failed(
    code: Code, replies: tuple[str, ...] = (), *, status: int | None = None, close: int | None = None
) -> Callable[[Way], Answer]:
    """The call fails: by its status where nothing had left, else by the last record; a single reply never leaves."""

    def answer(way: Way) -> Answer:
        got = replies if way.kind.gets_many else ()
        if way.door.is_socket:
            return Answer(101, got, code.name, close or code.close_code)
        return Answer(200 if got else status or code.http_status, got, code.name)

    return answer


def unheard(_way: Way) -> Answer:
    """The client is gone."""
    return Answer(None)


def seen(ends: Ends) -> Callable[[Way, Back], Ends]:
    """The same everywhere."""
    return lambda _way, _back: ends


def listening(way: Way, back: Back) -> Ends:
    """The servicer waited for its next request when its call ended.

    grpcio's server may show that as the end of the input; docs/failures.md says so.
    """
    assert way.kind.sends_many
    return CANCELLED | RETURNED if back.is_remote else CANCELLED


def waiting(way: Way, back: Back) -> Ends:
    """The servicer waited for its first request; a server may not even have begun the call by then."""
    if not way.kind.sends_many:
        return NEVER_CALLED
    return CANCELLED | RETURNED | NEVER_CALLED if back.is_remote else CANCELLED
