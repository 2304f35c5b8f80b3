"""Connections that a burst of calls has made: they are closed when they are idle, but for the first."""

from __future__ import annotations

import asyncio

import pytest

from asgi_grpc.http2 import _backend
from tests.calls.facts import Outcome
from tests.http2.servers import Service
from tests.http2.test_backend import backend, calling


class OneAtATime:
    """A service whose connections take one stream each.

    Attributes:
        asked: released for each call that has come.
        left: released for each connection that the client has closed.
        may_answer: of each connection, in the order in which they were made.
        open: connections.
    """

    def __init__(self) -> None:
        self.asked, self.left = asyncio.Semaphore(0), asyncio.Semaphore(0)
        self.may_answer: list[asyncio.Event] = []
        self.open: set[int] = set()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.may_answer.append(may_answer := asyncio.Event())
        number = len(self.may_answer)
        self.open.add(number)
        service = Service(reader, writer, MAX_CONCURRENT_STREAMS=1)
        try:
            await service.asked(1)
            self.asked.release()
            await may_answer.wait()
            await service.answer_all()
        finally:
            self.open.discard(number)
            self.left.release()


async def burst(service: OneAtATime, calls: list[asyncio.Task[Outcome]]) -> None:
    """Wait until all of them have come."""
    for _ in calls:
        await service.asked.acquire()


async def test_what_a_burst_has_made_is_closed_when_it_is_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_backend, "_IDLE_S", 0.01)
    service = OneAtATime()
    async with backend(service) as made:
        calls = [calling(made, str(number)) for number in range(4)]
        await burst(service, calls)
        for number in (0, 1, 3):
            service.may_answer[number].set()
        assert [await calls[number] for number in (0, 1, 3)] == [Outcome([each]) for each in "013"]
        await service.left.acquire()
        await service.left.acquire()
        assert service.open == {1, 3}, "the first stays, and the one that is used"
        service.may_answer[2].set()
        assert await calls[2] == Outcome(["2"])
        await service.left.acquire()
        assert (service.open, made._sweep) == ({1}, None)
        assert await calling(made, "again") == Outcome(["again"])


async def test_a_back_end_that_is_closed_watches_nothing() -> None:
    service = OneAtATime()
    async with backend(service) as made:
        calls = [calling(made), calling(made)]
        await burst(service, calls)
        assert made._sweep is not None
        await made.close()
        assert made._sweep is None
        await asyncio.gather(*calls)


async def test_no_call_is_lost_while_connections_come_and_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_backend, "_IDLE_S", 0.0)

    async def answer_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await Service(reader, writer, MAX_CONCURRENT_STREAMS=1).answer_all()

    async with backend(answer_at_once) as made:
        for turn in range(20):
            calls = [calling(made, f"{turn} {number}") for number in range(5)]
            assert await asyncio.gather(*calls) == [Outcome([f"{turn} {number}"]) for number in range(5)]
