"""The floor of every ASGI gateway: an application that does what the rows need, and nothing that gRPC is about."""

from __future__ import annotations

import json
from typing import Any

from tests.bench.doors.wire import SERVICE, item

Message = dict[str, Any]
JSON = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]}
NDJSON = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/x-ndjson")]}
LINES_IN_A_SEND = 256


async def body_of(receive: Any) -> bytes:
    """The whole body of a request."""
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
    return body


async def answer(send: Any, body: bytes) -> None:
    """A JSON document of known length."""
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def up(receive: Any, send: Any) -> None:
    """Counts lines, and keeps none."""
    count = 0
    more = True
    while more:
        message = await receive()
        count += message["body"].count(b"\n")
        more = message.get("more_body", False)
    await answer(send, b'{"count":%d}' % count)


async def down(send: Any, count: int) -> None:
    """As many copies of one line as were ordered, some hundreds in each ``send()``."""
    await send(NDJSON)
    block = (item(0) + b"\n") * LINES_IN_A_SEND
    for begin in range(0, count, LINES_IN_A_SEND):
        body = block[: min(LINES_IN_A_SEND, count - begin) * len(block) // LINES_IN_A_SEND]
        await send({"type": "http.response.body", "body": body, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def http(path: str, receive: Any, send: Any) -> None:
    """Unary: the request's own bytes. Up: how many lines came. Down: lines."""
    match path:
        case "Echo":
            await answer(send, await body_of(receive))
        case "Up":
            await up(receive, send)
        case "Down":
            await down(send, json.loads(await body_of(receive))["count"])


async def websocket(path: str, receive: Any, send: Any) -> None:
    """Up: how many messages came before the empty one. Down: as many as were ordered. Both: each message again."""
    await receive()
    await send({"type": "websocket.accept"})
    count = 0
    while (message := await receive())["type"] == "websocket.receive" and (text := message["text"]):
        count += 1
        if path == "Both":
            await send({"type": "websocket.send", "text": text})
        elif path == "Down":
            line = item(0).decode()
            for _ in range(json.loads(text)["count"]):
                await send({"type": "websocket.send", "text": line})
            break
    if path == "Up":
        await send({"type": "websocket.send", "text": f'{{"count":{count}}}'})
    if message["type"] == "websocket.receive":
        await send({"type": "websocket.close"})


async def app(scope: Message, receive: Any, send: Any) -> None:
    """The ASGI application."""
    path = scope.get("path", "").removeprefix(SERVICE)
    if scope["type"] == "http":
        await http(path, receive, send)
    elif scope["type"] == "websocket":
        await websocket(path, receive, send)
