"""Observers, one by one and together."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from asgi_grpc import ConfigurationError
from asgi_grpc.telemetry import AccessLog, CallRecord, Observer, Observers
from tests.asgi.fakes import gateway
from tests.telemetry.records import ended


class Noting(Observer):
    """Writes down what it is told."""

    def __init__(self, name: str, notes: list[str]) -> None:
        self.name = name
        self.notes = notes

    def started(self, call: CallRecord) -> None:
        self.notes.append(f"{self.name} started")

    def received(self, call: CallRecord, messages: int, size: int) -> None:
        self.notes.append(f"{self.name} received {messages} {size}")

    def sent(self, call: CallRecord, messages: int, size: int) -> None:
        self.notes.append(f"{self.name} sent {messages} {size}")

    def ended(self, call: CallRecord) -> None:
        self.notes.append(f"{self.name} ended")

    def watch_queue(self, waiting: Callable[[], int]) -> None:
        self.notes.append(f"{self.name} queue {waiting()}")


class Raising(Observer):
    """Fails at everything."""

    def started(self, call: CallRecord) -> None:
        raise KeyError("started")

    def received(self, call: CallRecord, messages: int, size: int) -> None:
        raise KeyError("received")

    def sent(self, call: CallRecord, messages: int, size: int) -> None:
        raise KeyError("sent")

    def ended(self, call: CallRecord) -> None:
        raise KeyError("ended")

    def watch_queue(self, waiting: Callable[[], int]) -> None:
        raise KeyError("watch_queue")


def tell_all(observers: Observers) -> None:
    call = ended()
    observers.watch_queue(lambda: 4)
    observers.started(call)
    observers.received(call, 1, 2)
    observers.sent(call, 3, 4)
    observers.ended(call)


def test_all_are_told_and_of_the_end_in_reverse() -> None:
    notes: list[str] = []
    tell_all(Observers([Noting("a", notes), Noting("b", notes)]))
    assert notes == [
        *("a queue 4", "b queue 4", "a started", "b started", "a received 1 2", "b received 1 2"),
        *("a sent 3 4", "b sent 3 4", "b ended", "a ended"),
    ]


def test_an_observer_that_fails_is_logged_and_keeps_nobody_else_from_hearing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    notes: list[str] = []
    observers = Observers([Raising(), Noting("b", notes)])
    call = ended()
    observers.started(call)
    observers.received(call, 1, 2)
    observers.sent(call, 3, 4)
    observers.ended(call)
    assert notes == ["b started", "b received 1 2", "b sent 3 4", "b ended"]
    assert [(record.name, record.levelno, record.getMessage()) for record in caplog.records] == [
        ("asgi_grpc.error", logging.ERROR, f"the observer Raising.{name} failed")
        for name in ("started", "received", "sent", "ended")
    ]


def test_an_observer_that_can_not_be_wired_says_so_at_start_up() -> None:
    with pytest.raises(KeyError):
        Observers([Raising()]).watch_queue(lambda: 0)


@pytest.mark.parametrize(
    ("observers", "text"),
    [
        (AccessLog(), "observers: expected a list, got <asgi_grpc.telemetry._access_log.AccessLog object"),
        ([AccessLog], "observers: expected objects of subclasses of Observer, got <class 'asgi_grpc.telemetry."),
        (["access"], "observers: expected objects of subclasses of Observer, got 'access'"),
    ],
)
def test_what_is_no_observer_is_a_fault_of_the_wiring(observers: Any, text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        gateway(observers=observers)
    assert str(caught.value).startswith(text)


def test_what_an_observer_leaves_out_does_nothing() -> None:
    class Silent(Observer):
        pass

    tell_all(Observers([Silent()]))
    call = ended()
    observer = Silent()
    observer.started(call)
    observer.received(call, 0, 0)
    observer.sent(call, 0, 0)
    observer.ended(call)
    observer.watch_queue(lambda: 0)
