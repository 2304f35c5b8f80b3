"""A service that has gone without a word is found by PINGs; one that wants fewer of them gets fewer."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable

import grpc
import grpc.aio
import pytest
from hyperframe.frame import GoAwayFrame, PingFrame

from asgi_grpc.errors import CallError, Code, ConfigurationError
from asgi_grpc.http2 import Http2Backend, _backend, _keepalive
from asgi_grpc.http2._errors import ErrorCode
from asgi_grpc.http2._stream import Stream
from tests.calls.facts import Outcome, outcome_of
from tests.calls.servers import BIDI, DOWN, UNARY, AsyncEcho, Seen, handlers, source
from tests.http2.peer import Peer, data, failure, settings, taken
from tests.http2.servers import Service
from tests.http2.test_backend import backend, calling

PING = ("Ping", 0, bytes(8))
PONG = PingFrame(0, bytes(8), flags=["ACK"])
SILENT = (Code.UNAVAILABLE, "the upstream service does not answer any more")


class Clock:
    """The loop's time, which passes only when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        loop = asyncio.get_running_loop()
        self.now = loop.time()
        monkeypatch.setattr(loop, "time", lambda: self.now)

    async def passes(self, seconds: float) -> None:
        self.now += seconds
        for _ in range(4):
            await asyncio.sleep(0)


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def opened(peer: Peer) -> Stream:
    """A stream; what was sent besides its fields stays."""
    return peer.open(b"")


async def test_nobody_is_asked_who_does_not_want_it(clock: Clock) -> None:
    peer = Peer()
    opened(peer)
    await clock.passes(1e6)
    assert (peer.sent(), peer.transport.ends) == ([], [])


async def test_a_silent_service_is_asked_and_asked_again_after_its_last_byte(clock: Clock) -> None:
    peer = Peer(keepalive_s=60)
    opened(peer)
    await clock.passes(59)
    assert peer.sent() == []
    await clock.passes(1)
    assert peer.sent() == [PING]
    await clock.passes(19)
    peer.feed(PONG)
    await clock.passes(59)
    assert peer.sent() == []
    await clock.passes(1)
    assert peer.sent() == [PING]


async def test_a_service_may_be_asked_more_often_than_it_may_take_to_answer(clock: Clock) -> None:
    peer = Peer(keepalive_s=10)
    opened(peer)
    for _ in range(3):
        await clock.passes(10)
        assert peer.sent() == [PING]
        peer.feed(PONG, PONG)


@pytest.mark.parametrize("begun", [False, True])
async def test_a_service_that_does_not_answer_loses_its_calls(
    clock: Clock, caplog: pytest.LogCaptureFixture, *, begun: bool
) -> None:
    peer = Peer(keepalive_s=60)
    stream, other = opened(peer), opened(peer)
    if begun:
        peer.feed(peer.head(1), data(1, b"before"))
    await clock.passes(60)
    assert peer.sent() == [PING]
    await clock.passes(19.5)
    assert (peer.transport.ends, peer.ended) == ([], [])
    with caplog.at_level(logging.WARNING, "asgi_grpc.error"):
        await clock.passes(0.5)
    assert (peer.transport.ends, peer.ended, caplog.messages) == (["abort"], [peer.connection], [SILENT[1]])
    found = await taken(stream)
    assert (found[:-1], failure(found)) == ([b"before"] if begun else [], SILENT)
    assert failure(await taken(other)) == SILENT
    await clock.passes(1e6)
    assert peer.transport.ends == ["abort"]


@pytest.mark.parametrize("wire", [b"\0", settings(), PingFrame(0).serialize()], ids=["byte", "settings", "ping"])
async def test_any_byte_is_a_sign_of_life(clock: Clock, wire: bytes) -> None:
    peer = Peer(keepalive_s=60)
    opened(peer)
    await clock.passes(59)
    peer.feed(wire)
    peer.sent()
    await clock.passes(59)
    assert peer.sent() == []
    await clock.passes(1)
    assert peer.sent() == [PING]
    peer.feed(wire)
    await clock.passes(20)
    assert peer.transport.ends == []


async def test_without_a_stream_nobody_is_asked_until_there_is_one_again(clock: Clock) -> None:
    peer = Peer(keepalive_s=60)
    await clock.passes(1000)
    assert peer.sent() == []
    stream = peer.connection.open([(b":method", b"POST")])
    assert peer.sent()[1:] == [PING], "at once: nothing has come for so long"
    peer.feed(PONG)
    peer.connection.close_stream(stream)
    peer.sent()
    await clock.passes(1000)
    assert peer.sent() == []
    peer.feed(settings())
    peer.sent()
    await clock.passes(30)
    opened(peer)
    await clock.passes(29)
    assert peer.sent() == []
    await clock.passes(1)
    assert peer.sent() == [PING]


