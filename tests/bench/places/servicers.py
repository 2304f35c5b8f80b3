"""Servicers that go to a place and stay there, and tell when their call is over; and the gateways before them.

``python -m tests.bench.places.servicers`` is the gRPC server; the functions without arguments are for uvicorn.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import grpc.aio

from asgi_grpc import GrpcMiddleware, Schema, Servicers
from asgi_grpc.http2 import Http2Backend
from tests.bench.doors import bench_pb2
from tests.bench.doors.bench_pb2 import Item, Order, Total
from tests.bench.doors.bench_pb2_grpc import BenchServicer, add_BenchServicer_to_server


def tell(what: str) -> None:
    """Print with the system's monotonic time, which all processes share."""
    print(f"{what} {time.monotonic()}", flush=True)


@contextmanager
def watched() -> Iterator[None]:
    """Tell of the end of a call: its cancellation, or that of its input, which grpcio may show instead."""
    try:
        yield
    finally:
        tell("gone")


class Watched(BenchServicer):
    """Goes to the place that the first request names, and stays there."""

    async def Echo(self, _request: Item, _context: Any) -> Item:  # noqa: N802 - gRPC's name
        with watched():
            await self._stay()
        return Item()

    async def Down(self, request: Order, _context: Any) -> AsyncIterator[Item]:  # noqa: N802
        with watched():
            for number in range(request.count):
                if number == 10:
                    tell("there")
                yield Item(name="x" * 8000)
            await self._stay()

    async def Up(self, requests: AsyncIterator[Item], _context: Any) -> Total:  # noqa: N802
        with watched():
            await self._go(aiter(requests))
        return Total()

    async def Both(self, requests: AsyncIterator[Item], _context: Any) -> AsyncIterator[Item]:  # noqa: N802
        with watched():
            yield Item()
            await self._go(aiter(requests))

    async def _go(self, requests: AsyncIterator[Item]) -> None:
        place = (await anext(requests)).name
        if place == "reading":
            tell("there")
        if place in ("reading", "complete"):
            async for _ in requests:
                pass
        if place != "reading":
            await self._stay()

    async def _stay(self) -> None:
        tell("there")
        await asyncio.Event().wait()


class SyncWatched(BenchServicer):
    """The same in threads, which are told by their context's callback."""

    def Echo(self, _request: Item, context: Any) -> Item:  # noqa: N802 - gRPC's name
        self._stay(self._begin(context))
        return Item()

    def Down(self, request: Order, context: Any) -> Iterator[Item]:  # noqa: N802
        over = self._begin(context)
        for number in range(request.count):
            if number == 10:
                tell("there")
            yield Item(name="x" * 8000)
        self._stay(over)

    def Up(self, requests: Iterator[Item], context: Any) -> Total:  # noqa: N802
        self._go(requests, self._begin(context))
        return Total()

    def Both(self, requests: Iterator[Item], context: Any) -> Iterator[Item]:  # noqa: N802
        over = self._begin(context)
        yield Item()
        self._go(requests, over)

    def _begin(self, context: Any) -> threading.Event:
        over = threading.Event()

        def note() -> None:
            tell("gone")
            over.set()

        context.add_callback(note)
        return over

    def _go(self, requests: Iterator[Item], over: threading.Event) -> None:
        place = next(requests).name
        if place == "reading":
            tell("there")
        if place in ("reading", "complete"):
            for _ in requests:
                pass
        if place != "reading":
            self._stay(over)

    def _stay(self, over: threading.Event) -> None:
        tell("there")
        over.wait()


def in_process() -> GrpcMiddleware:
    """The gateway with the servicer."""
    registry = Servicers()
    add_BenchServicer_to_server(Watched(), registry)
    return GrpcMiddleware(servicers=registry)


def in_threads() -> GrpcMiddleware:
    """The gateway with the sync servicer."""
    registry = Servicers()
    add_BenchServicer_to_server(SyncWatched(), registry)
    return GrpcMiddleware(servicers=registry)


def through_channel() -> GrpcMiddleware:
    """The gateway before the server."""
    return GrpcMiddleware(schema=Schema.from_modules(bench_pb2), upstream=os.environ["BENCH_UPSTREAM"])


def over_http2() -> GrpcMiddleware:
    """The same over HTTP/2 of our own."""
    schema = Schema.from_modules(bench_pb2)
    return GrpcMiddleware(schema=schema, upstream=Http2Backend(os.environ["BENCH_UPSTREAM"]))


async def bare(scope: Any, receive: Any, send: Any) -> None:
    """Takes a request, and waits for the disconnect."""
    if scope["type"] == "lifespan":
        return
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
    await receive()
    tell("there")
    while not (await receive())["type"].endswith(".disconnect"):
        pass
    tell("gone")


async def serve() -> None:
    """The server, until SIGTERM."""
    server = grpc.aio.server()
    add_BenchServicer_to_server(Watched(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    print(f"listening on 127.0.0.1:{port}", flush=True)
    await over.wait()
    await server.stop(None)


if __name__ == "__main__":
    asyncio.run(serve())
