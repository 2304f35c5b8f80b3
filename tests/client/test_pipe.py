from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import AbstractAsyncContextManager, suppress

import pytest
import trustme

from asgi_grpc.client import ConnectError, ConnectionLostError, HttpConnection, WebSocket, parse_url
from asgi_grpc.client._pipe import Pipe
from tests.client.peers import accept_websocket, frame, once, read_frame, reset, serving

MEGABYTE = bytes(range(256)) * 4096


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def client_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


async def open_pipe(port: int, tls: ssl.SSLContext | None = None) -> Pipe:
    scheme = "https" if tls else "http"
    return await Pipe.open(parse_url(f"{scheme}://127.0.0.1:{port}"), ssl_context=tls, timeout_s=10)


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "tls"])
async def test_megabytes_go_both_ways_at_once(
    encrypted: bool, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()

    async with serving(echo, tls=server_tls if encrypted else None) as port:
        pipe = await open_pipe(port, client_tls if encrypted else None)

        async def send() -> None:
            for _ in range(4):
                await pipe.send(MEGABYTE)

        sender = asyncio.create_task(send())
        received = bytearray()
        while len(received) < 4 * len(MEGABYTE):
            received += await pipe.receive()
        await sender
        assert received == MEGABYTE * 4
        await pipe.send_eof()
        assert await pipe.receive() == b""
        assert await pipe.receive() == b""
        pipe.close()


async def turns(count: int) -> None:
    """Let the other tasks run."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_sends_of_two_tasks_never_mix_and_a_post_goes_between_them() -> None:
    start = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await start.wait()
        writer.write(await reader.read())

    async with serving(listen) as port:
        pipe = await open_pipe(port)
        first = asyncio.create_task(pipe.send(b"a" * 8_000_000))
        await asyncio.sleep(0)
        second = asyncio.create_task(pipe.send(b"b" * 8_000_000))
        await asyncio.sleep(0)
        pipe.post(b"c")  # does not wait, though nothing moves
        start.set()
        await asyncio.gather(first, second)
        await pipe.send_eof()
        received = bytearray()
        while data := await pipe.receive():
            received += data
        assert received == b"a" * 8_000_000 + b"b" * 8_000_000 + b"c"
        pipe.close()


async def test_a_post_without_room_waits_for_the_next_send() -> None:
    start = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await start.wait()
        writer.write(b"%d" % len(await reader.read()))

    async with serving(listen) as port:
        pipe = await open_pipe(port)
        for _ in range(100):
            pipe.post(MEGABYTE)
        pipe.post(b"!")
        start.set()
        await pipe.send_eof()
        assert await pipe.receive() == b"%d" % (100 * len(MEGABYTE) + 1)
        pipe.close()


async def test_a_sender_is_held_back_by_a_server_that_does_not_read() -> None:
    async def ignore(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with serving(ignore) as port:
        pipe = await open_pipe(port)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await pipe.send(MEGABYTE * 64)
        with pytest.raises(ConnectionLostError, match="cancelled half-way"):
            await pipe.send(b"more")
        pipe.abort()


async def test_abort_ends_what_another_task_waits_for() -> None:
    async def ignore(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with serving(ignore) as port:
        pipe = await open_pipe(port)
        reading = asyncio.create_task(pipe.receive())
        sending = asyncio.create_task(pipe.send(MEGABYTE * 64))
        await turns(3)
        pipe.abort()
        for task in (reading, sending):
            with pytest.raises(ConnectionLostError, match="closed on our side"):
                await task
        for again in (pipe.send(b""), pipe.receive()):
            with pytest.raises(ConnectionLostError):
                await again


async def test_a_cancelled_reader_is_cancelled() -> None:
    async def ignore(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.read() == b"still usable"

    async with serving(ignore) as port:
        pipe = await open_pipe(port)
        reading = asyncio.create_task(pipe.receive())
        await turns(3)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await pipe.send(b"still usable")
        pipe.close()


@pytest.mark.parametrize("waiting", [False, True])
async def test_a_reset_is_a_lost_connection(waiting: bool) -> None:
    go, gone = asyncio.Event(), asyncio.Event()

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await go.wait()
        reset(writer)
        asyncio.get_running_loop().call_soon(gone.set)  # the loop closes the socket just before

    async with serving(hang_up) as port:
        pipe = await open_pipe(port)
        if waiting:
            asyncio.get_running_loop().call_soon(go.set)
        else:
            go.set()
            await gone.wait()
        with pytest.raises(ConnectionLostError, match="the connection was lost: connection reset by peer"):
            await pipe.receive()
        await pipe.send_eof()
        with pytest.raises(ConnectionLostError, match="the connection was lost: broken pipe"):
            await pipe.send(b"x")
        pipe.close()


async def test_nobody_there_is_said_in_a_sentence(free_port: int) -> None:
    with pytest.raises(ConnectError) as caught:
        await HttpConnection.open(f"http://127.0.0.1:{free_port}")
    assert str(caught.value).startswith(f"can't connect to 127.0.0.1:{free_port}: ")
    assert "refused" in str(caught.value)
    with pytest.raises(ConnectError, match=r"can't connect to no-such-host\.invalid:80: \S+"):
        await HttpConnection.open("http://no-such-host.invalid")


async def test_a_name_with_several_addresses_is_tried_in_turn(monkeypatch: pytest.MonkeyPatch, free_port: int) -> None:
    async with serving(once(b"hello")) as port:

        async def resolve(*_: object, **__: object) -> list[object]:
            return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", number)) for number in (free_port, port)]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
        pipe = await Pipe.open(parse_url("http://two.example"), ssl_context=None, timeout_s=None)
        await pipe.send(b"\r\n\r\n")
        assert await pipe.receive() == b"hello"
        pipe.close()

        async def resolve_nothing(*_: object, **__: object) -> list[object]:
            return []

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve_nothing)
        with pytest.raises(ConnectError, match=r"can't connect to two\.example:80: the name has no address"):
            await HttpConnection.open("http://two.example")


async def test_a_connection_that_is_not_answered_in_time_is_given_up(client_tls: ssl.SSLContext) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with serving(silent) as port:
        with pytest.raises(ConnectError, match=rf"127\.0\.0\.1:{port} did not answer within 0\.05 s"):
            await HttpConnection.open(f"https://127.0.0.1:{port}", ssl_context=client_tls, timeout_s=0.05)


async def test_connecting_can_be_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    async def stuck(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", stuck)
    with pytest.raises(ConnectError, match="did not answer within"):
        await HttpConnection.open("http://127.0.0.1:1", timeout_s=0.01)


async def test_http_and_websockets_speak_tls(server_tls: ssl.SSLContext, client_tls: ssl.SSLContext) -> None:
    async def both(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept_websocket(reader, writer)
        first, text = await read_frame(reader)
        writer.write(frame(first & 15, text) + frame(8, b"\x03\xe8"))
        await writer.drain()
        assert await read_frame(reader) == (0x88, b"\x03\xe8")

    async with (
        serving(once(b"HTTP/1.1 200 OK\r\n\r\nsecret"), tls=server_tls) as port,
        await HttpConnection.open(f"https://127.0.0.1:{port}", ssl_context=client_tls) as connection,
    ):
        await connection.send_head("GET", body=False)
        await connection.read_head()
        assert await connection.read_body(max_bytes=10) == b"secret"
    async with (
        serving(both, tls=server_tls) as port,
        await WebSocket.connect(f"wss://127.0.0.1:{port}", ssl_context=client_tls) as websocket,
    ):
        await websocket.send_text("é" * 40_000)
        assert [message async for message in websocket] == ["é" * 40_000]


async def test_tls_faults_are_told_apart(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext, free_port: int
) -> None:
    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise AssertionError("no handshake, no connection")

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)

    async with serving(never, tls=server_tls) as port:
        with pytest.raises(ConnectError, match=rf"the certificate of 127\.0\.0\.1:{port} is not trusted: \S+"):
            await HttpConnection.open(f"https://127.0.0.1:{port}")
    for handler in (refuse, hang_up):
        async with serving(handler) as port:
            with pytest.raises(ConnectError, match=rf"127\.0\.0\.1:{port} does not answer in TLS"):
                await open_pipe(port, client_tls)


async def test_damaged_encryption_is_a_lost_connection(server_tls: ssl.SSLContext, client_tls: ssl.SSLContext) -> None:
    damage = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        await writer.drain()
        await damage.wait()

    async with serving(listen, tls=server_tls) as inner, damaging_proxy(inner, damage) as port:
        pipe = await open_pipe(port, client_tls)
        assert await pipe.receive() == b"hello"
        damage.set()
        with pytest.raises(ConnectionLostError, match="its encryption is damaged"):
            await pipe.receive()
        pipe.abort()


async def test_nothing_can_be_encrypted_after_our_goodbye(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(listen, tls=server_tls) as port:
        pipe = await open_pipe(port, client_tls)
        await pipe.send_eof()
        with pytest.raises(ConnectionLostError, match="its encryption has ended"):
            await pipe.send(b"late")
        pipe.close()


def damaging_proxy(port: int, damage: asyncio.Event) -> AbstractAsyncContextManager[int]:
    """Pass bytes on to a port; when told so, send the client some that no server encrypted."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection("127.0.0.1", port)

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            with suppress(ConnectionResetError):
                while data := await source.read(65536):
                    sink.write(data)
                    await sink.drain()

        async def spoil() -> None:
            await damage.wait()
            writer.write(b"\x17\x03\x03\x00\x20" + b"?" * 32)

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(pump(reader, forth))
                group.create_task(pump(back, writer))
                group.create_task(spoil())
        finally:
            forth.close()
            await forth.wait_closed()

    return serving(relay)
