"""The service that hostile clients reach: it says what it got."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message_factory import GetMessageClass

from asgi_grpc import Schema

SCHEMA = Schema.from_protos(Path(__file__).parent / "hostile.proto")
Everything: Any = GetMessageClass(SCHEMA.pool.FindMessageTypeByName("hostile.Everything"))


async def echo(request: Any, context: Any) -> Any:
    """The request."""
    return request


async def up(requests: Any, context: Any) -> Any:
    """How many, and the last text."""
    reply = Everything()
    async for request in requests:
        reply.number += 1
        reply.text = request.text
    return reply


async def down(request: Any, context: Any) -> AsyncIterator[Any]:
    """The request, often."""
    for _ in range(request.number):
        yield request


async def chat(requests: Any, context: Any) -> AsyncIterator[Any]:
    """Each request."""
    async for request in requests:
        yield request


async def metadata(request: Any, context: Any) -> Any:
    """The metadata that came, joined where a key has several values."""
    reply = Everything()
    for key, value in context.invocation_metadata():
        text = value if isinstance(value, str) else value.hex()
        reply.labels[key] = f"{reply.labels[key]}; {text}" if key in reply.labels else text
    return reply


async def fail(request: Any, context: Any) -> Any:
    """What the request says."""
    pairs = tuple(request.labels.items())
    await context.send_initial_metadata(pairs)
    context.set_trailing_metadata(pairs)
    if request.number:
        await context.abort(next(code for code in grpc.StatusCode if code.value[0] == request.number), request.text)
    return request


async def hold(request: Any, context: Any) -> Any:
    """Nothing, for good."""
    await asyncio.Event().wait()


def register(server: Any) -> None:
    """Register the service as generated code would, with a gRPC server or with ``Servicers``."""
    kinds: dict[str, tuple[Any, Any]] = {
        "Echo": (grpc.unary_unary_rpc_method_handler, echo),
        "Up": (grpc.stream_unary_rpc_method_handler, up),
        "Down": (grpc.unary_stream_rpc_method_handler, down),
        "Chat": (grpc.stream_stream_rpc_method_handler, chat),
        "Metadata": (grpc.unary_unary_rpc_method_handler, metadata),
        "Fail": (grpc.unary_unary_rpc_method_handler, fail),
        "Hold": (grpc.unary_unary_rpc_method_handler, hold),
    }
    handlers = {
        name: make(behaviour, Everything.FromString, Everything.SerializeToString)
        for name, (make, behaviour) in kinds.items()
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("hostile.Target", handlers),))
