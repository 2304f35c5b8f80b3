"""Spans of real calls: from a client's header, through the gateway, into the service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import greeter_pb2
import greeter_pb2_grpc
import grpc.aio
import pytest
from opentelemetry import propagate, trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

from asgi_grpc import GrpcMiddleware, Servicers
from asgi_grpc.testing import HttpExchange, WebSocketExchange
from tests.asgi.fakes import BIDI, DOWN, GREETER, HELLO
from tests.telemetry.test_otel import PARENT, TRACE_ID, Spans

ADA = b'{"name":"Ada"}'


class Greeter(greeter_pb2_grpc.GreeterServicer):
    """Makes a span of its own, as a gRPC server's instrumentation does; and one inside of the current one."""

    def __init__(self, spans: Spans) -> None:
        self.tracer = spans.provider.get_tracer("service")
        self.current: list[trace.SpanContext] = []

    def work(self, name: str, context: Any) -> Any:
        self.current.append(trace.get_current_span().get_span_context())
        carrier = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
        with self.tracer.start_as_current_span(f"serve {name}", propagate.extract(carrier), kind=SpanKind.SERVER):
            return greeter_pb2.HelloReply(message=name)

    async def SayHello(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        return self.work(request.name, context)

    async def SayHelloServerStream(self, request: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802 - as above
        yield self.work(request.name, context)
        await context.abort(grpc.StatusCode.INTERNAL, "enough")

    async def SayHelloBidiStream(self, requests: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802 - as above
        async for request in requests:
            yield self.work(request.name, context)


class SyncGreeter(greeter_pb2_grpc.GreeterServicer):
    """The same in a thread."""

    def __init__(self, spans: Spans) -> None:
        self.inner = Greeter(spans)

    def SayHello(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        return self.inner.work(request.name, context)


@asynccontextmanager
async def in_process(greeter: Any, spans: Spans) -> AsyncIterator[GrpcMiddleware]:
    registry = Servicers()
    greeter_pb2_grpc.add_GreeterServicer_to_server(greeter, registry)
    yield GrpcMiddleware(servicers=registry, observers=[spans.observer])


@asynccontextmanager
async def by_channel(greeter: Any, spans: Spans) -> AsyncIterator[GrpcMiddleware]:
    server = grpc.aio.server()
    greeter_pb2_grpc.add_GreeterServicer_to_server(greeter, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    app = GrpcMiddleware(schema=GREETER, upstream=f"127.0.0.1:{port}", observers=[spans.observer])
    try:
        yield app
    finally:
        await app._gateway.backend.close()
        await server.stop(None)


async def ask(app: Any, path: str, headers: Any = ()) -> HttpExchange:
    async with HttpExchange(app, method="POST", path=path, headers=list(headers)) as x:
        await x.send_body(ADA, more=False)
        await x.ended()
    return x


def chain(spans: list[ReadableSpan]) -> list[tuple[str, SpanKind, int | None]]:
    """Spans from the parent to the last child: name, kind, and the parent's place in this list or its id."""
    ids: dict[int, int] = {}
    found: list[tuple[str, SpanKind, int | None]] = []
    for place, span in enumerate(spans):
        own = span.get_span_context()
        assert own is not None
        ids[own.span_id] = place
        parent = None if span.parent is None else ids.get(span.parent.span_id, span.parent.span_id)
        found.append((span.name, span.kind, parent))
    return found


@pytest.mark.parametrize("backend", [in_process, by_channel])
async def test_the_client_s_span_is_ours_parent_and_ours_is_the_service_s(backend: Any) -> None:
    spans = Spans()
    async with backend(Greeter(spans), spans) as app:
        assert (await ask(app, HELLO, [PARENT])).status == 200
    inner, outer = spans.finished()
    assert chain([outer, inner]) == [
        ("helloworld.Greeter/SayHello", SpanKind.SERVER, 0xB7AD6B7169203331),
        ("serve Ada", SpanKind.SERVER, 0),
    ]
    assert {span.get_span_context().trace_id for span in (inner, outer)} == {TRACE_ID}  # type: ignore[union-attr]


@pytest.mark.parametrize("greeter", [Greeter, SyncGreeter])
async def test_a_servicer_of_this_process_runs_inside_of_the_span(greeter: Any) -> None:
    spans = Spans()
    servicer = greeter(spans)
    async with in_process(servicer, spans) as app:
        await ask(app, HELLO)
        assert not trace.get_current_span().get_span_context().is_valid
    current = getattr(servicer, "inner", servicer).current
    assert current == [spans.finished()[-1].get_span_context()]


@pytest.mark.parametrize("backend", [in_process, by_channel])
async def test_a_stream_that_fails_is_an_error_without_events(backend: Any) -> None:
    spans = Spans()
    async with backend(Greeter(spans), spans) as app:
        await ask(app, DOWN)
    span = spans.finished()[-1]
    attributes = span.attributes or {}
    assert (span.status.status_code, attributes["rpc.response.status_code"], attributes["error.type"], span.events) == (
        *(StatusCode.ERROR, "INTERNAL", "INTERNAL", ()),
    )


@pytest.mark.parametrize("backend", [in_process, by_channel])
async def test_a_client_that_goes_is_no_error_of_ours(backend: Any) -> None:
    spans = Spans()
    async with backend(Greeter(spans), spans) as app, WebSocketExchange(app, path=BIDI) as x:
        await x.send_text(ADA.decode())
        while not x.texts:
            await x.receive()
        await x.disconnect()
        await x.ended()
        span = spans.finished()[-1]
        attributes = span.attributes or {}
        assert (span.status.status_code, attributes["rpc.response.status_code"]) == (StatusCode.UNSET, "CANCELLED")


async def test_calls_at_the_same_time_have_a_trace_each() -> None:
    spans = Spans()
    async with in_process(Greeter(spans), spans) as app:
        await asyncio.gather(*(ask(app, HELLO) for _ in range(10)))
    outer = {
        span.get_span_context().span_id: span.get_span_context().trace_id  # type: ignore[union-attr]
        for span in spans.finished()
        if span.parent is None
    }
    inner = {
        span.parent.span_id: span.get_span_context().trace_id  # type: ignore[union-attr]
        for span in spans.finished()
        if span.parent is not None
    }
    assert (inner, len(set(outer.values()))) == (outer, 10)
