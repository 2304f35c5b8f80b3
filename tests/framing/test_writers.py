"""Records to bytes, and back through the readers."""

from __future__ import annotations

import json

import pytest

from asgi_grpc.errors import UsageError
from asgi_grpc.framing import (
    ArrayWriter,
    Event,
    Frame,
    JsonFramer,
    JsonSeqFramer,
    NdjsonWriter,
    SeqWriter,
    SseEvent,
    SseReader,
    SseWriter,
    Writer,
)

RECORDS = [b'{"a":1}', b'{"b":"]"}', b"{}"]


def frames(events: list[Event]) -> list[bytes]:
    return [event.data for event in events if isinstance(event, Frame)]


def write(writer: Writer, record: bytes | None = b"{}", *, failed: bool = False) -> bytes:
    body = writer.messages([]) + writer.messages(RECORDS[:1]) + writer.heartbeat() + writer.messages(RECORDS[1:])
    return body + (writer.failure(record) if failed else writer.success(record))


def test_ndjson() -> None:
    body = write(NdjsonWriter())
    assert body == b'{"a":1}\n\n{"b":"]"}\n{}\n{}\n'
    framer = JsonFramer(max_frame_bytes=99, max_depth=9)
    assert frames(framer.feed(body) + framer.close()) == [*RECORDS, b"{}"]
    assert write(NdjsonWriter(), None) == b'{"a":1}\n\n{"b":"]"}\n{}\n'
    assert NdjsonWriter().failure(None) == b""
    assert NdjsonWriter(b"application/jsonl").media_type == b"application/jsonl"


def test_array() -> None:
    body = write(ArrayWriter())
    assert body == b'[{"a":1}\n,\n{"b":"]"},\n{},\n{}]\n'
    assert json.loads(body) == [{"a": 1}, {"b": "]"}, {}, {}]
    framer = JsonFramer(max_frame_bytes=99, max_depth=9)
    assert frames(framer.feed(body) + framer.close()) == [*RECORDS, b"{}"]
    assert json.loads(write(ArrayWriter(), None)) == [{"a": 1}, {"b": "]"}, {}]


def test_an_array_without_messages_is_well_formed() -> None:
    assert ArrayWriter().success(None) == b"[]\n"
    assert ArrayWriter().success(b"1") == b"[1]\n"
    assert ArrayWriter().failure(b"1") == b"[1]\n"


def test_an_array_that_fails_without_a_record_is_no_json() -> None:
    with pytest.raises(ValueError, match="delimiter"):
        json.loads(write(ArrayWriter(), None, failed=True))


def test_json_seq() -> None:
    body = write(SeqWriter())
    assert body == b'\x1e{"a":1}\n\x1e{"b":"]"}\n\x1e{}\n\x1e{}\n'
    framer = JsonSeqFramer(max_frame_bytes=99)
    assert frames(framer.feed(body) + framer.close()) == [*RECORDS, b"{}"]
    assert SeqWriter().success(None) == b""
    assert SeqWriter().failure(b"1") == b"\x1e1\n"


def test_events_have_names_and_numbers() -> None:
    body = write(SseWriter())
    assert body == (
        b'event: response\nid: 1\ndata: {"a":1}\n\n:\n\nevent: response\nid: 2\ndata: {"b":"]"}\n\n'
        b"event: response\nid: 3\ndata: {}\n\nevent: complete\ndata: {}\n\n"
    )
    assert SseReader(max_event_bytes=99).feed(body) == [
        *[SseEvent("response", data, str(n)) for n, data in enumerate(RECORDS, 1)],
        SseEvent("complete", b"{}", "3"),
    ]
    assert SseWriter().failure(b"{}") == b"event: error\ndata: {}\n\n"
    assert SseWriter().success(None) == b""


def test_plain_events_are_data_lines() -> None:
    body = write(SseWriter(named=False))
    assert body == b'data: {"a":1}\n\n:\n\ndata: {"b":"]"}\n\ndata: {}\n\ndata: {}\n\n'


def test_a_record_of_several_lines_survives_events() -> None:
    body = SseWriter().messages([b"{\n}", b"{\r\n}"])
    assert body == b"event: response\nid: 1\ndata: {\ndata: }\n\nevent: response\nid: 2\ndata: {\ndata: }\n\n"


WRITERS = [NdjsonWriter, ArrayWriter, SeqWriter, SseWriter]


@pytest.mark.parametrize("make", WRITERS)
@pytest.mark.parametrize("failed", [True, False])
def test_nothing_is_written_after_the_end(make: type[Writer], failed: bool) -> None:
    writer = make()
    write(writer, failed=failed)
    with pytest.raises(UsageError, match="ended"):
        writer.messages(RECORDS)
    with pytest.raises(UsageError, match="ended"):
        writer.heartbeat()
    with pytest.raises(UsageError, match="ended"):
        writer.success(None)
    with pytest.raises(UsageError, match="ended"):
        writer.failure(b"{}")


@pytest.mark.parametrize("make", WRITERS)
def test_no_records_are_no_bytes(make: type[Writer]) -> None:
    assert make().messages([]) == b""
