"""What is attacked: several gateways in one process under uvicorn, told apart by the request's ``Host``.

``python -m tests.hostile.server STACK`` prints ``listening on ADDRESS``. ``GET /-/state?MARK`` waits until none runs,
prints ``MARK`` where an error would be printed, and tells what the process held at most since the last time.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import sys
from pathlib import Path
from typing import Any

import grpc.aio
import uvicorn

from asgi_grpc import GrpcMiddleware, Limits, Servicers
from asgi_grpc.asgi import Receive, Scope, Send, _exchange
from tests.hostile.service import SCHEMA, register

STACKS = {
    "h11": {"http": "h11", "ws": "wsproto"},
    "httptools": {"http": "httptools", "ws": "websockets-sansio"},
}
MAX_MESSAGE_BYTES = 64 << 10
IDLE_S = 0.3  # more than the 0.2 s after which the head of a stream leaves
FAREWELL_S = 0.5  # instead of 5, which nobody wants to wait for
PATIENCE_S = 5.0


def servicers() -> Servicers:
    """The service, in this process."""
    registry = Servicers()
    register(registry)
    return registry


async def other(scope: Scope, receive: Receive, send: Send) -> None:
    """The application that one of the gateways is wrapped round."""
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"the other application"})


class Attacked:
    """The application.

    Args:
        target: where the service is reached by a channel.
    """

    def __init__(self, target: str) -> None:
        self._running = 0
        small = Limits(max_message_bytes=MAX_MESSAGE_BYTES)
        self._gateways: dict[bytes, GrpcMiddleware] = {
            b"plain": GrpcMiddleware(schema=SCHEMA, servicers=servicers(), limits=small),
            b"channel": GrpcMiddleware(schema=SCHEMA, upstream=target, limits=small),
            b"large": GrpcMiddleware(schema=SCHEMA, servicers=servicers()),
            b"options": GrpcMiddleware(
                schema=SCHEMA,
                servicers=servicers(),
                limits=small,
                method_override=True,
                unescape="all",
                metadata="safe",
                origins=["https://app.example"],
                strict_body=True,
                response_metadata=lambda key: key,
            ),
            b"foreign": GrpcMiddleware(
                schema=SCHEMA,
                servicers=servicers(),
                limits=small,
                dialect="grpc-gateway",
                metadata="grpc-gateway",
                origins="*",
            ),
            b"bare": GrpcMiddleware(schema=SCHEMA, servicers=servicers(), limits=small, dialect="bare"),
            b"wrapping": GrpcMiddleware(other, schema=SCHEMA, servicers=servicers(), limits=small),
            b"mounted": GrpcMiddleware(schema=SCHEMA, servicers=servicers(), limits=small),
            b"busy": GrpcMiddleware(schema=SCHEMA, servicers=servicers(), limits=Limits(max_streams=2)),
            b"idle": GrpcMiddleware(schema=SCHEMA, servicers=servicers(), limits=Limits(idle_timeout_s=IDLE_S)),
            b"brief": GrpcMiddleware(
                schema=SCHEMA, servicers=servicers(), limits=Limits(default_deadline_s=IDLE_S, max_deadline_s=IDLE_S)
            ),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Find the gateway that a request means."""
        if scope["type"] == "http" and scope["path"] == "/-/state":
            await self._state(scope, send)
            return
        name = next((value for name, value in scope["headers"] if name == b"host"), b"").partition(b".")[0]
        if name == b"mounted":
            scope["root_path"] = "/api"
        self._running += 1
        try:
            await self._gateways.get(name, self._gateways[b"plain"])(scope, receive, send)
        finally:
            self._running -= 1

    async def _state(self, scope: Scope, send: Send) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while self._running:
                await asyncio.sleep(0.005)
        status = Path("/proc/self/status").read_text()
        kib = {
            line.split()[0]: int(line.split()[1]) for line in status.splitlines() if line.startswith(("VmHWM", "VmRSS"))
        }
        Path("/proc/self/clear_refs").write_text("5")  # the peak counts from now
        print(scope["query_string"].decode(), file=sys.stderr, flush=True)
        state = {"peak_kib": kib["VmHWM:"], "now_kib": kib["VmRSS:"]}
        body = json.dumps(state).encode()
        headers = [(b"connection", b"close"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


async def main(stack: str) -> None:
    """Serve until the process is ended."""
    setattr(_exchange, "FAREWELL_S", FAREWELL_S)  # noqa: B010 - it is another module's, imported there
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    behind = grpc.aio.server()
    register(behind)
    port = behind.add_insecure_port("127.0.0.1:0")
    await behind.start()
    listening = socket.create_server(("127.0.0.1", 0), backlog=256)
    host, own_port = listening.getsockname()
    options: Any = STACKS[stack]
    config = uvicorn.Config(
        Attacked(f"127.0.0.1:{port}"),
        **options,
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        log_level="warning",
        access_log=False,
        timeout_keep_alive=1,
        timeout_graceful_shutdown=2,
    )
    print(f"listening on {host}:{own_port}", flush=True)
    await uvicorn.Server(config).serve([listening])
    await behind.stop(None)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
