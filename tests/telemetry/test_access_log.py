"""The access log."""

from __future__ import annotations

import logging

import pytest

from asgi_grpc import Code
from asgi_grpc.telemetry import AccessLog
from tests.telemetry.records import ended


def test_a_call_is_one_line_with_its_parts_beside_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "asgi_grpc.access")
    AccessLog().ended(ended("SayHelloServerStream", Code.NOT_FOUND, transport="sse"))
    (line,) = caplog.records
    assert (line.name, line.levelname) == ("asgi_grpc.access", "INFO")
    assert line.getMessage() == (
        "192.0.2.7:4711 sse helloworld.Greeter.SayHelloServerStream NOT_FOUND in 2.500 s, "
        "received 2 (30 bytes), sent 3 (60 bytes)"
    )
    plain = vars(logging.makeLogRecord({}))
    assert {name: value for name, value in vars(line).items() if name not in {*plain, "message", "asctime"}} == {
        "method": "helloworld.Greeter.SayHelloServerStream",
        "kind": "server_streaming",
        "route": "/v1/helloworld/{name}",
        "transport": "sse",
        "code": "NOT_FOUND",
        "peer": "192.0.2.7:4711",
        "messages_received": 2,
        "messages_sent": 3,
        "bytes_received": 30,
        "bytes_sent": 60,
        "duration_s": 2.5,
        "first_message_s": 1,
    }


def test_a_client_without_an_address_is_a_dash(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "mine")
    AccessLog("mine").ended(ended(client=None))
    assert caplog.messages[0].startswith("- http helloworld.Greeter.SayHello OK ")


def test_a_level_above_writes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "asgi_grpc.access")
    AccessLog().ended(ended())
    assert caplog.records == []
