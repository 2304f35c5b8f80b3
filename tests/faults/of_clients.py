"""Faults of the client."""

from __future__ import annotations

from collections.abc import Iterator

from asgi_grpc import Code, Limits
from tests.faults.cells import Back, Door, Kind, Way
from tests.faults.clients import scripted
from tests.faults.faults import (
    CANCELLED,
    RETURNED,
    Ends,
    Fault,
    at,
    bodies,
    both,
    failed,
    fine,
    listening,
    seen,
    sockets,
    unheard,
    waiting,
)
from tests.faults.of_others import held
from tests.faults.scenes import AMID, AT_THE_END, PLACES, Scene

GARBAGE = b'{"name": nonsense}'
LARGE = b'{"name":"' + b"x" * 1000 + b'"}'


def goings() -> Iterator[Fault]:
    """The client goes away, or does not listen."""

    async def reset(scene: Scene) -> None:
        await scripted(scene.client).exchange.disconnect()

    async def close(scene: Scene) -> None:
        await scripted(scene.client).socket.disconnect(1000)

    async def cancel(scene: Scene) -> None:
        await scene.client.send_text('{"type":"cancel"}')

    for place in PLACES:
        yield Fault(
            name=f"client-resets-{place.name}",
            play=held(place, reset),
            answer=unheard,
            seen=seen(CANCELLED),
            exists=at(place),
        )
        yield Fault(
            name=f"client-closes-its-socket-{place.name}",
            play=held(place, close),
            answer=unheard,
            seen=seen(CANCELLED),
            exists=both(at(place), sockets),
        )
        yield Fault(
            name=f"client-cancels-by-record-{place.name}",
            play=held(place, cancel),
            answer=failed(Code.CANCELLED, place.replies),
            seen=seen(CANCELLED),
            exists=both(at(place), lambda way, _: way.door is Door.RECORDS),
        )

    async def go_deaf(scene: Scene) -> None:
        await scene.client.ask("reply a; hold; flood" if scene.way.kind.gets_many else "reply a; hold")
        await scene.client.replied(1)
        await scene.holding()
        scripted(scene.client).deaf = True
        if await scene.first():
            scene.stage.book.release()
        if scene.way.kind is Kind.UP:
            await scene.client.end()

    def overheard(way: Way, _back: Back) -> Ends:
        return CANCELLED if way.kind.gets_many else RETURNED

    yield Fault(name="send-raises", play=go_deaf, answer=unheard, seen=overheard)


def slowness() -> Iterator[Fault]:
    """The client takes its time."""

    async def stall(scene: Scene) -> None:
        if not scene.way.door.is_socket:
            await scene.client.send_body(scene.client.framed(b'{"')[:-1], more=True)

    async def stall_amid(scene: Scene) -> None:
        await scene.client.ask("reply a")
        await scene.served(1)
        if not scene.way.door.is_socket:
            await scene.client.send_body(scene.client.framed(b"{")[:-1], more=True)

    async def trickle(scene: Scene) -> None:
        body = scene.client.framed(scene.client.document("reply a"))
        if scene.way.kind.sends_many:
            body += scene.client.framed(scene.client.document("reply b"))
        for place in range(len(body)):
            await scene.client.send_body(body[place : place + 1], more=True)
            await scripted(scene.client).exchange.starved()
        await scene.client.end()

    patience = Limits(idle_timeout_s=0.3)
    yield Fault(
        name="client-stalls-before-its-first-message-is-complete",
        play=stall,
        answer=failed(Code.DEADLINE_EXCEEDED),
        seen=waiting,
        limits=patience,
        spares=False,
    )
    yield Fault(
        name="client-stalls-in-mid-stream",
        play=stall_amid,
        answer=failed(Code.DEADLINE_EXCEEDED, ("a",)),
        seen=listening,
        exists=lambda way, _: way.kind.sends_many,
        limits=patience,
        spares=False,
    )

    def trickled(way: Way, _back: Back) -> bool:
        return not way.door.is_socket

    yield Fault(
        name="client-trickles-single-bytes",
        play=trickle,
        answer=lambda way: fine(*("a", "b") if way.kind.sends_many else ("a",))(way),
        seen=seen(RETURNED),
        exists=trickled,
    )


