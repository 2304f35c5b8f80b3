"""A connection and its streams, over a transport that keeps what is written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    PushPromiseFrame,
    RstStreamFrame,
    SettingsFrame,
)

from asgi_grpc.errors import CallError, Code
from asgi_grpc.http2 import _streams
from asgi_grpc.http2._blocks import MAX_HEADER_BYTES
from asgi_grpc.http2._errors import ErrorCode
from asgi_grpc.http2._frames import PREFACE
from tests.http2.peer import (
    ACK,
    HEAD,
    OK,
    OUR_WINDOW,
    REQUEST,
    RULES,
    Peer,
    data,
    failure,
    settings,
    taken,
    update,
)


async def test_it_says_hello_before_the_service_does() -> None:
    peer = Peer(window_bytes=70_000, greet=False)
    assert peer.transport.written.startswith(PREFACE)
    del peer.transport.written[: len(PREFACE)]
    assert peer.sent() == [
        ("Settings", 0, {2: 0, 4: 70_000, 6: MAX_HEADER_BYTES}),
        ("WindowUpdate", 0, OUR_WINDOW - 65_535),
    ]
    assert not peer.connection.ready.done()
    peer.feed(settings(), SettingsFrame(0, flags=["ACK"]))
    assert peer.connection.ready.done()
    assert peer.sent() == [ACK]


@pytest.mark.parametrize("first", [PingFrame(0), SettingsFrame(0, flags=["ACK"]), HeadersFrame(1, b"")])
@pytest.mark.parametrize("cut", [False, True])
async def test_the_first_frame_is_settings_or_there_is_no_connection(first: Any, cut: bool) -> None:
    peer = Peer(greet=False)
    peer.transport.written.clear()
    for chunk in [[first], [settings()]] if cut else [[first, settings()]]:
        peer.feed(*chunk)
    assert peer.sent() == [("GoAway", 0, ErrorCode.PROTOCOL_ERROR)]
    assert peer.transport.ends == ["close"]
    assert peer.ended == [peer.connection]
    with pytest.raises(CallError) as caught:
        await peer.connection.ready
    assert (caught.value.code, caught.value.message) == (Code.UNAVAILABLE, RULES)


async def test_an_answer_of_http_1_is_no_http_2() -> None:
    peer = Peer(greet=False)
    peer.feed(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    assert peer.transport.ends == ["close"]
    with pytest.raises(CallError) as caught:
        await peer.connection.ready
    assert caught.value.code is Code.UNAVAILABLE


async def test_a_whole_call() -> None:
    peer = Peer()
    stream = peer.connection.open(REQUEST, b"request")
    assert peer.sent() == [
        ("Headers", 1, REQUEST, "END_HEADERS"),
        ("Data", 1, b"request", "END_STREAM"),
    ]
    peer.feed(peer.head(1), data(1, b"re"), data(1, b"ply"), peer.trailers(1))
    assert await taken(stream) == [b"reply"]
    assert (stream.head, stream.trailers, stream.is_over) == (HEAD, OK, True)
    peer.connection.close_stream(stream)
    peer.connection.close_stream(stream)
    assert (peer.sent(), peer.ended, peer.transport.ends) == ([], [], [])


async def test_an_answer_may_end_with_data_or_with_its_head() -> None:
    peer = Peer()
    first, second = peer.open(b""), peer.open(b"")
    peer.feed(peer.head(1), data(1, b"x", end=True), peer.trailers(3, HEAD + OK))
    assert (await taken(first), first.trailers) == ([b"x"], ())
    assert (await taken(second), second.head, second.trailers) == ([], None, HEAD + OK)


async def test_whoever_waits_is_woken_by_what_comes() -> None:
    peer = Peer()
    stream = peer.open(b"")
    task = asyncio.create_task(taken(stream))
    for frames in (peer.head(1), data(1, b"a"), data(1, b""), data(1, b"b"), peer.trailers(1)):
        await asyncio.sleep(0)
        peer.feed(frames)
    assert await task == [b"a", b"b"]


async def test_heads_of_an_answer_to_come_are_passed_over() -> None:
    peer = Peer()
    stream = peer.open(b"")
    peer.feed(peer.head(1, [(b":status", b"100")]), peer.head(1, [(b":status", b"103")]), peer.head(1))
    assert stream.head == HEAD


async def test_a_header_block_may_come_in_pieces() -> None:
    peer = Peer()
    stream = peer.open(b"")
    fields = [*HEAD, *[(b"field-%d" % n, b"v" * n) for n in range(20)]]
    peer.feed(peer.long_head(1, peer.encoder.encode(fields), 7))
    assert stream.head == fields


async def test_a_request_in_pieces_has_its_end_on_the_last() -> None:
    peer = Peer()
    stream = peer.open()
    await peer.connection.send(stream, b"one")
    await peer.connection.send(stream, b"two", end=True)
    await peer.connection.send(stream, b"behind the end")
    assert peer.sent() == [("Data", 1, b"one"), ("Data", 1, b"two", "END_STREAM")]


async def test_an_end_without_data_is_an_empty_frame() -> None:
    peer = Peer()
    stream = peer.open()
    await peer.connection.send(stream, b"", end=True)
    assert peer.sent() == [("Data", 1, b"", "END_STREAM")]


async def test_long_request_fields_go_on_in_continuation_as_they_are() -> None:
    peer = Peer()
    peer.connection.open([*REQUEST, (b"long", b"x" * 40_000)])
    wire, frames = bytes(peer.transport.written), []
    while wire:
        length = int.from_bytes(wire[:3], "big")
        frames.append((wire[3], wire[4], length))
        wire = wire[9 + length :]
    assert frames == [(1, 0, 16_384), (9, 0, 16_384), (9, 4, 40_019 - 2 * 16_384)], "not compressed"


async def test_pings_are_answered_and_their_answers_are_not() -> None:
    peer = Peer()
    peer.feed(PingFrame(0, b"12345678"), PingFrame(0, b"abcdefgh", flags=["ACK"]))
    assert peer.sent() == [("Ping", 0, b"12345678", "ACK")]


async def test_frames_that_nobody_knows_are_ignored() -> None:
    peer = Peer()
    peer.feed(b"\0\0\1\x63\xff\0\0\0\0x", PriorityFrame(1), b"\0\0\0\x0a\0\0\0\0\1")
    assert (peer.sent(), peer.transport.ends) == ([], [])


HOSTILE: list[tuple[str, Any, ErrorCode]] = [
    ("push", PushPromiseFrame(1, 2, b""), ErrorCode.PROTOCOL_ERROR),
    ("ping-size", b"\0\0\1\6\0\0\0\0\0x", ErrorCode.FRAME_SIZE_ERROR),
    ("ping-of-a-stream", b"\0\0\x08\6\0\0\0\0\x0112345678", ErrorCode.PROTOCOL_ERROR),
    ("settings-size", b"\0\0\1\4\0\0\0\0\0x", ErrorCode.FRAME_SIZE_ERROR),
    ("settings-window", settings(INITIAL_WINDOW_SIZE=1 << 31), ErrorCode.FLOW_CONTROL_ERROR),
    ("settings-frame-size", settings(MAX_FRAME_SIZE=1), ErrorCode.PROTOCOL_ERROR),
    ("settings-push", settings(ENABLE_PUSH=1), ErrorCode.PROTOCOL_ERROR),
    ("frame-size", b"\0\x40\1\0\0\0\0\0\1", ErrorCode.FRAME_SIZE_ERROR),
    ("data-of-no-stream", data(3, b""), ErrorCode.PROTOCOL_ERROR),
    ("data-of-an-even-stream", data(2, b""), ErrorCode.PROTOCOL_ERROR),
    ("data-of-the-connection", b"\0\0\0\0\0\0\0\0\0", ErrorCode.PROTOCOL_ERROR),
    ("headers-of-no-stream", HeadersFrame(3, b"\x88", flags=["END_HEADERS"]), ErrorCode.PROTOCOL_ERROR),
    ("reset-of-no-stream", RstStreamFrame(3, 0), ErrorCode.PROTOCOL_ERROR),
    ("reset-size", b"\0\0\1\3\0\0\0\0\1x", ErrorCode.FRAME_SIZE_ERROR),
    ("update-of-no-stream", update(3, 1), ErrorCode.PROTOCOL_ERROR),
    ("update-by-nothing", update(0, 0), ErrorCode.PROTOCOL_ERROR),
    ("update-too-large", update(0, (1 << 31) - 1), ErrorCode.FLOW_CONTROL_ERROR),
    ("update-size", b"\0\0\0\x08\0\0\0\0\1", ErrorCode.FRAME_SIZE_ERROR),
    ("goaway-size", b"\0\0\1\7\0\0\0\0\0x", ErrorCode.FRAME_SIZE_ERROR),
    ("padding", b"\0\0\1\0\x08\0\0\0\1\xff", ErrorCode.PROTOCOL_ERROR),
    ("continuation-of-nothing", ContinuationFrame(1, b"x"), ErrorCode.PROTOCOL_ERROR),
    ("ping-in-a-block", HeadersFrame(1, b"").serialize() + PingFrame(0).serialize(), ErrorCode.PROTOCOL_ERROR),
    ("unknown-in-a-block", HeadersFrame(1, b"").serialize() + b"\0\0\0\x63\0\0\0\0\1", ErrorCode.PROTOCOL_ERROR),
    (
        "continuation-of-another",
        HeadersFrame(1, b"").serialize() + ContinuationFrame(3, b"x").serialize(),
        ErrorCode.PROTOCOL_ERROR,
    ),
    ("hpack-index", HeadersFrame(1, b"\xff\xff\x01", flags=["END_HEADERS"]), ErrorCode.COMPRESSION_ERROR),
    ("hpack-cut", HeadersFrame(1, b"\x40\x05ab", flags=["END_HEADERS"]), ErrorCode.COMPRESSION_ERROR),
    ("hpack-number", HeadersFrame(1, b"\xff" * 9999, flags=["END_HEADERS"]), ErrorCode.COMPRESSION_ERROR),
    ("hpack-huffman", HeadersFrame(1, b"\x00\x84" + b"\xff" * 4, flags=["END_HEADERS"]), ErrorCode.COMPRESSION_ERROR),
    ("hpack-table", HeadersFrame(1, b"\x3f\xff\x7f", flags=["END_HEADERS"]), ErrorCode.COMPRESSION_ERROR),
]


@pytest.mark.parametrize(("frames", "code"), [pytest.param(f, code, id=name) for name, f, code in HOSTILE])
async def test_who_breaks_the_rules_is_told_which_and_left(frames: Any, code: ErrorCode) -> None:
    peer = Peer()
    stream = peer.open(b"")
    peer.feed(peer.head(1), data(1, b"before"), frames, PingFrame(0))
    assert peer.sent() == [("GoAway", 0, code)]
    assert (peer.transport.ends, peer.ended, peer.connection.has_room) == (["close"], [peer.connection], False)
    found = await taken(stream)
    assert (found[0], failure(found)) == (b"before", (Code.INTERNAL, RULES))
    peer.feed(PingFrame(0), frames)  # what comes late is nobody's any more
    peer.connection.connection_lost(None)
    peer.connection.close(CallError(Code.CANCELLED, "late"))
    assert (peer.sent(), peer.ended) == ([], [peer.connection])


async def test_fields_of_a_closed_stream_still_count_for_the_next() -> None:
    peer = Peer()
    first, second = peer.open(b""), peer.open(b"")
    peer.connection.close_stream(first)
    assert peer.sent() == [("RstStream", 1, ErrorCode.CANCEL)]
    fields = [*HEAD, (b"new", b"in the table")]
    peer.feed(peer.long_head(1, peer.encoder.encode(fields), 5), data(1, b"late"), peer.trailers(1), update(1, 5))
    peer.feed(RstStreamFrame(1, 0), peer.head(3, fields))
    assert (second.head, peer.sent(), peer.transport.ends) == (fields, [], [])


@pytest.mark.parametrize(
    "frames",
    [
        lambda peer: peer.head(1),
        lambda peer: data(1, b"more"),
        lambda peer: data(1, b""),
        lambda peer: peer.trailers(1, [(b"grpc-status", b"5")]),
    ],
    ids=["head", "data", "empty", "trailers"],
)
async def test_nothing_comes_behind_the_end_of_an_answer(frames: Callable[[Peer], bytes]) -> None:
    peer = Peer()
    stream, other = peer.open(), peer.open()
    peer.feed(peer.head(1), data(1, b"x"), peer.trailers(1), frames(peer), peer.head(3))
    assert peer.sent() == [("RstStream", 1, ErrorCode.STREAM_CLOSED)]
    assert (await taken(stream), stream.trailers, other.head) == ([b"x"], OK, HEAD)


@pytest.mark.parametrize(
    "frames",
    [lambda peer: data(1, b"no head"), lambda peer: peer.head(1) + peer.head(1)],
    ids=["data-first", "fields-in-the-middle"],
)
async def test_what_is_wrong_with_one_answer_ends_that_one(frames: Callable[[Peer], bytes]) -> None:
    peer = Peer()
    stream, other = peer.open(b""), peer.open(b"")
    peer.feed(frames(peer), peer.head(3))
    assert peer.sent() == [("RstStream", 1, ErrorCode.PROTOCOL_ERROR)]
    assert failure(await taken(stream)) == (Code.INTERNAL, RULES)
    assert other.head == HEAD


async def test_as_many_streams_are_opened_as_the_service_takes() -> None:
    peer = Peer()
    peer.feed(settings(MAX_CONCURRENT_STREAMS=2))
    first, _ = peer.open(b""), peer.open(b"")
    assert not peer.connection.has_room
    peer.connection.close_stream(first)
    assert peer.connection.has_room
    peer.feed(settings(MAX_CONCURRENT_STREAMS=1))
    assert (peer.connection.has_room, peer.ended) == (False, [])


async def test_a_connection_is_idle_if_no_stream_was_open_between_two_looks() -> None:
    peer = Peer()
    assert [peer.connection.was_idle() for _ in range(3)] == [False, True, True]
    stream = peer.open(b"")
    assert [peer.connection.was_idle() for _ in range(2)] == [False, False]
    peer.connection.close_stream(stream)
    assert [peer.connection.was_idle() for _ in range(2)] == [False, True]
    peer.connection.close_stream(peer.open(b""))
    assert [peer.connection.was_idle() for _ in range(2)] == [False, True]


async def test_a_connection_whose_numbers_are_used_up_ends_with_its_last_stream(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_streams, "_LAST_NUMBER", 3)
    peer = Peer()
    first = peer.open(b"")
    assert peer.connection.has_room
    second = peer.open(b"")
    assert (second.number, peer.connection.has_room, peer.ended) == (3, False, [peer.connection])
    peer.connection.close_stream(first)
    assert peer.transport.ends == []
    peer.connection.close_stream(second)
    assert peer.transport.ends == ["close"]


async def test_who_asks_for_answers_and_does_not_read_them_is_left() -> None:
    peer = Peer()
    stream = peer.open(b"")
    peer.transport.unsent = 1 << 24
    peer.feed(PingFrame(0))
    assert peer.transport.ends == []
    peer.transport.unsent += 1
    peer.feed(PingFrame(0), DataFrame(1, b"x"), PingFrame(0))
    assert set(peer.transport.ends) == {"abort"}
    assert failure(await taken(stream)) == (Code.UNAVAILABLE, "the upstream service does not read")
