"""Windows: what we may send, what the service may send, and what is kept of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from asgi_grpc.errors import CallError, Code
from asgi_grpc.http2._errors import ErrorCode
from asgi_grpc.http2._frames import DEFAULT_WINDOW, MAX_WINDOW
from asgi_grpc.http2._stream import Stream
from tests.http2.peer import ACK, OUR_WINDOW, REQUEST, RULES, Peer, Sent, data, settings, taken, update


def sizes(sent: list[Sent]) -> list[Any]:
    """Streams and lengths of DATA; whatever else was sent, as it is."""
    return [(frame[1], len(frame[2]), *frame[3:]) if frame[0] == "Data" else frame for frame in sent]


class Writers:
    """Tasks that send; ``settle()`` lets them run until all wait."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.tasks: list[asyncio.Task[None]] = []

    def send(self, stream: Stream, size: int) -> asyncio.Task[None]:
        self.tasks.append(asyncio.create_task(self.peer.connection.send(stream, bytes(size), end=True)))
        return self.tasks[-1]

    async def sent(self) -> list[Any]:
        for _ in range(3):
            await asyncio.sleep(0)
        return sizes(self.peer.sent())


async def test_a_body_that_fits_leaves_with_its_fields_and_one_that_does_not_waits() -> None:
    peer = Peer()
    peer.feed(settings(INITIAL_WINDOW_SIZE=10))
    assert peer.sent() == [ACK]
    fits = peer.connection.open(REQUEST, bytes(10))
    long = peer.connection.open(REQUEST, bytes(11))
    assert sizes(peer.sent()) == [
        ("Headers", 1, REQUEST, "END_HEADERS"),
        (1, 10, "END_STREAM"),
        ("Headers", 3, REQUEST, "END_HEADERS"),
    ]
    assert (fits.half_closed, long.half_closed) == (True, False)


async def test_a_long_body_is_cut_to_the_windows_and_to_the_frames() -> None:
    peer = Peer()
    peer.feed(settings(INITIAL_WINDOW_SIZE=100_000, MAX_FRAME_SIZE=20_000))
    stream, writers = peer.open(), Writers(peer)
    task = writers.send(stream, 150_000)
    assert await writers.sent() == [(1, 20_000)] * 3 + [(1, DEFAULT_WINDOW - 60_000)]
    peer.feed(update(0, 1_000_000))
    assert await writers.sent() == [(1, 20_000), (1, 100_000 - DEFAULT_WINDOW - 20_000)]
    peer.feed(update(1, 1))
    assert await writers.sent() == [(1, 1)]
    peer.feed(update(1, 100_000))
    assert await writers.sent() == [(1, 20_000), (1, 20_000), (1, 9_999, "END_STREAM")]
    await task


async def test_no_frame_is_longer_than_others_may_wait_for() -> None:
    peer = Peer()
    peer.feed(settings(INITIAL_WINDOW_SIZE=1 << 20, MAX_FRAME_SIZE=(1 << 24) - 1), update(0, 1 << 20))
    peer.open(bytes(100_000))
    peer = Peer()
    peer.feed(settings(INITIAL_WINDOW_SIZE=1 << 20, MAX_FRAME_SIZE=(1 << 24) - 1), update(0, 1 << 20))
    peer.sent()
    peer.connection.open(REQUEST, bytes(100_000))
    assert sizes(peer.sent())[1:] == [(1, 65_536), (1, 34_464, "END_STREAM")]


async def test_the_connections_window_is_shared() -> None:
    peer = Peer()
    first, second, writers = peer.open(), peer.open(), Writers(peer)
    writers.send(first, 60_000)
    writers.send(second, 10_000)
    assert await writers.sent() == [*[(1, 16_384)] * 3, (1, 10_848, "END_STREAM"), (3, DEFAULT_WINDOW - 60_000)]
    peer.feed(update(0, 5_000))
    assert await writers.sent() == [(3, 4_465, "END_STREAM")]
    await asyncio.gather(*writers.tasks)


async def test_who_has_sent_last_is_last_to_send_again() -> None:
    peer = Peer()
    peer.feed(settings(INITIAL_WINDOW_SIZE=1 << 20))
    streams, writers = [peer.open(), peer.open(), peer.open()], Writers(peer)
    for stream in streams:
        writers.send(stream, 100_000)
    assert [frame[0] for frame in (await writers.sent())] == [1] * 4
    turns = []
    for _ in range(6):
        peer.feed(update(0, 100))
        turns += await writers.sent()
    assert turns == [(1, 100), (3, 100), (5, 100)] * 2
    peer.connection.pause_writing()
    peer.feed(update(0, 0xFFFF))
    assert await writers.sent() == []
    peer.connection.close(CallError(Code.CANCELLED, ""))
    await asyncio.gather(*writers.tasks)


