"""A call over a connection whose other end is played: requests out, replies in, one status."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Any

import pytest
from google.protobuf.wrappers_pb2 import StringValue
from hyperframe.frame import GoAwayFrame, RstStreamFrame

from asgi_grpc.errors import Code, RequestError
from asgi_grpc.http2._connection import Connection
from asgi_grpc.http2._errors import ErrorCode
from asgi_grpc.http2._frames import DEFAULT_WINDOW
from asgi_grpc.schema import Method
from tests.calls.facts import Outcome
from tests.calls.servers import BIDI, DOWN, UNARY, UP, source
from tests.http2.calling import Call, Calling, settle
from tests.http2.peer import HEAD, OK, Peer, data, update
from tests.http2.servers import packed, text

NOT_FOUND = [(b"grpc-status", b"5"), (b"grpc-message", b"no"), (b"why", b"lost")]
FIELDS = [
    (b":method", b"POST"),
    (b":scheme", b"http"),
    (b":path", b"/test.Echo/Unary"),
    (b":authority", b"host:1"),
    (b"te", b"trailers"),
    (b"content-type", b"application/grpc"),
    (b"user-agent", b"us/1"),
]


async def test_one_request_leaves_whole_and_one_reply_comes() -> None:
    calling = Calling(metadata=[("a", "b")])
    assert await calling.sent() == [
        ("Headers", 1, [*FIELDS, (b"a", b"b")], "END_HEADERS"),
        ("Data", 1, packed(text("hi")), "END_STREAM"),
    ]
    peer = calling.peer
    head, trailers = [*HEAD, (b"first", b"1"), (b"grpc-x", b"ours")], [*OK, (b"last-bin", b"AA")]
    outcome = await calling.told(peer.head(1, head), data(1, packed(text("ho"))), peer.trailers(1, trailers))
    assert outcome == Outcome(["ho"], initial=(("first", "1"),), trailers=(("last-bin", b"\0"),))
    assert (peer.sent(), peer.ended) == ([], [])


async def test_requests_leave_as_they_are_pulled_and_replies_come_as_they_are_sent() -> None:
    calling = Calling(BIDI, source(["a", "b"], ["c"]))
    assert (await calling.sent())[1:] == [
        ("Data", 1, packed(text("a"), text("b"))),
        ("Data", 1, packed(text("c"))),
        ("Data", 1, b"", "END_STREAM"),
    ]
    peer, wire = calling.peer, packed(text("x"), b"", text("z"))
    outcome = await calling.told(peer.head(1), data(1, wire[:6]), data(1, wire[6:]), peer.trailers(1))
    assert (outcome, calling.call.taken) == (Outcome(["x", "", "z"]), 3)


async def test_a_list_of_replies_is_not_longer_than_can_be_held() -> None:
    call = Call(DOWN, window_bytes=1 << 20)
    replies = call.call.replies()
    first = asyncio.ensure_future(anext(replies))
    await settle()
    call.peer.feed(call.peer.head(1), data(1, packed(*[b""] * 3000)), call.peer.trailers(1))
    assert [len(await first), *[len(each) async for each in replies]] == [1024, 1024, 952]


async def test_a_stream_may_have_no_reply_at_all() -> None:
    assert await (calling := Calling(DOWN)).told(calling.peer.trailers(1, HEAD + OK)) == Outcome()


@pytest.mark.parametrize(
    ("messages", "count"), [((), 0), ((text("a"), text("b")), 2), ((b"", b"", b""), 3)], ids=["none", "two", "three"]
)
@pytest.mark.parametrize("method", [UNARY, UP], ids=["unary", "up"])
async def test_another_number_of_replies_than_one_is_a_fault(
    method: Method, messages: tuple[bytes, ...], count: int
) -> None:
    peer = (calling := Calling(method)).peer
    outcome = await calling.told(peer.head(1), data(1, packed(*messages)), peer.trailers(1))
    assert outcome == Outcome(code=Code.INTERNAL, message=f"the service sent {count} replies where one is due")


async def test_a_failure_is_the_services_whatever_was_replied() -> None:
    peer = (calling := Calling()).peer
    outcome = await calling.told(peer.head(1), data(1, packed(b"", b"")), peer.trailers(1, NOT_FOUND))
    assert outcome == Outcome(code=Code.NOT_FOUND, message="no", trailers=(("why", "lost"),))


@pytest.mark.parametrize(
    ("frames", "code", "message"),
    [
        (lambda peer: peer.head(1) + data(1, b"", end=True), Code.UNKNOWN, "the service gave no status"),
        (lambda peer: peer.head(1) + peer.trailers(1, [(b"a", b"b")]), Code.UNKNOWN, "the service gave no status"),
        (lambda peer: peer.trailers(1, HEAD), Code.UNKNOWN, "the service gave no status"),
        (lambda peer: peer.trailers(1, HEAD + NOT_FOUND), Code.NOT_FOUND, "no"),
        (lambda peer: peer.trailers(1, [(b":status", b"404"), *NOT_FOUND]), Code.NOT_FOUND, "no"),
        (
            lambda peer: peer.trailers(1, [(b":status", b"404")]),
            Code.UNIMPLEMENTED,
            "the service answered with the HTTP status 404",
        ),
        (
            lambda peer: peer.head(1, [(b":status", b"503")]),
            Code.UNAVAILABLE,
            "the service answered with the HTTP status 503",
        ),
        (
            lambda peer: peer.head(1, [(b":status", b"200"), (b"content-type", b"text/html")]),
            Code.UNKNOWN,
            "the service's answer is not of the content type application/grpc",
        ),
    ],
)
async def test_an_answer_without_a_status_gets_one(frames: Callable[[Peer], bytes], code: Code, message: str) -> None:
    outcome = await (calling := Calling(DOWN)).told(frames(calling.peer))
    assert (outcome.replies, outcome.code, outcome.message) == ([], code, message)


async def test_an_answer_that_ends_early_ends_the_requests() -> None:
    calling = Calling(BIDI, source(["a"], None))
    await calling.sent()
    outcome = await calling.told(calling.peer.trailers(1, HEAD + OK))
    assert outcome == Outcome()
    assert calling.peer.sent() == [("RstStream", 1, ErrorCode.CANCEL)]


@pytest.mark.parametrize(
    ("error", "code"), [(RequestError("bad", code=Code.OUT_OF_RANGE), Code.OUT_OF_RANGE), (OSError(), Code.INTERNAL)]
)
async def test_a_source_that_fails_ends_the_call(error: Exception, code: Code) -> None:
    calling = Calling(UP, source(["a"], error))
    with pytest.raises(RequestError) as caught:
        await calling.outcome
    assert caught.value.code is code
    assert [frame[:3] for frame in calling.peer.sent()][1:] == [
        ("Data", 1, packed(text("a"))),
        ("RstStream", 1, ErrorCode.CANCEL),
    ]


async def test_who_leaves_early_cancels_the_call() -> None:
    call = Call(BIDI, source(["a"], None))
    before = asyncio.all_tasks()
    async with aclosing(call.call.replies()) as replies:
        first = asyncio.ensure_future(anext(replies))
        await settle()
        call.peer.sent()
        call.peer.feed(call.peer.head(1), data(1, packed(b"", b"")))
        assert len(await first) == 2
    assert call.peer.sent() == [("RstStream", 1, ErrorCode.CANCEL)]
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before, "nothing of the call runs any more"


async def test_who_is_cancelled_cancels_the_call() -> None:
    calling = Calling(DOWN)
    await calling.sent()
    calling.outcome.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling.outcome
    assert calling.peer.sent() == [("RstStream", 1, ErrorCode.CANCEL)]


async def test_a_deadline_is_told_to_the_service() -> None:
    calling = Calling(deadline_s=60.0)
    name, timeout = (await calling.sent())[0][2][-1]
    assert (name, timeout[-1:], 0 < int(timeout[:-1]) <= 60_000_000) == (b"grpc-timeout", b"u", True)
    peer = calling.peer
    assert await calling.told(peer.head(1), data(1, packed(b"")), peer.trailers(1)) == Outcome([""])


@pytest.mark.parametrize("flows", [False, True])
async def test_a_deadline_is_kept_whether_or_not_data_keeps_flowing(flows: bool) -> None:
    calling = Calling(DOWN, deadline_s=0.1)
    peer, seen, heads = calling.peer, [], [calling.peer.head(1)]
    while not calling.outcome.done():
        seen += peer.sent()
        kinds = [frame[0] for frame in seen]
        if flows and "Headers" in kinds and "RstStream" not in kinds:
            peer.feed(*[heads.pop() for _ in heads[:1]], data(1, packed(text("more"))))
        await asyncio.sleep(0)
    outcome = calling.outcome.result()
    assert (outcome.code, outcome.message) == (Code.DEADLINE_EXCEEDED, "Deadline Exceeded")
    assert set(outcome.replies) <= {"more"}
    assert [*seen, *peer.sent()][2:][-1:] in ([], [("RstStream", 1, ErrorCode.CANCEL)]), "or no stream was opened"


@pytest.mark.parametrize("deadline_s", [0.0, -1.0])
@pytest.mark.parametrize("method", [UNARY, BIDI], ids=["unary", "bidi"])
async def test_a_deadline_that_has_passed_opens_no_stream(method: Method, deadline_s: float) -> None:
    calling = Calling(method, deadline_s=deadline_s)
    outcome = await calling.outcome
    assert (outcome.code, await calling.sent()) == (Code.DEADLINE_EXCEEDED, [])


async def test_a_deadline_that_passes_just_before_the_stream_opens_opens_none() -> None:
    peer = Peer()

    async def connect() -> Connection:
        calling.call._deadline = asyncio.get_running_loop().time() - 1
        return peer.connection

    calling = Calling(UP, deadline_s=60.0, connect=connect)
    assert (await calling.outcome).code is Code.DEADLINE_EXCEEDED
    assert peer.sent() == []


async def test_a_deadline_is_kept_while_it_connects() -> None:
    async def connect() -> Connection:
        await asyncio.Event().wait()
        raise AssertionError

    calling = Calling(deadline_s=0.02, connect=connect)
    assert await calling.outcome == Outcome(code=Code.DEADLINE_EXCEEDED, message="Deadline Exceeded")


async def test_a_deadline_is_kept_while_the_request_comes_in() -> None:
    calling = Calling(UNARY, source(None), deadline_s=0.02)
    outcome = await calling.outcome
    assert (outcome.code, await calling.sent()) == (Code.DEADLINE_EXCEEDED, [])


async def test_a_request_larger_than_the_window_leaves_as_it_opens() -> None:
    calling = Calling(UNARY, source(["x" * 100_000]))
    assert sum(len(frame[2]) for frame in (await calling.sent())[1:]) == DEFAULT_WINDOW
    calling.peer.feed(update(0, 100_000), update(1, 100_000))
    last = (await calling.sent())[-1]
    assert (len(last[2]) > 0, last[3:]) == (True, ("END_STREAM",))
    peer = calling.peer
    assert await calling.told(peer.head(1), data(1, packed(b"")), peer.trailers(1)) == Outcome([""])


REFUSED: Sequence[Any] = [RstStreamFrame(1, 7), GoAwayFrame(0, 0)]


@pytest.mark.parametrize("frame", REFUSED, ids=["reset", "goaway"])
@pytest.mark.parametrize("method", [UNARY, DOWN], ids=["unary", "down"])
async def test_a_single_request_that_was_refused_is_made_again_once(method: Method, frame: Any) -> None:
    peers = [Peer(), Peer(), Peer()]
    rest = [*peers]

    async def connect() -> Connection:
        return rest.pop(0).connection

    calling = Calling(method, connect=connect)
    await settle()
    peers[0].feed(frame)
    await settle()
    assert [each[0] for each in peers[1].sent()] == ["Headers", "Data"]
    peers[1].feed(frame)
    outcome = await calling.outcome
    assert (outcome.code, outcome.message) == (Code.UNAVAILABLE, "the upstream service takes no more calls")
    assert rest == peers[2:]


@pytest.mark.parametrize("frame", REFUSED, ids=["reset", "goaway"])
async def test_requests_in_a_stream_are_not_sent_twice(frame: Any) -> None:
    calling = Calling(UP, source(["a"], None))
    outcome = await calling.told(frame)
    assert (outcome.code, outcome.message) == (Code.UNAVAILABLE, "the upstream service takes no more calls")


async def test_a_call_that_has_begun_is_not_made_again_though_it_is_said_to_be_refused() -> None:
    peer = (calling := Calling(DOWN)).peer
    await settle()
    outcome = await calling.told(peer.head(1), data(1, packed(text("once"))), RstStreamFrame(1, 7))
    assert (outcome.replies, outcome.code) == (["once"], Code.UNAVAILABLE)


async def test_replies_that_came_before_the_connection_broke_are_delivered() -> None:
    peer = (calling := Calling(DOWN)).peer
    await settle()
    peer.feed(peer.head(1), data(1, packed(text("a"), text("b")) + b"\0"))
    peer.connection.connection_lost(None)
    assert await calling.outcome == Outcome(["a", "b"], Code.UNAVAILABLE, "the upstream connection broke")


def test_a_reply_is_what_the_method_says() -> None:
    assert UNARY.output is StringValue.DESCRIPTOR
