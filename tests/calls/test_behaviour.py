"""The same calls, with the same results, through channels to two real servers and to servicers in this process."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import grpc.aio
import pytest
from google.rpc import error_details_pb2

from asgi_grpc.errors import CallError, Code, RequestError
from asgi_grpc.schema import Method
from tests.calls.servers import BIDI, DOWN, ENDS, KINDS, UNARY, UP, end, source, texts, until

pytestmark = pytest.mark.parametrize("name", ENDS)
of_each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
streamed = pytest.mark.parametrize("kind", [UP, BIDI], ids=lambda kind: kind.kind)


async def failure(backend: Any, kind: Method, *batches: Any, **options: Any) -> CallError:
    with pytest.raises(CallError) as caught:
        await texts(backend.start(kind, source(*batches), **options))
    return caught.value


async def test_each_kind_carries_its_messages(name: str) -> None:
    async with end(name) as (_, backend):
        assert await texts(backend.start(UNARY, source(["reply a"]))) == ["a"]
        assert await texts(backend.start(DOWN, source(["reply a;reply b"]))) == ["a", "b"]
        assert await texts(backend.start(UP, source(["reply a", "reply b"], ["reply c"]))) == ["a,b,c"]
        assert await texts(backend.start(BIDI, source(["reply a", "reply b"], ["reply c"]))) == ["a", "b", "c"]


async def test_an_empty_input_is_half_closed(name: str) -> None:
    async with end(name) as (_, backend):
        assert await texts(backend.start(UP, source())) == [""]
        assert await texts(backend.start(BIDI, source())) == []


async def test_a_generator_that_never_yields_ends_with_ok(name: str) -> None:
    async with end(name) as (_, backend):
        assert await texts(backend.start(DOWN, source(["nothing"]))) == []


async def test_long_streams_pass_in_order(name: str) -> None:
    many = [f"reply {n}" for n in range(700)]
    async with end(name) as (_, backend):
        assert await texts(backend.start(BIDI, source(many[:600], many[600:]))) == [m[6:] for m in many]
        assert await texts(backend.start(DOWN, source([";".join(many)]))) == [m[6:] for m in many]


async def test_a_reply_does_not_wait_for_the_next_request(name: str) -> None:
    async with end(name) as (_, backend):
        call = backend.start(BIDI, source(["reply a"], None))
        replies = call.replies()
        assert [message.value for message in await asyncio.wait_for(anext(replies), 5)] == ["a"]
        await replies.aclose()


@of_each_kind
async def test_metadata_goes_out_and_comes_back(name: str, kind: Method) -> None:
    async with end(name) as (seen, backend):
        pairs = [("token", "t"), ("token", "u"), ("raw-bin", b"\x01\xff")]
        call = backend.start(kind, source(["metadata;initial;trailing;reply a"]), metadata=pairs)
        assert (call.initial_metadata, call.trailers) == ((), ())
        assert await texts(call) == ["a"]
        assert call.initial_metadata == [("greeting", "hi"), ("raw-bin", b"\x01")]
        assert call.trailers == [("goodbye", "ho"), ("raw-bin", b"\x00\xff")]
        assert [pair for pair in seen.notes[0] if pair[0] != "user-agent"] == pairs


@of_each_kind
async def test_initial_metadata_is_sent_once(name: str, kind: Method) -> None:
    async with end(name) as (_, backend):
        assert (await failure(backend, kind, ["initial;initial"])).code is Code.UNKNOWN


@pytest.mark.parametrize("kind", [DOWN, BIDI], ids=lambda kind: kind.kind)
async def test_initial_metadata_is_too_late_after_a_reply(name: str, kind: Method) -> None:
    async with end(name) as (_, backend):
        assert (await failure(backend, kind, ["reply a;initial"])).code is Code.UNKNOWN


@of_each_kind
async def test_an_abort_tells_its_status(name: str, kind: Method) -> None:
    async with end(name) as (_, backend):
        error = await failure(backend, kind, ["abort NOT_FOUND no such text"])
    assert (error.code, error.message, error.details, error.trailers) == (Code.NOT_FOUND, "no such text", (), ())


@of_each_kind
@pytest.mark.parametrize(
    ("program", "code", "text"),
    [
        ("abort-rich", Code.NOT_FOUND, "no such text"),
        ("abort-status", Code.DATA_LOSS, "rich"),
        ("rich-trailing;code UNAVAILABLE;details later", Code.UNAVAILABLE, "later"),
    ],
)
async def test_a_status_has_details_and_trailers(name: str, kind: Method, program: str, code: Code, text: str) -> None:
    async with end(name) as (_, backend):
        error = await failure(backend, kind, [program])
    info = error_details_pb2.ErrorInfo(reason="gone")
    assert (error.code, error.message) == (code, text)
    assert error.details == (("type.googleapis.com/google.rpc.ErrorInfo", info.SerializeToString()),)
    assert error.trailers == (("why", "lost"),)


@of_each_kind
async def test_a_code_that_was_set_ends_the_call(name: str, kind: Method) -> None:
    async with end(name) as (_, backend):
        error = await failure(backend, kind, ["code NOT_FOUND;details gone;trailing;reply a"])
    assert (error.code, error.message) == (Code.NOT_FOUND, "gone")
    assert error.trailers == (("goodbye", "ho"), ("raw-bin", b"\x00\xff"))


@of_each_kind
async def test_details_without_a_code_are_not_told(name: str, kind: Method) -> None:
    async with end(name) as (_, backend):
        assert await texts(backend.start(kind, source(["details ignored;reply a"]))) == ["a"]


@of_each_kind
async def test_an_exception_is_unknown(name: str, kind: Method) -> None:
    async with end(name) as (_, backend):
        assert (await failure(backend, kind, ["raise secret"])).code is Code.UNKNOWN


@of_each_kind
async def test_an_exception_keeps_a_code_and_trailers_that_were_set(name: str, kind: Method) -> None:
    async with end(name) as (_, backend):
        error = await failure(backend, kind, ["trailing;code ALREADY_EXISTS;raise it"])
    assert error.code is Code.ALREADY_EXISTS
    assert error.trailers == (("goodbye", "ho"), ("raw-bin", b"\x00\xff"))


@of_each_kind
async def test_an_rpc_error_without_a_status_is_unknown(name: str, kind: Method) -> None:
    async with end(name) as (_, backend):
        assert (await failure(backend, kind, ["rpc-error"])).code is Code.UNKNOWN


@pytest.mark.parametrize("kind", [DOWN, BIDI], ids=lambda kind: kind.kind)
@pytest.mark.parametrize("last", ["raise it", "abort UNKNOWN it", "code UNKNOWN"])
async def test_replies_before_a_failure_arrive(name: str, kind: Method, last: str) -> None:
    found: list[str] = []

    async def run(backend: Any) -> None:
        async for messages in backend.start(kind, source([f"reply a;reply b;{last}"])).replies():
            found.extend(message.value for message in messages)

    async with end(name) as (_, backend):
        with pytest.raises(CallError, match="UNKNOWN"):
            await run(backend)
    assert found == ["a", "b"]


@of_each_kind
async def test_closing_the_replies_cancels_the_servicer(name: str, kind: Method) -> None:
    async with end(name) as (seen, backend):
        task = asyncio.create_task(texts(backend.start(kind, source(["callback;hang"], None))))
        await until(seen.has("callback;hang"))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(seen.cancelled.is_set)
        await until(seen.called_back.is_set)


@of_each_kind
async def test_a_deadline_ends_the_call(name: str, kind: Method) -> None:
    async with end(name) as (seen, backend):
        error = await failure(backend, kind, ["hang"], None, deadline_s=0.3)
        assert (error.code, error.message) == (Code.DEADLINE_EXCEEDED, "Deadline Exceeded")
        await until(lambda: seen.cancelled.is_set() or not seen.programs)  # a slow server runs nothing


async def test_a_deadline_is_known_to_the_servicer(name: str) -> None:
    async with end(name) as (seen, backend):
        await texts(backend.start(UNARY, source(["time"]), deadline_s=100))
        assert 90 < seen.notes[0] <= 101


@of_each_kind
@pytest.mark.parametrize("deadline_s", [-1, 0])
async def test_a_deadline_that_has_passed_reaches_nobody(name: str, kind: Method, deadline_s: float) -> None:
    async with end(name) as (seen, backend):
        error = await failure(backend, kind, ["reply a"], deadline_s=deadline_s)
    assert error.code is Code.DEADLINE_EXCEEDED
    assert seen.programs == []


async def test_a_request_that_comes_too_slowly_meets_the_deadline(name: str) -> None:
    async with end(name) as (_, backend):
        assert (await failure(backend, UNARY, None, deadline_s=0.05)).code is Code.DEADLINE_EXCEEDED


@streamed
async def test_a_bad_request_cancels_the_call_and_is_what_the_caller_sees(name: str, kind: Method) -> None:
    async with end(name) as (_, backend):
        refusal = RequestError("message 2 is bad")
        with pytest.raises(RequestError) as caught:
            await texts(backend.start(kind, source(["nothing"], refusal)))
        assert caught.value is refusal


async def test_a_bad_only_request_never_reaches_the_servicer(name: str) -> None:
    async with end(name) as (seen, backend):
        with pytest.raises(RequestError, match="bad"):
            await texts(backend.start(UNARY, source(RequestError("bad"))))
        assert seen.programs == []


@streamed
async def test_a_servicer_may_end_before_its_input(name: str, kind: Method) -> None:
    async with end(name) as (_, backend):
        assert (await failure(backend, kind, ["abort ABORTED enough"], None)).code is Code.ABORTED


@of_each_kind
async def test_a_callback_comes_after_a_call_that_ended_well(name: str, kind: Method) -> None:
    async with end(name) as (seen, backend):
        assert await texts(backend.start(kind, source(["callback;reply a"]))) == ["a"]
        await until(seen.called_back.is_set)


async def test_compression_and_peers_can_be_asked_for(name: str) -> None:
    async with end(name) as (seen, backend):
        assert await texts(backend.start(UNARY, source(["compress;who;reply a"]))) == ["a"]
        assert seen.notes[0][1:] == (None, None)


async def test_a_method_without_a_handler_is_unimplemented(name: str) -> None:
    unknown = Method(
        full_name="test.Echo.No", path="/test.Echo/No", input=UNARY.input, output=UNARY.output,
        client_streaming=False, server_streaming=False, bindings=(),
    )  # fmt: skip
    async with end(name) as (_, backend):
        error = await failure(backend, unknown, ["a"])
        assert (error.code, error.message) == (Code.UNIMPLEMENTED, "Method not found!")


class AsyncTag(grpc.aio.ServerInterceptor):
    """Refuses calls without a token, by a unary handler whatever the method's kind; notes the others."""

    def __init__(self, log: list[str], tag: str) -> None:
        self.log = log
        self.tag = tag

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        self.log.append(f"{self.tag} {handler_call_details.method}")
        if not any(key == "token" for key, _ in handler_call_details.invocation_metadata):

            async def refuse(_: Any, context: Any) -> None:
                await context.abort(grpc.StatusCode.UNAUTHENTICATED, "no token")

            return grpc.unary_unary_rpc_method_handler(refuse)
        return await continuation(handler_call_details)


