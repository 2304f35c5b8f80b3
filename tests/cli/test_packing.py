from __future__ import annotations

import json

import pytest

from asgi_grpc.cli import _packing
from asgi_grpc.cli._packing import LinePacker
from asgi_grpc.cli._source import SourceError


def pack(*chunks: bytes) -> list[str]:
    """The frames of some chunks and the end."""
    packer = LinePacker()
    return [frame for chunk in chunks for frame in packer.feed(chunk)] + packer.close()


def messages(frames: list[str]) -> list[object]:
    """What the frames carry."""
    records = [json.loads(line) for frame in frames for line in frame.split("\n")]
    assert all(record.keys() == {"type", "data"} and record["type"] == "request" for record in records)
    return [record["data"] for record in records]


def test_many_lines_share_a_frame() -> None:
    wire = b'\xef\xbb\xbf{"a":1}\r\n\n \t\r\n"\xc3\xa9\xef\xbb\xbf"\n3'
    frames = pack(wire)
    assert frames == [
        '{"type":"request","data":{"a":1}\r}\n{"type":"request","data":"é\ufeff"}',
        '{"type":"request","data":3}',
    ]


def test_a_cut_anywhere_changes_no_message() -> None:
    wire = b'\xef\xbb\xbf{"a":1}\r\n\n"\xc3\xa9"\n3\n'
    for cut in range(len(wire) + 1):
        assert messages(pack(wire[:cut], wire[cut:])) == [{"a": 1}, "é", 3], f"cut at {cut}"


def test_no_input_gives_no_frame() -> None:
    assert pack() == []
    assert pack(b"\n", b" ") == []


def test_frames_stay_below_64_kib_unless_one_line_is_longer() -> None:
    lines = [b'"%d%s"' % (n, b"x" * 1000) for n in range(200)] + [b'"%s"' % (b"y" * 100_000), b"1"]
    frames = pack(b"\n".join(lines))
    sizes = [len(frame) for frame in frames]
    assert messages(frames) == [json.loads(line) for line in lines]
    assert [size > 65536 for size in sizes].count(True) == 1
    assert sum(sizes) // len(sizes) > 40_000


def test_a_line_that_is_not_utf8_is_named() -> None:
    packer = LinePacker()
    assert len(packer.feed(b"1\n\n2\n")) == 1
    assert packer.messages == 2
    with pytest.raises(SourceError, match="message 4 is not UTF-8, and can't be sent as text"):
        packer.feed(b"3\n\n\xff\n4\n")


def test_a_line_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_packing, "_MAX_LINE_BYTES", 1 << 20)
    packer = LinePacker()
    packer.feed(b"1\n")
    for _ in range(1024):
        packer.feed(b"x" * 1024)
    with pytest.raises(SourceError, match=r"message 2 is longer than 1 MiB: is it one a line\?"):
        packer.feed(b"x")
