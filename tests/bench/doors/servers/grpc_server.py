"""The service behind a ``grpc.aio`` server: prints ``listening on HOST:PORT``, runs until it is ended."""

from __future__ import annotations

import asyncio

import grpc

from tests.bench.doors.bench_pb2_grpc import add_BenchServicer_to_server
from tests.bench.doors.servicer import Bench


async def main() -> None:
    """Serve on a port that the system picks."""
    server = grpc.aio.server()
    add_BenchServicer_to_server(Bench(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"listening on 127.0.0.1:{port}", flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main())
