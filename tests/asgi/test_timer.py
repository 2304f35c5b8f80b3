"""Silence, measured with a clock that the test turns."""

from __future__ import annotations

import asyncio

import pytest

from asgi_grpc.asgi._timer import SilenceTimer


async def test_every_silence_calls_back() -> None:
    beats: list[int] = []
    twice = asyncio.Event()

    def beat() -> None:
        beats.append(1)
        if len(beats) == 2:
            twice.set()

    timer = SilenceTimer(0.01, beat)
    timer.start()
    await asyncio.wait_for(twice.wait(), 5)
    timer.stop()
    timer.stop()


async def test_a_note_moves_the_callback_away(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    real, shift = loop.time, [0.0]
    calls: list[float] = []
    monkeypatch.setattr(loop, "time", lambda: real() + shift[0])
    timer = SilenceTimer(100.0, lambda: calls.append(loop.time()))
    timer.start()
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
    timer = SilenceTimer(None, lambda: None)
    timer.note()
    timer.stop()
