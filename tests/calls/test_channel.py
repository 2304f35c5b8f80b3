"""Calls through a real channel to a real ``grpc.aio`` server on loopback."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any

import grpc
import grpc.aio
import pytest
import trustme
from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import StringValue
from google.rpc import error_details_pb2, status_pb2

from asgi_grpc.calls import ChannelBackend
from asgi_grpc.errors import CallError, Code, ConfigurationError, RequestError
from asgi_grpc.schema import Method

Context = grpc.aio.ServicerContext[Any, Any]


def method(name: str, *, client: bool, server: bool) -> Method:
    descriptor = StringValue.DESCRIPTOR
    return Method(
        full_name=f"test.Echo.{name}",
        path=f"/test.Echo/{name}",
        input=descriptor,
        output=descriptor,
        client_streaming=client,
        server_streaming=server,
        bindings=(),
    )


UNARY = method("Unary", client=False, server=False)
DOWN = method("Down", client=False, server=True)
UP = method("Up", client=True, server=False)
BIDI = method("Bidi", client=True, server=True)
KINDS = [pytest.param(m, id=m.kind) for m in (UNARY, DOWN, UP, BIDI)]


class Echo:
    """Replies with what it got; the first request's text tells how to misbehave."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.metadata: list[tuple[str, str | bytes]] = []
        self.cancelled = asyncio.Event()
        self.started = asyncio.Event()

    async def unary(self, request: StringValue, context: Context) -> StringValue:
        return StringValue(value=await self.act(request.value, context))

    async def down(self, request: StringValue, context: Context) -> AsyncIterator[StringValue]:
        yield StringValue(value="first")
        yield StringValue(value=await self.act(request.value, context))

    async def up(self, requests: AsyncIterator[StringValue], context: Context) -> StringValue:
        texts = [await self.act(request.value, context) async for request in requests]
        return StringValue(value=",".join(texts))

    async def bidi(self, requests: AsyncIterator[StringValue], context: Context) -> AsyncIterator[StringValue]:
        async for request in requests:
            yield StringValue(value=await self.act(request.value, context))

    async def act(self, text: str, context: Context) -> str:
        self.seen.append(text)
        self.metadata = list(context.invocation_metadata() or ())
        self.started.set()
        match text:
            case "abort":
                details = status_pb2.Status(code=5)
                details.details.add().Pack(error_details_pb2.ErrorInfo(reason="gone"))
                trailers = (("grpc-status-details-bin", details.SerializeToString()), ("why", "lost"))
                await context.abort(grpc.StatusCode.NOT_FOUND, "no such text", trailers)
            case "hang":
                try:
                    await asyncio.Event().wait()
                finally:
                    self.cancelled.set()
            case "talk":
                await context.send_initial_metadata((("greeting", "hi"),))
                context.set_trailing_metadata((("goodbye", "ho"), ("raw-bin", b"\x00\xff")))
        return text


@asynccontextmanager
async def echo_server() -> AsyncIterator[tuple[Echo, ChannelBackend]]:
    echo = Echo()
    convert: dict[str, Any] = {
        "request_deserializer": StringValue.FromString,
        "response_serializer": StringValue.SerializeToString,
    }
    handlers = {
        "Unary": grpc.unary_unary_rpc_method_handler(echo.unary, **convert),
        "Down": grpc.unary_stream_rpc_method_handler(echo.down, **convert),
        "Up": grpc.stream_unary_rpc_method_handler(echo.up, **convert),
        "Bidi": grpc.stream_stream_rpc_method_handler(echo.bidi, **convert),
    }
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Echo", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    backend = ChannelBackend(f"127.0.0.1:{port}")
    await backend.open()
    try:
        yield echo, backend
    finally:
        await backend.close()
        await server.stop(None)


def source(*batches: list[str] | Exception) -> Callable[[], Awaitable[list[Message]]]:
    """A request source: batches of texts, errors raised; then the end."""
    rest = list(batches)

    async def pull() -> list[Message]:
        await asyncio.sleep(0)
        if rest and isinstance(rest[0], Exception):
            raise rest.pop(0)  # type: ignore[misc]  # as was asked
        return [StringValue(value=text) for text in rest.pop(0)] if rest else []  # type: ignore[union-attr]

    return pull


async def texts(call: Any) -> list[str]:
    found: list[str] = []
    async with aclosing(call.replies()) as replies:
        async for messages in replies:
            found += [message.value for message in messages]
    return found


async def test_each_kind_carries_its_messages() -> None:
    async with echo_server() as (_, backend):
        assert await texts(backend.start(UNARY, source(["a"]))) == ["a"]
        assert await texts(backend.start(DOWN, source(["a"]))) == ["first", "a"]
        assert await texts(backend.start(UP, source(["a", "b"], ["c"]))) == ["a,b,c"]
        assert await texts(backend.start(BIDI, source(["a", "b"], ["c"]))) == ["a", "b", "c"]


