"""Facts of grpcio's tests of deadlines, and of sync handlers behind an async server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc
import pytest

from asgi_grpc.errors import Code
from asgi_grpc.schema import Method
from tests.calls.facts import AIO, Outcome, fact, serving, text
from tests.calls.servers import BIDI, DOWN, UNARY, UP

LONG_S = 100.0
SHORT_S = 1.0  # a busy machine takes a while to give the first reply


class Slow:
    """Handlers that wait after their first message where they are told to."""

    def __init__(self, *, forever: bool) -> None:
        self.forever = forever

    async def wait(self) -> None:
        await (asyncio.Event().wait() if self.forever else asyncio.sleep(0.01))

    async def unary(self, request: Any, context: Any) -> Any:
        await self.wait()
        return text("r")

    async def down(self, request: Any, context: Any) -> AsyncIterator[Any]:
        yield text("first")
        await self.wait()
        yield text("second")

    async def up(self, requests: Any, context: Any) -> Any:
        first = await context.read()
        await self.wait()
        second = await context.read()
        return text(first.value + second.value)

    async def bidi(self, requests: Any, context: Any) -> None:
        await context.read()
        await self.wait()
        await context.write(text("r"))

    def behaviours(self) -> dict[str, Any]:
        return {"unary": self.unary, "down": self.down, "up": self.up, "bidi": self.bidi}


TIMEOUTS = [
    pytest.param(UNARY, ["a"], ["r"], [], id="timeout_test.unary_unary"),
    pytest.param(DOWN, ["a"], ["first", "second"], ["first"], id="timeout_test.unary_stream"),
    pytest.param(UP, ["a", "b"], ["ab"], [], id="timeout_test.stream_unary"),
    pytest.param(BIDI, ["a"], ["r"], [], id="timeout_test.stream_stream"),
]


@pytest.mark.parametrize("name", AIO)
@pytest.mark.parametrize(("kind", "requests", "whole", "cut"), TIMEOUTS)
async def test_a_call_that_is_quick_enough_has_all_its_replies(
    name: str, kind: Method, requests: list[str], whole: list[str], cut: list[str]
) -> None:
    async with serving(name, **Slow(forever=False).behaviours()) as call:
        assert await call(kind, requests, deadline_s=LONG_S) == Outcome(whole)


@pytest.mark.parametrize("name", AIO)
@pytest.mark.parametrize(("kind", "requests", "whole", "cut"), TIMEOUTS)
async def test_a_deadline_ends_a_call_and_replies_before_it_arrive(
    name: str, kind: Method, requests: list[str], whole: list[str], cut: list[str]
) -> None:
    async with serving(name, **Slow(forever=True).behaviours()) as call:
        outcome = await call(kind, requests, deadline_s=SHORT_S)
    assert outcome.status == (cut, Code.DEADLINE_EXCEEDED)


@fact("server_time_remaining_test.servicer_context_time_remaining")
async def test_the_time_that_remains_is_told_and_none_without_a_deadline(name: str) -> None:
    seen: list[float | None] = []

    async def unary(request: Any, context: Any) -> Any:
        seen.append(context.time_remaining())
        return request

    async with serving(name, unary=unary) as call:
        await call(UNARY, ["a"], deadline_s=LONG_S)
        await call(UNARY, ["a"])
    assert seen[0] is not None
    assert LONG_S / 2 < seen[0] <= LONG_S + 1
    assert seen[1] is None


class Sync:
    """Plain functions and generators."""

    @staticmethod
    def echo(request: Any, context: Any) -> Any:
        return request

    @staticmethod
    def metadata(request: Any, context: Any) -> Any:
        context.send_initial_metadata((("unique", "key-42"),))
        return request

    @staticmethod
    def abort(request: Any, context: Any) -> None:
        context.abort(grpc.StatusCode.INTERNAL, "Test")

    @staticmethod
    def set_code(request: Any, context: Any) -> None:
        context.set_code(grpc.StatusCode.INTERNAL)

    @staticmethod
    def down(request: Any, context: Any) -> Iterator[Any]:
        for _ in range(5):
            yield request

    @staticmethod
    def down_fails(request: Any, context: Any) -> Iterator[Any]:
        yield request
        yield request
        raise RuntimeError("Test")

    @staticmethod
    def up(requests: Iterator[Any], context: Any) -> Any:
        return text("".join(request.value for request in requests))

    @staticmethod
    def up_fails(requests: Iterator[Any], context: Any) -> Any:
        assert len(list(requests)) == 3
        raise RuntimeError("Test")

    @staticmethod
    def bidi(requests: Iterator[Any], context: Any) -> Iterator[Any]:
        yield from requests

    @staticmethod
    def bidi_fails(requests: Iterator[Any], context: Any) -> Iterator[Any]:
        yield from requests
        raise RuntimeError("Test")


@pytest.mark.parametrize("name", AIO)
@pytest.mark.parametrize(
    ("kind", "handler", "status"),
    [
        pytest.param(UNARY, Sync.echo, (["a"], Code.OK), id="compatibility_test.sync_unary_unary_success"),
        pytest.param(UNARY, Sync.abort, ([], Code.INTERNAL), id="compatibility_test.sync_unary_unary_abort"),
        pytest.param(UNARY, Sync.set_code, ([], Code.INTERNAL), id="compatibility_test.sync_unary_unary_set_code"),
        pytest.param(DOWN, Sync.down, (["a"] * 5, Code.OK), id="compatibility_test.sync_unary_stream_success"),
        pytest.param(DOWN, Sync.down_fails, (["a"] * 2, Code.UNKNOWN), id="compatibility_test.sync_unary_stream_error"),
        pytest.param(UP, Sync.up, (["abc"], Code.OK), id="compatibility_test.sync_stream_unary_success"),
        pytest.param(UP, Sync.up_fails, ([], Code.UNKNOWN), id="compatibility_test.sync_stream_unary_error"),
        pytest.param(BIDI, Sync.bidi, ([*"abc"], Code.OK), id="compatibility_test.sync_stream_stream_success"),
        pytest.param(BIDI, Sync.bidi_fails, ([*"abc"], Code.UNKNOWN), id="compatibility_test.sync_stream_stream_error"),
    ],
)
async def test_sync_handlers_work_where_async_ones_do(
    name: str, kind: Method, handler: Any, status: tuple[list[str], Code]
) -> None:
    behaviours = {{UNARY: "unary", DOWN: "down", UP: "up", BIDI: "bidi"}[kind]: handler}
    async with serving(name, **behaviours) as call:
        assert (await call(kind, [*"abc"] if kind.client_streaming else ["a"])).status == status


@fact("compatibility_test.sync_unary_unary_metadata")
async def test_a_sync_handler_sends_metadata_ahead(name: str) -> None:
    async with serving(name, unary=Sync.metadata) as call:
        assert await call(UNARY, ["a"]) == Outcome(["a"], initial=(("unique", "key-42"),))
