"""What servicers in this process promise beyond a channel: batches, bounds, fairness, and an end to everything."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf import descriptor_pool
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.wrappers_pb2 import BytesValue, StringValue

from asgi_grpc.errors import CallError, Code
from tests.calls.servers import BIDI, DOWN, IN_PROCESS, KINDS, UNARY, UP, end, handlers, source, texts, until

both = pytest.mark.parametrize("name", IN_PROCESS)
ASYNC, SYNC = IN_PROCESS


class Base:
    """Four methods that a test replaces."""

    async def unary(self, request: Any, context: Any) -> Any: ...

    async def down(self, request: Any, context: Any) -> Any: ...

    async def up(self, requests: Any, context: Any) -> Any: ...

    async def bidi(self, requests: Any, context: Any) -> Any: ...


def serving(**methods: Any) -> Any:
    """A backend whose servicer has these methods."""
    servicer = Base()
    for name, function in methods.items():
        setattr(servicer, name, function)
    return end(ASYNC, handler=handlers(servicer))


async def batches(call: Any) -> list[list[str]]:
    async with aclosing(call.replies()) as replies:
        return [[message.value for message in messages] async for messages in replies]


async def error_of(call: Any) -> CallError:
    with pytest.raises(CallError) as caught:
        await texts(call)
    return caught.value


class TestBatches:
    async def test_what_the_servicer_has_taken_is_counted(self) -> None:
        counts: list[int] = []

        async def up(requests: Any, context: Any) -> StringValue:
            counts.extend([call.taken async for _ in requests])
            return StringValue()

        async with serving(up=up) as (_, backend):
            call = backend.start(UP, source(["a", "b"], ["c"]))
            await texts(call)
        assert counts == [1, 2, 3]

    async def test_replies_that_come_without_suspending_leave_together(self) -> None:
        async def down(request: Any, context: Any) -> AsyncIterator[StringValue]:
            for text in "abc":
                yield StringValue(value=text)
            await asyncio.sleep(0)
            yield StringValue(value="d")
            await context.write(StringValue(value="e"))

        async with serving(down=down) as (_, backend):
            assert await batches(backend.start(DOWN, source(["go"]))) == [["a", "b", "c"], ["d", "e"]]

    async def test_a_reply_leaves_before_the_servicer_runs_again(self) -> None:
        order: list[str] = []

        async def down(request: Any, context: Any) -> AsyncIterator[StringValue]:
            for text in "abc":
                order.append(f"yield {text}")
                yield StringValue(value=text)
                await asyncio.sleep(0)

        async with serving(down=down) as (_, backend):
            async for messages in backend.start(DOWN, source(["go"])).replies():
                order += [f"got {message.value}" for message in messages]
        assert order == ["yield a", "got a", "yield b", "got b", "yield c", "got c"]

    async def test_a_reply_may_be_changed_and_yielded_again(self) -> None:
        async def down(request: Any, context: Any) -> AsyncIterator[Any]:
            reply = StringValue()
            for text in "abc":
                reply.value = text
                yield reply

        async with serving(down=down) as (_, backend):
            assert await batches(backend.start(DOWN, source(["go"]))) == [["a", "b", "c"]]

    async def test_requests_are_not_copied(self) -> None:
        seen: list[Any] = []
        request = StringValue(value="a")

        async def pull() -> list[Any]:
            return [request]

        async def unary(request: Any, context: Any) -> Any:
            seen.append(request)
            return request

        async with serving(unary=unary) as (_, backend):
            (reply,) = [m async for messages in backend.start(UNARY, pull).replies() for m in messages]
        assert seen[0] is request
        assert reply is not request

    @both
    @pytest.mark.parametrize(("size", "bound"), [(1, 256), (40_000, 2)])
    async def test_a_servicer_waits_for_a_slow_reader(self, name: str, size: int, bound: int) -> None:
        made: list[int] = []

        async def down(request: Any, context: Any) -> AsyncIterator[Any]:
            for n in range(10_000):
                made.append(n)
                yield StringValue(value="x" * size)

        def down_sync(request: Any, context: Any) -> Any:
            for n in range(10_000):
                made.append(n)
                yield StringValue(value="x" * size)

        async with serving(down=down if name == ASYNC else down_sync) as (_, backend):
            replies = backend.start(DOWN, source(["go"])).replies()
            await anext(replies)
            for _ in range(20):
                await asyncio.sleep(0.002)
            assert len(made) <= 3 * bound
            await replies.aclose()

    async def test_a_write_waits_for_a_slow_reader(self) -> None:
        made: list[int] = []

        async def down(request: Any, context: Any) -> None:
            for n in range(2000):
                made.append(n)
                await context.write(StringValue(value=str(n)))

        async with serving(down=down) as (_, backend):
            replies = backend.start(DOWN, source(["go"])).replies()
            first = await anext(replies)
            for _ in range(20):
                await asyncio.sleep(0)
            assert len(made) <= 600
            found = [message.value for message in first]
            async for messages in replies:
                found += [message.value for message in messages]
        assert found == [str(n) for n in range(2000)]

    async def test_a_stream_at_full_speed_lets_others_run(self) -> None:
        turns = 0

        async def turn() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        async def down(request: Any, context: Any) -> AsyncIterator[Any]:
            for _ in range(20_000):
                yield StringValue(value="x")

        async def up(requests: Any, context: Any) -> Any:
            return StringValue(value=str(len([request async for request in requests])))

        left = [[StringValue()] * 1000 for _ in range(20)]

        async def pull() -> list[Any]:  # never suspends
            return left.pop() if left else []

        other = asyncio.create_task(turn())
        async with serving(down=down, up=up) as (_, backend):
            await texts(backend.start(DOWN, source(["go"])))
            assert turns > 50
            turns = 0
            assert await texts(backend.start(UP, pull)) == ["20000"]
            assert turns >= 8
        other.cancel()


class TestReading:
    async def test_reads_and_iteration_share_the_requests(self) -> None:
        async def bidi(requests: Any, context: Any) -> None:
            await context.write(await context.read())
            async for request in requests:
                await context.write(request)
                break
            while (request := await context.read()) is not grpc.aio.EOF:
                await context.write(request)
            assert await context.read() is grpc.aio.EOF

        async with serving(bidi=bidi) as (_, backend):
            assert await texts(backend.start(BIDI, source(["a", "b"], ["c", "d"]))) == ["a", "b", "c", "d"]

    async def test_a_read_that_timed_out_may_be_tried_again(self) -> None:
        more = asyncio.Event()
        left = [[StringValue(value="late")], []]

        async def pull() -> list[Any]:
            await more.wait()
            return left.pop(0)

        async def up(requests: Any, context: Any) -> Any:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(aiter(requests)), 0.01)
            more.set()
            return await anext(requests)

        async with serving(up=up) as (_, backend):
            assert await texts(backend.start(UP, pull)) == ["late"]

    async def test_only_one_task_reads_at_a_time(self) -> None:
        async def up(requests: Any, context: Any) -> Any:
            first = asyncio.create_task(context.read())
            await asyncio.sleep(0)
            with pytest.raises(grpc.aio.UsageError, match="only one task"):
                await context.read()
            first.cancel()
            return StringValue(value="ok")

        async with serving(up=up) as (_, backend):
            assert await texts(backend.start(UP, source(None))) == ["ok"]

    async def test_a_reader_that_is_left_behind_ends_with_the_call(self) -> None:
        readers: list[asyncio.Task[Any]] = []

        async def up(requests: Any, context: Any) -> Any:
            readers.append(asyncio.create_task(context.read()))
            await asyncio.sleep(0)
            return StringValue(value="done")

        async with serving(up=up) as (_, backend):
            assert await texts(backend.start(UP, source(None))) == ["done"]
            await asyncio.wait(readers, timeout=5)
            assert readers[0].cancelled()

    async def test_a_broken_source_is_what_the_caller_sees(self) -> None:
        async with end(ASYNC) as (_, backend):
            with pytest.raises(ZeroDivisionError):
                await texts(backend.start(UP, source(["a"], ZeroDivisionError())))

    async def test_a_unary_call_without_a_request_is_unimplemented(self) -> None:
        async with end(ASYNC) as (_, backend):
            error = await error_of(backend.start(UNARY, source()))
        assert (error.code, error.message) == (
            Code.UNIMPLEMENTED,
            "test.Echo.Unary requires exactly one request message",
        )


class TestEnds:
    async def test_nothing_is_written_after_the_end(self) -> None:
        told: list[str] = []

        async def down(request: Any, context: Any) -> None:
            async def late() -> None:
                await asyncio.sleep(0.01)
                try:
                    await context.write(StringValue(value="late"))
                except grpc.aio.UsageError as exc:
                    told.append(str(exc))

            told.append("started")
            context.task = asyncio.create_task(late())

        async with serving(down=down) as (_, backend):
            assert await texts(backend.start(DOWN, source(["go"]))) == []
            await until(lambda: len(told) == 2)
        assert told == ["started", "RPC already finished."]

    async def test_a_generator_sees_the_cancellation_where_it_yields(self) -> None:
        seen: list[str] = []

        async def down(request: Any, context: Any) -> AsyncIterator[Any]:
            try:
                while True:
                    yield StringValue(value="x")
            except asyncio.CancelledError:
                seen.append("cancelled")
                raise
            finally:
                seen.append(f"active {context.is_active()}")

        async with serving(down=down) as (_, backend):
            replies = backend.start(DOWN, source(["go"])).replies()
            await anext(replies)
            await replies.aclose()
        assert seen == ["cancelled", "active False"]

    async def test_the_cleaning_up_of_a_servicer_is_waited_for_and_not_disturbed(self) -> None:
        seen: list[str] = []

        async def unary(request: Any, context: Any) -> Any:
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0.02)
                seen.append("clean")

        async with serving(unary=unary) as (_, backend):
            error = await error_of(backend.start(UNARY, source(["go"]), deadline_s=0.01))
        assert error.code is Code.DEADLINE_EXCEEDED
        assert seen == ["clean"]

    @both
    async def test_a_servicer_that_does_not_end_is_left_and_logged(
        self, name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr("asgi_grpc.calls._servicer._FAREWELL_S", 0.02)
        go = threading.Event()
        ended = threading.Event()

        async def unary(request: Any, context: Any) -> Any:
            while not go.is_set():
                with suppress(asyncio.CancelledError):
                    await asyncio.sleep(0.01)
            ended.set()

        def unary_sync(request: Any, context: Any) -> Any:
            go.wait(5)
            ended.set()

        async with serving(unary=unary if name == ASYNC else unary_sync) as (_, backend):
            error = await error_of(backend.start(UNARY, source(["go"]), deadline_s=0.3))  # a thread starts within it
            assert error.code is Code.DEADLINE_EXCEEDED
            assert "test.Echo.Unary: the servicer goes on after the end of its call" in caplog.text
            go.set()
            await until(ended.is_set)

    @both
    async def test_a_suppressed_abort_is_still_the_status(self, name: str, caplog: pytest.LogCaptureFixture) -> None:
        async with end(name) as (seen, backend):
            for kind in KINDS:
                error = await error_of(backend.start(kind, source(["suppress;reply late"])))
                assert (error.code, error.message) == (Code.ABORTED, "suppressed")
        assert "suppressed" in seen.notes
        assert "the servicer suppressed its own abort" in caplog.text

    @both
    async def test_shutting_down_ends_running_calls(self, name: str) -> None:
        async with end(name) as (seen, backend):
            call = asyncio.create_task(error_of(backend.start(DOWN, source(["hang"]))))
            await until(seen.has("hang"))
            await backend.close()
            assert (await call).code is Code.UNAVAILABLE
            await backend.open()
            assert await texts(backend.start(UNARY, source(["reply a"]))) == ["a"]

    async def test_the_first_reason_for_an_end_counts(self) -> None:
        async def unary(request: Any, context: Any) -> Any:
            context.set_code(grpc.StatusCode.ABORTED)
            context.cancel()
            context.cancel()
            try:
                await asyncio.Event().wait()
            finally:
                with pytest.raises(grpc.aio.UsageError, match="already finished"):
                    await context.abort(grpc.StatusCode.NOT_FOUND, "too late")

        async with serving(unary=unary) as (_, backend):
            assert (await error_of(backend.start(UNARY, source(["go"])))).code is Code.CANCELLED

    async def test_a_task_group_of_a_servicer_ends_with_its_call(self) -> None:
        seen: list[str] = []

        async def worker() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                seen.append("worker ended")

        async def bidi(requests: Any, context: Any) -> AsyncIterator[Any]:
            async with asyncio.TaskGroup() as group:
                group.create_task(worker())
                async for request in requests:
                    yield request

        async with serving(bidi=bidi) as (_, backend):
            replies = backend.start(BIDI, source(["a"], None)).replies()
            await anext(replies)
            await replies.aclose()
        assert seen == ["worker ended"]

    async def test_a_timeout_of_a_servicer_is_its_own(self) -> None:
        async def unary(request: Any, context: Any) -> Any:
            try:
                async with asyncio.timeout(0.01):
                    await asyncio.Event().wait()
            except TimeoutError:
                return StringValue(value="timed out")

        async with serving(unary=unary) as (_, backend):
            assert await texts(backend.start(UNARY, source(["go"]))) == ["timed out"]

    async def test_a_servicer_that_cancels_itself_is_cancelled(self) -> None:
        async def unary(request: Any, context: Any) -> Any:
            raise asyncio.CancelledError

        async with serving(unary=unary) as (_, backend):
            assert (await error_of(backend.start(UNARY, source(["go"])))).code is Code.CANCELLED

    @pytest.mark.parametrize("count", [0, 2])
    async def test_a_unary_method_has_one_reply(self, count: int) -> None:
        async def unary(request: Any, context: Any) -> Any:
            for _ in range(count):
                yield StringValue(value="x")

        async with serving(unary=unary) as (_, backend):
            error = await error_of(backend.start(UNARY, source(["go"])))
        assert (error.code, error.message) == (Code.INTERNAL, f"expected one reply of test.Echo.Unary, got {count}")

    async def test_nothing_is_left_behind(self) -> None:
        async with end(ASYNC) as (_, backend):
            for kind in KINDS:
                await texts(backend.start(kind, source(["reply a"])))
                task = asyncio.create_task(texts(backend.start(kind, source(["hang"], None))))
                await asyncio.sleep(0.01)
                task.cancel()
                await asyncio.wait({task})
            assert asyncio.all_tasks() == {asyncio.current_task()}
            del task
            gc.collect()
            assert not [o for o in gc.get_objects() if type(o).__name__ == "ServicerCall"]


class TestFailures:
    @both
    async def test_the_peer_is_told_no_text_and_the_log_all(self, name: str, caplog: pytest.LogCaptureFixture) -> None:
        async with end(name) as (_, backend):
            error = await error_of(backend.start(UNARY, source(["raise secret"])))
        assert error.message == "unexpected ValueError in test.Echo.Unary"
        (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
        assert record.getMessage() == "unexpected ValueError in test.Echo.Unary"
        assert record.exc_info is not None
        assert str(record.exc_info[1]) == "secret"

    async def test_the_status_of_another_call_is_passed_on(self) -> None:
        details = (("grpc-status-details-bin", b"\x08\x05"), ("their", "trailer"))

        async def unary(request: Any, context: Any) -> Any:
            context.set_trailing_metadata((("ours", "trailer"),))
            metadata = grpc.aio.Metadata(*details)
            raise grpc.aio.AioRpcError(grpc.StatusCode.NOT_FOUND, grpc.aio.Metadata(), metadata, "not there")

        async with serving(unary=unary) as (_, backend):
            error = await error_of(backend.start(UNARY, source(["go"])))
        assert (error.code, error.message, error.trailers) == (Code.NOT_FOUND, "not there", (("ours", "trailer"),))

    @pytest.mark.parametrize("reply", [None, "text", BytesValue()])
    async def test_a_reply_of_another_type_is_unknown(self, reply: Any, caplog: pytest.LogCaptureFixture) -> None:
        async def unary(request: Any, context: Any) -> Any:
            return reply

        async with serving(unary=unary) as (_, backend):
            assert (await error_of(backend.start(UNARY, source(["go"])))).code is Code.UNKNOWN
        assert "expected a reply of type google.protobuf.StringValue, got " in caplog.text

    async def test_an_abort_in_a_task_group_is_the_status_and_no_news(self, caplog: pytest.LogCaptureFixture) -> None:
        async def unary(request: Any, context: Any) -> Any:
            async with asyncio.TaskGroup() as group:
                group.create_task(context.abort(grpc.StatusCode.NOT_FOUND, "not there"))

        async with serving(unary=unary) as (_, backend):
            error = await error_of(backend.start(UNARY, source(["go"])))
        assert (error.code, error.message) == (Code.NOT_FOUND, "not there")
        assert caplog.records == []

    @both
    async def test_what_goes_wrong_after_the_end_is_still_logged(
        self, name: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def unary(request: Any, context: Any) -> Any:
            try:
                await asyncio.Event().wait()
            finally:
                raise ValueError

        def unary_sync(request: Any, context: Any) -> Any:
            while context.is_active():
                pass
            raise ValueError

        async with serving(unary=unary if name == ASYNC else unary_sync) as (_, backend):
            error = await error_of(backend.start(UNARY, source(["go"]), deadline_s=0.02))
        assert error.code is Code.DEADLINE_EXCEEDED
        assert "unexpected ValueError in test.Echo.Unary" in caplog.text

    async def test_abort_with_ok_is_unknown(self) -> None:
        async with end(ASYNC) as (_, backend):
            assert (await error_of(backend.start(UNARY, source(["abort OK fine"])))).code is Code.UNKNOWN

    async def test_a_second_abort_is_refused(self) -> None:
        async def unary(request: Any, context: Any) -> Any:
            with pytest.raises(grpc.aio.AbortError):
                await context.abort(grpc.StatusCode.ABORTED, "first")
            with pytest.raises(grpc.aio.UsageError, match="Abort already called"):
                await context.abort(grpc.StatusCode.NOT_FOUND, "second")

        async with serving(unary=unary) as (_, backend):
            assert (await error_of(backend.start(UNARY, source(["go"])))).message == "first"

    @both
    async def test_metadata_has_to_be_metadata(self, name: str) -> None:
        async with end(name) as (_, backend):
            assert (await error_of(backend.start(UNARY, source(["bad-trailing"])))).code is Code.UNKNOWN


class TestBytes:
    """Handlers whose messages are not the method's own classes."""

    async def test_other_serializers_are_used(self) -> None:
        async def unary(request: str, context: Any) -> str:
            return request.upper()

        handler = grpc.method_handlers_generic_handler(
            "test.Echo",
            {
                "Unary": grpc.unary_unary_rpc_method_handler(
                    unary,
                    lambda data: StringValue.FromString(data).value,
                    lambda text: StringValue(value=text).SerializeToString(),
                )
            },
        )
        async with end(ASYNC, handler=handler) as (_, backend):
            assert await texts(backend.start(UNARY, source(["abc"]))) == ["ABC"]

    async def test_a_reply_of_the_same_message_in_another_pool_goes_through_bytes(self) -> None:
        pool = descriptor_pool.DescriptorPool()
        pool.AddSerializedFile(StringValue.DESCRIPTOR.file.serialized_pb)
        other: Any = GetMessageClass(pool.FindMessageTypeByName("google.protobuf.StringValue"))
        assert other is not StringValue

        async def unary(request: Any, context: Any) -> Any:
            return other(value=request.value)

        async with serving(unary=unary) as (_, backend):
            assert await texts(backend.start(UNARY, source(["abc"]))) == ["abc"]

    async def test_handlers_without_serializers_get_bytes(self) -> None:
        async def bidi(requests: Any, context: Any) -> Any:
            async for data in requests:
                assert isinstance(data, bytes)
                yield data

        handler = grpc.method_handlers_generic_handler(
            "test.Echo", {"Bidi": grpc.stream_stream_rpc_method_handler(bidi)}
        )
        async with end(ASYNC, handler=handler) as (_, backend):
            assert await texts(backend.start(BIDI, source(["a"], ["b", "c"]))) == ["a", "b", "c"]