class SyncTag(grpc.ServerInterceptor):
    """The same."""

    def __init__(self, log: list[str], tag: str) -> None:
        self.log = log
        self.tag = tag

    def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        self.log.append(f"{self.tag} {handler_call_details.method}")
        if not any(key == "token" for key, _ in handler_call_details.invocation_metadata):
            return grpc.unary_unary_rpc_method_handler(
                lambda _, context: context.abort(grpc.StatusCode.UNAUTHENTICATED, "no token")
            )
        return continuation(handler_call_details)


@of_each_kind
async def test_interceptors_run_in_order_and_may_replace_the_handler(name: str, kind: Method) -> None:
    log: list[str] = []
    tag: Any = AsyncTag if name.startswith("a") else SyncTag
    async with end(name, interceptors=[tag(log, "one"), tag(log, "two")]) as (_, backend):
        assert await texts(backend.start(kind, source(["reply a"]), metadata=[("token", "t")])) == ["a"]
        assert log == [f"one {kind.path}", f"two {kind.path}"]
        error = await failure(backend, kind, ["reply a"])
        assert (error.code, error.message) == (Code.UNAUTHENTICATED, "no token")
        assert log[2:] == [f"one {kind.path}"]


@of_each_kind
async def test_an_interceptor_that_raises_ends_the_call(name: str, kind: Method) -> None:
    class AsyncBroken(grpc.aio.ServerInterceptor):
        async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
            raise ValueError

    class SyncBroken(grpc.ServerInterceptor):
        def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
            raise ValueError

    broken: Any = AsyncBroken() if name.startswith("a") else SyncBroken()
    async with end(name, interceptors=[broken]) as (seen, backend):
        assert (await failure(backend, kind, ["reply a"])).code is Code.UNKNOWN
        assert seen.programs == []
