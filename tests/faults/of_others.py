"""Faults of the servicer, of the upstream and of the server; calls that take too long."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress

from asgi_grpc import Code, Limits
from tests.faults.cells import Back, Way
from tests.faults.clients import Client, scripted
from tests.faults.faults import (
    CANCELLED,
    FAILED,
    NEVER_CALLED,
    RETURNED,
    Fault,
    at,
    both,
    failed,
    fine,
    remote,
    seen,
)
from tests.faults.scenes import AT_THE_END, BEFORE, PLACES, Place, Scene
from tests.faults.speaking import Answer

SOON = ((b"grpc-timeout", b"400m"),)
LATER = ((b"grpc-timeout", b"1000m"),)


def doing(place: Place, program: str) -> Callable[[Scene], Awaitable[None]]:
    """The servicer does something at a place."""
    return lambda scene: place.run(scene, program)


def held(place: Place, act: Callable[[Scene], Awaitable[None]]) -> Callable[[Scene], Awaitable[None]]:
    """Something happens while the servicer waits at a place."""

    async def play(scene: Scene) -> None:
        await place.run(scene, "hold")
        await scene.holding()
        await act(scene)

    return play


async def nothing(_scene: Scene) -> None:
    """Time passes."""


def servicers() -> Iterator[Fault]:
    """The servicer ends the call."""
    grpc_log, our_log = "grpc._cython.cygrpc", "asgi_grpc.error"
    for place in PLACES:
        yield Fault(
            name=f"servicer-aborts-{place.name}",
            play=doing(place, "abort ABORTED"),
            answer=failed(Code.ABORTED, place.replies),
            seen=seen(FAILED),
            exists=at(place),
        )
        yield Fault(
            name=f"servicer-raises-{place.name}",
            play=doing(place, "raise"),
            answer=failed(Code.UNKNOWN, place.replies),
            seen=seen(FAILED),
            exists=at(place),
            errors={Back.ASYNC: our_log, Back.SYNC: our_log, Back.CHANNEL: grpc_log, Back.HTTP2: grpc_log},
        )
    yield Fault(
        name="servicer-sets-a-code-at-the-end",
        play=doing(AT_THE_END, "code DATA_LOSS"),
        answer=failed(Code.DATA_LOSS, AT_THE_END.replies),
        seen=seen(RETURNED),
    )


def times() -> Iterator[Fault]:
    """The call takes too long."""
    for place in PLACES:
        yield Fault(
            name=f"deadline-{place.name}",
            play=held(place, nothing),
            answer=failed(Code.DEADLINE_EXCEEDED, place.replies),
            seen=seen(CANCELLED),
            exists=at(place),
            headers=SOON,
        )
        yield Fault(
            name=f"silence-{place.name}",
            play=held(place, nothing),
            answer=failed(Code.DEADLINE_EXCEEDED, place.replies),
            seen=seen(CANCELLED),
            exists=at(place),
            limits=Limits(idle_timeout_s=0.3),
            spares=False,
        )


def upstreams() -> Iterator[Fault]:
    """The server behind the channel, or the wire to it."""

    async def reset(scene: Scene) -> None:
        if await scene.first():
            assert scene.stage.wire is not None
            scene.stage.wire.reset()

    async def block(scene: Scene) -> None:
        if await scene.first():
            assert scene.stage.wire is not None
            scene.stage.wire.block()

    for place in PLACES:
        yield Fault(
            name=f"upstream-dies-{place.name}",
            play=held(place, reset),
            answer=failed(Code.UNAVAILABLE, place.replies),
            seen=seen(CANCELLED),
            exists=both(at(place), remote),
            spares=False,
        )
        yield Fault(
            name=f"upstream-hangs-{place.name}",
            play=held(place, block),
            answer=failed(Code.DEADLINE_EXCEEDED, place.replies),
            seen=seen(CANCELLED),
            exists=both(at(place), remote),
            headers=LATER,
            spares=False,
        )
    for what, code in {
        "nowhere": Code.UNAVAILABLE,
        "broken": Code.UNAVAILABLE,
        "silent": Code.DEADLINE_EXCEEDED,
    }.items():
        names = {"nowhere": "refuses", "broken": "resets", "silent": "never-answers"}
        yield Fault(
            name=f"upstream-{names[what]}",
            play=doing(BEFORE, "reply a"),
            answer=failed(code),
            seen=seen(NEVER_CALLED),
            exists=remote,
            headers=SOON if what == "silent" else (),
            upstream=what,
            spares=False,
        )


def servers() -> Iterator[Fault]:
    """The server that runs us."""

    async def cancel(scene: Scene) -> None:
        exchange = scripted(scene.client).exchange
        exchange._running.cancel()
        with suppress(asyncio.CancelledError):
            await exchange.ended()

    async def drain(scene: Scene) -> None:
        if await scene.first():
            scene.stage.begin(scene.stage.app.drain(0.0), scene.stage.barrier.parties)

    async def drain_in_time(scene: Scene) -> None:
        await BEFORE.run(scene, "hold; reply a")
        await scene.holding()
        if await scene.first():
            scene.stage.begin(scene.stage.app.drain(30.0), 0)
            await asyncio.sleep(0)
            async with Client(scene.stage.app, scene.way, "late", []) as late:
                refused = Answer(503) if scene.way.door.is_socket else Answer(503, (), "UNAVAILABLE")
                assert await late.answer() == refused
            scene.stage.book.release()
        if scene.way.kind.sends_many:
            await scene.client.end()

    async def block(scene: Scene) -> None:
        await scene.client.ask("reply a; block; reply b")
        if scene.way.kind.sends_many:
            await scene.client.end()
        await scene.client.answer()
        assert scene.stage.book.blocked

    for place in PLACES:
        yield Fault(
            name=f"server-cancels-{place.name}",
            play=held(place, cancel),
            answer=failed(Code.UNAVAILABLE, place.replies),
            seen=seen(CANCELLED),
            exists=at(place),
        )
        yield Fault(
            name=f"drain-{place.name}",
            play=held(place, drain),
            answer=failed(Code.UNAVAILABLE, place.replies, close=1012),
            seen=seen(CANCELLED),
            exists=at(place),
            spares=False,
        )
    yield Fault(
        name="drain-with-time-to-finish",
        play=drain_in_time,
        answer=fine("a"),
        seen=seen(RETURNED),
        spares=False,
    )
    yield Fault(name="loop-blocked", play=block, answer=fine("a", "b"), seen=seen(RETURNED))

    def refused(way: Way) -> Answer:
        return Answer(503) if way.door.is_socket else Answer(503, (), "UNAVAILABLE")

    yield Fault(
        name="too-many-streams",
        play=nothing,
        answer=refused,
        seen=seen(NEVER_CALLED),
        limits=Limits(max_streams=1),
    )
