"""How a connection and its streams end: resets, a service that leaves, a network that breaks."""

from __future__ import annotations

import pytest
from hyperframe.frame import GoAwayFrame, RstStreamFrame

from asgi_grpc.errors import CallError, Code
from asgi_grpc.http2._errors import ErrorCode, StreamRefused
from tests.http2.peer import BROKE, HEAD, OK, Peer, data, failure, taken


@pytest.mark.parametrize(
    ("number", "code"),
    [
        *((0, Code.INTERNAL), (2, Code.INTERNAL), (8, Code.CANCELLED), (11, Code.RESOURCE_EXHAUSTED)),
        *((12, Code.PERMISSION_DENIED), (13, Code.INTERNAL), (0xFFFFFFFF, Code.INTERNAL)),
    ],
)
async def test_a_reset_has_its_code_behind_what_came(number: int, code: Code) -> None:
    peer = Peer()
    stream = peer.open()
    peer.feed(peer.head(1), data(1, b"x" * 900), RstStreamFrame(1, number))
    found = await taken(stream)
    assert (found[:-1], failure(found)) == ([b"x" * 900], (code, "the upstream service reset the stream"))
    await peer.connection.send(stream, b"nobody takes it", end=True)
    peer.connection.close_stream(stream)
    assert peer.sent() == []


async def test_a_reset_behind_the_end_changes_nothing() -> None:
    peer = Peer()
    stream = peer.open()
    peer.feed(peer.trailers(1, HEAD + OK), RstStreamFrame(1, 0))
    assert (await taken(stream), stream.trailers) == ([], HEAD + OK)


async def test_a_stream_refused_before_its_head_may_be_repeated_and_none_behind_it() -> None:
    peer = Peer()
    first, second = peer.open(b""), peer.open(b"")
    peer.feed(RstStreamFrame(1, 7), peer.head(3), data(3, b"begun"), RstStreamFrame(3, 7))
    assert [type(each) for each in await taken(first)] == [StreamRefused]
    found = await taken(second)
    assert (found[0], failure(found)[0]) == (b"begun", Code.UNAVAILABLE)


async def test_goaway_refuses_later_streams_and_lets_earlier_ones_finish() -> None:
    peer = Peer()
    first, second, third = peer.open(b""), peer.open(b""), peer.open(b"")
    peer.feed(peer.head(5), GoAwayFrame(0, 1, 0, b"bye"))
    assert (peer.ended, peer.connection.has_room, peer.transport.ends) == ([peer.connection], False, [])
    assert [type(each) for each in await taken(second)] == [StreamRefused]
    assert failure(await taken(third)) == (Code.UNAVAILABLE, BROKE)
    peer.feed(GoAwayFrame(0, 1), peer.head(1), data(1, b"last"), peer.trailers(1))
    assert (await taken(first), peer.transport.ends) == ([b"last"], [])
    peer.connection.close_stream(first)
    assert (peer.sent(), peer.transport.ends, peer.ended) == ([], ["close"], [peer.connection])


async def test_goaway_of_an_idle_connection_ends_it() -> None:
    peer = Peer()
    peer.feed(GoAwayFrame(0, 0))
    assert (peer.transport.ends, peer.ended) == (["close"], [peer.connection])


async def test_the_last_stream_of_a_leaving_service_may_be_reset() -> None:
    peer = Peer()
    peer.open(b"")
    peer.feed(GoAwayFrame(0, 1), RstStreamFrame(1, 2))
    assert peer.transport.ends == ["close"]


async def test_a_lost_connection_fails_its_streams_behind_what_came() -> None:
    peer = Peer()
    first, second = peer.open(), peer.open(b"")
    peer.feed(peer.head(1), data(1, b"x"), peer.trailers(3, HEAD + OK))
    peer.connection.connection_lost(ConnectionResetError("gone"))
    found = await taken(first)
    assert (found[0], failure(found)) == (b"x", (Code.UNAVAILABLE, BROKE))
    assert await taken(second) == []


async def test_a_closed_connection_says_goodbye_and_fails_its_streams() -> None:
    peer = Peer()
    stream, told = peer.open(b""), CallError(Code.CANCELLED, "closed")
    peer.connection.close(told)
    found = await taken(stream)
    assert (failure(found), peer.sent()) == ((Code.CANCELLED, "closed"), [("GoAway", 0, ErrorCode.NO_ERROR)])
    assert found[-1] is not told  # whose traceback would grow with each stream that raises it
    peer.connection.close(told)
    assert (peer.transport.ends, peer.ended) == (["close"], [peer.connection])


async def test_a_service_that_does_not_read_is_not_waited_for_at_the_close() -> None:
    peer = Peer()
    peer.connection.pause_writing()
    peer.connection.close(CallError(Code.CANCELLED, "closed"))
    assert peer.transport.ends == ["abort"]


async def test_a_connection_that_is_let_go_of_says_nothing() -> None:
    peer = Peer(greet=False)
    peer.connection.abort()
    peer.connection.connection_lost(None)
    assert peer.transport.ends == ["abort"]
    assert isinstance(peer.connection.ready.exception(), CallError)