async def test_a_window_that_shrinks_below_zero_is_waited_for() -> None:
    peer = Peer()
    stream, writers = peer.open(), Writers(peer)
    await peer.connection.send(stream, bytes(50_000))
    peer.feed(settings(INITIAL_WINDOW_SIZE=20_000))
    peer.sent()
    task = writers.send(stream, 10)
    assert await writers.sent() == []
    peer.feed(update(1, 30_000))
    assert await writers.sent() == []
    peer.feed(settings(INITIAL_WINDOW_SIZE=20_004))
    assert await writers.sent() == [ACK, (1, 4)]
    peer.feed(settings(INITIAL_WINDOW_SIZE=30_000))
    assert await writers.sent() == [ACK, (1, 6, "END_STREAM")]
    await task
    peer.feed(update(0, 100_000))
    for size in (30_000, 30_001):
        peer.connection.open(REQUEST, bytes(size))
    assert sizes(peer.sent())[1:] == [(3, 16_384), (3, 13_616, "END_STREAM"), ("Headers", 5, REQUEST, "END_HEADERS")]


async def test_an_end_needs_no_window() -> None:
    peer = Peer()
    peer.feed(settings(INITIAL_WINDOW_SIZE=0))
    peer.sent()
    stream = peer.connection.open(REQUEST, b"")
    other = peer.open()
    await peer.connection.send(other, b"", end=True)
    assert (stream.half_closed, other.half_closed) == (True, True)


async def test_a_window_of_a_stream_has_an_end() -> None:
    peer = Peer()
    stream, other = peer.open(), peer.open()
    peer.feed(update(1, MAX_WINDOW - DEFAULT_WINDOW))
    assert peer.sent() == []
    peer.feed(update(1, 1), update(3, 0))
    assert peer.sent() == [
        ("RstStream", 1, ErrorCode.FLOW_CONTROL_ERROR),
        ("RstStream", 3, ErrorCode.PROTOCOL_ERROR),
    ]
    for each in (stream, other):
        (failure,) = await taken(each)
        assert isinstance(failure, CallError)
        assert (failure.code, failure.message) == (Code.INTERNAL, RULES)


async def test_a_setting_that_makes_a_window_too_large_ends_the_connection() -> None:
    peer = Peer()
    peer.open()
    peer.feed(update(1, MAX_WINDOW - DEFAULT_WINDOW), settings(INITIAL_WINDOW_SIZE=DEFAULT_WINDOW + 1))
    assert peer.sent() == [("GoAway", 0, ErrorCode.FLOW_CONTROL_ERROR)]


async def test_who_writes_waits_for_the_network() -> None:
    peer = Peer()
    stream, writers = peer.open(), Writers(peer)
    peer.connection.pause_writing()
    task = writers.send(stream, 5)
    assert await writers.sent() == []
    peer.feed(update(1, 10))
    assert await writers.sent() == []
    peer.connection.resume_writing()
    assert await writers.sent() == [(1, 5, "END_STREAM")]
    await task


@pytest.mark.parametrize("how", ["trailers", "reset", "lost", "closed", "failed"])
async def test_who_writes_is_let_go_when_the_stream_is_over(how: str) -> None:
    peer = Peer()
    stream, writers = peer.open(), Writers(peer)
    task = writers.send(stream, 100_000)
    assert sum(size for _, size in await writers.sent()) == DEFAULT_WINDOW
    match how:
        case "trailers":
            peer.feed(peer.trailers(1))
        case "reset":
            peer.feed(b"\0\0\4\3\0\0\0\0\1\0\0\0\0")
        case "lost":
            peer.connection.connection_lost(None)
        case "closed":
            peer.connection.close(CallError(Code.CANCELLED, "closed"))
        case _:
            stream.fail(ValueError())
    await task
    assert [frame for frame in peer.sent() if frame[0] == "Data"] == []


async def test_a_writer_that_is_cancelled_leaves_nothing_behind() -> None:
    peer = Peer()
    stream, writers = peer.open(), Writers(peer)
    task = writers.send(stream, 100_000)
    await writers.sent()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    peer.feed(update(0, 100_000), update(1, 100_000))
    assert await writers.sent() == []


async def test_the_window_is_given_back_for_what_was_taken() -> None:
    peer = Peer(window_bytes=1000)
    stream = peer.open(b"")
    peer.feed(peer.head(1), data(1, bytes(499)))
    assert (len(await stream.chunk()), peer.sent()) == (499, [])
    peer.feed(data(1, bytes(1)))
    assert (len(await stream.chunk()), peer.sent()) == (1, [("WindowUpdate", 1, 500)])
    peer.feed(data(1, bytes(400)), data(1, bytes(600)))
    assert peer.sent() == []
    assert (len(await stream.chunk()), peer.sent()) == (1000, [("WindowUpdate", 1, 1000)])


async def test_a_window_of_one_byte_works() -> None:
    peer = Peer(window_bytes=1)
    stream = peer.open(b"")
    peer.feed(peer.head(1))
    for _ in range(3):
        peer.feed(data(1, b"x"))
        assert (await stream.chunk(), peer.sent()) == (b"x", [("WindowUpdate", 1, 1)])
    peer.feed(data(1, b""))
    assert peer.sent() == []


