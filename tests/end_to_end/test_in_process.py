"""The doors again, with both examples' services as servicers in the gateway's process; and grpcio's ready services."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import greeter_pb2_grpc
import pytest
from greeter_server import Greeter
from grpc_health.v1 import health, health_pb2, health_pb2_grpc  # type: ignore[import-untyped]
from grpc_reflection.v1alpha import reflection

from asgi_grpc import GrpcMiddleware, Servicers
from asgi_grpc.testing import HttpExchange
from tests.end_to_end.conftest import Stack
from tests.end_to_end.test_doors import (  # noqa: F401 - they run here as well, against the stack of this module
    TestBidirectional,
    TestClientStreaming,
    TestServerStreaming,
    TestUnary,
    TestWebSocket,
)
from tests.processes import started


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """The demo in one process."""
    command = (sys.executable, "-m", "asgi_grpc", "demo", "--in-process", "--port", "0")
    with started(*command, ready=r"at http://(localhost:\d+)$") as demo:
        yield Stack(demo, demo, demo)


def ready_services() -> GrpcMiddleware:
    registry = Servicers()
    greeter_pb2_grpc.add_GreeterServicer_to_server(Greeter(), registry)
    servicer = health.HealthServicer()
    servicer.set("here", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, registry)
    reflection.enable_server_reflection(["helloworld.Greeter", "grpc.health.v1.Health"], registry)
    return GrpcMiddleware(servicers=registry)


async def post(app: Any, path: str, body: Any) -> tuple[int | None, list[Any]]:
    async with HttpExchange(
        app, method="POST", path=path, headers=[(b"content-type", b"application/json")]
    ) as exchange:
        await exchange.send_body(json.dumps(body).encode(), more=False)
        text = await exchange.read_body()
        return exchange.status, [json.loads(line) for line in text.splitlines()]


async def test_health_answers() -> None:
    app = ready_services()
    status, (answer,) = await post(app, "/grpc.health.v1.Health/Check", {"service": "here"})
    assert (status, answer["data"]) == (200, {"status": "SERVING"})
    status, (answer,) = await post(app, "/grpc.health.v1.Health/Check", {"service": "not.here"})
    assert (status, answer["code"]) == (404, 404)


async def test_health_is_watched_until_the_client_goes() -> None:
    app = ready_services()
    headers = [(b"content-type", b"application/json")]
    async with HttpExchange(app, method="POST", path="/grpc.health.v1.Health/Watch", headers=headers) as exchange:
        await exchange.send_body(b'{"service":"here"}', more=False)
        while b"SERVING" not in exchange.body:
            await exchange.receive()
        await exchange.disconnect()
        await exchange.ended()


async def test_reflection_answers() -> None:
    app = ready_services()
    path = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
    status, (answer, last) = await post(app, path, {"listServices": ""})
    names = [service["name"] for service in answer["data"]["listServicesResponse"]["service"]]
    assert (status, names, last) == (200, ["grpc.health.v1.Health", "helloworld.Greeter"], {"type": "complete"})
