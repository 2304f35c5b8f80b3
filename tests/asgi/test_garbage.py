"""A small call leaves nothing behind that only the garbage collector would find: its runs are felt by all calls."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from asgi_grpc import GrpcMiddleware, Servicers
from asgi_grpc.asgi._websocket_input import RECORDS_V1
from tests.asgi.fakes import BIDI, DOWN, GREETER, HELLO, UP, gateway


@pytest.fixture
def collected_by_hand() -> Iterator[None]:
    """The collector runs when it is told to, and looks only at what was made since: it is quick then."""
    gc.collect()
    gc.freeze()
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()


class Scope(dict[str, Any]):
    """A scope that can be watched."""


async def test_a_unary_call_in_process_is_gone_when_it_has_ended() -> None:
    (hello,) = (method for method in GREETER.methods if method.path == HELLO)
    reply = GetMessageClass(hello.output)

    async def say_hello(request: Message, context: Any) -> Message:
        context.set_trailing_metadata((("a", "b"),))
        return reply()

    handler = grpc.unary_unary_rpc_method_handler(
        say_hello, GetMessageClass(hello.input).FromString, reply.SerializeToString
    )
    registry = Servicers()
    registry.add_registered_method_handlers("helloworld.Greeter", {"SayHello": handler})
    app = GrpcMiddleware(servicers=registry, schema=GREETER)
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b'{"name":"Ada"}', "more_body": False}

    async def send(event: Any) -> None:
        sent.append(event.get("status", event["type"]))

    async def serve() -> weakref.ref[Scope]:
        scope = Scope(type="http", method="POST", path=HELLO, headers=[], query_string=b"")
        await app(scope, receive, send)
        return weakref.ref(scope)

    gc.disable()
    try:
        ended = await asyncio.create_task(serve())  # as servers do: each request has a context of its own
        await asyncio.sleep(0)  # the loop forgets the task
        assert ended() is None
    finally:
        gc.enable()
    assert sent == [200, "http.response.body"]


NDJSON = [(b"content-type", b"application/x-ndjson")]
RECORD = '{"type":"request","data":{"name":1}}'


@pytest.mark.parametrize(
    ("scope", "said", "told"),
    [
        pytest.param({"path": HELLO}, ['{"name":1}'], "a number", id="unary"),
        pytest.param({"path": HELLO}, ['[{"name":1}]'], "an array", id="unary-the-long-way"),
        pytest.param({"path": HELLO}, ['{"name":'], "ends too early", id="unary-no-json"),
        pytest.param({"path": UP, "headers": NDJSON}, ['{}\n{"name":1}\n{}'], "message 2", id="lines"),
        pytest.param({"path": UP, "headers": NDJSON}, ["{}\n", '{"name'], "message 2", id="lines-no-json"),
        pytest.param({"path": HELLO, "type": "websocket"}, ['{"name":1}'], "a number", id="websocket-unary"),
        pytest.param({"path": UP, "type": "websocket"}, ["{}", '{"name":1}'], "message 2", id="websocket"),
        pytest.param({"path": UP, "type": "websocket"}, ["{}", '{"name'], "message 2", id="websocket-no-json"),
        pytest.param(
            {"path": BIDI, "type": "websocket"}, ["{}", '{"name":1}{}'], "message 2", id="websocket-both-ways"
        ),
        pytest.param(
            {"path": UP, "type": "websocket"}, ["{}{}", "", "{}"], "more input", id="websocket-behind-the-end"
        ),
        pytest.param(
            {"path": UP, "type": "websocket", "subprotocols": [RECORDS_V1]},
            [RECORD],
            "a number",
            id="websocket-records",
        ),
        pytest.param(
            {"path": UP, "type": "websocket", "subprotocols": [RECORDS_V1]},
            ['{"type":"cancel"}'],
            "cancelled",
            id="websocket-cancel",
        ),
        pytest.param({"path": UP, "type": "websocket"}, ["{}", ""], "Hello", id="websocket-a-good-one"),
    ],
)
@pytest.mark.usefixtures("collected_by_hand")
async def test_what_a_refused_call_has_read_is_gone_when_it_has_ended(
    scope: dict[str, Any], said: list[str], told: str
) -> None:
    app, backend = gateway()
    answers: list[Any] = []

    async def serve() -> None:
        events: list[dict[str, Any]]
        if scope.get("type") == "websocket":
            events = [{"type": "websocket.connect"}, *({"type": "websocket.receive", "text": text} for text in said)]
        else:
            bodies = [text.encode() for text in said]
            events = [{"type": "http.request", "body": body, "more_body": body is not bodies[-1]} for body in bodies]
        waiting = iter(events)

        async def receive() -> Any:
            return next(waiting, None) or await asyncio.Event().wait()

        async def send(event: Any) -> None:
            answers.append(event)

        await app({"type": "http", "method": "POST", "headers": [], "query_string": b""} | scope, receive, send)

    async def left_by(calls: int) -> int:
        """Objects that only a collection finds."""
        gc.collect()
        for _ in range(calls):
            await asyncio.create_task(serve())
            backend.calls.clear()
            for _ in range(20):  # the loop forgets its tasks, and ends the generators of the fakes
                await asyncio.sleep(0)
        return gc.collect()

    await left_by(2)
    assert await left_by(12) == await left_by(2)
    assert told in str(answers)


async def _each(requests: Any) -> list[Message]:
    return [request async for request in requests]


def _servicers() -> Servicers:
    """Of all four kinds; each ends as the first name that it is told says."""
    made = {method.path: (GetMessageClass(method.input), GetMessageClass(method.output)) for method in GREETER.methods}
    _, reply = made[HELLO]

    async def end(name: str, context: Any) -> Message:
        if name == "abort":
            await context.abort(grpc.StatusCode.ABORTED, "no")
        if name == "raise":
            raise ValueError
        if name == "hang":
            await asyncio.Event().wait()
        return reply(message=name)

    async def unary(request: Any, context: Any) -> Message:
        return await end(request.name, context)

    async def up(requests: Any, context: Any) -> Message:
        return await end((await _each(requests))[0].name, context)  # type: ignore[attr-defined]

    async def down(request: Any, context: Any) -> AsyncIterator[Message]:
        yield reply()
        yield await end(request.name, context)

    async def both(requests: Any, context: Any) -> AsyncIterator[Message]:
        async for request in requests:
            yield await end(request.name, context)

    kinds: dict[str, tuple[Any, Any]] = {
        HELLO: (grpc.unary_unary_rpc_method_handler, unary),
        UP: (grpc.stream_unary_rpc_method_handler, up),
        DOWN: (grpc.unary_stream_rpc_method_handler, down),
        BIDI: (grpc.stream_stream_rpc_method_handler, both),
    }
    handlers = {}
    for path, (handler, behaviour) in kinds.items():
        request, answer = made[path]
        name = path.rpartition("/")[2]
        handlers[name] = handler(behaviour, request.FromString, answer.SerializeToString)
    registry = Servicers()
    registry.add_registered_method_handlers("helloworld.Greeter", handlers)
    return registry


@pytest.mark.parametrize("path", [HELLO, UP, DOWN, BIDI])
@pytest.mark.parametrize("end", ["Ada", "abort", "raise", "hang", "bad", "left"])
@pytest.mark.usefixtures("caplog", "collected_by_hand")
async def test_a_call_in_process_leaves_nothing_however_it_ends(path: str, end: str) -> None:
    app = GrpcMiddleware(servicers=_servicers(), schema=GREETER)
    body = {"bad": b'{"name":"Ada"}{"name":1}', "left": b'{"name":"hang"}'}.get(end, b'{"name":"%s"}' % end.encode())
    headers = [(b"content-type", b"application/x-ndjson")]
    if end == "hang":
        headers.append((b"grpc-timeout", b"10m"))

    async def serve() -> None:
        events: list[Any] = [{"type": "http.request", "body": body, "more_body": False}]
        if end == "left":
            events.append({"type": "http.disconnect"})
        waiting = iter(events)

        async def receive() -> Any:
            return next(waiting, None) or await asyncio.Event().wait()

        async def send(event: Any) -> None:
            pass

        scope = {"type": "http", "method": "POST", "path": path, "headers": headers, "query_string": b""}
        await app(scope, receive, send)

    async def left_by(calls: int) -> int:
        gc.collect()
        for _ in range(calls):
            await asyncio.create_task(serve())
            for _ in range(20):
                await asyncio.sleep(0)
        return gc.collect()

    await left_by(2)
    assert await left_by(12) == await left_by(2)
