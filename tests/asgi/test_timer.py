"""Silence, measured with a clock that the test turns."""

from __future__ import annotations

import asyncio

import pytest

from asgi_grpc.asgi._timer import Patience, SilenceTimer


async def test_every_silence_calls_back() -> None:
    beats: list[int] = []
    twice = asyncio.Event()

    def beat() -> None:
        beats.append(1)
        if len(beats) == 2:
            twice.set()

    timer = SilenceTimer(0.01)
    timer.start(beat)
    await asyncio.wait_for(twice.wait(), 5)
    timer.stop()
    timer.stop()


async def test_a_note_moves_the_callback_away(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    real, shift = loop.time, [0.0]
    calls: list[float] = []
    monkeypatch.setattr(loop, "time", lambda: real() + shift[0])
    timer = SilenceTimer(100.0)
    timer.start(lambda: calls.append(loop.time()))
    shift[0] = 99.0
    timer.note()
    shift[0] = 101.0  # the first timer is due, and finds that something happened two seconds ago
    timer._look()
    assert calls == []
    shift[0] = 200.0
    timer._look()
    assert len(calls) == 1
    timer.stop()


async def test_no_length_means_never() -> None:
    timer = SilenceTimer(None)
    timer.start(lambda: None)
    timer.note()
    timer.stop()


class Told:
    """Somebody who notes that it was told."""

    def __init__(self, name: str, told: list[str], last: asyncio.Event | None = None) -> None:
        self._name = name
        self._told = told
        self._last = last

    def note_slowness(self) -> None:
        """See ``Slow``."""
        self._told.append(self._name)
        if self._last is not None:
            self._last.set()


async def test_those_that_take_long_are_told_once_and_in_order() -> None:
    told: list[str] = []
    last = asyncio.Event()
    patience = Patience(0.001)
    quick, *slow = [Told("quick", told), Told("first", told), Told("second", told, last)]
    for one in (slow[0], quick, slow[1]):
        patience.enter(one)
    patience.leave(quick)
    await asyncio.wait_for(last.wait(), 5)
    for one in slow:
        patience.leave(one)
    assert told == ["first", "second"]


async def test_who_comes_later_is_told_later() -> None:
    told: list[str] = []
    last = asyncio.Event()
    patience = Patience(0.01)
    patience.enter(Told("first", told))
    await asyncio.sleep(0.005)
    patience.enter(Told("second", told, last))
    await asyncio.wait_for(last.wait(), 5)
    assert told == ["first", "second"]


def test_a_loop_that_ended_takes_its_timer_along() -> None:
    told: list[str] = []
    patience = Patience(0.001)

    async def leave_behind() -> None:
        patience.enter(Told("of a loop that ended", told))

    async def wait() -> None:
        last = asyncio.Event()
        patience.enter(Told("of the next", told, last))
        await asyncio.wait_for(last.wait(), 5)

    asyncio.run(leave_behind())
    asyncio.run(wait())
    assert told == ["of the next"]
