"""Frames out and in, with hyperframe as the oracle of both ways."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hyperframe import frame as oracle
from hypothesis import given
from hypothesis import strategies as st

from asgi_grpc.http2 import _frames as ours
from asgi_grpc.http2._errors import ErrorCode, Http2ConnectionError
from asgi_grpc.http2._frames import Frame, FrameReader, FrameType, Setting
from asgi_grpc.testing import chunkings

FRAMES = [
    Frame(FrameType.SETTINGS, 0, 0, b"\0\3\0\0\0\1"),
    Frame(FrameType.HEADERS, ours.END_HEADERS, 1, b"\x88"),
    Frame(FrameType.DATA, 0, 1, b""),
    Frame(FrameType.DATA, ours.END_STREAM, 0x7FFFFFFF, b"x" * 300),
    Frame(99, 0xFF, 3, b"nobody knows"),
]
LARGEST = Frame(FrameType.DATA, 0, 1, bytes(ours.MAX_FRAME_BYTES))
NUMBERS = st.integers(1, 0x7FFFFFFF)
FRAME = st.builds(Frame, st.integers(0, 255), st.integers(0, 255), st.integers(0, 0x7FFFFFFF), st.binary(max_size=40))


def wire_of(frames: Sequence[Frame]) -> bytes:
    return b"".join(ours.frame_bytes(frame.kind, frame.flags, frame.stream, frame.payload) for frame in frames)  # type: ignore[arg-type]  # unknown kinds too


def read(*chunks: bytes) -> list[Frame | str]:
    """All frames of a stream, and the fault behind them."""
    reader = FrameReader()
    found: list[Frame | str] = []
    try:
        for chunk in chunks:
            for frame in reader.feed(chunk):
                found.append(frame)  # noqa: PERF402 - those before a fault count
            assert reader.held_bytes < 9 + ours.MAX_FRAME_BYTES
    except Http2ConnectionError as exc:
        found.append(str(exc))
    return found


def parsed(wire: bytes) -> list[dict[str, Any]]:
    """What hyperframe sees in frames that are ours."""
    found = []
    while wire:
        frame, length = oracle.Frame.parse_frame_header(memoryview(wire[:9]))
        frame.parse_body(memoryview(wire[9 : 9 + length]))
        known = {name: value for name, value in vars(frame).items() if name not in ("flags", "body_len")}
        found.append({"kind": type(frame).__name__, "flags": set(frame.flags), **known})
        wire = wire[9 + length :]
    return found


def test_a_cut_anywhere_changes_nothing() -> None:
    wire = wire_of(FRAMES)
    for cut in range(len(wire) + 1):
        assert read(wire[:cut], wire[cut:]) == FRAMES, f"cut at {cut}"


def test_single_bytes_and_empty_chunks_give_the_same_frames() -> None:
    wire = wire_of(FRAMES)
    assert read(*[wire[at : at + 1] for at in range(len(wire))]) == FRAMES
    assert read(b"", wire, b"", b"") == FRAMES


@given(st.lists(FRAME, max_size=6).flatmap(lambda frames: st.tuples(st.just(frames), chunkings(wire_of(frames)))))
def test_however_the_network_cut_them_the_frames_are_equal(drawn: tuple[list[Frame], list[bytes]]) -> None:
    frames, chunks = drawn
    assert read(*chunks) == frames


@pytest.mark.parametrize("size", [1, 9, 4000, 1 << 20])
def test_the_longest_frame_is_taken(size: int) -> None:
    wire = wire_of([LARGEST, FRAMES[1]])
    assert read(*[wire[at : at + size] for at in range(0, len(wire), size)]) == [LARGEST, FRAMES[1]]


def test_a_frame_one_byte_longer_is_refused_at_its_head_behind_the_frames_before_it() -> None:
    wire = wire_of(FRAMES) + b"\x00\x40\x01\x00\x00\x00\x00\x00\x01"
    expected = [*FRAMES, "FRAME_SIZE_ERROR: a frame of 16385 bytes"]
    for cut in range(len(wire) + 1):
        assert read(wire[:cut], wire[cut:]) == expected, f"cut at {cut}"


def test_no_byte_is_kept_that_makes_a_frame() -> None:
    reader = FrameReader()
    assert list(reader.feed(wire_of(FRAMES) + b"\0\0\7")) == FRAMES
    assert reader.held_bytes == 3


def test_the_reserved_bit_of_a_stream_is_ignored() -> None:
    assert read(b"\0\0\0\6\0\x80\0\0\5") == [Frame(6, 0, 5, b"")]


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        (
            ours.settings_frame([(Setting.ENABLE_PUSH, 0), (Setting.INITIAL_WINDOW_SIZE, 70_000)]),
            {"kind": "SettingsFrame", "flags": set(), "stream_id": 0, "settings": {2: 0, 4: 70_000}},
        ),
        (
            ours.window_update(7, 0x7FFFFFFF),
            {"kind": "WindowUpdateFrame", "flags": set(), "stream_id": 7, "window_increment": 0x7FFFFFFF},
        ),
        (
            ours.rst_stream(9, ErrorCode.CANCEL),
            {"kind": "RstStreamFrame", "flags": set(), "stream_id": 9, "error_code": 8},
        ),
        (
            ours.goaway(ErrorCode.ENHANCE_YOUR_CALM),
            {
                "kind": "GoAwayFrame",
                "flags": set(),
                "stream_id": 0,
                "last_stream_id": 0,
                "error_code": 11,
                "additional_data": b"",
            },
        ),
        (
            ours.frame_bytes(FrameType.PING, ours.ACK, 0, b"12345678"),
            {"kind": "PingFrame", "flags": {"ACK"}, "stream_id": 0, "opaque_data": b"12345678"},
        ),
    ],
)
def test_hyperframe_reads_what_we_write(wire: bytes, expected: dict[str, Any]) -> None:
    assert parsed(wire) == [expected]


@given(NUMBERS, st.binary(max_size=50), st.integers(1, 20), st.booleans())
def test_hyperframe_reads_our_data(stream: int, data: bytes, most: int, end: bool) -> None:
    for given_data in (data, memoryview(data)):
        frames = parsed(ours.data_frames(stream, given_data, max_frame_bytes=most, end=end))
        assert b"".join(frame["data"] for frame in frames) == data
        assert {(frame["kind"], frame["stream_id"]) for frame in frames} == {("DataFrame", stream)}
        last = {"END_STREAM"} if end else set()
        assert [frame["flags"] for frame in frames] == [set()] * (len(frames) - 1) + [last]
        assert len(frames) == max(1, -(-len(data) // most))


@given(NUMBERS, st.binary(max_size=50), st.integers(1, 20), st.booleans())
def test_hyperframe_reads_our_header_blocks(stream: int, block: bytes, most: int, end: bool) -> None:
    frames = parsed(ours.headers_frames(stream, block, max_frame_bytes=most, end=end))
    assert b"".join(frame["data"] for frame in frames) == block
    assert {frame["stream_id"] for frame in frames} == {stream}
    assert [frame["kind"] for frame in frames] == ["HeadersFrame"] + ["ContinuationFrame"] * (len(frames) - 1)
    assert [("END_HEADERS" in frame["flags"]) for frame in frames] == [False] * (len(frames) - 1) + [True]
    assert [("END_STREAM" in frame["flags"]) for frame in frames] == [end] + [False] * (len(frames) - 1)


def test_padding_and_priority_are_not_content() -> None:
    data = oracle.DataFrame(1, b"body", pad_length=7, flags=["PADDED"]).serialize()
    head = oracle.HeadersFrame(3, b"block", pad_length=2, depends_on=1, stream_weight=5, flags=["PADDED", "PRIORITY"])
    only = oracle.HeadersFrame(3, b"block", depends_on=1, flags=["PRIORITY"])
    none = oracle.DataFrame(1, b"body")
    frames = list(FrameReader().feed(data + head.serialize() + only.serialize() + none.serialize()))
    assert [ours.content(frame) for frame in frames] == [b"body", b"block", b"block", b"body"]


def test_a_frame_of_padding_alone_has_no_content() -> None:
    assert ours.content(Frame(FrameType.DATA, ours.PADDED, 1, b"\3\0\0\0")) == b""
    assert ours.content(Frame(FrameType.DATA, ours.PADDED, 1, b"\0")) == b""


def test_numbers_of_hyperframe_are_read() -> None:
    wire = (
        oracle.RstStreamFrame(1, 8).serialize()
        + oracle.WindowUpdateFrame(0, 77).serialize()
        + oracle.GoAwayFrame(0, 5, 2, b"why").serialize()
        + oracle.SettingsFrame(0, {3: 100, 4: 9, 5: 1 << 20, 0xAB: 1}).serialize()
        + oracle.SettingsFrame(0, {}, flags=["ACK"]).serialize()
        + oracle.PingFrame(0, b"12345678").serialize()
    )
    reset, update, bye, settings, ack, ping = FrameReader().feed(wire)
    assert (ours.number_in(reset), ours.number_in(update), ours.goaway_in(bye)) == (8, 77, (5, 2, b"why"))
    assert (ours.settings_in(settings), ours.settings_in(ack)) == ([(3, 100), (4, 9), (5, 1 << 20), (0xAB, 1)], [])
    assert ours.ping_in(ping) == b"12345678"


def setting(name: int, value: int) -> Frame:
    return Frame(FrameType.SETTINGS, 0, 0, name.to_bytes(2, "big") + value.to_bytes(4, "big"))


@pytest.mark.parametrize(
    ("parse", "frame", "problem"),
    [
        (ours.content, Frame(0, ours.PADDED, 1, b""), "FRAME_SIZE_ERROR: padding without its length"),
        (ours.content, Frame(0, ours.PADDED, 1, b"\1"), "PROTOCOL_ERROR: padding longer than its frame"),
        (ours.content, Frame(1, ours.PRIORITY, 1, b"1234"), "PROTOCOL_ERROR: padding longer than its frame"),
        (ours.number_in, Frame(3, 0, 1, b"123"), "FRAME_SIZE_ERROR: a number of 3 bytes"),
        (ours.number_in, Frame(8, 0, 1, b"12345"), "FRAME_SIZE_ERROR: a number of 5 bytes"),
        (ours.goaway_in, Frame(7, 0, 0, b"1234567"), "FRAME_SIZE_ERROR: GOAWAY of 7 bytes"),
        (ours.goaway_in, Frame(7, 0, 1, b"12345678"), "PROTOCOL_ERROR: GOAWAY is of stream 1"),
        (ours.settings_in, Frame(4, 0, 0, b"1234567"), "FRAME_SIZE_ERROR: SETTINGS of 7 bytes"),
        (ours.settings_in, Frame(4, ours.ACK, 0, b"123456"), "FRAME_SIZE_ERROR: SETTINGS of 6 bytes"),
        (ours.settings_in, Frame(4, 0, 3, b""), "PROTOCOL_ERROR: SETTINGS is of stream 3"),
        (ours.settings_in, setting(2, 1), "PROTOCOL_ERROR: the setting ENABLE_PUSH is 1"),
        (ours.settings_in, setting(4, 1 << 31), "FLOW_CONTROL_ERROR: the setting INITIAL_WINDOW_SIZE is 2147483648"),
        (ours.settings_in, setting(5, 16_383), "PROTOCOL_ERROR: the setting MAX_FRAME_SIZE is 16383"),
        (ours.settings_in, setting(5, 1 << 24), "PROTOCOL_ERROR: the setting MAX_FRAME_SIZE is 16777216"),
        (ours.ping_in, Frame(6, 0, 0, b"1234567"), "FRAME_SIZE_ERROR: PING of 7 bytes"),
        (ours.ping_in, Frame(6, 0, 1, b"12345678"), "PROTOCOL_ERROR: PING is of stream 1"),
    ],
)
def test_what_breaks_the_rules_is_named(parse: Callable[[Frame], object], frame: Frame, problem: str) -> None:
    with pytest.raises(Http2ConnectionError) as caught:
        parse(frame)
    assert str(caught.value) == problem


@given(st.binary(max_size=300), st.data())
def test_noise_is_read_the_same_however_it_was_cut(noise: bytes, data: st.DataObject) -> None:
    assert read(*data.draw(chunkings(noise))) == read(noise)
