"""Sources of requests, without a connection."""

from __future__ import annotations

from asgi_grpc.asgi._requests import Input, OneRequest
from asgi_grpc.routing import Router
from tests.asgi.fakes import GREETER


async def test_a_method_that_takes_a_stream_may_get_its_only_message_from_the_address() -> None:
    bound = Router(GREETER.methods).match("GET", b"/v1/helloworld/Ada").bind(b"", strict=True)
    told: list[str] = []

    async def nothing() -> Input:
        return Input([], ended=True)

    source = OneRequest(nothing, bound.decode, bound.empty, lambda: told.append("complete"))
    (message,) = await source.pull()
    assert message == bound.empty()
    assert await source.pull() == []
    assert told == ["complete"]
