"""The service behind the gateway under pressure: it reads in bursts, with pauses that a call's metadata set."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from functools import cache
from typing import Any

import grpc

from tests.bench.doors.bench_pb2 import Item, Order, Total
from tests.bench.doors.bench_pb2_grpc import BenchServicer, add_BenchServicer_to_server


@cache
def _text(size: int) -> str:
    """The same for all calls: what each of them holds is to be the gateway's."""
    return "x" * size


class Pace:
    """Says when to pause, from the metadata of a call.

    ``pause-every``: items between two pauses; ``pause-s``: length of each, the first comes before anything.
    ``item-bytes``: of the text in each reply.
    """

    def __init__(self, context: Any) -> None:
        given = dict((key, value) for key, value in context.invocation_metadata())  # noqa: C402 - grpc's own pairs
        self._every = int(given.get("pause-every", 0))
        self._pause_s = float(given.get("pause-s", 0))
        self._left = 0
        self.text = _text(int(given.get("item-bytes", 0)))

    def next_s(self) -> float:
        """How long to wait at the next item."""
        self._left -= 1
        if not self._every or self._left >= 0:
            return 0.0
        self._left = self._every
        return self._pause_s


class AsyncPressed(BenchServicer):
    """Coroutines and async generators."""

    async def Up(self, request_iterator: AsyncIterator[Item], context: Any) -> Total:  # noqa: N802 - gRPC's name
        """Counts, and is slow."""
        pace, count = Pace(context), 0
        async for _ in request_iterator:
            count += 1
            if pause_s := pace.next_s():
                await asyncio.sleep(pause_s)
        return Total(count=count)

    async def Down(self, request: Order, context: Any) -> AsyncIterator[Item]:  # noqa: N802
        """So many items; without a count one, and then silence."""
        pace = Pace(context)
        for number in range(request.count or 1):
            yield Item(id=number, name=pace.text)
        if not request.count:
            await asyncio.Event().wait()

    async def Both(self, request_iterator: AsyncIterator[Item], context: Any) -> AsyncIterator[Item]:  # noqa: N802
        """Returns each item before it reads the next one, and is slow."""
        pace = Pace(context)
        async for item in request_iterator:
            if pause_s := pace.next_s():
                await asyncio.sleep(pause_s)
            yield item


class SyncPressed(BenchServicer):
    """Functions and generators."""

    def Up(self, request_iterator: Iterator[Item], context: Any) -> Total:  # noqa: N802
        """Counts, and is slow."""
        pace, count = Pace(context), 0
        for _ in request_iterator:
            count += 1
            if pause_s := pace.next_s():
                time.sleep(pause_s)
        return Total(count=count)

    def Down(self, request: Order, context: Any) -> Iterator[Item]:  # noqa: N802
        """So many items; without a count one, and then silence."""
        pace = Pace(context)
        for number in range(request.count or 1):
            yield Item(id=number, name=pace.text)
        if not request.count:
            ended = threading.Event()
            context.add_callback(ended.set)
            ended.wait(600)

    def Both(self, request_iterator: Iterator[Item], context: Any) -> Iterator[Item]:  # noqa: N802
        """Returns each item before it reads the next one, and is slow."""
        pace = Pace(context)
        for item in request_iterator:
            if pause_s := pace.next_s():
                time.sleep(pause_s)
            yield item


async def main() -> None:
    """Serve on a port that the system picks, until the process is ended."""
    server = grpc.aio.server()
    add_BenchServicer_to_server(AsyncPressed(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"listening on 127.0.0.1:{port}", flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
