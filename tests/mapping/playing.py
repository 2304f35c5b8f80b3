"""The methods of ``mapping.proto``, played by a backend that replies with what it was asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from asgi_grpc import GrpcMiddleware, Schema
from tests.asgi.fakes import FakeBackend, FakeCall, Handler

SCHEMA = Schema.from_protos(Path(__file__).parent / "mapping.proto")


async def echo(call: FakeCall) -> AsyncIterator[list[Message]]:
    """Each request is a reply; of a method that gives one, the last request."""
    reply: Message = GetMessageClass(call.method.output)()
    async for request in call.requests():
        if call.method.server_streaming:
            yield [request]
        elif request.DESCRIPTOR is call.method.output:
            reply = request
    if not call.method.server_streaming:
        yield [reply]


def mapped(handler: Handler = echo, **options: Any) -> tuple[GrpcMiddleware, FakeBackend]:
    """A gateway in front of them."""
    backend = FakeBackend(handler)
    return GrpcMiddleware(schema=SCHEMA, upstream=backend, **options), backend