async def test_a_service_that_does_not_answer_is_left_though_the_call_has_gone(clock: Clock) -> None:
    peer = Peer(keepalive_s=60)
    stream = opened(peer)
    await clock.passes(60)
    peer.connection.close_stream(stream)
    await clock.passes(20)
    assert (peer.transport.ends, peer.ended) == (["abort"], [peer.connection])


@pytest.mark.parametrize(
    "end",
    [
        lambda peer: peer.connection.close(CallError(Code.CANCELLED, "closed")),
        lambda peer: peer.connection.connection_lost(None),
    ],
    ids=["closed", "lost"],
)
@pytest.mark.parametrize("asked", [False, True])
async def test_an_ended_connection_is_not_watched(clock: Clock, end: Callable[[Peer], None], *, asked: bool) -> None:
    peer = Peer(keepalive_s=60)
    opened(peer)
    if asked:
        await clock.passes(60)
    end(peer)
    ends, _ = [*peer.transport.ends], peer.sent()
    await clock.passes(1000)
    assert (peer.sent(), peer.transport.ends) == ([], ends)


@pytest.mark.parametrize(
    ("code", "text", "too_often"),
    [
        (ErrorCode.ENHANCE_YOUR_CALM, b"too_many_pings", True),
        (ErrorCode.ENHANCE_YOUR_CALM, b"", False),
        (ErrorCode.NO_ERROR, b"too_many_pings", False),
    ],
)
async def test_a_service_that_has_enough_says_so(code: ErrorCode, text: bytes, *, too_often: bool) -> None:
    peer = Peer(keepalive_s=60)
    peer.feed(GoAwayFrame(0, 0, code, text))
    assert (peer.connection.pings_too_often, peer.ended) == (too_often, [peer.connection])


@pytest.mark.parametrize("keepalive_s", [0, -1, 9.9, math.nan, math.inf])
def test_a_keepalive_out_of_its_range_is_refused(keepalive_s: float) -> None:
    with pytest.raises(ConfigurationError, match=r"keepalive_s is at least 10, or None; got"):
        Http2Backend("host:1", keepalive_s=keepalive_s)


# Over real sockets


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A keepalive may be as short as a test."""
    monkeypatch.setattr(_backend, "_LEAST_KEEPALIVE_S", 0.0)


@pytest.mark.usefixtures("hasty")
async def test_a_call_to_a_service_that_is_gone_ends_and_the_next_connects_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_keepalive, "_ANSWER_S", 0.02)
    services: list[Service] = []

    async def dies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        services.append(service := Service(reader, writer))
        if len(services) > 1:
            await service.answer_all()
        await service.asked(1)
        await asyncio.Event().wait()

    async with backend(dies, keepalive_s=0.01) as made:
        assert await calling(made, method=DOWN) == Outcome(code=SILENT[0], message=SILENT[1])
        made._keepalive_s = None
        assert await calling(made) == Outcome(["hi"])
    assert len(services) == 2


@pytest.mark.usefixtures("hasty")
async def test_a_server_of_grpcio_that_has_enough_of_pings_gets_half_as_many(caplog: pytest.LogCaptureFixture) -> None:
    server = grpc.aio.server()  # it takes a PING in 5 minutes, and three that come sooner
    server.add_generic_rpc_handlers((handlers(AsyncEcho(Seen())),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    made = Http2Backend(f"127.0.0.1:{port}", keepalive_s=0.01)
    try:
        outcome = await outcome_of(made.start(BIDI, source(["reply a"], None)))
        assert (outcome.replies, outcome.code, made._keepalive_s) == (["a"], Code.UNAVAILABLE, 0.02)
        text = "the upstream service says too_many_pings: keepalive_s is 0.02 from now on"
        assert text in caplog.messages
        made._keepalive_s = None
        assert await outcome_of(made.start(UNARY, source(["hi"]))) == Outcome(["hi"])
    finally:
        await made.close()
        await server.stop(None)


@pytest.mark.parametrize("keepalive_s", [None, 1000.0])
async def test_a_service_that_always_has_enough_is_not_asked_for_ever(keepalive_s: float | None) -> None:
    connected = 0

    async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connected
        connected += 1
        service = Service(reader, writer)
        await service.asked(1)
        writer.write(GoAwayFrame(0, 0, 11, b"too_many_pings").serialize())
        await reader.read()

    async with backend(leave, keepalive_s=keepalive_s) as made:
        outcome = await calling(made)
        assert (outcome.code, outcome.message) == (Code.UNAVAILABLE, "the upstream service takes no more calls")
        assert made._keepalive_s == (None if keepalive_s is None else 4000.0)
    assert connected == 2, "as for every call that was refused: once more"


async def test_connections_that_end_as_soon_as_they_are_made_are_not_made_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made, attempts = Http2Backend("host:1"), 0

    async def connect() -> None:
        nonlocal attempts
        attempts += 1

    monkeypatch.setattr(made, "_connect", connect)
    outcome = await calling(made)
    assert (outcome.code, attempts) == (Code.UNAVAILABLE, 17)
