"""The clients straight into an application: what the application receives and the client reads, step by step."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from asgi_grpc.client import ConnectionLostError, HandshakeError
from asgi_grpc.testing import connect_http, connect_websocket

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
START = {"type": "http.response.start", "status": 200, "headers": []}
HEAD = b"POST /a%20b?c HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n"


class Recorder:
    """An application that keeps what it receives and answers with it."""

    def __init__(self) -> None:
        self.scopes: list[Any] = []
        self.events: list[Any] = []

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        await send(START)
        more = True
        while more:
            event = await receive()
            self.events.append(event)
            more = event.get("more_body", False)
            await send({"type": "http.response.body", "body": event.get("body", b""), "more_body": more})

    def pieces(self) -> list[bytes]:
        return [event["body"] for event in self.events if event["type"] == "http.request"]


async def test_each_send_is_received_by_itself() -> None:
    app = Recorder()
    async with connect_http(app, "/default", state={"s": 1}) as connection:
        await connection.send_raw(HEAD + b"a")
        await connection.send_raw(b"b")
        await connection.send_raw(b"cd")
        head = await connection.read_head()
        assert head.status == 200
        assert await connection.read_body(max_bytes=9) == b"abcd"
        await connection.send_head("GET", body=False)
        await connection.read_head()
        assert await connection.read_body(max_bytes=9) == b""
    assert app.pieces() == [b"a", b"b", b"cd", b""]
    keys = ["type", "method", "path", "raw_path", "query_string", "http_version", "state"]
    assert [[scope[key] for key in keys] for scope in app.scopes] == [
        ["http", "POST", "/a b", b"/a%20b", b"c", "1.1", {"s": 1}],
        ["http", "GET", "/default", b"/default", b"", "1.1", {"s": 1}],
    ]
