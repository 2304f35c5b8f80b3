"""What observers are told: every start once, every batch, every end once, whichever end it is."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import greeter_pb2
import greeter_pb2_grpc
import grpc.aio
import pytest
from google.protobuf.message import Message

from asgi_grpc import CallError, Code, GrpcMiddleware, Limits, Servicers
from asgi_grpc.asgi import _exchange, _watched
from asgi_grpc.telemetry import CallRecord, Observer
from asgi_grpc.testing import HttpExchange, WebSocketExchange
from tests.asgi.fakes import BIDI, DOWN, HELLO, UP, FakeCall, gateway
from tests.asgi.test_http import fail, hang

ADA = b'{"name":"Ada"}'
ANSWER = len(b'{"code":0,"message":"success","data":{"message":"Hello Ada"}}')
RECORD = len(b'{"type":"response","data":{"message":"Hello Ada"}}\n')
COMPLETE = len(b'{"type":"complete"}\n')


class Notes(Observer):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.calls: list[CallRecord] = []

    def started(self, call: CallRecord) -> None:
        self.told.append(("started", call.transport, call.name))
        self.calls.append(call)

    def received(self, call: CallRecord, messages: int, size: int) -> None:
        self.told.append(("received", messages, size))

    def sent(self, call: CallRecord, messages: int, size: int) -> None:
        self.told.append(("sent", messages, size))

    def ended(self, call: CallRecord) -> None:
        assert call.code is not None
        self.told.append(("ended", call.code.name))
        self.calls.remove(call)

    @property
    def ends(self) -> list[str]:
        return [each[1] for each in self.told if each[0] == "ended"]

    def check(self, *codes: str) -> None:
        """Every call ended once, so, and none before its start."""
        assert (self.ends, self.calls) == (list(codes), [])
        assert len([each for each in self.told if each[0] == "started"]) == len(codes)


async def ask(app: Any, path: str, body: bytes = ADA, **options: Any) -> HttpExchange:
    async with HttpExchange(app, method=options.pop("method", "POST"), path=path, **options) as x:
        await x.send_body(body, more=False)
        await x.ended()
    return x


class TestWholeCalls:
    async def test_a_unary_call(self) -> None:
        notes = Notes()
        app, _ = gateway(observers=[notes])
        await ask(app, HELLO)
        assert notes.told == [
            ("started", "http", "SayHello"),
            ("received", 1, len(ADA)),
            ("sent", 1, 0),
            ("sent", 0, ANSWER),
            ("ended", "OK"),
        ]

    async def test_a_stream_down(self) -> None:
        notes = Notes()
        app, _ = gateway(observers=[notes])
        await ask(app, DOWN)
        assert notes.told == [
            ("started", "http", "SayHelloServerStream"),
            ("received", 1, len(ADA)),
            ("sent", 1, RECORD),
            ("sent", 0, COMPLETE),
            ("ended", "OK"),
        ]

    async def test_a_batch_is_told_at_once(self) -> None:
        notes = Notes()
        app, _ = gateway(observers=[notes])
        await ask(app, UP, ADA + b"\n" + ADA + b"\n" + ADA)
        assert notes.told[1:3] == [("received", 3, 3 * len(ADA) + 2), ("received", 0, 0)]
        assert notes.ends == ["OK"]

    async def test_only_the_first_reply_is_the_first(self) -> None:
        class Keeping(Observer):
            def sent(self, call: CallRecord, messages: int, size: int) -> None:
                seen.append((call.first_sent_at, call.sent))

        seen: list[tuple[float | None, int]] = []
        app, _ = gateway(observers=[Keeping()])
        await ask(app, BIDI, ADA + ADA)
        first = seen[0][0]
        assert first is not None
        assert seen == [(first, 1), (first, 2), (first, 2)]

    async def test_an_event_stream_is_one(self) -> None:
        notes = Notes()
        app, _ = gateway(observers=[notes])
        await ask(app, DOWN, headers=[(b"accept", b"text/event-stream")])
        assert (notes.told[0], notes.ends) == (("started", "sse", "SayHelloServerStream"), ["OK"])

    async def test_a_websocket_counts_the_bytes_of_its_texts(self) -> None:
        notes = Notes()
        app, _ = gateway(observers=[notes])
        async with WebSocketExchange(app, path=BIDI) as x:
            await x.send_text('{"name":"Adé"}')
            await x.receive()
            await x.receive()
            await x.send_text("")
            await x.ended()
        size = len('{"name":"Adé"}'.encode())
        assert notes.told == [
            ("started", "websocket", "SayHelloBidiStream"),
            ("received", 1, size),
            ("sent", 1, len('{"type":"response","data":{"message":"Hello Adé"}}'.encode())),
            ("received", 0, 0),
            ("sent", 0, COMPLETE - 1),
            ("ended", "OK"),
        ]

    async def test_the_record_has_it_all_at_the_end(self) -> None:
        class Keeping(Observer):
            def ended(self, call: CallRecord) -> None:
                kept.append(call)

        kept: list[CallRecord] = []
        before = time.monotonic()
        app, _ = gateway(observers=[Keeping()])
        await ask(app, "/v1/helloworld/Ada/stream", b"", method="GET")
        (call,) = kept
        assert call.first_sent_at is not None
        assert call.ended_at is not None
        assert before <= call.started_at <= call.first_sent_at <= call.ended_at <= time.monotonic()
        assert (call.route, call.peer, call.code, call.held_bytes) == (
            *("/v1/helloworld/{name}/stream", "127.0.0.1:50000", Code.OK, 0),
        )
        assert (call.received, call.received_bytes, call.sent, call.sent_bytes) == (1, 0, 1, RECORD + COMPLETE)


async def one_then_fail(call: FakeCall) -> AsyncIterator[list[Message]]:
    async for name in call.names():
        yield [call.reply(name)]
        raise CallError(Code.DATA_LOSS, "it is lost")


async def break_down(_call: FakeCall) -> AsyncIterator[list[Message]]:
    raise RuntimeError("a fault of ours")
    yield []


class TestEnds:
    @pytest.mark.parametrize(
        ("handler", "path", "options", "code"),
        [
            pytest.param(fail, HELLO, {}, "NOT_FOUND", id="failure"),
            pytest.param(fail, DOWN, {}, "NOT_FOUND", id="early-failure-of-a-stream"),
            pytest.param(one_then_fail, DOWN, {}, "DATA_LOSS", id="failure-in-mid-stream"),
            pytest.param(break_down, HELLO, {}, "INTERNAL", id="fault-of-ours"),
            pytest.param(hang, HELLO, {"limits": Limits(idle_timeout_s=0.01)}, "DEADLINE_EXCEEDED", id="idle"),
        ],
    )
    async def test_a_call_that_fails(self, handler: Any, path: str, options: Any, code: str) -> None:
        notes = Notes()
        app, _ = gateway(handler, observers=[notes], **options)
        await ask(app, path)
        notes.check(code)

    @pytest.mark.parametrize(
        ("path", "body", "headers", "code"),
        [
            pytest.param(HELLO, b"nonsense", [], "INVALID_ARGUMENT", id="body"),
            pytest.param(UP, ADA + b"nonsense", [], "INVALID_ARGUMENT", id="later-message"),
            pytest.param(HELLO, ADA, [(b"content-type", b"image/png")], "INVALID_ARGUMENT", id="media-type"),
            pytest.param(HELLO, ADA, [(b"accept", b"image/png")], "INVALID_ARGUMENT", id="accept"),
            pytest.param(HELLO, ADA, [(b"grpc-metadata-a-bin", b"?")], "INVALID_ARGUMENT", id="metadata"),
            pytest.param(HELLO, ADA, [(b"grpc-timeout", b"soon")], "INVALID_ARGUMENT", id="timeout"),
            pytest.param(HELLO, b'"' + b"x" * 99, [], "RESOURCE_EXHAUSTED", id="too-large"),
        ],
    )
    async def test_a_request_that_is_refused(self, path: str, body: bytes, headers: Any, code: str) -> None:
        notes = Notes()
        app, _ = gateway(observers=[notes], limits=Limits(max_message_bytes=64))
        await ask(app, path, body, headers=headers)
        notes.check(code)

    async def test_a_query_that_is_refused(self) -> None:
        notes = Notes()
        app, _ = gateway(observers=[notes], ignore_unknown_query=False)
        await ask(app, "/v1/helloworld/Ada?nonsense=1", b"", method="GET")
        notes.check("INVALID_ARGUMENT")

    async def test_one_call_too_many(self) -> None:
        notes = Notes()
        app, backend = gateway(hang, observers=[notes], limits=Limits(max_streams=1))
        async with HttpExchange(app, method="POST", path=HELLO) as first:
            await first.send_body(ADA, more=False)
            while not backend.names:
                await asyncio.sleep(0)
            assert (await ask(app, HELLO)).status == 503
            assert (notes.ends, len(notes.calls)) == (["UNAVAILABLE"], 1)
        notes.check("UNAVAILABLE", "CANCELLED")

    async def test_a_client_that_goes_in_mid_body(self) -> None:
        notes = Notes()
        app, _ = gateway(observers=[notes])
        async with HttpExchange(app, method="POST", path=UP) as x:
            await x.send_body(ADA[:5])
            await x.disconnect()
            await x.ended()
        assert notes.told[1:] == [("received", 0, 5), ("ended", "CANCELLED")]
        notes.check("CANCELLED")

    async def test_a_client_that_goes_while_its_answer_is_written(self) -> None:
        notes = Notes()
        app, _ = gateway(hang, observers=[notes], early_headers=True, heartbeat_s=0.001)
        async with HttpExchange(app, method="POST", path=DOWN, broken_pipe=True) as x:
            await x.send_body(ADA, more=False)
            await x.receive()
            await x.disconnect()
            await x.ended()
        notes.check("CANCELLED")

    async def test_a_websocket_that_goes(self) -> None:
        notes = Notes()
        app, _ = gateway(hang, observers=[notes])
        async with WebSocketExchange(app, path=BIDI) as x:
            await x.send_text("{}")
            await x.starved()
            await x.disconnect()
            await x.ended()
        notes.check("CANCELLED")

    async def test_a_websocket_whose_client_cancels(self) -> None:
        notes = Notes()
        app, _ = gateway(hang, observers=[notes])
        async with WebSocketExchange(app, path=BIDI, subprotocols=["asgi-grpc.records.v1"]) as x:
            await x.send_text('{"type":"cancel"}')
            await x.ended()
        notes.check("CANCELLED")

    async def test_a_handshake_that_is_refused(self) -> None:
        notes = Notes()
        app, _ = gateway(observers=[notes])
        async with WebSocketExchange(app, path=BIDI, headers=[(b"origin", b"https://evil.example")]) as x:
            await x.ended()
        notes.check("PERMISSION_DENIED")

    async def test_a_drain(self) -> None:
        notes = Notes()
        app, backend = gateway(hang, observers=[notes])
        async with HttpExchange(app, method="POST", path=HELLO) as x:
            await x.send_body(ADA, more=False)
            while not backend.names:
                await asyncio.sleep(0)
            await app.drain(0.0)
            await x.ended()
        await ask(app, HELLO)
        notes.check("UNAVAILABLE", "UNAVAILABLE")

    async def test_a_client_that_has_heard_all_has_not_left(self) -> None:
        closing = asyncio.Event()
        events = iter([{"type": "websocket.connect"}, {"type": "websocket.receive", "text": ""}])

        async def receive() -> Any:
            if (event := next(events, None)) is None:
                await closing.wait()
                return {"type": "websocket.disconnect", "code": 1000}
            return event

        async def send(event: Any) -> None:
            if event["type"] == "websocket.close":
                closing.set()
                await asyncio.Event().wait()  # for the client's own close, as uvicorn's websockets does

        notes = Notes()
        app, _ = gateway(observers=[notes])
        await app({"type": "websocket", "path": BIDI, "query_string": b"", "headers": []}, receive, send)
        notes.check("OK")

    async def test_a_server_that_cancels_its_task(self) -> None:
        notes = Notes()
        app, backend = gateway(hang, observers=[notes])
        async with HttpExchange(app, method="POST", path=HELLO) as x:
            await x.send_body(ADA, more=False)
            while not backend.names:
                await asyncio.sleep(0)
            x._running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await x.ended()
        notes.check("UNAVAILABLE")

    async def test_a_client_that_does_not_read_its_failure(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_exchange, "FAREWELL_S", 0.0)
        notes = Notes()
        app, _ = gateway(fail, observers=[notes])
        async with HttpExchange(app, method="POST", path=HELLO) as x:
            x.hold_sends()
            await x.send_body(ADA, more=False)
            await x.ended()
            x.violations.clear()
        notes.check("NOT_FOUND")


async def test_a_fault_of_ours_is_logged_with_its_call(caplog: pytest.LogCaptureFixture) -> None:
    app, _ = gateway(break_down)
    await ask(app, DOWN, headers=[(b"accept", b"text/event-stream")])
    (line,) = [vars(record) for record in caplog.records]
    assert {name: line[name] for name in ("name", "method", "kind", "route", "transport", "code")} == {
        "name": "asgi_grpc.error",
        "method": "helloworld.Greeter.SayHelloServerStream",
        "kind": "server_streaming",
        "route": DOWN,
        "transport": "sse",
        "code": "INTERNAL",
    }


class TestNoCalls:
    @pytest.mark.parametrize(("method", "path"), [("GET", "/nothing"), ("DELETE", HELLO), ("OPTIONS", HELLO)])
    async def test_a_request_that_matches_no_method_is_no_call(self, method: str, path: str) -> None:
        notes = Notes()
        app, _ = gateway(observers=[notes])
        await ask(app, path, b"", method=method)
        assert notes.told == []

    async def test_where_nobody_observes_nothing_is_counted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: Any, **__: Any) -> None:
            raise AssertionError("somebody counts")

        monkeypatch.setattr(_watched, "CallRecord", refuse)
        for name in ("__init__", "receive", "send", "start", "note_code", "end"):
            monkeypatch.setattr(_watched.WatchedCall, name, refuse)
        app, _ = gateway()
        assert [(await ask(app, path)).status for path in (HELLO, DOWN, UP, BIDI)] == [200, 200, 200, 200]
        async with WebSocketExchange(app, path=BIDI) as x:
            await x.send_text("")
            await x.ended()
        assert x.close_code == 1000


class Telling(Observer):
    """Sends metadata along."""

    def __init__(self, **metadata: str) -> None:
        self.metadata = metadata

    def started(self, call: CallRecord) -> None:
        call.metadata.update(self.metadata)


class TestMetadata:
    async def test_what_an_observer_says_goes_to_the_service_instead_of_what_the_client_said(self) -> None:
        app, backend = gateway(observers=[Telling(traceparent="mine", b3="both"), Telling(traceparent="last")])
        await ask(app, HELLO, headers=[(b"traceparent", b"yours"), (b"x-request-id", b"7")])
        assert [pair for pair in backend.metadata if pair[0] != "x-forwarded-for"] == [
            *(("x-request-id", "7"), ("traceparent", "last"), ("b3", "both")),
        ]

    async def test_what_metadata_can_not_carry_is_left_out(self) -> None:
        app, backend = gateway(observers=[Telling(baggage="a=\n", tracestate="é", b3="1")])
        await ask(app, HELLO)
        assert [pair for pair in backend.metadata if pair[0] != "x-forwarded-for"] == [("b3", "1")]


class TestInProcess:
    async def test_a_servicer_sees_the_context_variables_of_an_observer(self) -> None:
        variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="nothing")

        class Setting(Observer):
            def started(self, call: CallRecord) -> None:
                variable.set(call.name)

        class Greeter(greeter_pb2_grpc.GreeterServicer):
            async def SayHello(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
                return greeter_pb2.HelloReply(message=variable.get())

        registry = Servicers()
        greeter_pb2_grpc.add_GreeterServicer_to_server(Greeter(), registry)
        app = GrpcMiddleware(servicers=registry, observers=[Setting()])
        assert b'"message":"SayHello"' in (await ask(app, HELLO)).body

    async def test_calls_that_wait_for_a_thread_are_counted(self) -> None:
        class Waiting(Observer):
            def watch_queue(self, waiting: Callable[[], int]) -> None:
                found.append(waiting)

        class Greeter(greeter_pb2_grpc.GreeterServicer):
            def SayHello(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - gRPC's name
                assert proceed.wait(10)
                return greeter_pb2.HelloReply()

        found: list[Callable[[], int]] = []
        proceed = threading.Event()
        registry = Servicers(max_workers=1)
        greeter_pb2_grpc.add_GreeterServicer_to_server(Greeter(), registry)
        app = GrpcMiddleware(servicers=registry, observers=[Waiting()])
        assert found[0]() == 0
        calls = asyncio.gather(*(ask(app, HELLO) for _ in range(3)))
        while found[0]() < 2:
            await asyncio.sleep(0)
        proceed.set()
        assert [x.status for x in await calls] == [200, 200, 200]
        assert found[0]() == 0


async def test_what_was_read_and_not_yet_taken_is_seen_while_the_call_runs() -> None:
    class Keeping(Observer):
        def started(self, call: CallRecord) -> None:
            kept.append(call)

    async def listen_late(call: FakeCall) -> AsyncIterator[list[Message]]:
        await proceed.wait()
        async for name in call.names():
            yield [call.reply(name)]

    kept: list[CallRecord] = []
    proceed = asyncio.Event()
    app, _ = gateway(listen_late, observers=[Keeping()])
    async with HttpExchange(app, method="POST", path=BIDI) as x:
        await x.send_body(ADA)
        await x.starved()
        assert kept[0].held_bytes == len(ADA)
        proceed.set()
        await x.send_body(more=False)
        await x.ended()
    assert kept[0].held_bytes == 0
