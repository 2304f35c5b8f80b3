"""The log says how each call ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any, NoReturn, cast

import grpc
import pytest
import streaming_calls
from streaming_calls import inputs, invalid, serving


class AbortedError(Exception):
    """What a context raises to end a call."""


class FakeContext:
    async def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        raise AbortedError(code, details)


@pytest.mark.parametrize(
    ("error", "raised", "line"),
    [
        (invalid("no"), AbortedError(grpc.StatusCode.INVALID_ARGUMENT, "no"), "Chat refused: room general: no"),
        (asyncio.CancelledError(), asyncio.CancelledError(), "Chat cancelled: room general"),
        (grpc.aio.InternalError(), grpc.aio.InternalError(), "Chat cancelled: room general"),
        (KeyError("x"), KeyError("x"), "Chat failed: room general"),
        (None, None, "Chat ended: room general"),
    ],
)
async def test_how_a_call_ends_is_logged(
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException | None,
    raised: BaseException | None,
    line: str,
) -> None:
    async def call() -> None:
        async with serving(cast(Any, FakeContext()), "Chat") as call:
            call.about = "room general"
            if error:
                raise error

    monkeypatch.setattr(streaming_calls, "GONE_S", 0)
    caplog.set_level(logging.INFO, "streaming")
    if raised is None:
        await call()
    else:
        with pytest.raises(type(raised)) as caught:
            await call()
        assert caught.value.args == raised.args
    assert caplog.messages == [line]


async def test_the_end_of_the_input_waits_for_a_cancellation() -> None:
    async def endless() -> AsyncIterator[int]:
        yield 1

    heard: list[int] = []

    async def handle() -> None:
        async for item in inputs(endless()):
            heard.append(item)  # noqa: PERF401
        heard.append(0)

    task = asyncio.create_task(handle())
    while not heard:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert heard == [1]
