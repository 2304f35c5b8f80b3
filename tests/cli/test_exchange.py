from __future__ import annotations

import asyncio

import pytest

from tests.cli.calling import CHUNKED, COMPLETE, NDJSON, OK, THREE, Runner, answering, chunk, talking
from tests.client.peers import accept_websocket, frame, once, read_frame, serving


async def test_a_file_goes_out_as_it_is_and_records_come_back_as_they_are(call: Runner, three: str) -> None:
    heard: list[bytes] = []
    records = b'{"type":"response","data":{}}\n\n' + COMPLETE
    async with serving(answering(OK + NDJSON + CHUNKED + b"\r\n" + chunk(records) + chunk(b""), heard)) as port:
        ended = await call(
            f"http://127.0.0.1:{port}/a", "--data", three, "--header", "X-A:  b ", "--header", "accept: */*"
        )
    assert (ended.status, ended.out, ended.err) == (0, records.decode(), "")
    assert heard[0].startswith(b"POST /a HTTP/1.1\r\n")
    assert sorted(heard[0].split(b"\r\n")[1:-2]) == sorted([
        b"Host: 127.0.0.1:%d" % port, b"X-A: b", b"accept: */*", b"Content-Type: application/x-ndjson",
        b"Transfer-Encoding: chunked",
    ])  # fmt: skip
    assert heard[1] == THREE


@pytest.mark.parametrize(
    ("arguments", "line", "header"),
    [
        ([], b"GET / HTTP/1.1", b"Accept: application/x-ndjson, application/json;q=0.9"),
        (["--method", "POST"], b"POST / HTTP/1.1", b"Content-Length: 0"),
        (["--method", "PATCH", "--header", "content-length: 0"], b"PATCH / HTTP/1.1", b"content-length: 0"),
    ],
)
async def test_without_input_there_is_no_body(call: Runner, arguments: list[str], line: bytes, header: bytes) -> None:
    heard: list[bytes] = []
    single = OK + b'content-type: application/json\r\ncontent-length: 10\r\n\r\n{\n"a": 1}\n'
    async with serving(answering(single, heard)) as port:
        ended = await call(f"http://127.0.0.1:{port}", *arguments)
    assert (ended.status, ended.out, ended.err) == (0, '{\n"a": 1}\n', "")
    lines = heard[0].split(b"\r\n")
    assert lines[0] == line
    assert header in lines
    assert b"content-type" not in heard[0].lower()
    assert heard[0].lower().count(b"content-length") == (1 if arguments else 0)


@pytest.mark.parametrize(
    ("wire", "status", "out", "err"),
    [
        pytest.param(OK + NDJSON + CHUNKED + b"\r\n" + chunk(b'{"type":"response"}\n') + chunk(b""), 1,
                     '{"type":"response"}\n', "the answer ended without a success record", id="no-success-record"),
        pytest.param(OK + NDJSON + CHUNKED + b"\r\n" + chunk(COMPLETE), 1, COMPLETE.decode(),
                     "the server closed the connection before its answer was whole", id="cut-off-after-the-record"),
        pytest.param(OK + NDJSON + CHUNKED + b"\r\n" + chunk(b'{"result":1}\n') + chunk(b""), 0, '{"result":1}\n', "",
                     id="grpc-gateway"),
        pytest.param(OK + NDJSON + b"\r\n" + b'{"result":1}\n', 1, '{"result":1}\n',
                     "the answer ended without a success record", id="grpc-gateway-whose-end-nobody-sees"),
        pytest.param(OK + NDJSON + b"\r\n" + COMPLETE, 0, COMPLETE.decode(), "", id="a-record-needs-no-framing"),
        pytest.param(OK + NDJSON + CHUNKED + b"\r\n" + chunk(b'{"error":{"code":5,"message":"no"}}') + chunk(b""), 1,
                     '{"error":{"code":5,"message":"no"}}\n', "the call failed: NOT_FOUND: no", id="failure-record"),
        pytest.param(OK + b"content-type: application/json\r\n\r\n{}", 1, "{}\n",
                     "the answer has no length: nobody can see whether it is whole", id="json-without-length"),
        pytest.param(OK + b"content-type: application/json\r\ncontent-length: 3\r\n\r\n{}", 1, "{}",
                     "the server closed the connection before its answer was whole", id="json-cut-off"),
        pytest.param(OK + b"content-type: text/event-stream\r\ncontent-length: 1\r\n\r\n\n", 1, "\n",
                     "the answer is text/event-stream, in which no success can be seen; ask for application/x-ndjson",
                     id="sse"),
        pytest.param(OK + b"content-type: text/html\r\ncontent-length: 3\r\n\r\n<p>", 1, "",
                     "HTTP 200 with text/html: this does not look like an asgi_grpc gateway; check the URL",
                     id="a-page"),
        pytest.param(b"HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\ncontent-length: 15\r\n\r\n"
                     b'{"message":"x"}', 1, '{"message":"x"}\n', "HTTP 404: x", id="refused"),
        pytest.param(b"\0\0\6\4\0\0\0\0\0\0", 1, "",
                     "what the server sends is not HTTP/1.1; the URL has to be an asgi_grpc gateway's, not that of a "
                     "gRPC server behind it", id="a-grpc-server"),
    ],
)  # fmt: skip
async def test_an_http_answer_decides_the_status(call: Runner, wire: bytes, status: int, out: str, err: str) -> None:
    async with serving(once(wire)) as port:
        ended = await call(f"http://127.0.0.1:{port}/x")
    assert (ended.status, ended.out, ended.err) == (status, out, err)


