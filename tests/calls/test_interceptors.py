"""Interceptors of both kinds, mixed; what they may do is in test_behaviour.py."""

from __future__ import annotations

import contextvars
from typing import Any

import grpc
import grpc.aio
import pytest

from asgi_grpc.calls import Servicers
from asgi_grpc.errors import ConfigurationError
from tests.calls.servers import BIDI, DOWN, IN_PROCESS, KINDS, UNARY, UP, end, handlers, source, texts

WHO: contextvars.ContextVar[str] = contextvars.ContextVar("who", default="nobody")


class Async(grpc.aio.ServerInterceptor):
    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        WHO.set(WHO.get() + " async")
        return await continuation(handler_call_details)


class Sync(grpc.ServerInterceptor):
    def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        WHO.set(WHO.get() + " sync")
        return continuation(handler_call_details)


@pytest.mark.parametrize("name", IN_PROCESS)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
async def test_both_kinds_serve_both_kinds(name: str, kind: Any) -> None:
    async with end(name, interceptors=[Async(), Sync(), Sync()]) as (_, backend):
        assert await texts(backend.start(kind, source(["reply a"]))) == ["a"]


class Who:
    """Async and sync methods that tell what the interceptors set."""

    async def unary(self, request: Any, context: Any) -> Any:
        return type(request)(value=WHO.get())

    async def down(self, request: Any, context: Any) -> Any:
        yield type(request)(value=WHO.get())

    def up(self, requests: Any, context: Any) -> Any:
        return type(next(requests))(value=WHO.get())

    def bidi(self, requests: Any, context: Any) -> Any:
        yield type(next(requests))(value=WHO.get())


async def test_context_variables_reach_the_servicer() -> None:
    async with end(IN_PROCESS[0], handler=handlers(Who()), interceptors=[Async(), Sync()]) as (_, backend):
        for kind in (UNARY, DOWN, UP, BIDI):
            assert await texts(backend.start(kind, source(["a"]))) == ["nobody async sync"]
    assert WHO.get() == "nobody"


class Wrapped:
    """A context that adds to what it wraps."""

    def __init__(self, context: Any) -> None:
        self._context = context

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def set_details(self, details: str) -> None:
        self._context.set_details(f"wrapped {details}")


class Wrapping(grpc.aio.ServerInterceptor):
    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        inner = await continuation(handler_call_details)

        async def wrapped(request: Any, context: Any) -> Any:
            async for reply in inner.stream_stream(request, Wrapped(context)):
                yield reply

        return grpc.stream_stream_rpc_method_handler(wrapped, inner.request_deserializer, inner.response_serializer)


async def test_an_interceptor_may_wrap_the_context() -> None:
    async with end(IN_PROCESS[0], interceptors=[Wrapping()]) as (_, backend):
        with pytest.raises(Exception, match="NOT_FOUND: wrapped text"):
            await texts(backend.start(BIDI, source(["details text;code NOT_FOUND"])))


class Unknown(grpc.aio.ServerInterceptor):
    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        return None


async def test_no_handler_is_unimplemented() -> None:
    async with end(IN_PROCESS[0], interceptors=[Unknown()]) as (_, backend):
        with pytest.raises(Exception, match="UNIMPLEMENTED: Method not found!"):
            await texts(backend.start(UNARY, source(["a"])))


def test_an_async_interceptor_cannot_stand_behind_a_sync_one() -> None:
    with pytest.raises(ConfigurationError, match="Async is async and has to stand before the sync ones"):
        Servicers(interceptors=[Sync(), Async()])


def test_interceptors_are_grpc_s() -> None:
    with pytest.raises(ConfigurationError, match=r"got str"):
        Servicers(interceptors=["auth"])  # type: ignore[list-item]
