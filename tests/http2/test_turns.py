"""Many streams that wait to send: whose turn it is, and what it costs to find out."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from hyperframe.frame import GoAwayFrame, RstStreamFrame

from asgi_grpc.errors import CallError, Code
from asgi_grpc.http2._errors import ErrorCode
from asgi_grpc.http2._frames import DEFAULT_WINDOW, MAX_WINDOW
from asgi_grpc.http2._stream import Stream
from tests.http2.peer import Peer, Sent, data, settings, taken, update

CLOSED = CallError(Code.CANCELLED, "closed")


class Crowd:
    """Streams that each want to send a lot."""

    def __init__(self, peer: Peer, count: int, size: int = 1000) -> None:
        self.peer = peer
        self.streams = [peer.open() for _ in range(count)]
        self.tasks = [asyncio.create_task(peer.connection.send(each, bytes(size), end=True)) for each in self.streams]

    async def sent(self) -> list[tuple[Any, ...]]:
        """Streams and sizes of DATA as soon as all is quiet."""
        for _ in range(3):
            await asyncio.sleep(0)
        return [(number, len(said)) for kind, number, said, *_ in self.peer.sent() if kind == "Data"]

    async def leave(self) -> None:
        """End them."""
        self.peer.connection.close(CLOSED)
        await asyncio.gather(*self.tasks)


async def used_up(*, stream_window: int = DEFAULT_WINDOW) -> Peer:
    """A service that takes no more of any stream until it says so."""
    peer = Peer()
    await peer.connection.send(peer.open(), bytes(DEFAULT_WINDOW))
    peer.feed(settings(INITIAL_WINDOW_SIZE=stream_window))
    peer.sent()
    return peer


async def test_a_stream_whose_own_window_is_used_up_loses_its_turn_and_gets_it_back() -> None:
    crowd = Crowd(peer := await used_up(stream_window=10), 3)
    assert await crowd.sent() == []
    peer.feed(update(0, 25))
    assert await crowd.sent() == [(3, 10), (5, 10), (7, 5)]
    peer.feed(update(0, 100))
    assert await crowd.sent() == [(7, 5)]
    peer.feed(update(5, 3), update(3, 4))
    assert await crowd.sent() == [(5, 3), (3, 4)]
    peer.feed(settings(INITIAL_WINDOW_SIZE=12))
    assert await crowd.sent() == [(7, 2), (5, 2), (3, 2)]
    await crowd.leave()


async def test_a_window_that_grows_and_shrinks_at_once_has_not_grown() -> None:
    crowd = Crowd(peer := await used_up(stream_window=0), 2)
    peer.feed(update(0, 1000))
    assert await crowd.sent() == []
    peer.feed(settings(INITIAL_WINDOW_SIZE=5), settings(INITIAL_WINDOW_SIZE=0))
    assert await crowd.sent() == []
    peer.feed(settings(INITIAL_WINDOW_SIZE=5), settings(INITIAL_WINDOW_SIZE=6))
    assert await crowd.sent() == [(3, 6), (5, 6)]
    await crowd.leave()


async def test_a_stream_that_has_its_turn_may_have_lost_its_window_meanwhile() -> None:
    crowd = Crowd(peer := await used_up(stream_window=10), 3)
    assert await crowd.sent() == []
    peer.feed(update(5, 7), settings(INITIAL_WINDOW_SIZE=0), update(0, 100))
    assert await crowd.sent() == [(5, 7)]
    peer.feed(settings(INITIAL_WINDOW_SIZE=1))
    assert await crowd.sent() == [(3, 1), (7, 1), (5, 1)]
    await crowd.leave()


@pytest.mark.parametrize("how", ["reset", "goaway", "answered", "failed", "closed", "cancelled"])
@pytest.mark.parametrize("stream_window", [0, DEFAULT_WINDOW], ids=["stuck", "in-turn"])
async def test_who_ends_while_it_waits_leaves_its_turn_to_the_next(how: str, stream_window: int) -> None:
    crowd = Crowd(peer := await used_up(stream_window=stream_window), 3)
    assert await crowd.sent() == []
    ends, left = crowd.streams[0], (5, 7)
    match how:
        case "reset":
            peer.feed(RstStreamFrame(3, 0))
        case "goaway":
            ends, left = crowd.streams[2], (3, 5)
            peer.feed(GoAwayFrame(0, 5))
        case "answered":
            peer.feed(peer.head(3), data(3, b"", end=True))
        case "failed":
            ends.fail(CLOSED)
        case "closed":
            peer.connection.close_stream(ends)
        case _:
            crowd.tasks[0].cancel()
    peer.feed(update(0, 100_000), update(left[0], 100), update(left[1], 100))
    found = await crowd.sent()
    assert [number for number, _ in found] == [*left]
    assert [task.done() for task in crowd.tasks][crowd.streams.index(ends)]
    crowd.tasks = [task for task in crowd.tasks if not task.cancelled()]
    if how != "cancelled":
        await peer.connection.send(ends, b"more", end=True)
    assert await crowd.sent() == []
    await crowd.leave()


async def test_an_end_without_data_does_not_wait() -> None:
    peer = await used_up(stream_window=0)
    peer.connection.pause_writing()
    stream = peer.open()
    await peer.connection.send(stream, b"", end=True)
    assert peer.sent() == [("Data", 3, b"", "END_STREAM")]


async def test_what_was_given_to_a_stream_that_is_over_does_not_count_for_the_windows_of_others() -> None:
    peer = Peer()
    stream = peer.open()
    peer.feed(update(1, MAX_WINDOW - DEFAULT_WINDOW))
    peer.connection.close_stream(stream)
    peer.open()
    peer.feed(settings(INITIAL_WINDOW_SIZE=MAX_WINDOW))
    assert [frame[0] for frame in peer.sent()] == ["Settings"]
    assert peer.transport.ends == []


def cost_of(feed: Callable[[], None]) -> int:
    """Calls of functions, Python's own among them."""
    count = 0

    def seen(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        feed()
    finally:
        sys.setprofile(before)
    return count


TINY: dict[str, Callable[[int], list[bytes]]] = {
    "connection": lambda turn: [update(0, 1)],
    "stream": lambda turn: [update(3, 1)],
    "settings": lambda turn: [settings(INITIAL_WINDOW_SIZE=turn % 2)],
    "goaway": lambda turn: [GoAwayFrame(0, MAX_WINDOW).serialize()],
    "both": lambda turn: [update(0, 1), update(3, 1)],
}


async def cost_with(count: int, kind: str) -> int:
    """What a hundred frames cost."""
    crowd = Crowd(peer := await used_up(stream_window=0 if kind == "settings" else DEFAULT_WINDOW), count)
    await crowd.sent()
    cost = cost_of(lambda: peer.feed(*[wire for turn in range(100) for wire in TINY[kind](turn)]))
    await crowd.sent()
    await crowd.leave()
    return cost


@pytest.mark.parametrize("kind", TINY)
async def test_what_a_small_frame_costs_does_not_grow_with_the_streams_that_wait(kind: str) -> None:
    assert await cost_with(500, kind) == await cost_with(100, kind)


def test_the_last_streams_are_refused_first_whatever_they_did() -> None:
    async def refused() -> tuple[list[Sent], list[str]]:
        crowd = Crowd(peer := await used_up(), 3)
        peer.feed(update(0, 100))
        await crowd.sent()
        peer.feed(GoAwayFrame(0, 3))
        found = [type((await taken(stream))[-1]).__name__ for stream in crowd.streams[1:]]
        kept: Stream = crowd.streams[0]
        peer.connection.close_stream(kept)
        await asyncio.gather(*crowd.tasks)
        return peer.sent(), found

    with asyncio.Runner() as runner:
        sent, found = runner.run(refused())
    assert (sent, found) == ([("RstStream", 3, ErrorCode.CANCEL)], ["StreamRefused"] * 2)
