"""Raw bytes through real servers: identical on the other side, in bounded pieces, and never cut off in silence."""

from __future__ import annotations

import asyncio
import hashlib
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import httpx
import pytest
import uvicorn
from google.protobuf.message_factory import GetMessageClass

from asgi_grpc import GrpcMiddleware
from tests.mapping.playing import SCHEMA

METHODS = {method.full_name.rpartition(".")[2]: method for method in SCHEMA.methods}
File: Any = GetMessageClass(METHODS["UploadPieces"].input)  # its fields are known only to its descriptor
DATA = random.Random(5).randbytes(3 << 20)
PIECE = 64 << 10


async def upload(requests: AsyncIterator[Any], _context: object) -> Any:
    """What was uploaded: its name, type, digest and longest piece."""
    found = [request async for request in requests]
    digest = hashlib.sha256(b"".join(piece.content.data for piece in found)).hexdigest()
    longest = max(len(piece.content.data) for piece in found)
    return File(name=found[0].name, note=f"{found[0].content.content_type} {digest} {longest}")


async def download(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[Any]:
    """The data, in odd pieces; under one name it fails in the middle."""
    for at in range(0, len(DATA), 99_999):
        yield File(content={"content_type": "application/x-noise", "data": DATA[at : at + 99_999]})
        if request.name == "broken" and at:
            await context.abort(grpc.StatusCode.DATA_LOSS, "no more")


@asynccontextmanager
async def serving() -> AsyncIterator[str]:
    """Both servers on this loop; where the gateway is."""
    handlers = {
        "UploadPieces": grpc.stream_unary_rpc_method_handler(upload, File.FromString, File.SerializeToString),
        "DownloadPieces": grpc.unary_stream_rpc_method_handler(download, File.FromString, File.SerializeToString),
    }
    service = grpc.aio.server()
    service.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("mapping.v1.Mapping", handlers)])
    target = f"127.0.0.1:{service.add_insecure_port('127.0.0.1:0')}"
    await service.start()
    listening = socket.create_server(("127.0.0.1", 0))
    app: Any = GrpcMiddleware(schema=SCHEMA, upstream=target)
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="on"))
    running = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running
        await service.stop(None)


async def test_an_upload_arrives_as_it_is_in_pieces() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for at in range(0, len(DATA), 200_001):
            yield DATA[at : at + 200_001]

    async with serving() as address, httpx.AsyncClient(base_url=address) as client:
        answer = await client.post("/v1/upload-pieces/noise", content=chunks(), headers={"content-type": "image/x"})
    digest = hashlib.sha256(DATA).hexdigest()
    assert answer.json()["data"] == {"name": "noise", "note": f"image/x {digest} {PIECE}"}


async def test_a_download_is_the_bytes_and_nothing_else() -> None:
    async with serving() as address, httpx.AsyncClient(base_url=address) as client:
        answer = await client.get("/v1/download-pieces/noise")
    assert answer.headers["content-type"] == "application/x-noise"
    assert answer.content == DATA


async def test_a_download_that_fails_can_not_pass_for_a_whole_one() -> None:
    async with serving() as address, httpx.AsyncClient(base_url=address) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get("/v1/download-pieces/broken")
