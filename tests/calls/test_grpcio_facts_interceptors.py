"""Facts of grpcio's tests of server interceptors, async and sync."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import ContextVar
from typing import Any

import grpc
import grpc.aio
import pytest

from asgi_grpc.calls import Servicers
from asgi_grpc.errors import Code, ConfigurationError
from asgi_grpc.schema import Method
from tests.calls.facts import (
    AIO,
    SYNC,
    Outcome,
    Served,
    fact,
    method_handler,
    method_handlers,
    serving,
    text,
)
from tests.calls.servers import BIDI, DOWN, KINDS, UNARY, UP

VARIABLE: ContextVar[str] = ContextVar("of_interceptors", default="unset")


class Both:
    """An async and a sync interceptor with the same behaviour before the handler is known."""

    def __init__(self, before: Callable[[Any], object], when: Callable[[Any], bool] = lambda _: True) -> None:
        class Async(grpc.aio.ServerInterceptor):
            async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
                if when(handler_call_details):
                    before(handler_call_details)
                return await continuation(handler_call_details)

        class Sync(grpc.ServerInterceptor):
            def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
                if when(handler_call_details):
                    before(handler_call_details)
                return continuation(handler_call_details)

        self.of = {**dict.fromkeys(AIO, Async), **dict.fromkeys(SYNC, Sync)}


class Log:
    """What interceptors and handlers note, each with the value of the variable."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: list[str] = []

    def note(self, tag: str) -> None:
        self.lines.append(f"{tag} {VARIABLE.get()}")

    def noting(self, tag: str, when: Callable[[Any], bool] = lambda _: True) -> Any:
        return Both(lambda _: self.note(tag), when).of[self.name]()

    def setting(self, value: str) -> Any:
        return Both(lambda _: VARIABLE.set(value)).of[self.name]()

    def behaviours(self) -> dict[str, Any]:
        """Handlers of all four kinds that note themselves."""

        async def unary(request: Any, context: Any) -> Any:
            self.note("handler")
            return request

        async def down(request: Any, context: Any) -> AsyncIterator[Any]:
            self.note("handler")
            yield request

        async def up(requests: Any, context: Any) -> Any:
            self.note("handler")
            return [request async for request in requests][-1]

        async def bidi(requests: Any, context: Any) -> AsyncIterator[Any]:
            self.note("handler")
            async for request in requests:
                yield request

        def sync_unary(request: Any, context: Any) -> Any:
            self.note("handler")
            return request

        def sync_down(request: Any, context: Any) -> Iterator[Any]:
            self.note("handler")
            yield request

        def sync_up(requests: Any, context: Any) -> Any:
            self.note("handler")
            return list(requests)[-1]

        def sync_bidi(requests: Any, context: Any) -> Iterator[Any]:
            self.note("handler")
            yield from requests

        if self.name in AIO:
            return {"unary": unary, "down": down, "up": up, "bidi": bidi}
        return {"unary": sync_unary, "down": sync_down, "up": sync_up, "bidi": sync_bidi}


class Invalid:
    """No interceptor."""


@fact("server_interceptor_test.invalid_interceptor")
async def test_what_is_no_interceptor_is_refused(name: str) -> None:
    make: Any = grpc.aio.server if "server" in name else Servicers
    with pytest.raises((ValueError, ConfigurationError), match="nterceptor"):
        make(interceptors=[Invalid()])


ORDER = ["one unset", "two set", "handler set"]


async def ask(call: Served, kind: Method = UNARY, **options: Any) -> None:
    assert await call(kind, ["a"], **options) == Outcome(["a"])


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        pytest.param(end, kind, id=f"{of} @ {end}")
        for kind, of in [
            (UNARY, "server_interceptor_test.executed_right_order"),
            (DOWN, "server_interceptor_test.interceptor_unary_stream"),
            (UP, "server_interceptor_test.interceptor_stream_unary"),
            (BIDI, "server_interceptor_test.interceptor_stream_stream"),
        ]
        for end in AIO
    ]
    + [
        pytest.param(end, kind, id=f"_interceptor_test.Intercepted{words} @ {end}")
        for kind, words in [
            (UNARY, "UnaryRequestBlockingUnaryResponse"),
            (DOWN, "UnaryRequestStreamResponse"),
            (UP, "StreamRequestBlockingUnaryResponse"),
            (BIDI, "StreamRequestStreamResponse"),
        ]
        for end in SYNC
    ],
)
async def test_interceptors_run_in_order_and_their_variables_reach_the_handler(name: str, kind: Method) -> None:
    log = Log(name)
    interceptors = [log.noting("one"), log.setting("set"), log.noting("two")]
    async with serving(name, interceptors=interceptors, **log.behaviours()) as call:
        await ask(call, kind)
    assert log.lines == ORDER


