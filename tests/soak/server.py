"""The real gRPC servers of a soak, in a process of their own: ``tests.soak.server LEDGER AIO_PORT SYNC_PORT``.

Async servicers stand behind a ``grpc.aio`` server, sync ones behind a ``grpc.server``.
"""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
import grpc.aio

from tests.soak.ledger import Ledger
from tests.soak.service import AsyncServicer, SyncServicer, register

WORKERS = 128


async def serve(ledger: Ledger, aio_port: int, sync_port: int) -> None:
    """Serve until the process is ended."""
    sync_server = grpc.server(ThreadPoolExecutor(WORKERS))
    register(SyncServicer(ledger), sync_server)
    sync_server.add_insecure_port(f"127.0.0.1:{sync_port}")
    sync_server.start()
    server = grpc.aio.server()
    register(AsyncServicer(ledger), server)
    server.add_insecure_port(f"127.0.0.1:{aio_port}")
    await server.start()
    print("listening on both ports", flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(serve(Ledger(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
