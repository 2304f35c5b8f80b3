from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
import trustme

from asgi_grpc.cli import main
from tests.cli.calling import CHUNKED, COMPLETE, NDJSON, OK, Runner, answering, chunk, talking
from tests.client.peers import accept_websocket, frame, once, read_frame, reset, serving


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


async def test_encrypted_addresses_are_called_too(
    call: Runner, three: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    answer = OK + NDJSON + CHUNKED + b"\r\n" + chunk(COMPLETE) + chunk(b"")
    async with serving(answering(answer, []), tls=tls) as port:
        ended = await call(f"https://127.0.0.1:{port}", "--data", three)
        assert ended.status == 1
        assert ended.err.startswith(f"the certificate of 127.0.0.1:{port} is not trusted")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        ended = await call(f"https://127.0.0.1:{port}", "--data", three)
        assert (ended.status, ended.out, ended.err) == (0, COMPLETE.decode(), "")
    async with serving(talking(frame(1, COMPLETE) + frame(8, b"\x03\xe8"), []), tls=tls) as port:
        ended = await call(f"wss://127.0.0.1:{port}", "--data", three)
        assert (ended.status, ended.out, ended.err) == (0, COMPLETE.decode(), "")


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
