"""Facts of grpcio's tests of calls of sync handlers: kinds, cancellation, deadlines, saturation, defects."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import aclosing
from typing import Any

import grpc
import pytest

from asgi_grpc.errors import Code, ConfigurationError
from asgi_grpc.schema import Method
from tests.calls.facts import SYNC, Outcome, method_handler, method_handlers, serving, sync_fact, text
from tests.calls.servers import BIDI, DOWN, KINDS, UNARY, UP, source, until

LENGTH = 200
NAMES = {
    UNARY: "UnaryRequestUnaryResponse",
    DOWN: "UnaryRequestStreamResponse",
    UP: "StreamRequestUnaryResponse",
    BIDI: "StreamRequestStreamResponse",
}


def each_kind(of: str, kinds: list[Method] = KINDS) -> pytest.MarkDecorator:
    """Run a test for kinds, each of which has a test in grpcio."""
    return pytest.mark.parametrize(
        ("name", "kind"),
        [pytest.param(end, kind, id=f"_rpc_part_test.{of}{NAMES[kind]} @ {end}") for kind in kinds for end in SYNC],
    )


class Control:
    """Handlers of all kinds that echo, and wait or fail before each step where they are told to."""

    def __init__(self, *, pause: bool = False, fail: bool = False) -> None:
        self.pause = pause
        self.fail = fail
        self.paused = threading.Event()
        self.gone: list[bool] = []

    def step(self, context: Any) -> None:
        if self.fail:
            raise ArithmeticError
        if self.pause:
            over = threading.Event()
            context.add_callback(over.set)
            self.paused.set()
            assert over.wait(5)
            self.gone.append(context.is_active())

    def unary(self, request: Any, context: Any) -> Any:
        self.step(context)
        return request

    def down(self, request: Any, context: Any) -> Iterator[Any]:
        for _ in range(LENGTH):
            self.step(context)
            yield request

    def up(self, requests: Iterator[Any], context: Any) -> Any:
        self.step(context)
        return text("".join(request.value for request in requests))

    def bidi(self, requests: Iterator[Any], context: Any) -> Iterator[Any]:
        self.step(context)
        yield from requests

    def behaviours(self) -> dict[str, Any]:
        return {"unary": self.unary, "down": self.down, "up": self.up, "bidi": self.bidi}


REQUESTS = {UNARY: ["a"], DOWN: ["a"], UP: ["a"] * LENGTH, BIDI: ["a"] * LENGTH}
REPLIES = {UNARY: ["a"], DOWN: ["a"] * LENGTH, UP: ["a" * LENGTH], BIDI: ["a"] * LENGTH}


@each_kind("Successful")
async def test_each_kind_echoes(name: str, kind: Method) -> None:
    async with serving(name, **Control().behaviours()) as call:
        assert await call(kind, REQUESTS[kind]) == Outcome(REPLIES[kind])


@each_kind("Failed")
async def test_an_error_is_unknown(name: str, kind: Method) -> None:
    async with serving(name, **Control(fail=True).behaviours()) as call:
        assert (await call(kind, REQUESTS[kind])).status == ([], Code.UNKNOWN)


@each_kind("Expired")
async def test_a_deadline_ends_a_handler_that_waits(name: str, kind: Method) -> None:
    control = Control(pause=True)
    async with serving(name, **control.behaviours()) as call:
        outcome = await call(kind, REQUESTS[kind], deadline_s=0.3)
        assert outcome.status == ([], Code.DEADLINE_EXCEEDED)
        await until(lambda: control.gone == [False] or not control.paused.is_set())  # a slow server runs nothing


@each_kind("Cancelled")
async def test_a_client_that_goes_ends_a_handler_that_waits(name: str, kind: Method) -> None:
    control = Control(pause=True)
    async with serving(name, **control.behaviours()) as call:
        running = asyncio.create_task(call(kind, REQUESTS[kind]))
        await until(control.paused.is_set)
        running.cancel()
        await asyncio.wait({running})
        await until(lambda: control.gone == [False])


@each_kind("ConsumingSomeButNotAllStreamResponses", [DOWN, BIDI])
@pytest.mark.parametrize("count", [1, LENGTH // 2])
async def test_a_client_need_not_read_all_replies(name: str, kind: Method, count: int) -> None:
    async with serving(name, **Control().behaviours()) as call:
        found: list[str] = []
        async with aclosing(call.backend.start(kind, source(REQUESTS[kind])).replies()) as replies:
            async for messages in replies:
                found += [message.value for message in messages]
                if len(found) >= count:
                    break
        assert found[:count] == ["a"] * count
        assert await call(UNARY, ["b"]) == Outcome(["b"])


@sync_fact("_rpc_part_2_test.ConsumingTooManyStreamResponsesStreamRequest")
async def test_after_the_last_reply_there_is_none(name: str) -> None:
    async with serving(name, **Control().behaviours()) as call:
        replies = call.backend.start(BIDI, source(REQUESTS[BIDI])).replies()
        assert sum([len(messages) async for messages in replies]) == LENGTH
        for _ in range(3):
            with pytest.raises(StopAsyncIteration):
                await anext(replies)


@sync_fact("_rpc_part_2_test.SequentialInvocations")
async def test_calls_follow_each_other(name: str) -> None:
    async with serving(name, **Control().behaviours()) as call:
        assert [await call(UNARY, [each]) for each in "ab"] == [Outcome(["a"]), Outcome(["b"])]


@sync_fact("_rpc_part_2_test.ConcurrentBlockingInvocations")
async def test_calls_run_beside_each_other(name: str) -> None:
    async with serving(name, **Control().behaviours()) as call:
        outcomes = await asyncio.gather(*[call(UP, REQUESTS[UP]) for _ in range(8)])
    assert outcomes == [Outcome(REPLIES[UP])] * 8


@sync_fact("_rpc_part_2_test.UnrecognizedMethod")
async def test_a_method_without_a_handler_is_unimplemented(name: str) -> None:
    async with serving(name, down=Control().down) as call:
        assert await call(UNARY, ["a"]) == Outcome(code=Code.UNIMPLEMENTED, message="Method not found!")


@pytest.mark.parametrize("name", SYNC)
@pytest.mark.parametrize("kind", [pytest.param(kind, id=f"_empty_message_test.{NAMES[kind]}") for kind in KINDS])
async def test_empty_messages_count(name: str, kind: Method) -> None:
    requests = ["" for _ in REQUESTS[kind]]
    replies = ["" for _ in REPLIES[kind]]
    async with serving(name, **Control().behaviours()) as call:
        assert await call(kind, requests) == Outcome(replies)


def draw(count: int) -> Any:
    def bidi(requests: Iterator[Any], context: Any) -> Iterator[Any]:
        for _ in range(count):
            next(requests)
        for _ in range(3):
            yield text("r")

    return bidi


@pytest.mark.parametrize("name", SYNC)
@pytest.mark.parametrize("size", [0, 32, 100_000], ids=["Empty", "Small", "Large"])
@pytest.mark.parametrize("count", [0, 2], ids=["Zero", "Two"])
async def test_a_handler_need_not_read_all_requests(name: str, size: int, count: int) -> None:
    """A fact of ``_early_ok_test``, for each size of messages."""
    async with serving(name, bidi=draw(count)) as call:
        assert await call(BIDI, ["x" * size] * 20) == Outcome(["r"] * 3)


@pytest.mark.parametrize("name", SYNC)
@pytest.mark.parametrize("kind", [pytest.param(kind, id=f"_resource_exhausted_test.{NAMES[kind]}") for kind in KINDS])
async def test_calls_beyond_the_limit_are_refused_until_others_end(name: str, kind: Method) -> None:
    go = threading.Event()
    waiting: list[Any] = []

    class Waiting(Control):
        def step(self, context: Any) -> None:
            waiting.append(context)
            assert go.wait(5)

    async with serving(name, max_calls=2, **Waiting().behaviours()) as call:
        running = [asyncio.create_task(call(kind, REQUESTS[kind])) for _ in range(2)]
        await until(lambda: len(waiting) == 2)
        for _ in range(2):
            refused = Outcome(code=Code.RESOURCE_EXHAUSTED, message="Concurrent RPC limit exceeded!")
            assert await call(kind, REQUESTS[kind]) == refused
        go.set()
        assert [await task for task in running] == [Outcome(REPLIES[kind])] * 2
        assert await call(kind, REQUESTS[kind]) == Outcome(REPLIES[kind])


class Generic(grpc.GenericRpcHandler):
    """Knows the methods of a control."""

    def __init__(self, control: Control) -> None:
        of = control.behaviours()
        shorts = {UNARY: "unary", DOWN: "down", UP: "up", BIDI: "bidi"}
        self.handlers = {kind.path: method_handler(kind, of[short]) for kind, short in shorts.items()}

    def service(self, handler_call_details: Any) -> Any:
        return self.handlers.get(handler_call_details.method)


@pytest.mark.parametrize("name", SYNC)
@pytest.mark.parametrize("kind", [pytest.param(kind, id=f"_server_test.generic_{NAMES[kind]}") for kind in KINDS])
async def test_a_generic_handler_serves_each_kind(name: str, kind: Method) -> None:
    async with serving(name, generic=[Generic(Control())]) as call:
        assert await call(kind, REQUESTS[kind]) == Outcome(REPLIES[kind])


@sync_fact("_server_test.server_with_both_registered_and_generic_handlers")
async def test_registered_and_generic_handlers_stand_beside_each_other(name: str) -> None:
    registered = method_handlers(unary=lambda request, context: text("registered"))
    async with serving(name, generic=[Generic(Control())], registered=registered) as call:
        assert await call(UNARY, ["a"]) == Outcome(["registered"])
        assert await call(DOWN, ["a"]) == Outcome(REPLIES[DOWN])


@sync_fact("_server_test.not_a_generic_rpc_handler_after_construction")
async def test_what_is_no_generic_handler_is_refused(name: str) -> None:
    with pytest.raises((AttributeError, ConfigurationError), match=r"grpc\.GenericRpcHandler"):
        async with serving(name, generic=[object()]):  # type: ignore[list-item]
            pass


def wrong_arity() -> None:
    """Takes no request."""


def nested(request: Any, context: Any) -> None:
    try:
        raise ZeroDivisionError
    except ZeroDivisionError as exc:
        raise ArithmeticError("of a cause") from exc


@pytest.mark.parametrize("name", SYNC)
@pytest.mark.parametrize(
    "handler",
    [
        pytest.param(wrong_arity, id="_invocation_defects_test.DefectiveGenericRpcHandlerUnaryResponse"),
        pytest.param(nested, id="_invocation_defects_test.NestedExceptionGenericRpcHandlerUnaryResponse"),
    ],
)
async def test_a_defective_handler_is_unknown(name: str, handler: Any) -> None:
    async with serving(name, unary=handler) as call:
        assert (await call(UNARY, ["a"])).status == ([], Code.UNKNOWN)
