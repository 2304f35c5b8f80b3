"""A ``grpc.aio`` client without any gateway round it, of the server that ``BENCH_UPSTREAM`` names.

Takes lines ``ROW SECONDS`` on a socket and answers how many units of work it did.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator

import grpc
import uvloop

from tests.bench.doors.bench_pb2 import Item, Order, Total
from tests.bench.doors.bench_pb2_grpc import BenchStub
from tests.bench.doors.load_http import CONNECTIONS
from tests.bench.doors.wire import SHORT_STREAM

ITEM = Item(id=10_000_000, name="a name of 21 letters.", value=10.25)


async def unary(stub: BenchStub, until: float) -> int:
    """Calls, some at the same time."""

    async def one_after_the_other() -> int:
        done = 0
        while time.perf_counter() < until:
            await stub.Echo(ITEM)
            done += 1
        return done

    return sum(await asyncio.gather(*(one_after_the_other() for _ in range(CONNECTIONS))))


async def up(stub: BenchStub) -> int:
    """One stream of requests."""

    async def items() -> AsyncIterator[Item]:
        for _ in range(SHORT_STREAM):
            yield ITEM

    total: Total = await stub.Up(items())
    return total.count


async def down(stub: BenchStub) -> int:
    """One stream of replies."""
    count = 0
    async for _ in stub.Down(Order(count=SHORT_STREAM)):
        count += 1
    return count


async def ping_pong(stub: BenchStub, until: float) -> int:
    """One stream, a request and its reply in turn."""
    call = stub.Both()
    done = 0
    while time.perf_counter() < until:
        await call.write(ITEM)
        await call.read()
        done += 1
    await call.done_writing()
    await call.read()
    return done


async def work(stub: BenchStub, row: str, seconds: float) -> int:
    """One order."""
    until = time.perf_counter() + seconds
    if row == "unary":
        return await unary(stub, until)
    if row == "ws-ping-pong":
        return await ping_pong(stub, until)
    done = 0
    while not done or time.perf_counter() < until:
        done += await (up(stub) if row.endswith("up") else down(stub))
    return done


async def main() -> None:
    """Take orders until the end."""
    stub = BenchStub(grpc.aio.insecure_channel(os.environ["BENCH_UPSTREAM"]))

    async def orders(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            row, seconds = line.decode().split()
            writer.write(f"{await work(stub, row, float(seconds))}\n".encode())
        writer.close()

    server = await asyncio.start_server(orders, "127.0.0.1", 0)
    print(f"listening on 127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
