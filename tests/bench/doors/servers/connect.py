"""connectrpc's ASGI application with the service in the same process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from tests.bench.doors.bench_connect import Bench, BenchASGIApplication
from tests.bench.doors.bench_pb import Item, Order, Total


class Service(Bench):
    """The same service, in connectrpc's own terms and with its own messages."""

    async def echo(self, request: Item, ctx: Any) -> Item:
        """Returns what it was given."""
        return request

    async def up(self, request: AsyncIterator[Item], ctx: Any) -> Total:
        """Counts."""
        count = 0
        async for _ in request:
            count += 1
        return Total(count=count)

    async def down(self, request: Order, ctx: Any) -> AsyncIterator[Item]:
        """Makes a new item for each message, as real services do."""
        for number in range(request.count):
            yield Item(id=10_000_000 + number, name="a name of 21 letters.", value=10.25 + number % 90)

    async def both(self, request: AsyncIterator[Item], ctx: Any) -> AsyncIterator[Item]:
        """Returns each item before it reads the next one."""
        async for item in request:
            yield item


app = BenchASGIApplication(Service())