def nonsense() -> Iterator[Fault]:
    """The client sends what it may not."""

    async def first(scene: Scene, document: bytes) -> None:
        await scene.client.send(document)
        if not scene.way.kind.sends_many:
            await scene.client.end()

    async def later(scene: Scene, document: bytes) -> None:
        await scene.client.ask("reply a")
        await scene.served(1)
        await scene.client.send(document)

    def many(way: Way, _back: Back) -> bool:
        return way.kind.sends_many

    for what, document, code, status, close in (
        ("garbage", GARBAGE, Code.INVALID_ARGUMENT, 400, None),
        ("a-message-over-the-limit", LARGE, Code.RESOURCE_EXHAUSTED, 413, 1009),
    ):
        yield Fault(
            name=f"client-sends-{what}-first",
            play=lambda scene, document=document: first(scene, document),  # type: ignore[misc]  # bound at once
            answer=failed(code, status=status, close=close),
            seen=waiting,
            limits=Limits(max_message_bytes=600),
        )
        yield Fault(
            name=f"client-sends-{what}-in-mid-stream",
            play=lambda scene, document=document: later(scene, document),  # type: ignore[misc]  # bound at once
            answer=failed(code, ("a",), status=status, close=close),
            seen=listening,
            exists=many,
            limits=Limits(max_message_bytes=600),
        )

    async def half_close_first(scene: Scene) -> None:
        await scene.client.send_body(scene.client.framed(b'{"name":')[:-1], more=False)

    async def half_close_later(scene: Scene) -> None:
        await scene.client.ask("reply a")
        await scene.served(1)
        await scene.client.send_body(scene.client.framed(b'{"name":')[:-1], more=False)

    yield Fault(
        name="client-half-closes-inside-its-first-message",
        play=half_close_first,
        answer=failed(Code.INVALID_ARGUMENT),
        seen=waiting,
        exists=bodies,
    )
    yield Fault(
        name="client-half-closes-inside-a-later-message",
        play=half_close_later,
        answer=failed(Code.INVALID_ARGUMENT, ("a",)),
        seen=listening,
        exists=both(bodies, many),
    )
    yield from _behind_the_end()
    yield from _binary()


def _behind_the_end() -> Iterator[Fault]:
    """More input after its end. Where only the end of the body ends it, HTTP leaves no room for more."""

    async def in_body(scene: Scene) -> None:
        if not scene.way.kind.sends_many:
            document = scene.client.document("reply a")
            await scene.client.send_body(document + b" nonsense", more=False)
            return
        await scene.client.ask("reply a")
        await scene.served(1)
        await scene.client.send_body(b"] nonsense", more=False)

    def has_room(way: Way, _back: Back) -> bool:
        return not way.door.is_socket and (not way.kind.sends_many or way.door is Door.ARRAY)

    async def in_socket(scene: Scene) -> None:
        await scene.client.send_text("nonsense")

    yield Fault(
        name="client-sends-garbage-behind-the-end-of-its-body",
        play=in_body,
        answer=lambda way: failed(Code.INVALID_ARGUMENT, ("a",) if way.kind.sends_many else ())(way),
        seen=lambda way, back: listening(way, back) if way.kind.sends_many else waiting(way, back),
        exists=has_room,
    )
    yield Fault(
        name="client-sends-garbage-behind-the-end-of-its-input",
        play=held(AT_THE_END, in_socket),
        answer=failed(Code.INVALID_ARGUMENT, AT_THE_END.replies),
        seen=seen(CANCELLED),
        exists=sockets,
    )


def _binary() -> Iterator[Fault]:
    """Binary messages, which no subprotocol of ours has."""

    async def first(scene: Scene) -> None:
        await scripted(scene.client).socket.send_bytes(b"\x00")

    async def amid(scene: Scene) -> None:
        await first(scene)

    yield Fault(
        name="client-sends-a-binary-message-first",
        play=first,
        answer=failed(Code.INVALID_ARGUMENT, close=1003),
        seen=waiting,
        exists=sockets,
    )
    yield Fault(
        name="client-sends-a-binary-message-in-mid-stream",
        play=held(AMID, amid),
        answer=failed(Code.INVALID_ARGUMENT, AMID.replies, close=1003),
        seen=seen(CANCELLED),
        exists=both(at(AMID), sockets),
    )
