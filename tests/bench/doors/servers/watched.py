"""Our gateway with the service in the same process, which prints when a handler is cancelled."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

from asgi_grpc import GrpcMiddleware, Servicers
from tests.bench.doors.bench_pb2 import Item, Order, Total
from tests.bench.doors.bench_pb2_grpc import add_BenchServicer_to_server
from tests.bench.doors.servicer import Bench


@contextmanager
def watched() -> Iterator[None]:
    """Print ``cancelled``, the system's monotonic time, which all processes share, and our processor time."""
    try:
        yield
    except asyncio.CancelledError:
        print(f"cancelled {time.monotonic()} {time.process_time()} .", flush=True)
        raise


class Watched(Bench):
    """Unary and bidirectional calls wait for ever, streams run at full speed."""

    async def Echo(self, request: Item, context: Any) -> Item:  # noqa: N802
        """Waits."""
        with watched():
            return await asyncio.Future[Item]()

    async def Up(self, request_iterator: AsyncIterator[Item], context: Any) -> Total:  # noqa: N802
        """Counts as fast as it can."""
        with watched():
            return await super().Up(request_iterator, context)

    async def Down(self, request: Order, context: Any) -> AsyncIterator[Item]:  # noqa: N802
        """Sends as fast as it can."""
        with watched():
            async for item in super().Down(request, context):
                yield item

    async def Both(self, request_iterator: AsyncIterator[Item], context: Any) -> AsyncIterator[Item]:  # noqa: N802
        """Answers the first item, waits for more."""
        with watched():
            async for item in request_iterator:
                yield item


registry = Servicers()
add_BenchServicer_to_server(Watched(), registry)
app = GrpcMiddleware(servicers=registry)