async def test_an_empty_input_is_half_closed() -> None:
    async with echo_server() as (_, backend):
        assert await texts(backend.start(UP, source())) == [""]
        assert await texts(backend.start(BIDI, source())) == []


@pytest.mark.parametrize("kind", KINDS)
async def test_metadata_goes_out_and_comes_back(kind: Method) -> None:
    async with echo_server() as (echo, backend):
        call = backend.start(kind, source(["talk"]), metadata=[("token", "t"), ("raw-bin", b"\x01")])
        if kind is not DOWN:  # that one has sent its first reply, and its initial metadata with it, before it reads
            await texts(call)
            assert call.initial_metadata == [("greeting", "hi")]
            assert call.trailers == [("goodbye", "ho"), ("raw-bin", b"\x00\xff")]
        else:
            with pytest.raises(CallError):
                await texts(call)
        assert ("token", "t") in echo.metadata
        assert ("raw-bin", b"\x01") in echo.metadata


@pytest.mark.parametrize("kind", KINDS)
async def test_a_status_is_told_with_its_details_and_trailers(kind: Method) -> None:
    async with echo_server() as (_, backend):
        with pytest.raises(CallError) as caught:
            await texts(backend.start(kind, source(["abort"])))
    error = caught.value
    assert (error.code, error.message) == (Code.NOT_FOUND, "no such text")
    assert error.trailers == (("why", "lost"),)
    info = error_details_pb2.ErrorInfo(reason="gone")
    assert error.details == (("type.googleapis.com/google.rpc.ErrorInfo", info.SerializeToString()),)


@pytest.mark.parametrize("kind", KINDS)
async def test_closing_the_replies_cancels_the_call(kind: Method) -> None:
    async with echo_server() as (echo, backend):
        task = asyncio.create_task(texts(backend.start(kind, source(["hang"]))))
        await echo.started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(echo.cancelled.wait(), 5)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_call_may_be_left_while_its_replies_are_waited_for(kind: Method) -> None:
    async with echo_server() as (echo, backend):
        call = backend.start(kind, source(["hang"]))
        assert not call.leave()
        task = asyncio.create_task(texts(call))
        await echo.started.wait()
        assert call.leave()
        with pytest.raises(CallError) as caught:
            await task
        assert caught.value.code is Code.CANCELLED
        assert not call.leave()
        await asyncio.wait_for(echo.cancelled.wait(), 5)


async def test_a_call_is_not_left_while_a_reply_is_delivered() -> None:
    async with echo_server() as (_, backend):
        call = backend.start(DOWN, source(["fine"]))
        async with aclosing(call.replies()) as replies:
            await anext(replies)
            assert not call.leave()


class Source:
    """Requests whose source holds the call that they are for, as a connection does."""

    call: Any

    def __init__(self, *batches: list[str] | Exception) -> None:
        self._pull = source(*batches)

    async def pull(self) -> list[Message]:
        return await self._pull()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", ["fine", "abort", "hang", "bad"])
async def test_a_call_that_ended_is_gone_without_a_garbage_collection(kind: Method, text: str) -> None:
    async with echo_server() as (_, backend):
        gc.collect()
        gc.disable()
        try:
            requests = Source(RequestError("bad") if text == "bad" else [text])
            requests.call = backend.start(kind, requests.pull, deadline_s=0.2 if text == "hang" else 20.0)
            with suppress(CallError, RequestError):
                await texts(requests.call)
            gone = weakref.ref(requests)
            del requests
            assert gone() is None
        finally:
            gc.enable()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_deadline_ends_the_call(kind: Method) -> None:
    async with echo_server() as (echo, backend):
        with pytest.raises(CallError) as caught:
            await texts(backend.start(kind, source(["hang"]), deadline_s=1.0))  # it must reach the service before
        assert caught.value.code is Code.DEADLINE_EXCEEDED
        await asyncio.wait_for(echo.cancelled.wait(), 5)


async def test_a_request_that_comes_too_slowly_meets_the_deadline() -> None:
    async def never() -> list[Message]:
        await asyncio.Event().wait()
        return []

    async with echo_server() as (_, backend):
        with pytest.raises(CallError) as caught:
            await texts(backend.start(UNARY, never, deadline_s=0.05))
    assert caught.value.code is Code.DEADLINE_EXCEEDED


@pytest.mark.parametrize("kind", [pytest.param(m, id=m.kind) for m in (UP, BIDI)])
async def test_a_bad_request_cancels_the_call_and_is_what_the_caller_sees(kind: Method) -> None:
    async with echo_server() as (echo, backend):
        refusal = RequestError("message 2 is bad")
        with pytest.raises(RequestError) as caught:
            await texts(backend.start(kind, source(["hang"], refusal)))
        assert caught.value is refusal
        if echo.started.is_set():  # the cancellation may overtake the message that it follows
            await asyncio.wait_for(echo.cancelled.wait(), 5)


