"""What differs from a gRPC server on purpose: a test for rows of the table in docs/servicers.md."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

import grpc
import grpc.aio
import pytest

from asgi_grpc.calls import Servicers
from asgi_grpc.errors import Code, ConfigurationError
from tests.calls.facts import AIO, SYNC, Outcome, method_handler, method_handlers, serving, text
from tests.calls.servers import DOWN, UNARY, until

at_async_ends = pytest.mark.parametrize("name", AIO)
at_sync_ends = pytest.mark.parametrize("name", SYNC)
at_all_ends = pytest.mark.parametrize("name", [*AIO, *SYNC])


@at_all_ends
async def test_the_text_of_an_exception_stays_in_the_log(name: str) -> None:
    async def unary(request: Any, context: Any) -> None:
        raise ValueError("secret")

    def sync_unary(request: Any, context: Any) -> None:
        raise ValueError("secret")

    behaviour: Any = unary if name in AIO else sync_unary
    async with serving(name, unary=behaviour) as call:
        outcome = await call(UNARY, ["a"])
    assert outcome.code is Code.UNKNOWN
    assert ("secret" in outcome.message) == ("server" in name)


@at_async_ends
async def test_details_that_were_set_outlive_an_exception(name: str) -> None:
    async def unary(request: Any, context: Any) -> None:
        context.set_details("mine")
        raise ValueError("secret")

    async with serving(name, unary=unary) as call:
        outcome = await call(UNARY, ["a"])
    assert outcome == Outcome(
        code=Code.UNKNOWN,
        message="mine" if name == AIO[1] else "Unexpected <class 'ValueError'>: secret",
    )


@at_all_ends
async def test_the_size_of_a_reply_is_the_servicer_s_own_business(name: str) -> None:
    async def unary(request: Any, context: Any) -> Any:
        return text("x" * (5 << 20))

    def sync_unary(request: Any, context: Any) -> Any:
        return text("x" * (5 << 20))

    behaviour: Any = unary if name in AIO else sync_unary
    async with serving(name, unary=behaviour) as call:
        outcome = await call(UNARY, ["a"])
    if "server" in name:
        assert outcome.status == ([], Code.RESOURCE_EXHAUSTED)
    else:
        assert [len(reply) for reply in outcome.replies] == [5 << 20]


@at_async_ends
async def test_a_servicer_that_cancels_itself_ends_its_call(name: str) -> None:
    async def unary(request: Any, context: Any) -> None:
        raise asyncio.CancelledError

    async with serving(name, unary=unary) as call:
        outcome = await call(UNARY, ["a"], deadline_s=0.2)
    assert outcome.code is (Code.CANCELLED if name == AIO[1] else Code.DEADLINE_EXCEEDED)


@at_async_ends
async def test_a_callback_knows_how_the_call_ended(name: str) -> None:
    seen: list[Any] = []

    async def unary(request: Any, context: Any) -> None:
        context.add_done_callback(lambda context: seen.append(context.code()))
        raise ValueError

    async with serving(name, unary=unary) as call:
        await call(UNARY, ["a"])
        await until(lambda: len(seen) == 1)
    assert seen == [grpc.StatusCode.UNKNOWN if name == AIO[1] else None]


@at_async_ends
async def test_a_callback_knows_that_the_client_went(name: str) -> None:
    seen: list[Any] = []
    started = asyncio.Event()

    async def unary(request: Any, context: Any) -> None:
        context.add_done_callback(lambda context: seen.append((context.done(), context.cancelled(), context.code())))
        started.set()
        await asyncio.Event().wait()

    async with serving(name, unary=unary) as call:
        running = asyncio.create_task(call(UNARY, ["a"]))
        await started.wait()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await until(lambda: len(seen) == 1)
    assert seen == [(True, True, grpc.StatusCode.CANCELLED) if name == AIO[1] else (False, False, None)]


@at_sync_ends
async def test_nothing_is_sent_after_an_abort_that_was_swallowed(name: str) -> None:
    def down(request: Any, context: Any) -> Iterator[Any]:
        with suppress(Exception):
            context.abort(grpc.StatusCode.ABORTED, "swallowed")
        yield text("late")

    async with serving(name, down=down) as call:
        outcome = await call(DOWN, ["a"])
    assert outcome == Outcome(["late"] if "server" in name else [], Code.ABORTED, "swallowed")


@at_async_ends
async def test_the_status_of_another_call_is_passed_on(name: str) -> None:
    async def unary(request: Any, context: Any) -> None:
        nothing = grpc.aio.Metadata()
        raise grpc.aio.AioRpcError(grpc.StatusCode.NOT_FOUND, nothing, nothing, "not there")

    async with serving(name, unary=unary) as call:
        outcome = await call(UNARY, ["a"])
    assert outcome.code is (Code.NOT_FOUND if name == AIO[1] else Code.UNKNOWN)


@at_async_ends
async def test_a_handler_may_reply_with_text_to_its_own_serializer(name: str) -> None:
    async def unary(request: Any, context: Any) -> str:
        return "a"

    def serialize(reply: str | bytes) -> bytes:
        return text(type(reply).__name__).SerializeToString()

    handler: Any = grpc.unary_unary_rpc_method_handler(unary, None, serialize)
    async with serving(name, registered={"Unary": handler}) as call:
        assert await call(UNARY, ["a"]) == Outcome(["str" if name == AIO[1] else "bytes"])


def test_one_method_has_one_handler() -> None:
    async def down(request: Any, context: Any) -> AsyncIterator[Any]:
        yield request

    registry = Servicers()
    registry.add_registered_method_handlers("test.Echo", method_handlers(down=down))
    with pytest.raises(ConfigurationError, match=r"test\.Echo\.Down is registered twice"):
        registry.add_registered_method_handlers("test.Echo", method_handlers(down=lambda request, context: [request]))


@at_sync_ends
async def test_a_third_argument_is_not_given(name: str) -> None:
    def down(request: Any, context: Any, on_next: Any = None) -> list[Any] | None:
        if on_next is None:
            return [text("two")]
        on_next(text("three"))
        on_next(None)
        return None

    down.experimental_non_blocking = True  # type: ignore[attr-defined]
    async with serving(name, down=down) as call:
        assert await call(DOWN, ["a"]) == Outcome(["two" if name == SYNC[1] else "three"])


def test_handlers_that_need_a_third_argument_are_refused() -> None:
    def down(request: Any, context: Any, on_next: Any) -> None:
        on_next(request)

    down.experimental_non_blocking = True  # type: ignore[attr-defined]
    with pytest.raises(ConfigurationError, match=r"test\.Echo\.Down: experimental_non_blocking is not supported"):
        Servicers().add_registered_method_handlers("test.Echo", {"Down": method_handler(DOWN, down)})
