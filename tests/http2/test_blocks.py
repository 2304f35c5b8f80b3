"""Header blocks: how long they may be, and what is left of the table behind one that was too long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hyperframe.frame import ContinuationFrame, HeadersFrame

from asgi_grpc.errors import CallError, Code
from asgi_grpc.http2._blocks import MAX_BLOCK_BYTES, MAX_HEADER_BYTES
from asgi_grpc.http2._errors import ErrorCode
from tests.calls.facts import Outcome
from tests.calls.servers import DOWN
from tests.http2.calling import Calling
from tests.http2.peer import HEAD, OK, REQUEST, Peer, data, failure, settings, taken
from tests.http2.servers import packed, text

TOO_LARGE = (Code.RESOURCE_EXHAUSTED, f"the service sent headers of more than {MAX_HEADER_BYTES} bytes")
FRAME = 1 << 14
Fields = list[tuple[bytes, bytes]]


def size_of(fields: Sequence[tuple[bytes, bytes]]) -> int:
    """As RFC 9113 counts in section 6.5.2."""
    return sum(32 + len(name) + len(value) for name, value in fields)


def filled(fields: Fields, size: int) -> Fields:
    """Fields, and one more that makes them so large."""
    return [*fields, (b"fill", b"x" * (size - size_of(fields) - 36))]


def number(value: int, bits: int, flags: int = 0) -> bytes:
    """A number as HPACK writes it, in its long form."""
    found = [flags | ((1 << bits) - 1)]
    value -= (1 << bits) - 1
    while value >= 128:
        found.append(value % 128 | 128)
        value //= 128
    return bytes([*found, value])


async def test_a_header_list_may_be_as_long_as_we_say() -> None:
    peer = Peer()
    stream, fields = peer.open(b""), filled(HEAD, MAX_HEADER_BYTES)
    peer.feed(peer.long_head(1, peer.encoder.encode(fields, huffman=False), FRAME))
    assert (stream.head, peer.sent()) == (fields, [])


LARGE: dict[str, Fields] = {
    "one-byte-over": filled(HEAD, MAX_HEADER_BYTES + 1),
    "one-long-field": filled(HEAD, 200_000),
    "many-fields": [*HEAD, *[(b"field-%d" % n, b"v" * 90) for n in range(1500)]],
    "many-in-the-table": [*HEAD, *[(b"f", b"x" * 3000)] * 100],
}


@pytest.mark.parametrize("huffman", [False, True])
@pytest.mark.parametrize("fields", [pytest.param(fields, id=name) for name, fields in LARGE.items()])
async def test_a_header_list_that_is_too_long_ends_its_call_and_no_other(fields: Fields, huffman: bool) -> None:
    peer = Peer()
    stream, other = peer.open(b""), peer.open(b"")
    peer.feed(peer.head(3), data(3, b"before"))
    peer.feed(peer.long_head(1, peer.encoder.encode([*fields, (b"new", b"in the table")], huffman=huffman), FRAME))
    assert peer.sent() == [("RstStream", 1, ErrorCode.CANCEL)]
    assert failure(await taken(stream)) == TOO_LARGE
    peer.feed(data(3, b"behind"), peer.trailers(3, [*OK, (b"new", b"in the table")]))
    assert (await taken(other), other.trailers) == ([b"beforebehind"], [*OK, (b"new", b"in the table")])
    assert (peer.sent(), peer.transport.ends) == ([], [])


async def test_trailers_that_are_too_long_end_the_call_behind_its_replies_without_a_reset() -> None:
    calling = Calling(DOWN)
    await calling.sent()
    peer = calling.peer
    trailers = bytearray(peer.long_head(1, peer.encoder.encode(LARGE["one-long-field"]), FRAME))
    trailers[4] |= 1  # END_STREAM
    outcome = await calling.told(peer.head(1), data(1, packed(text("reply"))), bytes(trailers))
    assert outcome == Outcome(["reply"], *TOO_LARGE)
    assert peer.sent() == [], "both have said all"


async def test_a_header_list_that_is_too_long_for_a_closed_stream_is_read_for_the_next_one() -> None:
    peer = Peer()
    first, second = peer.open(b""), peer.open(b"")
    peer.connection.close_stream(first)
    peer.sent()
    fields = [*HEAD, (b"new", b"in the table"), *LARGE["one-long-field"][2:]]
    peer.feed(peer.long_head(1, peer.encoder.encode(fields), FRAME), peer.head(3, fields[:3]))
    assert (second.head, peer.sent()) == (fields[:3], [])


async def test_a_header_block_without_end_is_bounded() -> None:
    peer = Peer()
    peer.open(b"")
    chunk = bytes(FRAME)
    peer.feed(HeadersFrame(1, chunk), *[ContinuationFrame(1, chunk)] * (MAX_BLOCK_BYTES // FRAME - 1))
    assert peer.sent() == []
    peer.feed(ContinuationFrame(1, b"x"))
    assert peer.sent() == [("GoAway", 0, ErrorCode.ENHANCE_YOUR_CALM)]


async def test_a_header_block_does_not_go_on_with_nothing() -> None:
    peer = Peer()
    stream = peer.open(b"")
    whole = HeadersFrame(1, peer.encoder.encode(HEAD)).serialize() + ContinuationFrame(1, b"").serialize()
    peer.feed(whole[:-9] + ContinuationFrame(1, b"", flags=["END_HEADERS"]).serialize())
    assert (stream.head, peer.sent()) == (HEAD, [])
    peer.feed(HeadersFrame(1, b""), ContinuationFrame(1, b""))
    assert peer.sent() == [("GoAway", 0, ErrorCode.ENHANCE_YOUR_CALM)]


@pytest.mark.parametrize(
    ("block", "code"),
    [
        pytest.param(b"\x82" * 20_000, ErrorCode.ENHANCE_YOUR_CALM, id="more-than-is-read"),
        pytest.param(b"\x82" * 4096 + b"\x20" + b"\x82", ErrorCode.COMPRESSION_ERROR, id="table-size-between-pieces"),
        pytest.param(b"\x82" * 9 + b"\x20" + b"\x82" * 4096, ErrorCode.COMPRESSION_ERROR, id="table-size-in-a-piece"),
        pytest.param(b"\x82" * 4096 + b"\x01\x7f\x80", ErrorCode.COMPRESSION_ERROR, id="cut-number"),
        pytest.param(b"\x82" * 4096 + b"\x01\x05abc", ErrorCode.COMPRESSION_ERROR, id="cut-value"),
        pytest.param(b"\x82" * 4096 + b"\x00\x05abc", ErrorCode.COMPRESSION_ERROR, id="cut-name"),
        pytest.param(b"\x01" + b"\x7f" + b"\xff" * 5000, ErrorCode.COMPRESSION_ERROR, id="number-without-end"),
        pytest.param(b"\xff" * 5000, ErrorCode.COMPRESSION_ERROR, id="index-without-end"),
        pytest.param(b"\x82" * 5000 + b"\xc6", ErrorCode.COMPRESSION_ERROR, id="no-such-index"),
    ],
)
async def test_a_long_block_that_can_not_be_read_ends_the_connection(block: bytes, code: ErrorCode) -> None:
    peer = Peer()
    peer.open(b"")
    peer.feed(peer.long_head(1, block, FRAME))
    assert peer.sent() == [("GoAway", 0, code)]


FORMS = {
    "indexed": b"\x82",
    "in-the-table": b"\x40\x01a\x01b",
    "in-the-table-by-index": b"\x41\x03abc",
    "not-in-the-table": b"\x00\x02ab\x02cd",
    "never-in-the-table": b"\x1f\x05\x03abc",
    "long-value": b"\x0f\x10" + number(5000, 7) + b"v" * 5000,
    "long-name": b"\x40" + number(300, 7) + b"n" * 300 + number(127, 7) + b"v" * 127,
    "huffman": b"\x01\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff",
}


@pytest.mark.parametrize("form", FORMS)
async def test_a_block_is_read_alike_however_long_it_is(form: str) -> None:
    peer, block = Peer(), b"\x3f\x41" + FORMS[form]
    short, long = peer.open(b""), peer.open(b"")
    peer.feed(HeadersFrame(1, b"\x88" + FORMS[form], flags=["END_HEADERS"]))
    times = 1 if form == "long-value" else 30 if form == "long-name" else 1000
    peer.feed(peer.long_head(3, block + FORMS[form] * times, FRAME))
    assert short.head is not None
    assert long.head == [short.head[1]] * (times + 1)


# The service's own bound


async def test_a_request_larger_than_the_service_takes_is_not_sent() -> None:
    peer = Peer()
    peer.feed(settings(MAX_HEADER_LIST_SIZE=200))
    peer.sent()
    fits = filled(REQUEST, 200)
    with pytest.raises(CallError) as caught:
        peer.connection.open([*fits[:-1], (b"fill", fits[-1][1] + b"x")], b"body")
    assert (caught.value.code, caught.value.message) == (
        Code.RESOURCE_EXHAUSTED,
        "the metadata of the request is more than the service takes: 200 bytes",
    )
    assert peer.sent() == []
    stream = peer.connection.open(fits)
    assert (stream.number, peer.sent()) == (1, [("Headers", 1, fits, "END_HEADERS")])


async def test_a_call_whose_metadata_the_service_does_not_take_ends_before_anything_is_sent() -> None:
    peer = Peer()
    peer.feed(settings(MAX_HEADER_LIST_SIZE=1000))
    peer.sent()
    outcome = await Calling(peer=peer, metadata=[("key", "x" * 1000)]).outcome
    assert (outcome.code, peer.sent()) == (Code.RESOURCE_EXHAUSTED, [])
    assert peer.connection.has_room


def sizes_before(peer: Peer) -> list[Any]:
    """The table sizes that the next block begins with."""
    peer.transport.written.clear()
    peer.connection.open(REQUEST)
    block, sizes = bytes(peer.transport.written[9:]), []
    peer.sent()
    while block[0] & 0xE0 == 0x20:
        length = 1 if block[0] != 0x3F else 2 if block[1] < 128 else 3
        sizes.append(sum((byte & 127) << (7 * at) for at, byte in enumerate(block[1:length])) + (block[0] & 0x1F))
        block = block[length:]
    return sizes


async def test_the_table_of_our_encoder_shrinks_as_the_service_wants_and_is_told_so_once() -> None:
    peer = Peer()
    peer.open()
    for values, told in [
        ([0], [0]),
        ([0], []),
        ([1 << 20], [4096]),
        ([100, 100], [100]),
        ([4096, 0, 50, 4096, 70] * 100, [0, 70]),
        ([0, 4096], [0, 4096]),
        ([4096], []),
    ]:
        peer.feed(*[settings(HEADER_TABLE_SIZE=value) for value in values])
        assert sizes_before(peer) == told
    assert peer.decoder.header_table_size == 4096
