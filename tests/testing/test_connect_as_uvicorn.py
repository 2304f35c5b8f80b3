"""The door in memory tells the truth: behind it everything looks as behind a real uvicorn on loopback."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any

import pytest
import uvicorn

from asgi_grpc import UsageError
from asgi_grpc.client import ClientError, HandshakeError, HttpConnection, WebSocket
from asgi_grpc.testing import connect_http, connect_websocket

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Http = Callable[[str], AbstractAsyncContextManager[HttpConnection]]
Sockets = Callable[..., AbstractAsyncContextManager[WebSocket]]


class App:
    """What each path does is told by its name; all that is received is kept, a body's pieces joined."""

    def __init__(self) -> None:
        self.received: list[Any] = []
        self.ended = asyncio.Event()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        self.ended.clear()
        keys = ("type", "http_version", "path", "query_string", "headers", "method", "subprotocols")
        self.received.append({key: scope.get(key) for key in keys})
        try:
            await getattr(self, scope["path"].strip("/"))(receive, send)
        finally:
            self.ended.set()

    async def body(self, receive: Receive) -> bytes:
        body = b""
        more = True
        while more:
            event = await receive()
            body += event.get("body", b"")
            more = event.get("more_body", False)
            if event["type"] == "http.disconnect":
                self.received.append(event)
        self.received.append(body)
        return body

    async def late(self, receive: Receive, send: Send) -> None:
        body = await self.body(receive)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-a", b"b")]})
        await send({"type": "http.response.body", "body": body})

    async def echo(self, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 201, "headers": [(b"x-a", b"b")]})
        more = True
        while more:
            event = await receive()
            more = event.get("more_body", False)
            self.received.append((event["type"], event.get("body")))
            await send({"type": "http.response.body", "body": event.get("body", b""), "more_body": more})

    async def early(self, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 413, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"no"})
        self.received.append(await receive())

    async def silent(self, receive: Receive, send: Send) -> None:
        await receive()

    async def breaks(self, receive: Receive, send: Send) -> None:
        await receive()
        raise ValueError("mine")

    async def breaks_late(self, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise ValueError("mine")

    async def chat(self, receive: Receive, send: Send) -> None:
        self.received.append(await receive())
        await send({"type": "websocket.accept", "subprotocol": "v2", "headers": [(b"x-a", b"b")]})
        event = await receive()
        while event["type"] == "websocket.receive":
            self.received.append({key: value for key, value in event.items() if value is not None})
            await send({**event, "type": "websocket.send"})
            event = await receive()
        self.received.append((event["type"], event["code"], event.get("reason") or ""))

    async def bye(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "bytes": b"\0"})
        await send({"type": "websocket.close", "code": 4000, "reason": "enough"})
        self.received.append((await receive())["type"])

    async def refuse(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.close"})

    async def deny(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.http.response.start", "status": 401, "headers": [(b"x-why", b"key")]})
        await send({"type": "websocket.http.response.body", "body": b"no ", "more_body": True})
        await send({"type": "websocket.http.response.body", "body": b"key"})


@asynccontextmanager
async def uvicorn_serving(app: App) -> AsyncIterator[tuple[Http, Sockets]]:
    """A real server, and clients over sockets."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app,
        log_level="critical",
        lifespan="off",
        http="h11",
        ws="wsproto",
        date_header=False,
        server_header=False,
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve(sockets=[listening]))
    where = f"127.0.0.1:{listening.getsockname()[1]}"

    @asynccontextmanager
    async def http(path: str) -> AsyncIterator[HttpConnection]:
        async with await HttpConnection.open(f"http://{where}{path}") as connection:
            yield connection

    @asynccontextmanager
    async def websocket(path: str, **options: Any) -> AsyncIterator[WebSocket]:
        async with await WebSocket.connect(f"ws://{where}{path}", **options) as connection:
            yield connection

    try:
        yield http, websocket
    finally:
        server.should_exit = True
        await running


@asynccontextmanager
async def memory_serving(app: App) -> AsyncIterator[tuple[Http, Sockets]]:
    """The same clients, in memory; what the application raises is known already."""

    @asynccontextmanager
    async def http(path: str) -> AsyncIterator[HttpConnection]:
        with suppress(ValueError):
            async with connect_http(app, path) as connection:
                yield connection

    @asynccontextmanager
    async def websocket(path: str, **options: Any) -> AsyncIterator[WebSocket]:
        with suppress(ValueError):
            async with connect_websocket(app, path, **options) as connection:
                yield connection

    yield http, websocket


async def answer(connection: HttpConnection) -> list[Any]:
    """What the client reads of one answer."""
    seen: list[Any] = []
    body = b""
    try:
        head = await connection.read_head()
        seen += [head.status, head.headers]
        while chunk := await connection.read_chunk():
            body += chunk
        seen.append("whole")
    except (ClientError, UsageError) as exc:
        seen.append(type(exc).__name__)
    return [*seen, body]


async def raw(connection: HttpConnection, data: bytes, size: int = 1 << 20) -> None:
    for at in range(0, len(data), size):
        await connection.send_raw(data[at : at + size])


async def in_memory_and_real(app_of: Callable[[Any, App], Awaitable[Any]]) -> tuple[Any, Any]:
    """What both sides saw, behind each door."""
    seen = []
    for serving in (memory_serving, uvicorn_serving):
        app = App()
        async with asyncio.timeout(5), serving(app) as doors:
            told = await app_of(doors, app)
            seen.append({"client": told, "application": app.received})
    for each in seen:
        for scope in each["application"]:
            if isinstance(scope, dict) and "headers" in scope:
                varying = (b"host", b"sec-websocket-key", b"sec-websocket-protocol")
                scope["headers"] = sorted(pair for pair in scope["headers"] or () if pair[0] not in varying)
    return seen[0], seen[1]


CHUNKED = b"POST /%s?x=%%20 HTTP/1.1\r\nHost: h\r\nX-B: c\r\nTransfer-Encoding: chunked\r\n\r\n"
BODY = b"3\r\nabc\r\n1;x=y\r\nd\r\n0\r\nT: r\r\n\r\n"
SIZED = b"POST /%s HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nabcd"
GET = b"GET /%s HTTP/1.1\r\nHost: h\r\n\r\n"
REQUESTS = [
    pytest.param(CHUNKED % b"late" + BODY, 1 << 20, 1, id="whole"),
    pytest.param(CHUNKED % b"late" + BODY, 1, 1, id="byte-by-byte"),
    pytest.param(CHUNKED % b"late" + BODY, 7, 1, id="seven-bytes"),
    pytest.param(CHUNKED % b"echo" + BODY, 1 << 20, 1, id="echo"),
    pytest.param(SIZED % b"late", 50, 1, id="sized"),
    pytest.param(SIZED % b"late" + CHUNKED % b"late" + BODY + GET % b"late", 1 << 20, 3, id="pipelined"),
    pytest.param(SIZED % b"early" + SIZED % b"late", 1 << 20, 2, id="early-then-late"),
    pytest.param(b"HEAD /late HTTP/1.1\r\nHost: h\r\n\r\n", 1 << 20, 0, id="head"),
    pytest.param(
        b"POST /late HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\nx", 9, 1, id="expect"
    ),
    pytest.param(b"GET /late HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 1 << 20, 2, id="close"),
    pytest.param(b"GET /late HTTP/1.0\r\n\r\n", 1 << 20, 2, id="http-1.0"),
    pytest.param(b"GET late\r\n\r\n", 1 << 20, 2, id="not-http"),
    pytest.param(CHUNKED % b"late" + b"x\r\n", 1 << 20, 2, id="bad-chunk"),
    pytest.param(SIZED % b"silent", 1 << 20, 2, id="silent"),
    pytest.param(SIZED % b"breaks", 1 << 20, 2, id="breaks"),
    pytest.param(SIZED % b"breaks_late", 1 << 20, 1, id="breaks-late"),
]


@pytest.mark.parametrize(("request_bytes", "size", "answers"), REQUESTS)
async def test_requests_look_the_same(request_bytes: bytes, size: int, answers: int) -> None:
    async def play(doors: Any, app: App) -> Any:
        async with doors[0]("/late") as connection:
            await raw(connection, request_bytes, size)
            if not answers:
                return [(await connection.read_head()).headers]
            return [await answer(connection) for _ in range(answers)]

    memory, real = await in_memory_and_real(play)
    assert memory == real


async def test_a_half_close_looks_the_same() -> None:
    async def play(doors: Any, app: App) -> Any:
        async with doors[0]("/late") as connection:
            await connection.send_raw(CHUNKED % b"late" + b"3\r\nabc\r\n")
            await connection.send_eof()
            seen = await answer(connection)
            await app.ended.wait()
            return seen

    memory, real = await in_memory_and_real(play)
    assert memory == real
    assert memory["application"][1:] == [{"type": "http.disconnect"}, b"abc"]


async def test_a_reset_looks_the_same() -> None:
    async def play(doors: Any, app: App) -> Any:
        async with doors[0]("/echo") as connection:
            await connection.send_raw(CHUNKED % b"echo" + b"3\r\nabc\r\n")
            seen = [await connection.read_head(), await connection.read_chunk()]
            connection.abort()
            await app.ended.wait()
            return seen

    memory, real = await in_memory_and_real(play)
    assert memory == real
    assert memory["application"][1:] == [("http.request", b"abc"), ("http.disconnect", None)]


async def talk(client: WebSocket) -> list[Any]:
    """Fragments, control frames between them, both kinds of message, a subprotocol."""
    await client.send_text("one")
    await client.send_fragment("t\xe9", last=False)
    await client.ping(b"p")
    await client.send_fragment("", last=False)
    await client.send_fragment("wo", last=True)
    await client.send_bytes(bytes(70_000))
    seen: list[Any] = [client.subprotocol, client.head.header("x-a")]
    seen += [await client.receive() for _ in range(3)]
    await client.close(4321, "bye")
    return [*seen, await client.receive(), client.close_code, client.close_reason, list(client.pongs)]


async def vanish(client: WebSocket) -> list[Any]:
    await client.send_text("one")
    seen = [await client.receive()]
    client.abort()
    return seen


async def end(client: WebSocket) -> list[Any]:
    await client.send_raw(b"\x81\x83\0\0\0\0one\x01\x81\0\0\0\0x")
    return [await client.receive()]


async def damage(client: WebSocket) -> list[Any]:
    await client.send_raw(b"\x81\x81\0\0\0\0\xff")
    with suppress(ClientError):
        await client.receive()
    return []


async def hear(client: WebSocket) -> list[Any]:
    return [await client.receive(), await client.receive(), client.close_code, client.close_reason]


@pytest.mark.parametrize(
    ("path", "say"),
    [
        pytest.param("/chat", talk, id="talk"),
        pytest.param("/chat", vanish, id="reset"),
        pytest.param("/chat", end, id="no-close"),
        pytest.param("/chat", damage, id="not-utf-8"),
        pytest.param("/bye", hear, id="server-closes"),
        pytest.param("/refuse", hear, id="refused"),
        pytest.param("/deny", hear, id="denied"),
        pytest.param("/silent", hear, id="silent"),
        pytest.param("/breaks", hear, id="breaks"),
    ],
)
async def test_websockets_look_the_same(path: str, say: Callable[[WebSocket], Awaitable[list[Any]]]) -> None:
    async def play(doors: Any, app: App) -> Any:
        try:
            async with doors[1](path, subprotocols=["v1", "v2"]) as client:
                told = await say(client)
        except HandshakeError as exc:
            told = [exc.status, exc.headers, exc.body]
        await app.ended.wait()
        return told

    memory, real = await in_memory_and_real(play)
    assert memory == real
