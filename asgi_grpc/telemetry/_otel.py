"""OpenTelemetry spans of calls, and the context that links them to those before and behind.

Source: the OpenTelemetry semantic conventions for RPC spans, and those for gRPC.
"""

from __future__ import annotations

import time
from contextvars import Token

from opentelemetry import context, propagate, trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TracerProvider
from opentelemetry.util.types import AttributeValue

from asgi_grpc.errors import Code
from asgi_grpc.telemetry._call import CallRecord
from asgi_grpc.telemetry._observer import Observer

_SERVER_ERRORS = frozenset(
    {Code.UNKNOWN, Code.DEADLINE_EXCEEDED, Code.UNIMPLEMENTED, Code.INTERNAL, Code.UNAVAILABLE, Code.DATA_LOSS}
)
"""Codes that make a server's span an error; by the conventions, all others are the client's affair."""


class OpenTelemetry(Observer):
    """Makes a span of kind SERVER for each call.

    Its parent is the span that is current already (of an instrumentation round the application), else what the
    request's headers say. While the call runs it is current, also in a servicer of this process; towards the service it
    goes as metadata, by the global propagators: the service's own span is its child. Messages make no events.

    Args:
        tracer_provider: None: the global one, at the time of each first use.
    """

    def __init__(self, tracer_provider: TracerProvider | None = None) -> None:
        self._tracer = trace.get_tracer("asgi_grpc", tracer_provider=tracer_provider)
        self._spans: dict[CallRecord, tuple[Span, Token[Context]]] = {}

    @property
    def is_set_up(self) -> bool:
        """Whether somebody has set a global provider; without one, spans go nowhere."""
        return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)

    def started(self, call: CallRecord) -> None:
        """Begin the span, and make it current."""
        around = context.get_current()
        if not trace.get_current_span(around).get_span_context().is_valid:
            around = propagate.extract(_headers(call), context=around)
        span = self._tracer.start_span(
            _method(call),
            context=around,
            kind=SpanKind.SERVER,
            attributes=_attributes(call),
            start_time=time.time_ns() - int(call.duration_s * 1e9),
        )
        inside = around
        if span.get_span_context().is_valid:  # else there is no SDK, and the client's own context goes on
            inside = trace.set_span_in_context(span, around)
        carrier: dict[str, str] = {}
        propagate.inject(carrier, context=inside)
        call.metadata.update({key.lower(): value for key, value in carrier.items()})
        self._spans[call] = span, context.attach(inside)

    def ended(self, call: CallRecord) -> None:
        """End the span with the call's code."""
        span, token = self._spans.pop(call)
        assert call.code is not None
        span.set_attribute("rpc.response.status_code", call.code.name)
        if call.code in _SERVER_ERRORS:
            span.set_attribute("error.type", call.code.name)
            span.set_status(Status(StatusCode.ERROR))
        span.end()
        context.detach(token)


def _method(call: CallRecord) -> str:
    """The method as the conventions write it, e.g. ``"helloworld.Greeter/SayHello"``."""
    return call.method.path.removeprefix("/")


def _headers(call: CallRecord) -> dict[str, list[str]]:
    """The request's headers, as propagators take them."""
    found: dict[str, list[str]] = {}
    for name, value in call.scope["headers"]:
        found.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
    return found


def _attributes(call: CallRecord) -> dict[str, AttributeValue]:
    """What is known when a call starts."""
    scope = call.scope
    found: dict[str, AttributeValue] = {
        "rpc.system.name": "grpc",
        "rpc.method": _method(call),
        "http.route": call.route,
        "network.protocol.name": "websocket" if call.transport == "websocket" else "http",
        "asgi_grpc.transport": call.transport,
    }
    if scope.get("http_version") and call.transport != "websocket":
        found["network.protocol.version"] = scope["http_version"]
    for side in ("client", "server"):
        address, port = scope.get(side) or (None, None)
        if address is not None:
            found[f"{side}.address"] = address
        if port is not None:
            found[f"{side}.port"] = port
    if scope.get("server"):
        found["network.transport"] = "unix" if scope["server"][1] is None else "tcp"
    return found
