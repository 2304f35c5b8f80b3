"""Facts of grpcio's tests of aborts, metadata and done callbacks, for async handlers."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

import grpc
import grpc.aio
import pytest

from asgi_grpc.errors import Code
from asgi_grpc.schema import Method
from tests.calls.facts import AIO, Outcome, fact, method_handler, serving, text
from tests.calls.servers import BIDI, DOWN, UNARY, UP, source, until

ABORTED = Outcome(code=Code.RESOURCE_EXHAUSTED, message="Phony")
ASKED = (("client-to-server", "question"), ("client-to-server-bin", b"\x07\x07"))
ANSWERED = (("server-to-client", "answer"), ("server-to-client-bin", b"\x06\x06"))
TRAILING = (("a-trailing-metadata", "stack-trace"), ("a-trailing-metadata-bin", b"\x05\x05"))


@fact("abort_test.unary_unary_abort")
async def test_nothing_runs_after_an_abort(name: str) -> None:
    went_on: list[str] = []

    async def unary(request: Any, context: Any) -> None:
        await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "Phony")
        went_on.append("never")

    async with serving(name, unary=unary) as call:
        assert await call(UNARY, ["a"]) == ABORTED
    assert went_on == []


@fact("abort_test.suppress_abort")
async def test_a_suppressed_abort_stays_the_status(name: str) -> None:
    async def unary(request: Any, context: Any) -> Any:
        with suppress(grpc.aio.AbortError):
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "Phony")
        return request

    async with serving(name, unary=unary) as call:
        assert await call(UNARY, ["a"]) == ABORTED


@fact("abort_test.replace_abort")
async def test_the_first_abort_counts(name: str) -> None:
    async def unary(request: Any, context: Any) -> None:
        try:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "Phony")
        except grpc.aio.AbortError:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "another")

    async with serving(name, unary=unary) as call:
        assert await call(UNARY, ["a"]) == ABORTED


@fact("abort_test.abort_after_reply")
async def test_a_reply_before_an_abort_arrives(name: str) -> None:
    async def down(request: Any, context: Any) -> AsyncIterator[Any]:
        yield text("r")
        await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "Phony")

    async with serving(name, down=down) as call:
        assert await call(DOWN, ["a"]) == Outcome(["r"], Code.RESOURCE_EXHAUSTED, "Phony")


class Telling:
    """Handlers that check what they are asked, and tell what they have, before and after their reply."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    async def begin(self, context: Any) -> None:
        self.asked.append([tuple(pair) for pair in context.invocation_metadata() if pair[0] != "user-agent"])
        await context.send_initial_metadata(grpc.aio.Metadata(*ANSWERED))

    async def down(self, request: Any, context: Any) -> AsyncIterator[Any]:
        await self.begin(context)
        yield text("r")
        context.set_trailing_metadata(grpc.aio.Metadata(*TRAILING))

    async def up(self, requests: Any, context: Any) -> Any:
        await self.begin(context)
        async for _ in requests:
            pass
        context.set_trailing_metadata(grpc.aio.Metadata(*TRAILING))
        return text("r")

    async def bidi(self, requests: Any, context: Any) -> AsyncIterator[Any]:
        await self.begin(context)
        async for _ in requests:
            pass
        yield text("r")
        context.set_trailing_metadata(grpc.aio.Metadata(*TRAILING))


@pytest.mark.parametrize("name", AIO)
@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(DOWN, id="metadata_test.unary_stream"),
        pytest.param(UP, id="metadata_test.stream_unary"),
        pytest.param(BIDI, id="metadata_test.stream_stream"),
    ],
)
async def test_metadata_passes_in_all_three_places(name: str, kind: Method) -> None:
    telling = Telling()
    async with serving(name, down=telling.down, up=telling.up, bidi=telling.bidi) as call:
        assert await call(kind, ["a"], metadata=ASKED) == Outcome(["r"], initial=ANSWERED, trailers=TRAILING)
    assert telling.asked == [list(ASKED)]


@fact("metadata_test.from_client_to_server")
async def test_metadata_of_a_request_is_seen_as_pairs_with_names(name: str) -> None:
    seen: list[Any] = []

    async def unary(request: Any, context: Any) -> Any:
        seen.extend((pair.key, pair.value) for pair in context.invocation_metadata() if pair.key != "user-agent")
        return request

    async with serving(name, unary=unary) as call:
        assert await call(UNARY, ["a"], metadata=ASKED) == Outcome(["a"])
    assert seen == list(ASKED)


@fact("metadata_test.from_server_to_client")
async def test_header_metadata_is_seen_with_a_reply(name: str) -> None:
    async def unary(request: Any, context: Any) -> Any:
        await context.send_initial_metadata(grpc.aio.Metadata(*ANSWERED))
        return request

    async with serving(name, unary=unary) as call:
        assert await call(UNARY, ["a"]) == Outcome(["a"], initial=ANSWERED)


@fact("metadata_test.trailing_metadata")
async def test_trailing_metadata_is_seen_with_a_reply(name: str) -> None:
    async def unary(request: Any, context: Any) -> Any:
        context.set_trailing_metadata(grpc.aio.Metadata(*TRAILING))
        return request

    async with serving(name, unary=unary) as call:
        assert await call(UNARY, ["a"]) == Outcome(["a"], trailers=TRAILING)


