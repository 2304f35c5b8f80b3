"""However a call ends, and wherever its servicer waits or fails: it is told once, and nothing is left."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, suppress
from typing import Any

import grpc
import grpc.aio
import pytest

from asgi_grpc.errors import CallError, Code, RequestError
from tests.calls.facts import AIO, SYNC, Outcome, Served, serving, text
from tests.calls.servers import BIDI, DOWN, ENDS, UNARY, UP, source, until

IN_PROCESS = AIO[1]


class Waits:
    """A handler for each place where an async one can wait; it notes how its waiting ends."""

    def __init__(self) -> None:
        self.waiting = asyncio.Event()
        self.over = asyncio.Event()
        self.seen: list[str] = []
        self.called_back: list[tuple[bool, bool]] = []

    async def bidi(self, wait: Callable[[Any, Any], Awaitable[Any]], requests: Any, context: Any) -> None:
        context.add_done_callback(lambda context: self.called_back.append((context.done(), context.cancelled())))
        try:
            await wait(requests, context)
        except asyncio.CancelledError:
            self.seen.append("cancelled")
            raise
        finally:
            self.over.set()

    async def read(self, requests: Any, context: Any) -> None:
        self.waiting.set()
        await context.read()

    async def iterate(self, requests: Any, context: Any) -> None:
        self.waiting.set()
        async for _ in requests:
            pass

    async def sleep(self, requests: Any, context: Any) -> None:
        self.waiting.set()
        await asyncio.Event().wait()

    async def gather(self, requests: Any, context: Any) -> None:
        self.waiting.set()
        await asyncio.gather(asyncio.Event().wait(), context.read())

    async def group(self, requests: Any, context: Any) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.Event().wait())
            self.waiting.set()

    async def write(self, requests: Any, context: Any) -> None:
        while True:
            await context.write(text("x" * 60_000))
            self.waiting.set()


async def begun(start: Callable[[], Awaitable[Any]], waiting: Callable[[], bool]) -> asyncio.Task[Any]:
    """A call whose servicer has got to its waiting; a busy machine may need more than one."""
    while True:
        running = asyncio.ensure_future(start())
        await until(lambda task=running: waiting() or task.done())  # type: ignore[misc]
        if waiting():
            return running


WAITS = ["read", "iterate", "sleep", "gather", "group", "write"]


async def gone(call: Served, running: asyncio.Task[Any]) -> str:
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    return "gone"


async def stopped(call: Served, running: asyncio.Task[Any]) -> Code:
    await call.stop()
    return (await running).code  # type: ignore[no-any-return]


async def expired(call: Served, running: asyncio.Task[Any]) -> Code:
    return (await running).code  # type: ignore[no-any-return]


# At a grpc.aio server a read that waits then finds the end of the input, and a write an error of grpcio's own.
@pytest.mark.parametrize(
    ("name", "wait"),
    [(IN_PROCESS, wait) for wait in WAITS] + [(AIO[0], wait) for wait in ("sleep", "gather", "group")],
)
@pytest.mark.parametrize(
    ("end", "told"), [(gone, "gone"), (stopped, Code.UNAVAILABLE), (expired, Code.DEADLINE_EXCEEDED)]
)
async def test_an_async_servicer_is_cancelled_wherever_it_waits(name: str, wait: str, end: Any, told: Any) -> None:
    waits = Waits()

    async def bidi(requests: Any, context: Any) -> None:
        await waits.bidi(getattr(waits, wait), requests, context)

    async def slowly(call: Served) -> Outcome:
        replies = call.backend.start(BIDI, source(None), deadline_s=0.2 if end is expired else None).replies()
        async with aclosing(replies):
            try:
                async for _ in replies:
                    if wait == "write":
                        await waits.over.wait()  # too slow to read another one
            except CallError as exc:
                return Outcome(code=exc.code)
        return Outcome()

    async with serving(name, bidi=bidi) as call:
        running = await begun(lambda: slowly(call), waits.waiting.is_set)
        assert await end(call, running) == told
        await asyncio.wait_for(waits.over.wait(), 5)
        await until(lambda: len(waits.called_back) == 1)
    assert waits.seen == ["cancelled"]
    if name == IN_PROCESS:
        assert waits.called_back == [(True, told == "gone")]


async def test_a_generator_that_waits_in_a_yield_is_cancelled_there() -> None:
    seen: list[str] = []

    async def down(request: Any, context: Any) -> AsyncIterator[Any]:
        try:
            while True:
                yield text("x" * 60_000)
        except asyncio.CancelledError:
            seen.append(f"cancelled, active {context.is_active()}")
            raise

    async with serving(IN_PROCESS, down=down) as call:
        replies = call.backend.start(DOWN, source(["a"])).replies()
        await anext(replies)
        await replies.aclose()
    assert seen == ["cancelled, active False"]


@pytest.mark.parametrize("name", AIO)
async def test_an_interceptor_that_waits_is_cancelled(name: str) -> None:
    waiting = asyncio.Event()
    seen: list[str] = []

    class Waiting(grpc.aio.ServerInterceptor):
        async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
            waiting.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                seen.append("cancelled")
                raise

    async with serving(name, interceptors=[Waiting()], unary=Waits().sleep) as call:
        running = asyncio.create_task(call(UNARY, ["a"]))
        await waiting.wait()
        await gone(call, running)
        await until(lambda: seen == ["cancelled"])


async def test_a_bad_request_cancels_a_servicer_that_does_something_else() -> None:
    waits = Waits()

    async def bidi(requests: Any, context: Any) -> None:
        await waits.bidi(waits.gather, requests, context)

    async with serving(IN_PROCESS, bidi=bidi) as call:
        with pytest.raises(RequestError, match="bad"):
            await call(BIDI, RequestError("bad"))
    assert waits.seen == ["cancelled"]
    assert waits.called_back == [(True, True)]


async def test_nothing_is_left_after_any_end() -> None:
    before = threading.active_count()
    for wait in WAITS:
        waits = Waits()

        async def bidi(requests: Any, context: Any, waits: Waits = waits, wait: str = wait) -> None:
            await waits.bidi(getattr(waits, wait), requests, context)

        async with serving(IN_PROCESS, bidi=bidi) as call:
            running = asyncio.create_task(call(BIDI, None))
            await waits.waiting.wait()
            await gone(call, running)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert threading.active_count() == before


class Blocks:
    """The same for sync handlers."""

    def __init__(self) -> None:
        self.waiting = threading.Event()
        self.over = threading.Event()
        self.seen: list[Any] = []

    def bidi(self, block: Callable[[Any, Any], Iterator[Any]], requests: Any, context: Any) -> Iterator[Any]:
        try:
            yield from block(requests, context)
        except BaseException as exc:
            self.seen.append(type(exc))
            raise
        finally:
            self.seen.append(context.is_active())
            self.over.set()

    def iterate(self, requests: Any, context: Any) -> Iterator[Any]:
        self.waiting.set()
        yield from requests

    def callback(self, requests: Any, context: Any) -> Iterator[Any]:
        ended = threading.Event()
        assert context.add_callback(ended.set)
        self.waiting.set()
        assert ended.wait(5)
        yield text("nobody is there")

    def poll(self, requests: Any, context: Any) -> Iterator[Any]:
        self.waiting.set()
        yield from ()
        while context.is_active():
            threading.Event().wait(0.002)


SEEN = {"iterate": [grpc.RpcError, False], "callback": [GeneratorExit, False], "poll": [False]}


@pytest.mark.parametrize("name", SYNC)
@pytest.mark.parametrize("block", ["iterate", "callback", "poll"])
@pytest.mark.parametrize(
    ("end", "told"), [(gone, "gone"), (stopped, Code.UNAVAILABLE), (expired, Code.DEADLINE_EXCEEDED)]
)
async def test_a_sync_servicer_learns_of_the_end_wherever_it_blocks(
    name: str, block: str, end: Any, told: Any, caplog: pytest.LogCaptureFixture
) -> None:
    blocks = Blocks()

    def bidi(requests: Any, context: Any) -> Iterator[Any]:
        return blocks.bidi(getattr(blocks, block), requests, context)

    async with serving(name, bidi=bidi) as call:
        options = {"deadline_s": 0.2} if end is expired else {}
        running = await begun(lambda: call(BIDI, None, **options), blocks.waiting.is_set)
        assert await end(call, running) == told
        await until(blocks.over.is_set)
    if "server" in name and block == "iterate" and len(blocks.seen) == 1:
        return  # at a real server the end of the call is at times taken for the end of the input
    assert blocks.seen == SEEN[block]
    assert caplog.records == []


POINTS = {
    "at the start": [],
    "between requests": [],
    "after a reply": ["a"],
    "after the last request": ["a", "b"],
    "after the last reply": ["a", "b", "last"],
    "in finally": ["a", "b", "last"],
}


@pytest.mark.parametrize("name", ENDS)
@pytest.mark.parametrize("point", POINTS)
async def test_an_exception_at_any_point_is_unknown_and_replies_before_it_arrive(
    name: str, point: str, caplog: pytest.LogCaptureFixture
) -> None:
    def at(where: str) -> None:
        if where == point:
            raise ValueError("secret")

    async def bidi(requests: Any, context: Any) -> AsyncIterator[Any]:
        try:
            at("at the start")
            async for request in requests:
                at("between requests")
                yield request
                at("after a reply")
            at("after the last request")
            yield text("last")
            at("after the last reply")
        finally:
            at("in finally")

    def sync_bidi(requests: Any, context: Any) -> Iterator[Any]:
        try:
            at("at the start")
            for request in requests:
                at("between requests")
                yield request
                at("after a reply")
            at("after the last request")
            yield text("last")
            at("after the last reply")
        finally:
            at("in finally")

    behaviour: Any = bidi if name in AIO else sync_bidi
    async with serving(name, bidi=behaviour) as call:
        assert (await call(BIDI, ["a", "b"])).status == (POINTS[point], Code.UNKNOWN)
    if name.endswith("in-process"):
        assert [record.getMessage() for record in caplog.records] == ["unexpected ValueError in test.Echo.Bidi"]


@pytest.mark.parametrize("name", ENDS)
@pytest.mark.parametrize("point", ["before the handler is known", "after the handler is known"])
async def test_an_exception_in_an_interceptor_is_unknown(name: str, point: str) -> None:
    class Async(grpc.aio.ServerInterceptor):
        async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
            if point.startswith("after"):
                await continuation(handler_call_details)
            raise ValueError

    class Sync(grpc.ServerInterceptor):
        def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
            if point.startswith("after"):
                continuation(handler_call_details)
            raise ValueError

    async def up(requests: Any, context: Any) -> Any:
        raise AssertionError

    interceptor: Any = Async() if name in AIO else Sync()
    async with serving(name, interceptors=[interceptor], up=up) as call:
        assert (await call(UP, ["a"], None)).status == ([], Code.UNKNOWN)


@pytest.mark.parametrize("name", ENDS)
async def test_an_exception_in_a_callback_changes_nothing(name: str, caplog: pytest.LogCaptureFixture) -> None:
    def fail(*_: Any) -> None:
        raise ValueError

    async def unary(request: Any, context: Any) -> Any:
        context.add_done_callback(fail)
        return request

    def sync_unary(request: Any, context: Any) -> Any:
        assert context.add_callback(fail)
        return request

    behaviour: Any = unary if name in AIO else sync_unary
    async with serving(name, unary=behaviour) as call:
        assert await call(UNARY, ["a"]) == Outcome(["a"])
        await until(lambda: "allback" in caplog.text)


@pytest.mark.parametrize("name", SYNC)
async def test_header_metadata_after_the_client_went_is_an_rpc_error(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    blocks = Blocks()

    def bidi(requests: Any, context: Any) -> Iterator[Any]:
        def late(requests: Any, context: Any) -> Iterator[Any]:
            blocks.waiting.set()
            while context.is_active():
                threading.Event().wait(0.002)
            context.send_initial_metadata((("too", "late"),))
            yield from ()

        return blocks.bidi(late, requests, context)

    async with serving(name, bidi=bidi) as call:
        running = asyncio.create_task(call(BIDI, None))
        await until(blocks.waiting.is_set)
        await gone(call, running)
        await until(blocks.over.is_set)
    assert blocks.seen == [grpc.RpcError, False]
    assert caplog.records == []
