"""Health by HTTP: what each answer of a service becomes, in process and through a channel."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import greeter_pb2_grpc
import grpc.aio
import pytest
from google.protobuf.message import Message
from grpc_health.v1 import health, health_pb2, health_pb2_grpc  # type: ignore[import-untyped]

from asgi_grpc import CallError, Code, GrpcMiddleware, Servicers
from asgi_grpc.asgi import _health
from asgi_grpc.telemetry import CallRecord, Observer
from asgi_grpc.testing import HttpExchange
from tests.asgi.fakes import GREETER, FakeCall, gateway

STATUSES = {
    "up": health_pb2.HealthCheckResponse.SERVING,
    "down": health_pb2.HealthCheckResponse.NOT_SERVING,
    "odd": health_pb2.HealthCheckResponse.UNKNOWN,
    "future": 77,
}


async def get(app: Any, path: str, *, method: str = "GET") -> tuple[int | None, Any]:
    async with HttpExchange(app, method=method, path=path) as x:
        await x.send_body(more=False)
        await x.ended()
    assert dict(x.headers)[b"content-type"] == b"application/json"
    return x.status, json.loads(x.body) if x.body else None


def servicer() -> Any:
    found = health.aio.HealthServicer()
    found._server_status = {"": STATUSES["up"], **STATUSES}
    return found


@asynccontextmanager
async def in_process(*, with_health: bool = True) -> AsyncIterator[GrpcMiddleware]:
    registry = Servicers()
    greeter_pb2_grpc.add_GreeterServicer_to_server(greeter_pb2_grpc.GreeterServicer(), registry)
    if with_health:
        health_pb2_grpc.add_HealthServicer_to_server(servicer(), registry)
    yield GrpcMiddleware(servicers=registry, services=["helloworld.Greeter"], health_path="/healthz")


@asynccontextmanager
async def by_channel(*, with_health: bool = True) -> AsyncIterator[GrpcMiddleware]:
    server = grpc.aio.server()
    greeter_pb2_grpc.add_GreeterServicer_to_server(greeter_pb2_grpc.GreeterServicer(), server)
    if with_health:
        health_pb2_grpc.add_HealthServicer_to_server(servicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    app = GrpcMiddleware(schema=GREETER, upstream=f"127.0.0.1:{port}", health_path="/healthz")
    try:
        yield app
    finally:
        await app._gateway.backend.close()
        await server.stop(None)


BACKENDS = pytest.mark.parametrize("backend", [in_process, by_channel])


@BACKENDS
@pytest.mark.parametrize(
    ("query", "status", "text"),
    [
        ("", 200, "SERVING"),
        ("?service=up", 200, "SERVING"),
        ("?service=down", 503, "NOT_SERVING"),
        ("?service=odd", 503, "UNKNOWN"),
        ("?service=future", 503, "UNKNOWN"),
        ("?service=nobody", 503, "SERVICE_UNKNOWN"),
    ],
)
async def test_each_status(backend: Any, query: str, status: int, text: str) -> None:
    async with backend() as app:
        assert await get(app, f"/healthz{query}") == (status, {"status": text})


@BACKENDS
async def test_a_server_without_the_health_service_answers_and_so_is_there(backend: Any) -> None:
    async with backend(with_health=False) as app:
        assert await get(app, "/healthz") == (200, {"status": "UNIMPLEMENTED"})


async def test_a_server_that_can_not_be_reached_is_down(unused_tcp_port: int) -> None:
    app = GrpcMiddleware(schema=GREETER, upstream=f"127.0.0.1:{unused_tcp_port}", health_path="/healthz")
    assert await get(app, "/healthz") == (503, {"status": "UNAVAILABLE"})
    assert await get(app, "/healthz/live") == (200, {"status": "ALIVE"})
    await app._gateway.backend.close()


async def test_a_service_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hanging(health_pb2_grpc.HealthServicer):  # type: ignore[misc]  # of a package without types
        async def Check(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
            await asyncio.Event().wait()

    monkeypatch.setattr(_health, "DEADLINE_S", 0.01)
    registry = Servicers()
    health_pb2_grpc.add_HealthServicer_to_server(Hanging(), registry)
    app = GrpcMiddleware(servicers=registry, health_path="/healthz")
    assert await get(app, "/healthz") == (503, {"status": "DEADLINE_EXCEEDED"})


async def test_a_gateway_that_drains_takes_nobody_more() -> None:
    async with in_process() as app:
        await app.drain()
        assert await get(app, "/healthz") == (503, {"status": "NOT_SERVING"})
        assert await get(app, "/healthz/live") == (200, {"status": "ALIVE"})


async def test_a_fault_of_a_backend_is_logged_and_told(caplog: pytest.LogCaptureFixture) -> None:
    async def break_down(_call: FakeCall) -> AsyncIterator[list[Message]]:
        raise RuntimeError("it is broken")
        yield []

    app, _ = gateway(break_down, health_path="/healthz")
    assert await get(app, "/healthz") == (503, {"status": "INTERNAL"})
    assert [(record.name, record.getMessage()) for record in caplog.records] == [
        ("asgi_grpc.error", "asking for health failed")
    ]


async def test_other_failures_have_the_name_of_their_code() -> None:
    async def refuse(_call: FakeCall) -> AsyncIterator[list[Message]]:
        raise CallError(Code.UNAUTHENTICATED, "who are you?")
        yield []

    app, backend = gateway(refuse, health_path="/healthz")
    assert await get(app, "/healthz") == (503, {"status": "UNAUTHENTICATED"})
    assert backend.log == ["open"]


async def test_head_and_liveness_ask_and_tell_no_more_than_needed() -> None:
    asked: list[CallRecord] = []

    class Keeping(Observer):
        def started(self, call: CallRecord) -> None:
            asked.append(call)

    app, backend = gateway(health_path="/", observers=[Keeping()])
    assert await get(app, "/live") == (200, {"status": "ALIVE"})
    assert (backend.calls, asked) == ([], [])
    async with in_process() as healthy:
        assert await get(healthy, "/healthz", method="HEAD") == (200, None)
