"""Facts of grpcio's tests of its async server: kinds of handlers, their errors, deadlines, and a server's end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio
import pytest

from asgi_grpc.calls import Servicers, connection
from asgi_grpc.errors import Code, UsageError
from asgi_grpc.schema import Method
from tests.calls.facts import AIO, Outcome, fact, method_handler, method_handlers, serving, text
from tests.calls.servers import BIDI, DOWN, UNARY, UP, source, until

THREE = ["a", "b", "c"]
FIVE = ["r"] * 5


class Handlers:
    """Every way in which an async handler may read and write."""

    @staticmethod
    async def unary(request: Any, context: Any) -> Any:
        return text("r")

    @staticmethod
    async def down_yields(request: Any, context: Any) -> AsyncIterator[Any]:
        for reply in FIVE:
            yield text(reply)

    @staticmethod
    async def down_writes(request: Any, context: Any) -> None:
        for reply in FIVE:
            await context.write(text(reply))

    @staticmethod
    async def down_mixes(request: Any, context: Any) -> AsyncIterator[Any]:
        yield text("1")
        for number in "234":
            await context.write(text(number))
        yield text("5")

    @staticmethod
    async def up_iterates(requests: Any, context: Any) -> Any:
        return text("".join([request.value async for request in requests]))

    @staticmethod
    async def up_reads(requests: Any, context: Any) -> Any:
        return text("".join([(await context.read()).value for _ in THREE]))

    @staticmethod
    async def up_mixes(requests: Any, context: Any) -> Any:
        first = await context.read()
        return text("".join([first.value, *[request.value async for request in requests]]))

    @staticmethod
    async def bidi_iterates(requests: Any, context: Any) -> AsyncIterator[Any]:
        assert [request.value async for request in requests] == THREE
        for reply in FIVE:
            yield text(reply)

    @staticmethod
    async def bidi_reads(requests: Any, context: Any) -> None:
        assert [(await context.read()).value for _ in THREE] == THREE
        for reply in FIVE:
            await context.write(text(reply))

    @staticmethod
    async def bidi_mixes(requests: Any, context: Any) -> AsyncIterator[Any]:
        first = await context.read()
        yield first
        async for request in requests:
            await context.write(request)


@pytest.mark.parametrize("name", AIO)
@pytest.mark.parametrize(
    ("kind", "handler", "requests", "replies"),
    [
        pytest.param(UNARY, Handlers.unary, ["a"], ["r"], id="server_test.unary_unary"),
        pytest.param(DOWN, Handlers.down_yields, ["a"], FIVE, id="server_test.unary_stream_async_generator"),
        pytest.param(DOWN, Handlers.down_writes, ["a"], FIVE, id="server_test.unary_stream_reader_writer"),
        pytest.param(DOWN, Handlers.down_mixes, ["a"], [*"12345"], id="server_test.unary_stream_evilly_mixed"),
        pytest.param(UP, Handlers.up_iterates, THREE, ["abc"], id="server_test.stream_unary_async_generator"),
        pytest.param(UP, Handlers.up_reads, THREE, ["abc"], id="server_test.stream_unary_reader_writer"),
        pytest.param(UP, Handlers.up_mixes, THREE, ["abc"], id="server_test.stream_unary_evilly_mixed"),
        pytest.param(BIDI, Handlers.bidi_iterates, THREE, FIVE, id="server_test.stream_stream_async_generator"),
        pytest.param(BIDI, Handlers.bidi_reads, THREE, FIVE, id="server_test.stream_stream_reader_writer"),
        pytest.param(BIDI, Handlers.bidi_mixes, THREE, THREE, id="server_test.stream_stream_evilly_mixed"),
    ],
)
async def test_a_handler_reads_and_writes_in_any_way(
    name: str, kind: Method, handler: Any, requests: list[str], replies: list[str]
) -> None:
    behaviours = {{UNARY: "unary", DOWN: "down", UP: "up", BIDI: "bidi"}[kind]: handler}
    async with serving(name, **behaviours) as call:
        assert await call(kind, requests) == Outcome(replies)


@fact("server_test.cancel_unary_stream_swallowed_by_handler")
async def test_a_handler_that_swallows_its_cancellation_harms_no_other_call(name: str) -> None:
    ended: list[str] = []

    async def down(request: Any, context: Any) -> AsyncIterator[Any]:
        try:
            yield text("r")
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("swallowed")
            return

    async with serving(name, unary=Handlers.unary, down=down) as call:
        for _ in range(5):
            replies = call.backend.start(DOWN, source(["a"])).replies()
            assert [message.value for message in await anext(replies)] == ["r"]
            await replies.aclose()
        await until(lambda: len(ended) == 5)
        assert await call(UNARY, ["a"]) == Outcome(["r"])


@fact("server_test.shutdown_after_call")
async def test_a_server_may_stop_after_a_call(name: str) -> None:
    async with serving(name, unary=Handlers.unary) as call:
        assert await call(UNARY, ["a"]) == Outcome(["r"])
        await call.stop()


@fact("server_test.graceful_shutdown_failed")
async def test_a_call_that_outlives_its_server_is_unavailable(name: str) -> None:
    started = asyncio.Event()

    async def unary(request: Any, context: Any) -> None:
        started.set()
        await asyncio.Event().wait()

    async with serving(name, unary=unary) as call:
        running = asyncio.create_task(call(UNARY, ["a"]))
        await started.wait()
        await call.stop()
        assert (await running).status == ([], Code.UNAVAILABLE)


@fact("server_test.shutdown_during_stream_stream")
async def test_a_stream_that_outlives_its_server_is_unavailable(name: str) -> None:
    started = asyncio.Event()

    async def bidi(requests: Any, context: Any) -> AsyncIterator[Any]:
        async for _ in requests:
            started.set()
        yield text("never")

    async with serving(name, bidi=bidi) as call:
        running = asyncio.create_task(call(BIDI, ["a"], None))
        await started.wait()
        await call.stop()
        assert (await running).status == ([], Code.UNAVAILABLE)


class Unknowing(grpc.GenericRpcHandler):
    """Knows no method."""

    def service(self, handler_call_details: Any) -> None:
        return None


@fact("server_test.unimplemented")
async def test_a_method_that_no_handler_knows_is_unimplemented(name: str) -> None:
    async with serving(name, generic=[Unknowing()]) as call:
        assert await call(UNARY, ["a"]) == Outcome(code=Code.UNIMPLEMENTED, message="Method not found!")


@fact("server_test.error_in_stream_stream")
async def test_an_error_between_reads_ends_the_call_before_its_input(name: str) -> None:
    async def bidi(requests: Any, context: Any) -> AsyncIterator[Any]:
        async for _ in requests:
            raise RuntimeError
        yield text("never")

    async with serving(name, bidi=bidi) as call:
        assert (await call(BIDI, ["a"], None)).status == ([], Code.UNKNOWN)


@fact("server_test.error_in_stream_unary")
async def test_an_error_between_reads_ends_a_call_that_has_one_reply(name: str) -> None:
    async def up(requests: Any, context: Any) -> None:
        async for _ in requests:
            raise ValueError

    async with serving(name, up=up) as call:
        assert (await call(UP, THREE)).status == ([], Code.UNKNOWN)


@fact("server_test.error_without_raise_in_unary_unary")
async def test_a_code_needs_no_reply(name: str) -> None:
    async def unary(request: Any, context: Any) -> None:
        context.set_code(grpc.StatusCode.INTERNAL)

    async with serving(name, unary=unary) as call:
        assert await call(UNARY, ["a"]) == Outcome(code=Code.INTERNAL)


@fact("server_test.error_without_raise_in_stream_stream")
async def test_a_code_ends_a_stream_without_replies(name: str) -> None:
    async def bidi(requests: Any, context: Any) -> None:
        async for _ in requests:
            pass
        context.set_code(grpc.StatusCode.INTERNAL)

    async with serving(name, bidi=bidi) as call:
        assert await call(BIDI, THREE) == Outcome(code=Code.INTERNAL)


@fact("server_test.invalid_trailing_metadata")
async def test_trailing_metadata_is_refused_where_it_is_set(name: str) -> None:
    refused: list[Any] = []

    async def unary(request: Any, context: Any) -> None:
        for wrong in [42, {}, {"error": "error"}, [{"error": "error"}], [("a", 1)], [(1, "a")], [("a",)]]:
            try:
                context.set_trailing_metadata(wrong)
            except TypeError:
                refused.append(wrong)
        await context.abort(grpc.StatusCode.DATA_LOSS, "bad", {"error": ("one", "two")})

    async with serving(name, unary=unary) as call:
        assert (await call(UNARY, ["a"])).status == ([], Code.UNKNOWN)
    assert refused == [42, {}, {"error": "error"}, [{"error": "error"}], [("a", 1)], [(1, "a")], [("a",)]]


class Knowing(grpc.GenericRpcHandler):
    """Knows one method, under its path."""

    def __init__(self, behaviour: Any) -> None:
        self.behaviour = behaviour

    def service(self, handler_call_details: Any) -> Any:
        return method_handler(UNARY, self.behaviour) if handler_call_details.method == UNARY.path else None


@fact("server_test.registered_handler_takes_precedence")
async def test_a_registered_handler_comes_before_a_generic_one(name: str) -> None:
    async def never(request: Any, context: Any) -> Any:
        raise AssertionError

    async with serving(name, generic=[Knowing(never)], registered=method_handlers(unary=Handlers.unary)) as call:
        assert await call(UNARY, ["a"]) == Outcome(["r"])


@fact("server_test.add_registered_handler_after_server_start")
async def test_a_running_server_takes_no_registered_handlers(name: str) -> None:
    late = method_handlers(unary=Handlers.unary)
    async with serving(name, down=Handlers.down_yields) as call:
        if isinstance(call.server, Servicers):  # says so where grpcio only logs it
            with pytest.raises(UsageError, match="registered when its registry was in use"):
                call.server.add_registered_method_handlers("test.Echo", late)
        else:
            call.server.add_registered_method_handlers("test.Echo", late)
        assert await call(UNARY, ["a"]) == Outcome(code=Code.UNIMPLEMENTED, message="Method not found!")


@fact("context_peer_test.peer")
async def test_the_peer_has_an_address(name: str) -> None:
    async def unary(request: Any, context: Any) -> Any:
        return text(context.peer())

    connection.set({"type": "http", "scheme": "http", "client": ("127.0.0.1", 50000)})
    async with serving(name, unary=unary) as call:
        (peer,) = (await call(UNARY, ["a"])).replies
    assert peer.startswith("ipv4:127.0.0.1:")


@fact("auth_context_test.insecure")
async def test_a_peer_without_encryption_has_no_identity(name: str) -> None:
    seen: list[Any] = []

    async def unary(request: Any, context: Any) -> Any:
        seen.extend([context.peer_identities(), context.peer_identity_key(), context.auth_context()])
        return request

    connection.set({"type": "http", "scheme": "http", "client": ("127.0.0.1", 50000)})
    async with serving(name, unary=unary) as call:
        await call(UNARY, ["a"])
    insecure = {"security_level": [b"TSI_SECURITY_NONE"], "transport_security_type": [b"insecure"]}
    assert seen == [None, None, insecure]