async def test_an_answer_that_has_ended_needs_no_window() -> None:
    peer = Peer(window_bytes=10)
    ended, reset = peer.open(b""), peer.open(b"")
    peer.feed(peer.head(1), data(1, bytes(10), end=True), peer.head(3), data(3, bytes(10)))
    peer.feed(b"\0\0\4\3\0\0\0\0\3\0\0\0\0")
    assert len((await taken(ended))[0]) == 10  # type: ignore[arg-type]  # bytes come first
    assert len((await taken(reset))[0]) == 10  # type: ignore[arg-type]  # bytes come first
    assert peer.sent() == []


@pytest.mark.parametrize("frames", [[b"x" * 1001], [b"x" * 999, b"xx"], [b"x" * 1000, b"", b"x"]])
async def test_more_than_the_window_allows_ends_the_stream(frames: list[bytes]) -> None:
    peer = Peer(window_bytes=1000)
    stream, other = peer.open(b""), peer.open(b"")
    peer.feed(peer.head(1), *[data(1, payload) for payload in frames], peer.head(3))
    assert peer.sent() == [("RstStream", 1, ErrorCode.FLOW_CONTROL_ERROR)]
    *chunks, failure = await taken(stream)
    assert sum(len(chunk) for chunk in chunks if isinstance(chunk, bytes)) <= 1000
    assert isinstance(failure, CallError)
    assert (failure.code, other.is_over) == (Code.INTERNAL, False)


async def test_a_stream_that_nobody_reads_keeps_its_window_at_most() -> None:
    peer = Peer(window_bytes=1000)
    stream = peer.open(b"")
    peer.feed(peer.head(1), *[data(1, b"xx")] * 500)
    assert peer.sent() == []
    peer.feed(data(1, b"x"))
    assert peer.sent() == [("RstStream", 1, ErrorCode.FLOW_CONTROL_ERROR)]
    assert len((await taken(stream))[0]) == 1000  # type: ignore[arg-type]  # bytes come first


async def test_padding_counts_and_is_given_back_with_what_was_taken() -> None:
    peer = Peer(window_bytes=1000)
    stream = peer.open(b"")
    peer.feed(peer.head(1), data(1, b"abc", padding=255), data(1, b"def", padding=240))
    assert (await stream.chunk(), peer.sent()) == (b"abcdef", [("WindowUpdate", 1, 503)])


async def test_padding_alone_is_given_back_though_there_is_nothing_to_take() -> None:
    peer = Peer(window_bytes=1000)
    stream = peer.open(b"")
    peer.feed(peer.head(1), data(1, b"", padding=255))
    assert peer.sent() == []
    peer.feed(data(1, b"", padding=255))
    assert peer.sent() == [("WindowUpdate", 1, 512)]
    peer.feed(data(1, b"x"), *[data(1, b"", padding=255)] * 3)
    assert peer.sent() == []
    assert (await stream.chunk(), peer.sent()) == (b"x", [("WindowUpdate", 1, 769)])


async def test_what_a_failed_stream_still_gets_is_not_kept() -> None:
    peer = Peer(window_bytes=1000)
    stream, told = peer.open(b""), CallError(Code.DEADLINE_EXCEEDED, "late")
    peer.feed(peer.head(1), data(1, b"not taken"))
    stream.fail(told)
    stream.fail(ValueError("only the first counts"))
    peer.feed(data(1, b"late"), peer.trailers(1))
    assert (await taken(stream), peer.sent()) == ([told], [])
    peer.feed(data(1, bytes(1000)))
    assert peer.sent() == [("RstStream", 1, ErrorCode.FLOW_CONTROL_ERROR)]


async def test_an_answer_that_has_ended_can_not_fail_any_more() -> None:
    peer = Peer()
    stream = peer.open(b"")
    peer.feed(peer.head(1), data(1, b"x"), peer.trailers(1))
    stream.fail(CallError(Code.DEADLINE_EXCEEDED, "late"))
    assert await taken(stream) == [b"x"]


async def test_the_connections_window_is_given_back_at_once_also_for_streams_that_are_over() -> None:
    peer = Peer(window_bytes=MAX_WINDOW)
    peer.connection.close_stream(peer.open(b""))
    peer.sent()
    frame, count = data(1, bytes(16_384)), OUR_WINDOW // 2 // 16_384
    peer.feed(frame * count)
    assert peer.sent() == []
    peer.feed(data(1, b"x"))
    assert peer.sent() == [("WindowUpdate", 0, OUR_WINDOW // 2 + 1)]


async def test_more_than_the_connections_window_allows_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    peer = Peer(window_bytes=MAX_WINDOW)
    peer.open(b"")
    monkeypatch.setattr(peer.connection, "_receive_window", 10)  # a service has no way to bring it there
    peer.feed(data(1, bytes(11)))
    assert peer.sent() == [("GoAway", 0, ErrorCode.FLOW_CONTROL_ERROR)]


async def test_who_waits_for_an_answer_and_is_cancelled_leaves_the_stream_as_it_is() -> None:
    peer = Peer()
    stream = peer.open(b"")
    task = asyncio.create_task(stream.answered())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    peer.feed(peer.head(1), data(1, b"x"), peer.trailers(1))
    assert await taken(stream) == [b"x"]
