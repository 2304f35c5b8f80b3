from __future__ import annotations

import pytest

from asgi_grpc.cli._verdict import SUCCESS, LastRecord, Verdict, failed, judge_refusal, judge_stream, judge_websocket

NO_SUCCESS = failed("the answer ended without a success record")


@pytest.mark.parametrize(
    ("wire", "last"),
    [
        (b"", b""),
        (b"\n \n", b""),
        (b"one", b"one"),
        (b"one\n", b"one"),
        (b"one\ntwo\r\n\n\n", b"two"),
        (b"one\ntwo\n thr", b" thr"),
        (b"\n\none\n ", b"one"),
    ],
)
def test_the_last_record_is_found_however_the_stream_is_cut(wire: bytes, last: bytes) -> None:
    for first in range(len(wire) + 1):
        for second in range(first, len(wire) + 1):
            record = LastRecord()
            for chunk in (wire[:first], wire[first:second], wire[second:]):
                record.feed(chunk)
            assert record.value().strip() == last.strip(), f"cut at {first} and {second}"
            assert record.records == wire.count(b"\n")


def test_of_a_huge_record_only_the_beginning_is_kept() -> None:
    record = LastRecord()
    for _ in range(40):
        record.feed(b"x" * 65536)
    assert len(record.value()) == 1 << 20
    record.feed(b"y\n")
    assert len(record.value()) == 1 << 20
    record.feed(b"\n" + b"z" * (2 << 20) + b"\n")
    assert record.value() == b"z" * (1 << 20)


@pytest.mark.parametrize(
    ("last", "strict", "verdict"),
    [
        (b'{"type":"complete"}', True, SUCCESS),
        (b'{"type":"complete","trailers":{"a":"b"}}', False, SUCCESS),
        (b'{"type":"error","error":"no name","code":"INVALID_ARGUMENT","details":[]}', False,
         failed("the call failed: INVALID_ARGUMENT: no name")),
        (b'{"error":{"code":3,"message":"no name","details":[]}}', False,
         failed("the call failed: INVALID_ARGUMENT: no name")),
        (b'{"error":{"code":99,"message":"odd\\u001b[31m\\n two"}}', False,
         failed("the call failed: 99: odd\ufffd[31m two")),
        (b'{"type":"error"}', True, failed("the call failed: no reason given")),
        (b'{"type":"response","data":{}}', False, NO_SUCCESS),
        (b'{"type":"response","data":{}}', True, NO_SUCCESS),
        (b'{"result":{}}', False, SUCCESS),
        (b'{"result":{}}', True, NO_SUCCESS),
        (b'{"error":{"code":3},"name":"a bare message with such a field"}', False, SUCCESS),
        (b'{"error":"a bare message with such a field"}', False, SUCCESS),
        (b'"bare"', False, SUCCESS),
        (b"", False, SUCCESS),
        (b"", True, NO_SUCCESS),
        (b'{"type":"comp', False, failed("the last record is not JSON: it was cut off, or this is no gateway")),
    ],
)  # fmt: skip
def test_a_stream_is_judged_by_its_last_record(last: bytes, strict: bool, verdict: Verdict) -> None:
    assert judge_stream(last, strict=strict) == verdict


@pytest.mark.parametrize(
    ("last", "code", "reason", "verdict"),
    [
        (b'{"type":"complete"}', 1000, "", SUCCESS),
        (b'{"type":"response"}', 1000, "", NO_SUCCESS),
        (b'{"type":"complete"}', 1011, "", failed("the server closed the WebSocket with code 1011")),
        (
            b'{"type":"response"}',
            1009,
            "too\nlarge",
            failed("the server closed the WebSocket with code 1009 too large"),
        ),
        (b'{"type":"error","code":"NOT_FOUND"}', 4005, "x", failed("the call failed: NOT_FOUND")),
    ],
)
def test_a_websocket_needs_its_record_and_its_code(last: bytes, code: int, reason: str, verdict: Verdict) -> None:
    assert judge_websocket(last, code, reason) == verdict


@pytest.mark.parametrize(
    ("status", "headers", "body", "text"),
    [
        (404, {}, b'{"code":404,"message":"no such path","data":null,"status":"NOT_FOUND"}',
         "HTTP 404: NOT_FOUND: no such path"),
        (400, {}, b'{"code":3,"message":"","details":[]}', "HTTP 400: INVALID_ARGUMENT"),
        (307, {"location": "/there"}, b"", "HTTP 307: it has moved to /there: call that"),
        (502, {"content-type": "Text/HTML; charset=x"}, b"<html>",
         "HTTP 502 with text/html: this does not look like an asgi_grpc gateway; check the URL"),
        (304, {}, b"[]",
         "HTTP 304 with an answer without a type: this does not look like an asgi_grpc gateway; check the URL"),
        (500, {}, b'{"code":null,"message":"' + b"x" * 600 + b'"}', "HTTP 500: " + "x" * 500 + "…"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_it_is(status: int, headers: dict[str, str], body: bytes, text: str) -> None:
    assert judge_refusal(status, headers, body) == failed(text)
