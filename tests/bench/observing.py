"""What observers cost, as ratios to none: ``python tests/bench/observing.py``.

In process, without a server, so that nothing else dilutes it: a unary call, and a bidirectional NDJSON stream of 16 384
messages in chunks of 64 KiB. All candidates run in turns, processor time is counted, and the best round of each counts.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

sys.path += [str(Path(__file__).parents[2]), str(Path(__file__).parents[2] / "examples" / "greeter")]

import greeter_pb2
import greeter_pb2_grpc
from opentelemetry import trace
from prometheus_client import CollectorRegistry

from asgi_grpc import GrpcMiddleware, Servicers
from asgi_grpc.telemetry import AccessLog, Observer, OpenTelemetry, PrometheusMetrics

ROUNDS = 7
CALLS = 300
MESSAGES = 16384
LINE = b'{"name":"Ada","language":"en"}\n'
CHUNK = 64 << 10


class Greeter(greeter_pb2_grpc.GreeterServicer):
    """Does next to nothing."""

    async def SayHello(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        return greeter_pb2.HelloReply(message=request.name)

    async def SayHelloBidiStream(self, requests: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802 - as above
        async for request in requests:
            yield greeter_pb2.HelloReply(message=request.name)


class Devnull(logging.Handler):
    """Formats a line, and writes it nowhere."""

    def emit(self, record: logging.LogRecord) -> None:
        self.format(record)


def application(observers: list[Observer]) -> GrpcMiddleware:
    """A gateway with the Greeter in it."""
    registry = Servicers()
    greeter_pb2_grpc.add_GreeterServicer_to_server(Greeter(), registry)
    return GrpcMiddleware(servicers=registry, observers=observers)


async def call(app: GrpcMiddleware, name: str, chunks: list[bytes]) -> None:
    """One request, whose answer is thrown away."""
    events = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    events[-1]["more_body"] = False
    left = iter(events)
    scope = {
        "type": "http", "http_version": "1.1", "method": "POST", "path": f"/helloworld.Greeter/{name}",
        "raw_path": f"/helloworld.Greeter/{name}".encode(), "query_string": b"", "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000), "extensions": {},
        "headers": [(b"host", b"x"), (b"content-type", b"application/json"), (b"user-agent", b"bench")],
    }  # fmt: skip

    async def receive() -> Any:
        if (event := next(left, None)) is None:
            await asyncio.Event().wait()
        return event

    async def send(event: Any) -> None:
        pass

    await app(scope, receive, send)


async def measure(app: GrpcMiddleware, work: Callable[[GrpcMiddleware], Awaitable[None]]) -> float:
    """Processor seconds of some work."""
    gc.collect()
    before = time.process_time()
    await work(app)
    return time.process_time() - before


async def unary(app: GrpcMiddleware) -> None:
    """Many small calls."""
    for _ in range(CALLS):
        await call(app, "SayHello", [LINE])


async def stream(app: GrpcMiddleware) -> None:
    """One long one."""
    body = LINE * MESSAGES
    await call(app, "SayHelloBidiStream", [body[at : at + CHUNK] for at in range(0, len(body), CHUNK)])


async def main() -> None:
    """Print the table."""
    log = logging.getLogger("asgi_grpc.access")
    log.handlers, log.propagate = [Devnull()], False
    log.setLevel(logging.INFO)
    candidates: dict[str, GrpcMiddleware] = {
        "no observer": application([]),
        "an observer of nothing": application([Observer()]),
        "AccessLog": application([AccessLog()]),
        "PrometheusMetrics": application([PrometheusMetrics(CollectorRegistry())]),
        "OpenTelemetry, no SDK": application([OpenTelemetry(trace.NoOpTracerProvider())]),
    }
    try:
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - where it is installed
        from opentelemetry.sdk.trace.sampling import ALWAYS_OFF  # noqa: PLC0415 - as above
    except ImportError:
        pass
    else:
        off = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
        on = TracerProvider(shutdown_on_exit=False)
        candidates["OpenTelemetry, not sampled"] = application([OpenTelemetry(off)])
        candidates["OpenTelemetry, no exporter"] = application([OpenTelemetry(on)])
    best = {name: [float("inf"), float("inf")] for name in candidates}
    for _ in range(ROUNDS):
        for name, app in candidates.items():
            for place, work in enumerate((unary, stream)):
                best[name][place] = min(best[name][place], await measure(app, work))
    (base_call, base_message) = best["no observer"]
    print(f"{'observers':28}{'us/call':>9}{'ratio':>7}{'us/message':>12}{'ratio':>7}")
    for name, (calls, messages) in best.items():
        print(
            f"{name:28}{calls / CALLS * 1e6:9.1f}{calls / base_call:7.2f}"
            f"{messages / MESSAGES * 1e6:12.3f}{messages / base_message:7.2f}"
        )


if __name__ == "__main__":
    asyncio.run(main())
