"""Unary servicers in the task that waits for them: what the long way does, without a task of their own."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue

from asgi_grpc.calls import ServicerBackend, Servicers
from asgi_grpc.calls._inline import InlineCall
from asgi_grpc.errors import CallError, Code
from tests.calls.servers import ECHO, UNARY, handlers, source


class Hanging:
    """A unary servicer that waits, and notes what it sees when it is cancelled."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.seen: list[Any] = []

    async def unary(self, request: StringValue, context: Any) -> StringValue:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.seen = [context.is_active(), context.cancelled(), context.done()]
            raise
        return request


def started(unary: Any, **options: Any) -> Any:
    """A call of it, that is still to be waited for."""
    registry = Servicers()
    registry.add_generic_rpc_handlers([handlers(SimpleNamespace(unary=unary, down=unary, up=unary, bidi=unary))])
    return ServicerBackend(registry, ECHO).start(UNARY, source(["a"]), **options)


async def test_the_servicer_runs_in_the_task_that_waits() -> None:
    tasks: list[Any] = []

    async def unary(request: StringValue, context: Any) -> StringValue:
        tasks.append(asyncio.current_task())
        return request

    call = started(unary)
    assert isinstance(call, InlineCall)
    assert await call.only_reply() == StringValue(value="a")
    assert tasks == [asyncio.current_task()]


async def test_a_call_with_a_deadline_has_a_task_of_its_own() -> None:
    async def unary(request: StringValue, context: Any) -> StringValue:
        return request

    assert not hasattr(started(unary, deadline_s=60.0), "only_reply")


async def test_whoever_cancels_the_waiting_task_cancels_the_servicer_and_stays_cancelled() -> None:
    hanging = Hanging()
    call = started(hanging.unary)
    waiting = asyncio.create_task(call.only_reply())
    await hanging.begun.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert hanging.seen == [False, True, True]


async def test_a_servicer_that_swallows_the_cancellation_does_not_swallow_it_for_others() -> None:
    begun = asyncio.Event()

    async def unary(request: StringValue, context: Any) -> StringValue:
        begun.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return request

    call = started(unary)
    waiting = asyncio.create_task(call.only_reply())
    await begun.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_an_end_from_outside_is_told_and_the_task_goes_on() -> None:
    hanging = Hanging()
    call = started(hanging.unary)

    async def wait() -> tuple[CallError, int]:
        with pytest.raises(CallError) as caught:
            await call.only_reply()
        task = asyncio.current_task()
        assert task is not None
        await asyncio.sleep(0)
        return caught.value, task.cancelling()

    waiting = asyncio.create_task(wait())
    await hanging.begun.wait()
    call.end(CallError(Code.UNAVAILABLE, "the server is shutting down"))
    error, cancelling = await waiting
    assert (error.code, cancelling) == (Code.UNAVAILABLE, 0)
    assert hanging.seen[0] is False


async def test_a_servicer_that_cancels_its_call_and_returns_leaves_no_cancellation_behind() -> None:
    async def unary(request: StringValue, context: Any) -> StringValue:
        context.cancel()
        return request

    call = started(unary)
    with pytest.raises(CallError) as caught:
        await call.only_reply()
    await asyncio.sleep(0)
    assert caught.value.code is Code.CANCELLED


async def test_a_servicer_that_raises_a_cancellation_of_its_own_ends_its_call_only() -> None:
    async def unary(request: StringValue, context: Any) -> StringValue:
        raise asyncio.CancelledError

    call = started(unary)
    with pytest.raises(CallError) as caught:
        await call.only_reply()
    assert caught.value.code is Code.CANCELLED


async def test_another_task_of_the_servicer_may_abort() -> None:
    async def unary(request: StringValue, context: Any) -> StringValue:
        async def abort() -> None:
            await context.abort(grpc.StatusCode.ABORTED, "enough")

        task = asyncio.create_task(abort())
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.gather(task, return_exceptions=True)
        return request

    call = started(unary)
    with pytest.raises(CallError) as caught:
        await call.only_reply()
    assert (caught.value.code, caught.value.message) == (Code.ABORTED, "enough")


async def test_it_may_be_iterated_as_well() -> None:
    async def unary(request: StringValue, context: Any) -> StringValue:
        return request

    call = started(unary)
    assert [[message.value for message in batch] async for batch in call.replies()] == [["a"]]