async def test_a_bad_only_request_never_reaches_the_service() -> None:
    async with echo_server() as (echo, backend):
        with pytest.raises(RequestError, match="bad"):
            await texts(backend.start(UNARY, source(RequestError("bad"))))
        assert echo.seen == []


async def test_a_source_that_breaks_is_our_bug_and_ends_the_call(caplog: pytest.LogCaptureFixture) -> None:
    async with echo_server() as (_, backend):
        with pytest.raises(RequestError, match="internal error") as caught:
            await texts(backend.start(UP, source(["a"], ZeroDivisionError("secret"))))
    assert caught.value.code is Code.INTERNAL
    assert "reading requests of test.Echo.Up failed" in caplog.text


async def test_a_service_that_ends_early_ends_the_writing() -> None:
    pulled = asyncio.Event()

    async def endless() -> list[Message]:
        if pulled.is_set():
            await asyncio.Event().wait()
        pulled.set()
        return [StringValue(value="abort")] * 100

    async with echo_server() as (_, backend):
        with pytest.raises(CallError, match="NOT_FOUND"):
            await texts(backend.start(UP, endless))


async def test_a_half_close_that_meets_the_end_of_the_call_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    async def meets_the_end(call: object) -> None:
        raise grpc.aio.InternalError("Failed execute_batch")  # what grpcio's core says of a call that is over

    monkeypatch.setattr(grpc.aio.StreamUnaryCall, "done_writing", meets_the_end)
    async with echo_server() as (_, backend):
        with pytest.raises(CallError, match="NOT_FOUND"):
            await texts(backend.start(UP, source(["abort"])))


async def test_an_unreachable_service_is_unavailable_and_no_address_is_told(
    caplog: pytest.LogCaptureFixture, unused_tcp_port: int
) -> None:
    backend = ChannelBackend(f"127.0.0.1:{unused_tcp_port}")
    await backend.open()
    with pytest.raises(CallError) as caught:
        await texts(backend.start(UNARY, source(["a"])))
    assert (caught.value.code, caught.value.message) == (Code.UNAVAILABLE, "the upstream service can't be reached")
    assert str(unused_tcp_port) in caplog.text  # the log tells
    await backend.close()


async def test_a_service_that_dies_in_mid_stream_is_unavailable() -> None:
    async with echo_server() as (echo, backend):
        call = backend.start(DOWN, source(["hang"]))
        async with aclosing(call.replies()) as replies:
            assert [m.value for m in await anext(replies)] == ["first"]  # type: ignore[attr-defined]
            await echo.started.wait()
            await backend.close()
            with pytest.raises(CallError) as caught:
                await anext(replies)
    assert caught.value.code in (Code.UNAVAILABLE, Code.CANCELLED)


async def test_a_reply_of_another_type_is_internal() -> None:
    async with echo_server() as (echo, backend):
        bad = method("Unary", client=False, server=False)
        object.__setattr__(bad, "output", error_details_pb2.BadRequest.DESCRIPTOR)
        with pytest.raises(CallError) as caught:
            await texts(backend.start(bad, source(["\x01" * 40])))
        assert caught.value.code is Code.INTERNAL
        assert echo.seen


async def test_a_ready_channel_is_used_and_left_open() -> None:
    async with echo_server() as (_, backend):
        channel = backend._channel
        assert channel is not None
        ours = ChannelBackend(channel)
        await ours.open()
        assert await texts(ours.start(UNARY, source(["a"]))) == ["a"]
        await ours.close()
        assert await texts(backend.start(UNARY, source(["b"]))) == ["b"]


async def test_credentials_make_a_secure_channel() -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    echo = Echo()
    handler = grpc.unary_unary_rpc_method_handler(
        echo.unary,
        request_deserializer=StringValue.FromString,
        response_serializer=StringValue.SerializeToString,
    )
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Echo", {"Unary": handler}),))
    chain = b"".join(blob.bytes() for blob in certificate.cert_chain_pems)
    keys = grpc.ssl_server_credentials([(certificate.private_key_pem.bytes(), chain)])
    port = server.add_secure_port("localhost:0", keys)
    await server.start()
    trusted = grpc.ssl_channel_credentials(authority.cert_pem.bytes())
    backend = ChannelBackend(f"localhost:{port}", credentials=trusted)
    await backend.open()
    assert await texts(backend.start(UNARY, source(["a"]))) == ["a"]
    await backend.close()
    await server.stop(None)


async def test_a_channel_of_another_event_loop_is_refused_at_start_up() -> None:
    async with echo_server() as (_, backend):
        channel = backend._channel
        assert channel is not None
        channel._loop = object()  # type: ignore[attr-defined]
        with pytest.raises(ConfigurationError, match="give its target instead"):
            await ChannelBackend(channel).open()
