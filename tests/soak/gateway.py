"""The gateway of a soak, under uvicorn in a process of its own: ``tests.soak.gateway STACK LEDGER [SYNC AIO]``.

Below ``/in-process`` the servicers answer in this process, below ``/channel`` through channels to two targets. The
application around both tells what the process holds (``GET /_soak``), blocks the event loop (``POST /_soak``), and
breaks ``send()`` where a request's header asks for it.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
import os
import socket
import sys
import threading
import time
from collections import Counter
from typing import Any, ClassVar

import msgspec
import uvicorn

from asgi_grpc import GrpcMiddleware, Limits, Servicers
from asgi_grpc.asgi import Receive, Scope, Send
from tests.soak.ledger import Ledger
from tests.soak.service import SCHEMA, AsyncServicer, Reply, Request, SyncServicer, register

STACKS = {
    "httptools": {"http": "httptools", "ws": "websockets-sansio", "loop": "uvloop"},
    "h11": {"http": "h11", "ws": "wsproto", "loop": "asyncio"},
    "zttp": {"http": "zttp", "ws": "websockets-sansio", "loop": "asyncio"},
}
LIMITS = Limits(max_message_bytes=1 << 20, idle_timeout_s=20.0)
WORKERS = 64
BLOCK_S = 1.0
_COUNTED = {"Task", "Future", "coroutine", "async_generator", "async_generator_asend", "generator"}
_RECONNECT = [("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 500)]


class Holdings(msgspec.Struct):
    """What a process holds.

    Attributes:
        running: connections that the gateways serve.
        tasks: of asyncio, without the one that counts.
        threads: of Python.
        os_threads: all of them, grpcio's own too.
        files: open descriptors.
        messages: protobuf messages of the service's types.
        rss_kib: resident memory.
        heap_kib: of it what C code has allocated and not freed, as glibc knows it; 0 elsewhere. It has no holes.
        objects: of our types, and what runs on the event loop; empty unless asked for.
        pending: what those tasks run, as well.
    """

    running: int
    tasks: int
    threads: int
    os_threads: int
    files: int
    messages: int
    rss_kib: int
    heap_kib: int = 0
    objects: dict[str, int] = {}
    pending: list[str] = []


class Soaked:
    """The application."""

    def __init__(self, ledger: Ledger, targets: list[str]) -> None:
        registry = Servicers(max_workers=WORKERS)
        for servicer in (AsyncServicer(ledger), SyncServicer(ledger)):
            register(servicer, registry)
        self._running = 0
        inner: GrpcMiddleware | None = None
        for service, target in zip(("soak.Sync", "soak.Async"), targets, strict=False):
            inner = GrpcMiddleware(
                inner, schema=SCHEMA, upstream=target, services=[service], limits=LIMITS, channel_options=_RECONNECT
            )
        self._outer = GrpcMiddleware(inner, schema=SCHEMA, servicers=registry, limits=LIMITS)
        self._mounted = {"/channel": inner, "/in-process": self._outer}
        self._messages = sum(sys.getrefcount(kind) for kind in (Request, Reply))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Find the gateway that a request means."""
        if scope["type"] == "lifespan":
            await self._outer(scope, receive, send)
        elif scope["path"] == "/_soak":
            await self._control(scope, send)
        else:
            root = scope["path"][: scope["path"].index("/", 1)]
            gateway = self._mounted[root]
            assert gateway is not None
            self._running += 1
            try:
                await gateway({**scope, "root_path": root}, receive, _breaking(scope, send))
            finally:
                self._running -= 1

    async def _control(self, scope: Scope, send: Send) -> None:
        if scope["method"] == "POST":
            time.sleep(BLOCK_S)
        body = msgspec.json.encode(self._holdings(objects=b"objects" in scope["query_string"]))
        headers = [(b"content-length", b"%d" % len(body)), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _holdings(self, *, objects: bool) -> Holdings:
        if objects:
            gc.collect()
        with open("/proc/self/statm") as file:
            pages = int(file.read().split()[1])
        return Holdings(
            running=self._running,
            tasks=len(asyncio.all_tasks()) - 1,
            threads=threading.active_count(),
            os_threads=len(os.listdir("/proc/self/task")),
            files=len(os.listdir("/proc/self/fd")) - 1,  # the folder itself is open now
            messages=sum(sys.getrefcount(kind) for kind in (Request, Reply)) - self._messages,  # each holds its type
            rss_kib=pages * os.sysconf("SC_PAGE_SIZE") // 1024,
            heap_kib=_heap_kib(),
            objects=_objects() if objects else {},
            pending=_pending() if objects else [],
        )


class _Mallinfo2(ctypes.Structure):
    _names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_: ClassVar = [(name, ctypes.c_size_t) for name in _names.split()]


def _heap_kib() -> int:
    """Source: mallinfo(3)."""
    mallinfo2 = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if mallinfo2 is None:
        return 0
    mallinfo2.restype = _Mallinfo2
    return int(mallinfo2().uordblks) // 1024


def _objects() -> dict[str, int]:
    """The objects of our types, by name; and what runs or waits on the event loop."""
    kinds = Counter(type(each) for each in gc.get_objects())
    found = {
        kind.__name__: number
        for kind, number in kinds.items()
        if str(kind.__module__).startswith("asgi_grpc.") or kind.__name__ in _COUNTED
    }
    return dict(sorted(found.items()))


def _pending() -> list[str]:
    """What the tasks of the event loop run."""
    return sorted(getattr(task.get_coro(), "__qualname__", "?") for task in asyncio.all_tasks())


def _breaking(scope: Scope, send: Send) -> Send:
    """``send``, which fails from some event on where the request's header says so."""
    after = next((int(value) for name, value in scope["headers"] if name == b"x-soak-send-fails"), None)
    if after is None:
        return send
    left = after

    async def broken(event: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError("broken on purpose")
        await send(event)

    return broken


def main(stack: str, ledger: str, *targets: str) -> None:
    """Serve until the process is ended."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s (at %(relativeCreated)d ms)")
    listening = socket.create_server(("127.0.0.1", 0), backlog=256)
    host, port = listening.getsockname()
    print(f"listening on {host}:{port}", flush=True)
    config = uvicorn.Config(
        Soaked(Ledger(ledger), list(targets)),
        **STACKS[stack],  # type: ignore[arg-type]  # names that uvicorn knows
        log_level="warning",
        access_log=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=5,
    )
    uvicorn.Server(config).run([listening])


if __name__ == "__main__":
    main(*sys.argv[1:])
