"""What a Python developer writes today: FastAPI routes, ``json_format``, stubs of the server in ``BENCH_UPSTREAM``."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Any

import grpc
from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.responses import StreamingResponse
from google.protobuf.json_format import MessageToJson, Parse
from google.protobuf.message import Message

from tests.bench.doors.bench_pb2 import Item, Order
from tests.bench.doors.bench_pb2_grpc import BenchStub
from tests.bench.doors.wire import SERVICE

app = FastAPI()
stubs: dict[str, Any] = {}


def stub() -> Any:
    """The one stub, made on the loop that uses it."""
    if not stubs:
        stubs["bench"] = BenchStub(grpc.aio.insecure_channel(os.environ["BENCH_UPSTREAM"]))
    return stubs["bench"]


def document(message: Message) -> Response:
    """A message as an answer."""
    return Response(MessageToJson(message, indent=None), media_type="application/json")


@app.post(SERVICE + "Echo")
async def echo(request: Request) -> Response:
    """Unary."""
    return document(await stub().Echo(Parse(await request.body(), Item())))


@app.post(SERVICE + "Up")
async def up(request: Request) -> Response:
    """NDJSON in."""

    async def items() -> AsyncIterator[Item]:
        rest = b""
        async for chunk in request.stream():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield Parse(line, Item())

    return document(await stub().Up(items()))


@app.post(SERVICE + "Down")
async def down(request: Request) -> Response:
    """NDJSON out."""
    call = stub().Down(Parse(await request.body(), Order()))

    async def lines() -> AsyncIterator[str]:
        async for item in call:
            yield MessageToJson(item, indent=None) + "\n"

    return StreamingResponse(lines(), media_type="application/x-ndjson")


async def sent(websocket: WebSocket) -> AsyncIterator[Item]:
    """The messages of a client, up to the empty one."""
    while text := await websocket.receive_text():
        yield Parse(text, Item())


@app.websocket(SERVICE + "Up")
async def ws_up(websocket: WebSocket) -> None:
    """Messages in, one out."""
    await websocket.accept()
    await websocket.send_text(MessageToJson(await stub().Up(sent(websocket)), indent=None))
    await websocket.close()


@app.websocket(SERVICE + "Down")
async def ws_down(websocket: WebSocket) -> None:
    """One message in, many out."""
    await websocket.accept()
    async for item in stub().Down(Parse(await websocket.receive_text(), Order())):
        await websocket.send_text(MessageToJson(item, indent=None))
    await websocket.close()


@app.websocket(SERVICE + "Both")
async def ws_both(websocket: WebSocket) -> None:
    """Both at once."""
    await websocket.accept()
    async for item in stub().Both(sent(websocket)):
        await websocket.send_text(MessageToJson(item, indent=None))
    await websocket.close()