@fact("metadata_test.generic_handler")
async def test_a_generic_handler_sees_the_metadata(name: str) -> None:
    class Generic(grpc.GenericRpcHandler):
        def service(self, handler_call_details: Any) -> Any:
            secret = ("a-must-have-key", "secret") in handler_call_details.invocation_metadata
            return method_handler(UNARY, echo) if secret else None

    async def echo(request: Any, context: Any) -> Any:
        return request

    async with serving(name, generic=[Generic()]) as call:
        assert await call(UNARY, ["a"], metadata=[("a-must-have-key", "secret")]) == Outcome(["a"])
        assert (await call(UNARY, ["a"])).code is Code.UNIMPLEMENTED


@fact("metadata_test.inspect_context")
async def test_what_was_set_is_read_back(name: str) -> None:
    seen: list[Any] = []

    async def unary(request: Any, context: Any) -> Any:
        seen.extend([context.code(), context.details(), context.trailing_metadata()])
        context.set_code(grpc.StatusCode.NOT_FOUND)
        context.set_details("Test")
        context.set_trailing_metadata(grpc.aio.Metadata(*TRAILING))
        seen.extend([context.code(), context.details(), context.trailing_metadata()])
        return request

    async with serving(name, unary=unary) as call:
        assert await call(UNARY, ["a"]) == Outcome([], Code.NOT_FOUND, "Test", trailers=TRAILING)
    assert seen == [None, "", (), grpc.StatusCode.NOT_FOUND, "Test", TRAILING]


class Called:
    """Two callbacks of a call, and whether it was done when they came."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, bool]] = []

    def on(self, context: Any) -> None:
        context.add_done_callback(lambda context: self.seen.append(("first", context.done())))
        context.add_done_callback(lambda context: self.seen.append(("second", context.done())))

    async def came(self) -> None:
        await until(lambda: len(self.seen) == 2)
        assert self.seen == [("first", True), ("second", True)]


@pytest.mark.parametrize("name", AIO)
@pytest.mark.parametrize(
    ("kind", "replies"),
    [
        pytest.param(UNARY, ["r"], id="done_callback_test.unary_unary"),
        pytest.param(DOWN, ["r", "r"], id="done_callback_test.unary_stream"),
        pytest.param(UP, ["ab"], id="done_callback_test.stream_unary"),
        pytest.param(BIDI, ["a", "b"], id="done_callback_test.stream_stream"),
    ],
)
async def test_done_callbacks_come_in_order_after_the_end(name: str, kind: Method, replies: list[str]) -> None:
    called = Called()

    async def unary(request: Any, context: Any) -> Any:
        called.on(context)
        return text("r")

    async def down(request: Any, context: Any) -> AsyncIterator[Any]:
        called.on(context)
        yield text("r")
        yield text("r")

    async def up(requests: Any, context: Any) -> Any:
        called.on(context)
        return text("".join([request.value async for request in requests]))

    async def bidi(requests: Any, context: Any) -> AsyncIterator[Any]:
        called.on(context)
        async for request in requests:
            yield request

    async with serving(name, unary=unary, down=down, up=up, bidi=bidi) as call:
        assert await call(kind, ["a", "b"] if kind.client_streaming else ["a"]) == Outcome(replies)
        await called.came()


@fact("done_callback_test.error_in_handler")
async def test_done_callbacks_come_after_an_error(name: str) -> None:
    called = Called()

    async def unary(request: Any, context: Any) -> None:
        called.on(context)
        raise RuntimeError

    async with serving(name, unary=unary) as call:
        assert (await call(UNARY, ["a"])).status == ([], Code.UNKNOWN)
        await called.came()


@fact("done_callback_test.error_in_callback")
async def test_an_error_in_a_callback_is_no_business_of_the_client(name: str, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[str] = []

    async def unary(request: Any, context: Any) -> Any:
        context.add_done_callback(lambda _: 1 / 0)
        context.add_done_callback(lambda _: seen.append("next"))
        return request

    async with serving(name, unary=unary) as call:
        assert await call(UNARY, ["a"]) == Outcome(["a"])
        await until(lambda: "callback" in caplog.text)
        assert (await call(DOWN, ["a"])).code is Code.UNIMPLEMENTED
    assert seen == ([] if "server" in name else ["next"])  # grpcio skips the others


TOKEN: ContextVar[int] = ContextVar("token")


@fact("server_streaming_token_reset_test.cancel_does_not_leak_cross_context_token_reset")
async def test_a_generator_that_is_cancelled_in_a_yield_ends_in_its_own_context(name: str) -> None:
    ended: list[str] = []

    async def down(request: Any, context: Any) -> AsyncIterator[Any]:
        token = TOKEN.set(1)
        try:
            while True:
                yield text("x" * (64 << 10))
        finally:
            try:
                TOKEN.reset(token)
                ended.append("here")
            except ValueError:
                ended.append("elsewhere")

    async with serving(name, down=down) as call:
        replies = call.backend.start(DOWN, source(["a"])).replies()
        await anext(replies)
        await replies.aclose()
        gc.collect()  # where grpcio leaves the generator to it
        await until(lambda: bool(ended))
    assert ended == ["here" if name == AIO[1] else "elsewhere"]  # of this grpcio; a later one keeps the promise
