"""Answers that are damaged: the replies before the fault, then what is wrong."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from google.protobuf.wrappers_pb2 import StringValue

from asgi_grpc.errors import CallError, Code
from asgi_grpc.framing import Fault
from asgi_grpc.http2._call import Http2Call
from tests.calls.facts import Outcome
from tests.calls.servers import DOWN
from tests.http2.calling import Call, Calling, settle
from tests.http2.peer import data
from tests.http2.servers import packed, text

NOT_FOUND = [(b"grpc-status", b"5"), (b"grpc-message", b"no"), (b"why", b"lost")]
GZIP = packed(text("x"), flag=1)
NOT_PROTOBUF = "the service's reply is not a google.protobuf.StringValue"
DAMAGED = "the service's answer is damaged: "


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        pytest.param(GZIP, Code.INTERNAL, f"{DAMAGED}{Fault.BAD_FLAGS.value}", id="compressed"),
        pytest.param(GZIP[:4], Code.INTERNAL, f"{DAMAGED}{Fault.TRUNCATED.value}", id="cut"),
        pytest.param(packed(text("x"))[:-1], Code.INTERNAL, f"{DAMAGED}{Fault.TRUNCATED.value}", id="cut-message"),
        pytest.param(packed(b"\xff"), Code.INTERNAL, NOT_PROTOBUF),
        pytest.param(
            packed(bytes(501))[:5], Code.RESOURCE_EXHAUSTED, "the service's reply is larger than 500 bytes", id="large"
        ),
    ],
)
async def test_a_damaged_answer_ends_the_call_behind_the_replies_before_it(
    body: bytes, code: Code, message: str
) -> None:
    peer = (calling := Calling(DOWN)).peer
    await settle()
    peer.feed(peer.head(1), data(1, packed(text("whole"))))
    await settle()
    outcome = await calling.told(data(1, body), peer.trailers(1))
    assert outcome == Outcome(["whole"], code, message)


async def lists_of(call: Http2Call) -> list[Any]:
    """The lists of replies as they are handed out, then the failure."""
    lists: list[Any] = []
    try:
        async for replies in call.replies():
            lists += [[cast(StringValue, reply).value for reply in replies]]
    except CallError as exc:
        lists.append((exc.code, exc.message))
    return lists


@pytest.mark.parametrize(
    ("body", "lists", "message"),
    [
        pytest.param(packed(text("a"), text("b"), b"\xff", text("c")), [["a", "b"]], NOT_PROTOBUF, id="not-protobuf"),
        pytest.param(packed(b"\xff", text("c")), [], NOT_PROTOBUF, id="not-protobuf-at-once"),
        pytest.param(
            packed(text("a"), text("b")) + GZIP, [["a", "b"]], f"{DAMAGED}{Fault.BAD_FLAGS.value}", id="flags"
        ),
        pytest.param(GZIP, [], f"{DAMAGED}{Fault.BAD_FLAGS.value}", id="flags-at-once"),
        pytest.param(packed(text("a"), b"\xff") + GZIP, [["a"]], NOT_PROTOBUF, id="the-first-fault-counts"),
        pytest.param(
            packed(*[text("x")] * 1024) + GZIP, [["x"] * 1024], f"{DAMAGED}{Fault.BAD_FLAGS.value}", id="a-full-list"
        ),
    ],
)
async def test_the_good_replies_of_a_chunk_are_handed_out_before_the_bad_one_and_no_list_is_empty(
    body: bytes, lists: list[list[str]], message: str
) -> None:
    call = Call(DOWN, window_bytes=1 << 20)
    found = asyncio.create_task(lists_of(call.call))
    await settle()
    call.peer.feed(call.peer.head(1), data(1, body))
    assert await found == [*lists, (Code.INTERNAL, message)]


async def test_a_service_may_fail_within_a_message() -> None:
    peer = (calling := Calling(DOWN)).peer
    outcome = await calling.told(peer.head(1), data(1, packed(b"", b"")[:-1]), peer.trailers(1, NOT_FOUND))
    assert outcome == Outcome([""], Code.NOT_FOUND, "no", trailers=(("why", "lost"),))
