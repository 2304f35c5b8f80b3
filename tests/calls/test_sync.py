"""Sync servicers: threads, their bound, and what blocks in them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.wrappers_pb2 import StringValue

from asgi_grpc.calls import ServicerBackend, Servicers
from asgi_grpc.errors import CallError, Code, RequestError
from tests.calls.servers import BIDI, DOWN, ECHO, KINDS, UNARY, UP, Seen, SyncEcho, end, handlers, source, texts, until

SYNC = "sync-in-process"


async def error_of(call: Any) -> CallError:
    with pytest.raises(CallError) as caught:
        await texts(call)
    return caught.value


class Pool:
    """A backend with one thread, whose servicer waits until it is let go."""

    def __init__(self, max_queue: int) -> None:
        self.go = threading.Event()
        self.running = 0
        registry = Servicers(max_workers=1, max_queue=max_queue)
        echo = SyncEcho(Seen())
        echo.unary = self.unary  # type: ignore[method-assign]
        registry.add_generic_rpc_handlers((handlers(echo),))
        self.backend = ServicerBackend(registry, ECHO)

    def unary(self, request: StringValue, context: Any) -> StringValue:
        self.running += 1
        assert self.go.wait(5)
        return request

    def call(self) -> asyncio.Task[list[str]]:
        return asyncio.create_task(texts(self.backend.start(UNARY, source(["a"]))))


async def test_calls_queue_for_a_thread_and_more_of_them_are_refused() -> None:
    pool = Pool(max_queue=1)
    running = pool.call()
    await until(lambda: pool.running == 1)
    waiting = pool.call()
    await asyncio.sleep(0.01)
    error = await error_of(pool.backend.start(UNARY, source(["a"])))
    assert (error.code, error.message) == (Code.RESOURCE_EXHAUSTED, "Concurrent RPC limit exceeded!")
    assert pool.running == 1
    pool.go.set()
    assert [await running, await waiting] == [["a"], ["a"]]
    assert await pool.call() == ["a"]
    await pool.backend.close()


async def test_a_call_that_is_cancelled_in_the_queue_never_runs() -> None:
    pool = Pool(max_queue=1)
    running = pool.call()
    await until(lambda: pool.running == 1)
    waiting = pool.call()
    await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    again = pool.call()
    pool.go.set()
    assert [await running, await again] == [["a"], ["a"]]
    assert pool.running == 2
    await pool.backend.close()
    await pool.backend.close()


@pytest.mark.parametrize("kind", [UP, BIDI], ids=lambda kind: kind.kind)
async def test_a_blocked_iterator_ends_when_the_client_goes(kind: Any) -> None:
    ended = threading.Event()

    class Blocked(SyncEcho):
        def up(self, requests: Iterator[StringValue], context: Any) -> StringValue:
            for request in self.bidi(requests, context):
                self.seen.notes.append(request)
            return StringValue()

        def bidi(self, requests: Iterator[StringValue], context: Any) -> Iterator[StringValue]:
            try:
                for request in requests:
                    self.seen.programs.append(request.value)
                    yield request
            except grpc.RpcError:
                self.seen.notes.append(context.is_active())
                ended.set()
                raise

    echo = Blocked(Seen())
    async with end(SYNC, handler=handlers(echo)) as (_, backend):
        task = asyncio.create_task(texts(backend.start(kind, source(["a"], None))))
        await until(echo.seen.has("a"))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(ended.is_set)
        assert echo.seen.notes[-1] is False


async def test_a_bad_request_ends_a_blocked_iterator() -> None:
    async with end(SYNC) as (seen, backend):
        with pytest.raises(RequestError, match="bad"):
            await texts(backend.start(UP, source(["reply a"], RequestError("bad"))))
        await until(seen.ended.is_set)


async def test_a_generator_that_waits_for_a_slow_reader_ends_when_the_reader_goes() -> None:
    closed = threading.Event()

    class Endless(SyncEcho):
        def down(self, request: StringValue, context: Any) -> Iterator[StringValue]:
            try:
                while True:
                    yield StringValue(value="x")
            finally:
                closed.set()

    async with end(SYNC, handler=handlers(Endless(Seen()))) as (_, backend):
        replies = backend.start(DOWN, source(["go"])).replies()
        await anext(replies)
        await asyncio.sleep(0.01)
        await replies.aclose()
        assert closed.is_set()


async def test_a_callback_may_free_a_blocked_thread() -> None:
    class Waiting(SyncEcho):
        def down(self, request: StringValue, context: Any) -> Iterator[StringValue]:
            gone = threading.Event()
            assert context.add_callback(gone.set)
            yield StringValue(value="first")
            assert gone.wait(5)
            self.seen.notes.append(context.add_callback(gone.set))
            self.seen.ended.set()

    echo = Waiting(Seen())
    async with end(SYNC, handler=handlers(echo)) as (_, backend):
        replies = backend.start(DOWN, source(["go"])).replies()
        await anext(replies)
        await replies.aclose()
        assert echo.seen.ended.is_set()
        assert echo.seen.notes == [False]


async def test_the_service_may_cancel_its_call() -> None:
    class Cancelling(SyncEcho):
        def unary(self, request: StringValue, context: Any) -> StringValue:
            assert context.cancel() is True
            while context.is_active():
                pass
            return request

    async with end(SYNC, handler=handlers(Cancelling(Seen()))) as (_, backend):
        assert (await error_of(backend.start(UNARY, source(["a"])))).code is Code.CANCELLED


async def test_a_stream_may_be_any_iterable() -> None:
    class Listing(SyncEcho):
        def down(self, request: StringValue, context: Any) -> Any:
            return [StringValue(value=text) for text in "ab"]

    async with end(SYNC, handler=handlers(Listing(Seen()))) as (_, backend):
        assert await texts(backend.start(DOWN, source(["go"]))) == ["a", "b"]


async def test_initial_metadata_that_comes_too_late_is_a_value_error(caplog: pytest.LogCaptureFixture) -> None:
    async with end(SYNC) as (_, backend):
        await error_of(backend.start(UNARY, source(["initial;initial"])))
    assert "unexpected ValueError" in caplog.text


async def test_details_are_bytes_as_in_grpcio() -> None:
    seen = []

    class Telling(SyncEcho):
        def unary(self, request: StringValue, context: Any) -> StringValue:
            context.set_details("a")
            context.set_code(grpc.StatusCode.OK)
            context.set_trailing_metadata((("k", "v"),))
            seen.extend([context.details(), context.code(), context.trailing_metadata(), context.time_remaining()])
            return request

    async with end(SYNC, handler=handlers(Telling(Seen()))) as (_, backend):
        assert await texts(backend.start(UNARY, source(["a"]))) == ["a"]
    assert seen == [b"a", grpc.StatusCode.OK, (("k", "v"),), threading.TIMEOUT_MAX]


async def test_an_iterator_that_is_read_after_the_end_of_its_call_says_so() -> None:
    go = threading.Event()
    told: list[type[Exception]] = []

    class Late(SyncEcho):
        def up(self, requests: Iterator[StringValue], context: Any) -> StringValue:
            go.wait(5)
            for _ in range(2):
                try:
                    next(requests)
                except grpc.RpcError as exc:
                    told.append(type(exc))
            return StringValue()

        def down(self, request: StringValue, context: Any) -> Iterator[StringValue]:
            go.wait(5)
            yield StringValue()

    async with end(SYNC, handler=handlers(Late(Seen()))) as (_, backend):
        for kind in (UP, DOWN):
            go.clear()
            replies = backend.start(kind, source(["a"], None)).replies()
            task = asyncio.ensure_future(anext(replies))
            await asyncio.sleep(0.01)
            asyncio.get_running_loop().call_later(0.02, go.set)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
    assert told == [grpc.RpcError, grpc.RpcError]


async def test_even_a_system_exit_ends_only_its_call() -> None:
    class Exiting(SyncEcho):
        def down(self, request: StringValue, context: Any) -> Iterator[StringValue]:
            yield StringValue()
            raise SystemExit

    async with end(SYNC, handler=handlers(Exiting(Seen()))) as (_, backend):
        assert (await error_of(backend.start(DOWN, source(["go"])))).code is Code.UNKNOWN


async def test_threads_do_not_pile_up() -> None:
    before = threading.active_count()
    async with end(SYNC) as (_, backend):
        for kind in KINDS * 10:
            await texts(backend.start(kind, source(["reply a"])))
    await until(lambda: threading.active_count() <= before)