@fact("server_interceptor_test.unique_context_per_call")
async def test_a_variable_that_an_interceptor_set_is_gone_in_the_next_call(name: str) -> None:
    log = Log(name)
    interceptors = [log.noting("one"), log.setting("set"), log.noting("two")]
    async with serving(name, interceptors=interceptors, **log.behaviours()) as call:
        await ask(call)
        await ask(call)
    assert log.lines == ORDER * 2


@fact("server_interceptor_test.response_ok")
async def test_an_interceptor_that_only_looks_changes_nothing(name: str) -> None:
    log = Log(name)
    async with serving(name, interceptors=[log.noting("one")], **log.behaviours()) as call:
        await ask(call)
    assert log.lines == ["one unset", "handler unset"]


@pytest.mark.parametrize(
    "name",
    [pytest.param(end, id=f"server_interceptor_test.apply_different_interceptors_by_metadata @ {end}") for end in AIO]
    + [
        pytest.param(end, id=f"_interceptor_test.InterceptedHeaderManipulationWithServerSideVerification @ {end}")
        for end in SYNC
    ],
)
async def test_an_interceptor_decides_by_metadata(name: str) -> None:
    log = Log(name)
    secret = log.noting("secret", when=lambda details: ("secret", "42") in details.invocation_metadata)
    interceptors = [log.noting("one"), secret, log.noting("two")]
    async with serving(name, interceptors=interceptors, **log.behaviours()) as call:
        await ask(call, metadata=[("key", "value")])
        assert log.lines == ["one unset", "two unset", "handler unset"]
        log.lines.clear()
        await ask(call, metadata=[("key", "value"), ("secret", "42")])
        assert log.lines == ["one unset", "secret unset", "two unset", "handler unset"]


@fact("server_interceptor_test.response_caching")
async def test_an_interceptor_answers_from_what_it_kept(name: str) -> None:
    kept: dict[str, Any] = {"known": text("kept")}
    asked: list[str] = []

    class Cache(grpc.aio.ServerInterceptor):
        async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
            handler = await continuation(handler_call_details)
            if handler.request_streaming or handler.response_streaming:
                return handler

            async def cached(request: Any, context: Any) -> Any:
                if request.value not in kept:
                    kept[request.value] = await handler.unary_unary(request, context)
                return kept[request.value]

            return method_handler(UNARY, cached)

    async def unary(request: Any, context: Any) -> Any:
        asked.append(request.value)
        return text(f"made {request.value}")

    async def down(request: Any, context: Any) -> AsyncIterator[Any]:
        yield text("not cached")

    async with serving(name, interceptors=[Cache()], unary=unary, down=down) as call:
        assert await call(UNARY, ["known"]) == Outcome(["kept"])
        assert await call(UNARY, ["new"]) == Outcome(["made new"])
        assert await call(UNARY, ["new"]) == Outcome(["made new"])
        assert await call(DOWN, ["new"]) == Outcome(["not cached"])
    assert asked == ["new"]


@pytest.mark.parametrize("name", AIO)
@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, id=f"server_interceptor_test.interceptor_receives_correct_method_{kind.kind}")
        for kind in KINDS
    ],
)
async def test_an_interceptor_is_told_the_path_of_a_registered_method(name: str, kind: Method) -> None:
    paths: list[Any] = []
    interceptor = Both(lambda details: paths.append(details.method)).of[name]()
    registered = method_handlers(**Log(name).behaviours())
    async with serving(name, interceptors=[interceptor], registered=registered) as call:
        await ask(call, kind)
    assert paths == [kind.path]


@pytest.mark.parametrize("name", SYNC)
@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(UNARY, id="_interceptor_test.InterceptedUnaryRequestBlockingUnaryResponseWithError"),
        pytest.param(DOWN, id="_interceptor_test.InterceptedUnaryRequestStreamResponseWithError"),
        pytest.param(UP, id="_interceptor_test.InterceptedStreamRequestFutureUnaryResponseWithError"),
        pytest.param(BIDI, id="_interceptor_test.InterceptedStreamRequestStreamResponseWithError"),
    ],
)
async def test_an_error_behind_interceptors_is_unknown(name: str, kind: Method) -> None:
    def fail(request_or_requests: Any, context: Any) -> Any:
        if kind.client_streaming:
            list(request_or_requests)
        raise ArithmeticError

    log = Log(name)
    behaviours: dict[str, Any] = dict.fromkeys(("unary", "down", "up", "bidi"), fail)
    async with serving(name, interceptors=[log.noting("one")], **behaviours) as call:
        assert (await call(kind, ["a"])).status == ([], Code.UNKNOWN)
    assert log.lines == ["one unset"]
