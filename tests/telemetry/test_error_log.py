"""Lines of ``asgi_grpc.error`` that are about a call name its method as a field."""

from __future__ import annotations

import ast
from collections.abc import AsyncIterator
from typing import Any

import greeter_pb2_grpc
import pytest

from asgi_grpc import GrpcMiddleware, Servicers
from tests.asgi.fakes import DOWN, GREETER, HELLO
from tests.asgi.test_http import ask
from tests.processes import ROOT


def test_every_line_of_the_calls_has_fields() -> None:
    files = sorted((ROOT / "asgi_grpc" / "calls").glob("*.py"))
    found = [
        (file.name, [keyword.arg for keyword in node.keywords])
        for file in files
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[0] in ("log", "_log")
    ]
    assert len(found) > 3
    assert [name for name, keywords in found if "extra" not in keywords] == []


async def test_a_server_that_can_not_be_reached(unused_tcp_port: int, caplog: pytest.LogCaptureFixture) -> None:
    app = GrpcMiddleware(schema=GREETER, upstream=f"127.0.0.1:{unused_tcp_port}")
    assert (await ask(app, HELLO)).status == 503
    await app._gateway.backend.close()
    assert [vars(record)["method"] for record in caplog.records] == ["helloworld.Greeter.SayHello"]


async def test_a_servicer_that_breaks(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(greeter_pb2_grpc.GreeterServicer):
        async def SayHelloServerStream(self, request: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802 - gRPC's
            raise ValueError("secret")
            yield

    registry = Servicers()
    greeter_pb2_grpc.add_GreeterServicer_to_server(Broken(), registry)
    assert (await ask(GrpcMiddleware(servicers=registry), DOWN)).status == 500
    assert [vars(record)["method"] for record in caplog.records] == ["helloworld.Greeter.SayHelloServerStream"]