async def test_lines_are_packed_into_frames_and_end_the_input(call: Runner, three: str) -> None:
    heard: list[str] = []
    replies = frame(1, b'{"type":"response"}') + frame(1, b'{"type":"response"}\n{"type":"complete"}')
    async with serving(talking(replies + frame(8, b"\x03\xe8"), heard)) as port:
        ended = await call(f"ws://127.0.0.1:{port}/a?b", "--data", three, "--header", "X-A: b")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out == '{"type":"response"}\n{"type":"response"}\n{"type":"complete"}\n'
    assert heard[0].startswith("GET /a?b HTTP/1.1\r\n")
    assert "\r\nSec-WebSocket-Protocol: asgi-grpc.records.v1\r\nX-A: b\r\n" in heard[0]
    assert heard[1:] == [
        '{"type":"request","data":{"a":1}}\n{"type":"request","data":{"a":2}}',
        '{"type":"request","data":{"a":3}}',
        '{"type":"end"}',
    ]


async def test_without_input_a_websocket_only_ends_it(call: Runner) -> None:
    heard: list[str] = []
    async with serving(talking(frame(1, b'{"type":"complete"}') + frame(8, b"\x03\xe8"), heard)) as port:
        ended = await call(f"ws://127.0.0.1:{port}")
    assert (ended.status, ended.out, ended.err) == (0, '{"type":"complete"}\n', "")
    assert heard[1:] == ['{"type":"end"}']


@pytest.mark.parametrize(
    ("wire", "out", "err"),
    [
        (frame(1, b'{"type":"complete"}'), '{"type":"complete"}\n',
         "the server ended the connection without closing the WebSocket"),
        (frame(8, b"\x03\xe8"), "", "the answer ended without a success record"),
        (frame(2, b"\xff") + frame(8, b"\x0f\xa3no"), "\ufffd\n", "the server closed the WebSocket with code 4003 no"),
        (frame(1, b'{"type":"error","error":"no","code":"ABORTED"}') + frame(8, b"\x0f\xaa"),
         '{"type":"error","error":"no","code":"ABORTED"}\n', "the call failed: ABORTED: no"),
    ],
)  # fmt: skip
async def test_a_websocket_answer_decides_the_status(call: Runner, wire: bytes, out: str, err: str) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept_websocket(reader, writer, b"sec-websocket-protocol: asgi-grpc.records.v1\r\n")
        await read_frame(reader)
        writer.write(wire)

    async with serving(handler) as port:
        ended = await call(f"ws://127.0.0.1:{port}")
    assert (ended.status, ended.out, ended.err.partition(":")[0] if not out else ended.err) == (1, out, err)


async def test_a_websocket_that_is_refused_or_speaks_something_else(call: Runner) -> None:
    refusal = b'{"code":404,"message":"none","status":"NOT_FOUND"}'
    head = b"HTTP/1.1 404 Not Found\r\ncontent-type: %s\r\ncontent-length: %d\r\n\r\n"
    async with serving(once(head % (b"application/json", len(refusal)) + refusal)) as port:
        ended = await call(f"ws://127.0.0.1:{port}")
        assert (ended.status, ended.out, ended.err) == (1, refusal.decode() + "\n", "HTTP 404: NOT_FOUND: none")
    async with serving(once(head % (b"text/plain", 2) + b"no")) as port:
        ended = await call(f"ws://127.0.0.1:{port}")
        assert (ended.status, ended.out) == (1, "")
        assert ended.err.startswith("HTTP 404 with text/plain: this does not look like")
    async with serving(talking(b"", [], extra=b"")) as port:
        ended = await call(f"ws://127.0.0.1:{port}")
        assert (ended.status, ended.out) == (1, "")
        assert ended.err.startswith("the server does not speak asgi-grpc.records.v1; the URL has to be")
