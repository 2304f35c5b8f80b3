"""The gateway of a soak, under uvicorn in a process of its own: ``tests.soak.gateway STACK LEDGER [SYNC AIO]``.

Below ``/in-process`` the servicers answer in this process, below ``/channel`` through channels to two targets. The
application around both tells what the process holds (``GET /_soak``), blocks the event loop (``POST /_soak``), and
breaks ``send()`` where a request's header asks for it.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import time
from typing import Any

import msgspec
import uvicorn

from asgi_grpc import GrpcMiddleware, Limits, Servicers
from asgi_grpc.asgi import Receive, Scope, Send
from asgi_grpc.http2 import Http2Backend
from tests.soak.holdings import Holder
from tests.soak.ledger import Ledger
from tests.soak.service import SCHEMA, AsyncServicer, SyncServicer, register

STACKS = {
    "httptools": {"http": "httptools", "ws": "websockets-sansio", "loop": "uvloop"},
    "h11": {"http": "h11", "ws": "wsproto", "loop": "asyncio"},
    "zttp": {"http": "zttp", "ws": "websockets-sansio", "loop": "asyncio"},
}
LIMITS = Limits(max_message_bytes=1 << 20, idle_timeout_s=20.0)
WORKERS = 64
BLOCK_S = 1.0
RECONNECT = [("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 500)]


class Soaked:
    """The application."""

    def __init__(self, ledger: Ledger, targets: list[str]) -> None:
        registry = Servicers(max_workers=WORKERS)
        for servicer in (AsyncServicer(ledger), SyncServicer(ledger)):
            register(servicer, registry)
        self._running = 0
        inner: GrpcMiddleware | None = None
        for service, target in zip(("soak.Sync", "soak.Async"), targets, strict=False):
            inner = GrpcMiddleware(inner, schema=SCHEMA, services=[service], limits=LIMITS, **_upstream(target))
        self._outer = GrpcMiddleware(inner, schema=SCHEMA, servicers=registry, limits=LIMITS)
        self._mounted = {"/channel": inner, "/in-process": self._outer}
        self._holder = Holder()

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
        held = self._holder.holdings(self._running, objects=b"objects" in scope["query_string"])
        body = msgspec.json.encode(held)
        headers = [(b"content-length", b"%d" % len(body)), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _upstream(target: str) -> dict[str, Any]:
    """How a target is reached: through a channel, or over HTTP/2 of our own where ``SOAK_HTTP2`` is set."""
    if "SOAK_HTTP2" in os.environ:
        return {"upstream": Http2Backend(target)}
    return {"upstream": target, "channel_options": RECONNECT}


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
