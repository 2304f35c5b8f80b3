"""Limits that nothing could be served with are refused where they are written."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

import pytest

from asgi_grpc import ConfigurationError, Limits
from asgi_grpc.asgi._middleware import _channel_limits
from tests.asgi.fakes import gateway, greet


@pytest.mark.parametrize("name", [field.name for field in fields(Limits)])
def test_a_limit_has_to_leave_something(name: str) -> None:
    least = "0 or more" if name in ("max_streams", "drain_timeout_s") else "above 0"
    kind = "a time in seconds" if name.endswith("_s") else "a whole number"
    wrong: list[Any] = [-1, math.nan if name.endswith("_s") else 1.5]
    wrong += [math.inf] if name.endswith("_s") else []
    wrong += [0] if least == "above 0" else []
    for value in wrong:
        with pytest.raises(ConfigurationError) as refused:
            gateway(limits=Limits(**{name: value}))
        assert str(refused.value) == f"limits: {name}: expected {kind}, {least}, got {value!r}"
        with pytest.raises(ConfigurationError, match=name):
            gateway(method_limits={"helloworld.Greeter": Limits(**{name: value})})
    gateway(limits=Limits(**{name: 1}))


def test_no_streams_and_no_time_to_drain_are_limits_too() -> None:
    gateway(limits=Limits(max_streams=0, drain_timeout_s=0.0))


@pytest.mark.parametrize("name", ["heartbeat_s", "half_close_after_idle_s"])
@pytest.mark.parametrize("value", [0, -1.0, math.nan])
def test_a_silence_has_to_last(name: str, value: float) -> None:
    with pytest.raises(ConfigurationError, match=f"{name}: expected seconds above 0, or None, got"):
        gateway(greet, **{name: value})


def test_a_channel_gets_no_number_that_it_cannot_hold() -> None:
    large = Limits(max_message_bytes=8 << 30, read_ahead_bytes=8 << 30)
    options = dict(_channel_limits([Limits(), large]))
    assert {name: value for name, value in options.items() if value} == {
        "grpc.max_send_message_length": (2 << 30) - 1,
        "grpc.max_receive_message_length": (2 << 30) - 1,
        "grpc.http2.lookahead_bytes": (2 << 30) - 1,
    }
