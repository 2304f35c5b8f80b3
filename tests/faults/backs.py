"""The back ends, and upstreams that are worse than none."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import greeter_pb2
import grpc.aio
from greeter_pb2_grpc import add_GreeterServicer_to_server

from asgi_grpc import GrpcMiddleware, Schema, Servicers
from asgi_grpc.http2 import Http2Backend
from tests.faults.cells import Back
from tests.faults.service import AsyncGreeter, Book, SyncGreeter

SCHEMA = Schema.from_modules(greeter_pb2)
RESET = struct.pack("ii", 1, 0)  # SO_LINGER for no time at all: closing sends RST


class Wire:
    """A port that copies to another one; it can be cut, and blocked.

    Args:
        target: the other port; None: what comes is read and never answered.
        broken: each connection is reset at once.
    """

    def __init__(self, target: int | None = None, *, broken: bool = False) -> None:
        self._target = target
        self._broken = broken
        self._passing = asyncio.Event()
        self._passing.set()
        self._copies: set[asyncio.Task[Any]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        """Take connections; the port."""
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        try:
            yield self._server.sockets[0].getsockname()[1]
        finally:
            self.reset()
            self._passing.set()
            await asyncio.gather(*self._copies)

    def reset(self) -> None:
        """Reset every connection, and take no more."""
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            _reset(writer)

    def block(self) -> None:
        """Let nothing through any more."""
        self._passing.clear()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._copies.add(task)
        if self._broken:
            _reset(writer)
            return
        self._writers.add(writer)
        if self._target is None:
            with suppress(OSError):
                await reader.read()
            return
        with suppress(OSError):
            further, back = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers.add(back)
            await asyncio.gather(self._copy(reader, back), self._copy(further, writer))

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                await self._passing.wait()
                writer.write(data)
                await writer.drain()
        writer.transport.abort()


def _reset(writer: asyncio.StreamWriter) -> None:
    if not writer.is_closing():
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()


@asynccontextmanager
async def nowhere() -> AsyncIterator[int]:
    """A port on which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@asynccontextmanager
async def opened(back: Back, book: Book, **options: Any) -> AsyncIterator[tuple[GrpcMiddleware, Wire | None]]:
    """A gateway in front of the Greeter; for a channel with the wire between them."""
    if back.is_remote:
        server = grpc.aio.server()
        add_GreeterServicer_to_server(AsyncGreeter(book), server)
        target = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        wire = Wire(target)
        try:
            async with wire.listening() as port, upstream(back, port, **options) as app:
                yield app, wire
        finally:
            await server.stop(None)
        return
    registry = Servicers(max_workers=40)
    greeter = AsyncGreeter(book) if back is Back.ASYNC else SyncGreeter(book)
    add_GreeterServicer_to_server(greeter, registry)
    async with started(GrpcMiddleware(servicers=registry, **options)) as app:
        yield app, None


@asynccontextmanager
async def upstream(back: Back, port: int, **options: Any) -> AsyncIterator[GrpcMiddleware]:
    """A gateway in front of a port."""
    target = f"127.0.0.1:{port}"
    place = Http2Backend(target) if back is Back.HTTP2 else target
    async with started(GrpcMiddleware(schema=SCHEMA, upstream=place, **options)) as app:
        yield app


@asynccontextmanager
async def started(app: GrpcMiddleware) -> AsyncIterator[GrpcMiddleware]:
    """An application between its start-up and its shutdown."""
    events: asyncio.Queue[Any] = asyncio.Queue()
    told: asyncio.Queue[Any] = asyncio.Queue()
    lifespan = asyncio.create_task(app({"type": "lifespan"}, events.get, told.put))
    await events.put({"type": "lifespan.startup"})
    assert await told.get() == {"type": "lifespan.startup.complete"}
    yield app
    await events.put({"type": "lifespan.shutdown"})
    assert await told.get() == {"type": "lifespan.shutdown.complete"}
    await lifespan
