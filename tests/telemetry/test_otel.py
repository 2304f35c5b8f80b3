"""OpenTelemetry spans, as the real SDK keeps them."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from asgi_grpc import Code
from asgi_grpc.telemetry import OpenTelemetry
from tests.telemetry.records import ended, record

TRACE_ID = 0x0AF7651916CD43DD8448EB211C80319C
PARENT = (b"traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")


class Spans:
    """An observer, and what it exports."""

    def __init__(self) -> None:
        self.provider = TracerProvider(shutdown_on_exit=False)
        self._exporter = InMemorySpanExporter()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.observer = OpenTelemetry(self.provider)

    def finished(self) -> list[ReadableSpan]:
        return list(self._exporter.get_finished_spans())


@pytest.fixture
def spans() -> Spans:
    return Spans()


def context_of(span: ReadableSpan) -> trace.SpanContext:
    found = span.get_span_context()
    assert found is not None
    return found


def test_a_span_says_what_the_conventions_ask_for(spans: Spans) -> None:
    call = ended()
    spans.observer.started(call)
    spans.observer.ended(call)
    (span,) = spans.finished()
    assert (span.name, span.kind, span.status.status_code, list(span.events)) == (
        *("helloworld.Greeter/SayHello", SpanKind.SERVER, StatusCode.UNSET, []),
    )
    assert span.instrumentation_scope is not None
    assert (span.instrumentation_scope.name, dict(span.attributes or {})) == (
        "asgi_grpc",
        {
            "rpc.system.name": "grpc",
            "rpc.method": "helloworld.Greeter/SayHello",
            "rpc.response.status_code": "OK",
            "http.route": "/v1/helloworld/{name}",
            "network.protocol.name": "http",
            "network.protocol.version": "1.1",
            "network.transport": "tcp",
            "client.address": "192.0.2.7",
            "client.port": 4711,
            "server.address": "192.0.2.1",
            "server.port": 80,
            "asgi_grpc.transport": "http",
        },
    )


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        pytest.param(
            {"server": ("gateway.sock", None), "client": None},
            {"server.address": "gateway.sock", "network.transport": "unix", "network.protocol.version": "1.1"},
            id="unix-socket",
        ),
        pytest.param({"server": None, "client": None, "http_version": None}, {}, id="server-that-tells-nothing"),
    ],
)
def test_a_span_says_only_what_is_known(spans: Spans, scope: dict[str, Any], expected: dict[str, Any]) -> None:
    call = ended(**scope)
    spans.observer.started(call)
    spans.observer.ended(call)
    attributes = dict(spans.finished()[0].attributes or {})
    named = ("client.", "server.", "network.transport", "network.protocol.version")
    assert {key: value for key, value in attributes.items() if key.startswith(named)} == expected


def test_a_websocket_is_no_http(spans: Spans) -> None:
    call = ended("SayHelloBidiStream", transport="websocket")
    spans.observer.started(call)
    spans.observer.ended(call)
    attributes = dict(spans.finished()[0].attributes or {})
    assert {key: value for key, value in attributes.items() if key.startswith(("network.protocol", "asgi"))} == {
        "network.protocol.name": "websocket",
        "asgi_grpc.transport": "websocket",
    }


def test_a_span_begins_when_its_call_did(spans: Spans) -> None:
    call = ended()
    call.ended_at = None
    call.started_at -= 60
    spans.observer.started(call)
    spans.observer.ended(call)
    (span,) = spans.finished()
    assert span.start_time is not None
    assert span.end_time is not None
    assert 60e9 <= span.end_time - span.start_time < 120e9


@pytest.mark.parametrize("code", Code)
def test_only_the_server_s_own_failures_make_a_span_an_error(spans: Spans, code: Code) -> None:
    call = ended(code=code)
    spans.observer.started(call)
    spans.observer.ended(call)
    (span,) = spans.finished()
    is_error = code.name in {
        *("UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"),
    }
    attributes = span.attributes or {}
    assert attributes["rpc.response.status_code"] == code.name
    assert (span.status.status_code, attributes.get("error.type")) == (
        (StatusCode.ERROR, code.name) if is_error else (StatusCode.UNSET, None)
    )


def test_the_parent_comes_by_the_headers_and_the_child_goes_by_the_metadata(spans: Spans) -> None:
    call = ended(headers=[PARENT, (b"tracestate", b"a=1"), (b"baggage", b"user=ada")])
    spans.observer.started(call)
    assert trace.get_current_span().get_span_context().trace_id == TRACE_ID
    spans.observer.ended(call)
    assert not trace.get_current_span().get_span_context().is_valid
    (span,) = spans.finished()
    assert span.parent is not None
    assert (span.parent.span_id, span.parent.is_remote) == (0xB7AD6B7169203331, True)
    assert call.metadata == {
        "traceparent": f"00-{TRACE_ID:032x}-{context_of(span).span_id:016x}-01",
        "tracestate": "a=1",
        "baggage": "user=ada",
    }


def test_a_span_that_is_current_already_is_the_parent(spans: Spans) -> None:
    call = ended(headers=[PARENT])
    with spans.provider.get_tracer("around").start_as_current_span("around") as around:
        spans.observer.started(call)
        spans.observer.ended(call)
        assert trace.get_current_span() is around
    inner, outer = spans.finished()
    assert inner.parent == context_of(outer)


def test_spans_of_calls_at_the_same_time_are_kept_apart(spans: Spans) -> None:
    calls = [ended(), ended("SayHelloServerStream")]
    for call in calls:
        spans.observer.started(call)
    for call in reversed(calls):
        spans.observer.ended(call)
    assert [span.name.rpartition("/")[2] for span in spans.finished()] == ["SayHelloServerStream", "SayHello"]


def test_a_global_provider_is_missed_until_somebody_sets_one(monkeypatch: pytest.MonkeyPatch, spans: Spans) -> None:
    assert not spans.observer.is_set_up
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: spans.provider)
    assert spans.observer.is_set_up


@pytest.mark.parametrize(
    ("headers", "metadata"), [([PARENT], {"traceparent": PARENT[1].decode()}), ([], {})], ids=["parent", "no-parent"]
)
def test_without_an_sdk_the_client_s_context_is_passed_on(headers: Any, metadata: dict[str, str]) -> None:
    observer = OpenTelemetry(trace.NoOpTracerProvider())
    call = record(headers=headers)
    observer.started(call)
    assert call.metadata == metadata
    call.code = Code.OK
    observer.ended(call)
    assert not trace.get_current_span().get_span_context().is_valid
