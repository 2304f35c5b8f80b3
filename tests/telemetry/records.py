"""Records of calls that nobody made."""

from __future__ import annotations

from typing import Any

from asgi_grpc import Code
from asgi_grpc.telemetry import CallRecord, Transport
from tests.asgi.fakes import GREETER

METHODS = {method.full_name.rpartition(".")[2]: method for method in GREETER.methods}
SCOPE: dict[str, Any] = {
    "type": "http",
    "http_version": "1.1",
    "client": ("192.0.2.7", 4711),
    "server": ("192.0.2.1", 80),
    "headers": [],
}


def record(method: str = "SayHello", *, transport: Transport = "http", **scope: Any) -> CallRecord:
    """A call of the Greeter that has just begun."""
    return CallRecord(METHODS[method], route="/v1/helloworld/{name}", transport=transport, scope={**SCOPE, **scope})


def ended(method: str = "SayHello", code: Code = Code.OK, *, transport: Transport = "http", **scope: Any) -> CallRecord:
    """One that took two and a half seconds, and its first reply one."""
    call = record(method, transport=transport, **scope)
    call.received, call.received_bytes, call.sent, call.sent_bytes = 2, 30, 3, 60
    call.first_sent_at = call.started_at + 1
    call.ended_at = call.started_at + 2.5
    call.code = code
    return call
