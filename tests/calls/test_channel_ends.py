"""Calls that end while a message is written, and of which grpcio tells an INTERNAL of its own: grpc/grpc#36066.

With a real server that is so about once in five calls whose service ends before its input does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.message import Message

from asgi_grpc.calls import ChannelBackend
from asgi_grpc.calls._channel import ChannelCall
from asgi_grpc.errors import Code
from tests.calls.facts import Outcome, outcome_of, text
from tests.calls.servers import BIDI, UP, source

NOTHING = grpc.aio.Metadata()
TRAILERS = grpc.aio.Metadata(("why", "lost"))
INTERNAL = (grpc.StatusCode.INTERNAL, "Internal error from Core", NOTHING)
NOT_FOUND = (grpc.StatusCode.NOT_FOUND, "no such text", TRAILERS)
OK = (grpc.StatusCode.OK, "", TRAILERS)


class OverwrittenCall:
    """Has these ends, one after the other; its caller is told the INTERNAL."""

    def __init__(self, *ends: Any) -> None:
        self.ends = ends
        self.end: Any = None

    def __call__(self, **_: Any) -> OverwrittenCall:
        return self

    def add_done_callback(self, done: Callable[[Any], None]) -> None:
        def tell(end: Any) -> None:
            self.end = end
            done(self)

        for delay, end in enumerate(self.ends):
            asyncio.get_running_loop().call_later(0.01 * delay, tell, end)

    async def code(self) -> grpc.StatusCode:
        return self.end[0]  # type: ignore[no-any-return]

    async def details(self) -> str:
        return self.end[1]  # type: ignore[no-any-return]

    async def trailing_metadata(self) -> Any:
        return self.end[2]

    async def initial_metadata(self) -> Any:
        return None

    async def write(self, _message: Message) -> None:
        await asyncio.Event().wait()

    def cancel(self) -> None:
        pass

    def __await__(self) -> Any:
        yield from asyncio.sleep(0.005).__await__()
        raise grpc.aio.AioRpcError(INTERNAL[0], NOTHING, NOTHING, INTERNAL[1])

    async def __aiter__(self) -> AsyncIterator[Message]:
        yield text("last")
        await self


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asgi_grpc.calls._channel._TRUE_END_S", 0.05)
    monkeypatch.setattr("asgi_grpc.calls._channel._LATE_END_S", 0.02)


@pytest.mark.parametrize("ends", [(NOT_FOUND, INTERNAL), (INTERNAL, NOT_FOUND)], ids=["before", "after"])
async def test_a_status_that_grpcio_overwrites_is_not_lost(ends: Any) -> None:
    outcome = await outcome_of(ChannelCall(OverwrittenCall(*ends), UP, source(["a"]), (), None))
    assert outcome == Outcome([], Code.NOT_FOUND, "no such text", trailers=(("why", "lost"),))


@pytest.mark.parametrize("ends", [(OK, INTERNAL), (INTERNAL, OK)], ids=["before", "after"])
async def test_a_stream_that_ended_well_ends_well(ends: Any) -> None:
    outcome = await outcome_of(ChannelCall(OverwrittenCall(*ends), BIDI, source(["a"]), (), None))
    assert outcome == Outcome(["last"], trailers=(("why", "lost"),))


async def test_a_reply_that_is_lost_is_an_error() -> None:
    outcome = await outcome_of(ChannelCall(OverwrittenCall(INTERNAL, OK), UP, source(["a"]), (), None))
    assert outcome == Outcome([], Code.INTERNAL, "Internal error from Core")


async def test_without_another_end_it_is_grpcio_s() -> None:
    outcome = await outcome_of(ChannelCall(OverwrittenCall(INTERNAL), BIDI, source(["a"]), (), None))
    assert outcome == Outcome(["last"], Code.INTERNAL, "Internal error from Core")


async def test_without_another_end_a_deadline_that_has_passed_is_the_reason() -> None:
    outcome = await outcome_of(ChannelCall(OverwrittenCall(INTERNAL), UP, source(["a"]), (), 0.003))
    assert outcome == Outcome([], Code.DEADLINE_EXCEEDED, "Deadline Exceeded")


async def test_a_channel_is_opened_once() -> None:
    backend = ChannelBackend("127.0.0.1:1")
    await backend.open()
    channel = backend._channel
    await backend.open()
    assert backend._channel is channel
    await backend.close()
