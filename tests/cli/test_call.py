from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from asgi_grpc.cli import main
from tests.client.peers import Handler, accept_websocket, frame, once, read_frame, reset, serving

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = b"transfer-encoding: chunked\r\n"
NDJSON = b"content-type: application/x-ndjson; charset=utf-8\r\n"
COMPLETE = b'{"type":"complete"}\n'
THREE = b'{"a":1}\n\n{"a":2}\n{"a":3}'


@pytest.fixture
def three(tmp_path: Path) -> str:
    file = tmp_path / "three.ndjson"
    file.write_bytes(THREE)
    return str(file)


class Ended:
    """How a command ended."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status = status
        self.out = out
        self.err = err


class Runner:
    """Runs ``asgi-grpc call`` in a thread, beside the servers of this loop."""

    def __init__(self, capture: pytest.CaptureFixture[bytes]) -> None:
        self._capture = capture

    async def __call__(self, url: str, *arguments: str) -> Ended:
        status = await asyncio.to_thread(main, ["call", url, *arguments])
        out, err = self._capture.readouterr()
        return Ended(status, out.decode("utf-8", "replace"), err.decode().removeprefix("asgi-grpc: ").rstrip("\n"))


@pytest.fixture
def call(capsysbinary: pytest.CaptureFixture[bytes]) -> Runner:
    return Runner(capsysbinary)


def chunk(data: bytes) -> bytes:
    """One chunk of an HTTP body."""
    return b"%x\r\n%s\r\n" % (len(data), data)


async def read_body(reader: asyncio.StreamReader) -> bytes:
    """A chunked body."""
    body = b""
    while size := int(await reader.readline(), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return body


def answering(wire: bytes, heard: list[bytes], *, wait: bool = True) -> Handler:
    """Read a request, its chunked body too, and answer."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        if wait and b"chunked" in heard[0]:
            heard.append(await read_body(reader))
        writer.write(wire)
        await writer.drain()

    return handler


