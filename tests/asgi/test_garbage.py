"""A small call leaves nothing behind that only the garbage collector would find: its runs are felt by all calls."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

import grpc
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from asgi_grpc import GrpcMiddleware, Servicers
from tests.asgi.fakes import GREETER, HELLO


class Scope(dict[str, Any]):
    """A scope that can be watched."""


async def test_a_unary_call_in_process_is_gone_when_it_has_ended() -> None:
    (hello,) = (method for method in GREETER.methods if method.path == HELLO)
    reply = GetMessageClass(hello.output)

    async def say_hello(request: Message, context: Any) -> Message:
        context.set_trailing_metadata((("a", "b"),))
        return reply()

    handler = grpc.unary_unary_rpc_method_handler(
        say_hello, GetMessageClass(hello.input).FromString, reply.SerializeToString
    )
    registry = Servicers()
    registry.add_registered_method_handlers("helloworld.Greeter", {"SayHello": handler})
    app = GrpcMiddleware(servicers=registry, schema=GREETER)
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b'{"name":"Ada"}', "more_body": False}

    async def send(event: Any) -> None:
        sent.append(event.get("status", event["type"]))

    async def serve() -> weakref.ref[Scope]:
        scope = Scope(type="http", method="POST", path=HELLO, headers=[], query_string=b"")
        await app(scope, receive, send)
        return weakref.ref(scope)

    gc.disable()
    try:
        ended = await asyncio.create_task(serve())  # as servers do: each request has a context of its own
        await asyncio.sleep(0)  # the loop forgets the task
        assert ended() is None
    finally:
        gc.enable()
    assert sent == [200, "http.response.body"]
