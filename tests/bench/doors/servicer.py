"""The service of the bench, as anybody would write it for ``grpc.aio``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from tests.bench.doors.bench_pb2 import Item, Order, Total
from tests.bench.doors.bench_pb2_grpc import BenchServicer


class Bench(BenchServicer):
    """Does as little as a service of each kind can."""

    async def Echo(self, request: Item, context: Any) -> Item:  # noqa: N802
        """Returns what it was given."""
        return request

    async def Up(self, request_iterator: AsyncIterator[Item], context: Any) -> Total:  # noqa: N802
        """Counts."""
        count = 0
        async for _ in request_iterator:
            count += 1
        return Total(count=count)

    async def Down(self, request: Order, context: Any) -> AsyncIterator[Item]:  # noqa: N802
        """Makes a new item for each message, as real services do."""
        for number in range(request.count):
            yield Item(id=10_000_000 + number, name="a name of 21 letters.", value=10.25 + number % 90)

    async def Both(self, request_iterator: AsyncIterator[Item], context: Any) -> AsyncIterator[Item]:  # noqa: N802
        """Returns each item before it reads the next one."""
        async for item in request_iterator:
            yield item