def talking(
    wire: bytes, heard: list[str], *, extra: bytes = b"sec-websocket-protocol: asgi-grpc.records.v1\r\n"
) -> Handler:
    """Accept a WebSocket, read records up to the end, and answer."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append((await accept_websocket(reader, writer, extra)).decode())
        while not heard[-1].endswith('{"type":"end"}'):
            first, payload = await read_frame(reader)
            if first != 0x81:
                return
            heard.append(payload.decode())
        writer.write(wire)
        await writer.drain()
        await reader.read()

    return handler


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


@pytest.mark.parametrize("closes", ["properly", "by reset"])
async def test_a_failure_ends_an_endless_input(call: Runner, closes: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(100_000)
        writer.write(OK + NDJSON + CHUNKED + b"\r\n" + chunk(b'{"type":"error","error":"enough"}\n') + chunk(b""))
        await writer.drain()
        if closes == "by reset":
            reset(writer)

    with open("/dev/zero", "rb") as endless:
        monkeypatch.setattr(sys, "stdin", endless)
        async with serving(refuse) as port:
            ended = await call(f"http://127.0.0.1:{port}", "--data", "-")
    assert (ended.status, ended.out) == (1, '{"type":"error","error":"enough"}\n')
    assert ended.err == "the call failed: enough"


async def test_an_early_success_is_one_and_says_so(call: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    wire = OK + NDJSON + CHUNKED + b"\r\n" + chunk(COMPLETE) + chunk(b"")
    with open("/dev/zero", "rb") as endless:
        monkeypatch.setattr(sys, "stdin", endless)
        async with serving(answering(wire, [], wait=False)) as port:
            ended = await call(f"http://127.0.0.1:{port}", "--data", "-")
    assert (ended.status, ended.out) == (0, COMPLETE.decode())
    assert ended.err == "the call succeeded before all of the input was sent"


async def test_input_that_cannot_be_sent_aborts_the_call(call: Runner, tmp_path: Path) -> None:
    file = tmp_path / "latin.ndjson"
    file.write_bytes(b'{}\n"\xe9"\n')
    async with serving(talking(b"", [])) as port:
        ended = await call(f"ws://127.0.0.1:{port}", "--data", str(file))
    assert (ended.status, ended.err) == (1, "message 2 is not UTF-8, and can't be sent as text")


async def test_a_call_that_takes_too_long_is_given_up(call: Runner) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(silent) as port:
        for scheme in ("http", "ws"):
            ended = await call(f"{scheme}://127.0.0.1:{port}", "--timeout", "0.05")
            assert (ended.status, ended.err) == (1, "the call did not succeed within 0.05 s")


async def test_nobody_there_says_what_to_do(call: Runner) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    ended = await call(f"http://127.0.0.1:{port}")
    assert ended.status == 1
    assert ended.err == (
        f"can't connect to 127.0.0.1:{port}: connection refused; does a gateway run there? "
        "`asgi-grpc demo` and `asgi-grpc serve` start one"
    )


async def test_what_has_to_be_written_differently_is_status_2(call: Runner, tmp_path: Path, three: str) -> None:
    missing = f"{tmp_path}/none"
    async with serving(once(b"")) as port:
        for arguments, text in [
            (["ftp://h"], "'ftp://h': expected http://, https://, ws:// or wss:// and a host"),
            (["ws://h", "--method", "GET"], "--method is for http:// and https://: a WebSocket has no method"),
            (["http://h", "--data", missing], f"can't read {missing}: no such file or directory"),
            ([f"http://127.0.0.1:{port}", "--method", "A B"], "this request can't be sent: "),
        ]:
            ended = await call(*arguments)
            assert (ended.status, ended.err[: len(text)]) == (2, text)


async def test_when_nobody_reads_the_replies_the_call_ends(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    class Gone:
        """Standard output after ``| head``."""

        def __init__(self) -> None:
            self.buffer = self

        def write(self, data: bytes) -> None:
            raise BrokenPipeError

        def fileno(self) -> int:
            return 1

    monkeypatch.setattr(sys, "stdout", Gone())
    async with serving(once(OK + NDJSON + CHUNKED + b"\r\n" + chunk(COMPLETE))) as port:
        status = await asyncio.to_thread(main, ["call", f"http://127.0.0.1:{port}"])
    assert status == 1
    assert capfd.readouterr() == ("", "")


def test_interruption_is_status_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(work: object) -> None:
        work.close()  # type: ignore[attr-defined]  # a coroutine
        raise KeyboardInterrupt

    monkeypatch.setattr(asyncio, "run", interrupted)
    assert main(["call", "http://127.0.0.1:1"]) == 130


async def start_call(*arguments: str, stdin: int = subprocess.PIPE) -> asyncio.subprocess.Process:
    """The real program."""
    command = [sys.executable, "-m", "asgi_grpc", "call", *arguments]
    return await asyncio.create_subprocess_exec(*command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


async def test_the_program_streams_both_ways_and_flushes() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK + NDJSON + CHUNKED + b"\r\n")
        while size := int(await reader.readline(), 16):
            data = (await reader.readexactly(size + 2))[:-2]
            writer.write(chunk(b'{"result":%s}\n' % data.strip()))
            await writer.drain()
        writer.write(chunk(b""))

    async with serving(echo) as port:
        process = await start_call(f"http://127.0.0.1:{port}", "--data", "-")
        assert process.stdin is not None
        assert process.stdout is not None
        for n in range(3):
            process.stdin.write(b"%d\n" % n)
            assert await process.stdout.readline() == b'{"result":%d}\n' % n
        process.stdin.close()
        assert await process.communicate() == (b"", b"")
    assert process.returncode == 0


async def test_ctrl_c_aborts_the_connection() -> None:
    reached = asyncio.Event()
    ends: list[str] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept_websocket(reader, writer, b"sec-websocket-protocol: asgi-grpc.records.v1\r\n")
        ends.append((await read_frame(reader))[1].decode())
        reached.set()
        try:
            await reader.read()
        except ConnectionResetError:
            ends.append("reset")

    async with serving(listen) as port:
        process = await start_call(f"ws://127.0.0.1:{port}", "--data", "-")
        assert process.stdin is not None
        process.stdin.write(b"1\n")
        await reached.wait()
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 130
        assert await process.communicate() == (b"", b"")
    assert ends == ['{"type":"request","data":1}', "reset"]


async def test_the_program_ends_quietly_when_nobody_reads_it() -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK + NDJSON + CHUNKED + b"\r\n")
        try:
            while True:
                writer.write(chunk(b'{"type":"response"}\n' * 1000))
                await writer.drain()
        except ConnectionError:
            pass

    async with serving(babble) as port:
        process = await start_call(f"http://127.0.0.1:{port}", stdin=subprocess.DEVNULL)
        assert process.stdout is not None
        assert await process.stdout.readline() == b'{"type":"response"}\n'
        process.stdout._transport.close()  # type: ignore[attr-defined]  # what `| head -1` does
        assert process.stderr is not None
        assert await process.stderr.read() == b""
        assert await process.wait() == 1


async def test_200_000_lines_cost_the_client_little(tmp_path: Path) -> None:
    file = tmp_path / "many.ndjson"
    file.write_bytes(b"".join(b'{"name":"load","value":%d}\n' % n for n in range(200_000)))
    counted = 0

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal counted
        await accept_websocket(reader, writer, b"sec-websocket-protocol: asgi-grpc.records.v1\r\n")
        while (text := (await read_frame(reader))[1]) != b'{"type":"end"}':
            counted += text.count(b"\n") + 1
            assert len(text) <= 65536
        writer.write(frame(1, b'{"type":"complete"}') + frame(8, b"\x03\xe8"))
        await reader.read()

    async with serving(count) as port:
        before = os.times()
        process = await start_call(f"ws://127.0.0.1:{port}", "--data", str(file), stdin=subprocess.DEVNULL)
        out, err = await process.communicate()
        after = os.times()
    assert (process.returncode, json.loads(out), err) == (0, {"type": "complete"}, b"")
    assert counted == 200_000
    assert after.children_user - before.children_user < 5  # seconds; it takes less than half of one
