"""The record of a call."""

from __future__ import annotations

from typing import Any

import pytest

from tests.telemetry.records import ended, record


def test_a_record_knows_its_method_by_all_of_its_names() -> None:
    call = record("SayHelloBidiStream")
    assert (call.service, call.name, call.method.kind) == ("helloworld.Greeter", "SayHelloBidiStream", "bidirectional")


@pytest.mark.parametrize(
    ("client", "peer"),
    [
        (("192.0.2.7", 4711), "192.0.2.7:4711"),
        (["2001:db8::7", 4711], "[2001:db8::7]:4711"),
        (None, ""),
    ],
)
def test_the_peer_is_the_server_s_client(client: Any, peer: str) -> None:
    assert record(client=client).peer == peer


def test_a_call_that_has_ended_lasts_no_longer() -> None:
    call = ended()
    assert (call.duration_s, call.first_message_s) == (2.5, 1)


def test_a_call_that_runs_has_lasted_until_now() -> None:
    call = record()
    assert (call.duration_s >= 0, call.first_message_s, call.ended_at, call.code) == (True, None, None, None)


def test_what_is_held_is_asked_for_when_somebody_looks() -> None:
    call = record()
    assert call.held_bytes == 0
    sizes = iter([5, 7])
    call.hold(lambda: next(sizes))
    assert [call.held_bytes, call.held_bytes] == [5, 7]
    call.hold(None)
    assert call.held_bytes == 0
