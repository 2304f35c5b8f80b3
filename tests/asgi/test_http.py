"""HTTP exchanges, event by event."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import zlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from google.protobuf.message import Message

from asgi_grpc import CallError, Code, Limits
from asgi_grpc.asgi import _exchange, _response, _running, _timer
from asgi_grpc.codec import EncodeError
from asgi_grpc.telemetry import CallRecord, Observer
from asgi_grpc.testing import HttpExchange
from tests.asgi.fakes import BIDI, DOWN, HELLO, UP, FakeCall, gateway

ADA = b'{"name":"Ada"}\n'
TRAILERS: dict[str, dict[str, Any]] = {"http.response.trailers": {}}


async def ask(app: Any, path: str = HELLO, body: bytes = ADA, **options: Any) -> HttpExchange:
    """One whole request, and its whole answer."""
    async with HttpExchange(app, method=options.pop("method", "POST"), path=path, **options) as x:
        await x.send_body(body, more=False)
        await x.ended()
    return x


def refusal(x: HttpExchange) -> tuple[int | None, str, str]:
    """Status, code and message of a failed answer."""
    answer = json.loads(x.body)
    return x.status, answer["status"], answer["message"]


async def fail(call: FakeCall) -> AsyncIterator[list[Message]]:
    async for _ in call.names():
        break
    detail = ("type.googleapis.com/unknown.Type", b"\x01")
    raise CallError(Code.NOT_FOUND, "nobody here", details=[detail], trailers=[("why", "lost")])
    yield []


async def hang(call: FakeCall) -> AsyncIterator[list[Message]]:
    async for _ in call.names():
        break
    await asyncio.Event().wait()
    yield []


class TestWholeAnswers:
    async def test_a_unary_call(self) -> None:
        app, backend = gateway()
        x = await ask(app)
        body = b'{"code":0,"message":"success","data":{"message":"Hello Ada"}}'
        assert x.sent == [
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))],
            },
            {"type": "http.response.body", "body": body, "more_body": False},
        ]
        assert backend.names == ["Ada"]

    async def test_a_long_reply_leaves_in_pieces_so_that_a_client_that_does_not_read_holds_it_with_us(self) -> None:
        async def long(call: FakeCall) -> AsyncIterator[list[Message]]:
            async for _ in call.names():
                yield [call.reply("a" * 150_000)]

        app, _ = gateway(long)
        x = await ask(app)
        assert [len(event.get("body", b"")) for event in x.sent] == [0, 65536, 65536, 150_052 - 131_072]
        assert len(x.body) == int(dict(x.headers)[b"content-length"]) == 150_052
        assert x.complete

    async def test_it_is_idle_while_no_piece_is_taken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_exchange, "FAREWELL_S", 0.01)

        async def long(call: FakeCall) -> AsyncIterator[list[Message]]:
            async for _ in call.names():
                yield [call.reply("a" * (3 << 16))]

        notes: list[None] = []
        monkeypatch.setattr(_timer.SilenceTimer, "note", lambda _: notes.append(None))
        app, _ = gateway(long, limits=Limits(idle_timeout_s=0.05))
        async with HttpExchange(app, method="POST", path=HELLO) as x:
            x.hold_sends()
            await x.send_body(ADA, more=False)
            await x.ended()
        assert (x.status, x.complete) == (200, False)
        before, after = len(notes), await ask(app)
        assert (after.complete, len(notes) - before) == (True, 4)  # with the request's own

    async def test_an_empty_body_is_the_empty_message(self) -> None:
        app, backend = gateway()
        assert (await ask(app, body=b" \n")).status == 200
        assert backend.names == [""]

    async def test_two_values_are_one_too_many(self) -> None:
        app, _ = gateway()
        assert refusal(await ask(app, body=ADA + ADA))[:2] == (400, "INVALID_ARGUMENT")

    async def test_a_client_stream_may_come_in_any_pieces(self) -> None:
        app, _ = gateway()
        async with HttpExchange(app, method="POST", path=UP) as x:
            for byte in ADA + b'{"name":"Bob"}':
                await x.send_body(bytes([byte]))
                await x.starved()
            await x.send_body(more=False)
            assert json.loads(await x.read_body())["data"]["message"] == "Hello Ada, Bob"

    async def test_a_failure_has_the_status_of_its_code(self) -> None:
        app, _ = gateway(fail)
        x = await ask(app)
        assert refusal(x) == (404, "NOT_FOUND", "nobody here")
        assert json.loads(x.body)["details"] == [{"@type": "type.googleapis.com/unknown.Type", "value": "AQ=="}]

    async def test_metadata_and_trailers(self) -> None:
        async def talk(call: FakeCall) -> AsyncIterator[list[Message]]:
            call.initial_metadata = [("greeting", "hi")]
            async for name in call.names():
                yield [call.reply(name)]
            call.trailers = [("goodbye", "ho"), ("raw-bin", b"\x00")]

        app, backend = gateway(talk)
        x = await ask(app, headers=[(b"te", b"trailers"), (b"grpc-timeout", b"5S")], extensions=TRAILERS)
        assert (b"grpc-metadata-greeting", b"hi") in x.headers
        assert x.sent[-1] == {
            "type": "http.response.trailers",
            "headers": [(b"grpc-trailer-goodbye", b"ho"), (b"grpc-trailer-raw-bin", b"AA")],
            "more_trailers": False,
        }
        assert backend.calls[0].deadline_s == 5
        assert ("x-forwarded-for", "127.0.0.1") in backend.metadata
        plain = await ask(app, extensions=TRAILERS)  # nobody asked for them
        assert plain.sent[-1]["type"] == "http.response.body"
        stream = await ask(app, DOWN, headers=[(b"te", b"trailers")], extensions=TRAILERS)
        assert stream.sent[-1]["type"] == "http.response.trailers"
        assert json.loads(stream.body.splitlines()[-1]) == {
            "type": "complete",
            "trailers": {"goodbye": "ho", "raw-bin": "AA"},
        }

    async def test_a_failure_has_its_metadata_trailers_and_challenge_too(self) -> None:
        async def refuse(call: FakeCall) -> AsyncIterator[list[Message]]:
            call.initial_metadata = [("realm", "x"), ("www-authenticate", "Basic")]
            raise CallError(Code.UNAUTHENTICATED, "who?", trailers=[("www-authenticate", "Bearer"), ("k-bin", b"\x00")])
            yield []

        app, _ = gateway(refuse)
        for path in (HELLO, DOWN):
            x = await ask(app, path, headers=[(b"te", b"trailers")], extensions=TRAILERS)
            assert x.status == 401
            assert x.headers[2:] == [
                (b"grpc-metadata-realm", b"x"),
                (b"grpc-metadata-www-authenticate", b"Basic"),
                (b"www-authenticate", b"Basic, Bearer"),
            ]
            assert x.sent[-1]["headers"] == [
                (b"grpc-trailer-www-authenticate", b"Bearer"),
                (b"grpc-trailer-k-bin", b"AA"),
            ]

    async def test_a_challenge_belongs_to_401_alone(self) -> None:
        async def refuse(call: FakeCall) -> AsyncIterator[list[Message]]:
            raise CallError(Code.PERMISSION_DENIED, "no", trailers=[("www-authenticate", "Bearer")])
            yield []

        app, _ = gateway(refuse)
        x = await ask(app)
        assert (x.status, [name for name, _ in x.headers]) == (403, [b"content-type", b"content-length"])

    async def test_header_metadata_may_be_renamed(self) -> None:
        async def talk(call: FakeCall) -> AsyncIterator[list[Message]]:
            call.initial_metadata = [("etag", "1"), ("secret", "2")]
            yield [call.reply("x")]

        app, _ = gateway(talk, response_metadata={"etag": "ETag"}.get)
        for path in (HELLO, DOWN):
            names = [name for name, _ in (await ask(app, path)).headers]
            assert (b"etag" in names, b"secret" in names) == (True, False)

    async def test_a_reply_without_a_json_form_is_the_service_s_fault(self, caplog: pytest.LogCaptureFixture) -> None:
        async def odd(call: FakeCall) -> AsyncIterator[list[Message]]:
            raise EncodeError("a.B", "$.c", "not finite")
            yield []

        app, _ = gateway(odd)
        text = "the reply has no JSON form: a.B: not finite at $.c"
        assert refusal(await ask(app)) == (500, "INTERNAL", text)
        assert caplog.records[0].exc_info is None

    async def test_our_own_bugs_are_internal_and_logged_once(self, caplog: pytest.LogCaptureFixture) -> None:
        async def broken(call: FakeCall) -> AsyncIterator[list[Message]]:
            raise ZeroDivisionError("secret")
            yield []

        app, _ = gateway(broken)
        assert refusal(await ask(app)) == (500, "INTERNAL", "internal error")
        assert [record.message for record in caplog.records] == ["serving a request failed"]


class TestStreams:
    async def test_each_batch_leaves_at_once(self) -> None:
        app, _ = gateway()
        async with HttpExchange(app, method="POST", path=BIDI) as x:
            await x.send_body(ADA)
            assert (await x.receive())["headers"][:3] == [
                (b"content-type", b"application/x-ndjson"),
                (b"cache-control", b"no-store"),
                (b"x-accel-buffering", b"no"),
            ]
            assert (await x.receive())["body"] == b'{"type":"response","data":{"message":"Hello Ada"}}\n'
            await x.send_body(ADA + ADA, more=False)
            assert await x.read_body() == b'{"type":"response","data":{"message":"Hello Ada"}}\n' * 2 + (
                b'{"type":"complete"}\n'
            )

    async def test_a_failure_before_the_first_message_has_its_status(self) -> None:
        app, _ = gateway(fail)
        assert refusal(await ask(app, DOWN)) == (404, "NOT_FOUND", "nobody here")

    async def test_a_failure_after_it_is_the_last_record(self) -> None:
        async def fail_late(call: FakeCall) -> AsyncIterator[list[Message]]:
            yield [call.reply("one")]
            raise CallError(Code.ABORTED, "no more", trailers=[("k", "v")])

        app, _ = gateway(fail_late)
        x = await ask(app, DOWN)
        assert (x.status, x.complete) == (200, True)
        assert json.loads(x.body.splitlines()[-1]) == {
            "type": "error", "error": "no more", "code": "ABORTED", "details": [], "trailers": {"k": "v"},
        }  # fmt: skip
        events = await ask(app, DOWN, headers=[(b"accept", b"text/event-stream")])
        assert b"event: error\ndata: {" in events.body
        bare, _ = gateway(fail_late, dialect="bare")
        cut = await ask(bare, DOWN)
        assert (cut.body, cut.complete) == (b'{"message":"one"}\n', False)

    async def test_the_head_of_an_idle_stream_leaves_after_a_while(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_response, "EARLY_HEADERS_S", 0.01)
        app, backend = gateway(hang)
        async with HttpExchange(app, method="POST", path=BIDI) as x:
            assert (await x.receive())["status"] == 200
            await x.disconnect()
            await x.ended()
        assert backend.cancelled.is_set()
        assert x.unheard == []

    @pytest.mark.parametrize("when", ["with the first reply", "after a while", "with the end"])
    async def test_who_asks_for_the_head_of_a_stream_does_not_wait_for_its_end(
        self, when: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        over = asyncio.Event()

        async def stream(call: FakeCall) -> AsyncIterator[list[Message]]:
            async for name in call.names():
                try:
                    if when == "with the first reply":
                        yield [call.reply(name)]
                    if when != "with the end":
                        await asyncio.Event().wait()
                finally:
                    over.set()

        monkeypatch.setattr(_response, "EARLY_HEADERS_S", 0.01)
        ends: list[Code | None] = []

        class Ends(Observer):
            def ended(self, call: CallRecord) -> None:
                ends.append(call.code)

        app, _ = gateway(stream, observers=[Ends()])
        x = await ask(app, "/v1/helloworld/Ada/stream", b"", method="HEAD")
        assert (x.status, x.body, x.complete, ends) == (200, b"", True, [Code.OK])
        await over.wait()

    async def test_nor_does_the_call_begin_where_the_head_leaves_at_once(self) -> None:
        app, backend = gateway(early_headers=True)
        x = await ask(app, "/v1/helloworld/Ada/stream", b"", method="HEAD")
        assert backend.names == []
        assert (x.status, x.body, x.complete) == (200, b"", True)

    async def test_or_at_once_if_one_wants(self) -> None:
        app, _ = gateway(hang, early_headers=True)
        async with HttpExchange(app, method="POST", path=BIDI) as x:
            assert (await x.receive())["status"] == 200

    async def test_no_record_is_written_that_nobody_asked_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_response, "EARLY_HEADERS_S", 0.01)
        app, _ = gateway()
        async with HttpExchange(app, method="POST", path=BIDI) as x:
            await x.send_body(ADA)
            await x.receive()
            await x.receive()
            await asyncio.sleep(0.05)  # longer than the head's timer
            assert len(x.sent) == 2

    async def test_a_head_that_is_due_as_the_first_message_leaves_is_no_heartbeat(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_response, "EARLY_HEADERS_S", 0.0)

        async def just_before(call: FakeCall) -> AsyncIterator[list[Message]]:
            loop = asyncio.get_running_loop()
            proceed = loop.create_future()
            loop.call_at(loop.time() - 1, proceed.set_result, None)  # in the turn of the head's timer, ahead of it
            await proceed
            yield [call.reply("Ada")]
            await asyncio.sleep(0)

        app, _ = gateway(just_before)
        x = await ask(app, DOWN)
        assert x.body == b'{"type":"response","data":{"message":"Ada"}}\n{"type":"complete"}\n'

    async def test_heartbeats_fill_silence(self) -> None:
        app, _ = gateway(heartbeat_s=0.01)
        async with HttpExchange(app, method="POST", path=BIDI) as x:
            await x.send_body(ADA)
            bodies = [await x.receive() for _ in range(4)][1:]
            assert [event["body"] for event in bodies[1:]] == [b"\n", b"\n"]

    async def test_a_framing_without_heartbeats_gets_none(self) -> None:
        app, _ = gateway(heartbeat_s=0.01)
        async with HttpExchange(app, method="POST", path=BIDI, headers=[(b"accept", b"application/json-seq")]) as x:
            await x.send_body(ADA)
            await x.receive()
            await x.receive()
            await asyncio.sleep(0.05)
            assert len(x.sent) == 2

    async def test_a_client_that_reads_slowly_stops_the_replies(self) -> None:
        produced: list[int] = []

        async def count(call: FakeCall) -> AsyncIterator[list[Message]]:
            for n in range(100):
                produced.append(n)
                yield [call.reply(str(n))]

        app, _ = gateway(count, heartbeat_s=0.01)
        async with HttpExchange(app, method="POST", path=DOWN) as x:
            x.hold_sends()
            await x.send_body(ADA, more=False)
            await x.receive()
            await asyncio.sleep(0.05)
            assert produced == [0]
            x.release_sends()
            assert len((await x.read_body()).splitlines()) == 101


class TestInput:
    async def test_a_request_with_a_length_and_chunks_is_the_last_of_its_connection(self) -> None:
        app, _ = gateway()
        x = await ask(app, headers=[(b"content-length", b"15"), (b"transfer-encoding", b"chunked")])
        assert x.status == 200
        assert (b"connection", b"close") in x.headers

    async def test_a_length_and_chunks_close_the_connection_where_nothing_is_served_too(self) -> None:
        app, _ = gateway()
        x = await ask(app, "/nowhere", headers=[(b"content-length", b"15"), (b"transfer-encoding", b"chunked")])
        assert (x.status, (b"connection", b"close") in x.headers) == (404, True)

    async def test_messages_before_a_bad_one_are_delivered(self) -> None:
        app, backend = gateway()
        x = await ask(app, UP, ADA + b'{"name":5}\n' + ADA)
        status, code, message = refusal(x)
        assert (status, code) == (400, "INVALID_ARGUMENT")
        assert message.startswith("message 2 at byte 15: helloworld.HelloRequest: ")
        assert message.endswith(" at $.name")
        assert backend.names == ["Ada"]

    async def test_a_stream_that_can_not_be_cut_tells_where(self) -> None:
        app, backend = gateway()
        x = await ask(app, UP, b"[" + ADA + b",,")
        assert refusal(x) == (400, "INVALID_ARGUMENT", "message 2 at byte 17: expected a JSON value")
        assert backend.names == ["Ada"]

    async def test_a_thousand_messages_in_one_chunk_come_in_batches(self) -> None:
        app, backend = gateway()
        await ask(app, UP, ADA * 3000)
        assert len(backend.names) == 3000
        x = await ask(app, UP, ADA * 3000 + b"nonsense")
        assert refusal(x)[2].startswith("message 3001 at byte 45000: ")

    async def test_limits_fire_at_their_byte(self) -> None:
        app, _ = gateway(limits=Limits(max_message_bytes=14))
        assert (await ask(app, UP)).status == 200
        assert refusal(await ask(app, UP, b" " + ADA[:-2] + b" }"))[:2] == (413, "RESOURCE_EXHAUSTED")
        assert refusal(await ask(app, HELLO, ADA + b" "))[:2] == (413, "RESOURCE_EXHAUSTED")

    @pytest.mark.parametrize(("coding", "compress"), [(b"gzip", gzip.compress), (b"deflate", zlib.compress)])
    async def test_compressed_bodies(self, coding: bytes, compress: Any) -> None:
        app, backend = gateway()
        headers = [(b"content-encoding", coding)]
        await ask(app, UP, compress(ADA * 10), headers=headers)
        assert len(backend.names) == 10
        x = await ask(app, UP, compress(ADA * 10)[:-9], headers=headers)
        assert refusal(x)[:2] == (400, "INVALID_ARGUMENT")
        x = await ask(app, UP, b"\x00\x01\x02" + ADA, headers=headers)
        assert refusal(x)[:2] == (400, "INVALID_ARGUMENT")

    async def test_a_binding_without_a_body_takes_none(self) -> None:
        app, backend = gateway()
        x = await ask(app, "/v1/helloworld/Ada", b"", method="GET", headers=[(b"content-type", b"text/plain")])
        assert (x.status, backend.names) == (200, ["Ada"])
        length = [(b"content-length", b"%d" % len(ADA))]
        assert refusal(await ask(app, "/v1/helloworld/Ada", ADA, method="GET", headers=length))[0] == 400

    @pytest.mark.parametrize(
        ("path", "method", "headers"),
        [("/v1/helloworld/Ada", "GET", []), (HELLO, "POST", [(b"content-length", b"0")])],
    )
    async def test_nobody_waits_for_a_body_that_will_not_come(self, path: str, method: str, headers: Any) -> None:
        app, _ = gateway()
        async with HttpExchange(app, method=method, path=path, headers=headers) as x:
            assert (await x.receive())["status"] == 200

    async def test_reading_pauses_when_enough_is_held(self) -> None:
        busy = asyncio.Event()

        async def dawdle(call: FakeCall) -> AsyncIterator[list[Message]]:
            async for name in call.names():
                await busy.wait()
                yield [call.reply(name)]

        app, backend = gateway(dawdle, limits=Limits(read_ahead_bytes=20))
        async with HttpExchange(app, method="POST", path=BIDI) as x:
            for _ in range(10):
                await x.send_body(ADA)
            await x.send_body(more=False)
            await asyncio.sleep(0.02)
            assert len(x._script) >= 5  # most of the input stays where it came from
            assert backend.names == ["Ada"]
            busy.set()
            assert len((await x.read_body()).splitlines()) == 11


class TestEnds:
    @pytest.mark.parametrize("path", [HELLO, DOWN, UP, BIDI])
    async def test_a_client_that_goes_cancels_the_call(self, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_running, "SLOW_AFTER_S", 0.001)
        app, backend = gateway(hang)
        async with HttpExchange(app, method="POST", path=path) as x:
            await x.send_body(ADA, more=path in (UP, BIDI))
            while not backend.names:
                await asyncio.sleep(0)
            await x.disconnect()
            await x.ended()
        assert backend.cancelled.is_set()
        assert x.unheard == []

    async def test_a_client_that_goes_inside_its_body_starts_no_call(self) -> None:
        app, backend = gateway()
        async with HttpExchange(app, method="POST", path=HELLO) as x:
            await x.send_body(b'{"na')
            await x.disconnect()
            await x.ended()
        assert (backend.names, x.sent) == ([], [])

    @pytest.mark.parametrize("path", [HELLO, BIDI])
    async def test_a_broken_pipe_is_no_error(self, path: str, caplog: pytest.LogCaptureFixture) -> None:
        gone = asyncio.Event()

        async def wait(call: FakeCall) -> AsyncIterator[list[Message]]:
            async for _ in call.names():
                break
            await gone.wait()
            yield [call.reply("late")]

        app, _ = gateway(wait)
        async with HttpExchange(app, method="POST", path=path, broken_pipe=True) as x:
            await x.send_body(ADA, more=path == BIDI)
            await x.starved()
            gone.set()
            await x.disconnect()
            await x.ended()
        assert x.sent == []
        assert caplog.records == []

    async def test_a_slow_service_is_not_idle(self) -> None:
        async def slow(call: FakeCall) -> AsyncIterator[list[Message]]:
            names = [name async for name in call.names()]
            until = asyncio.get_running_loop().time() + 0.1
            while asyncio.get_running_loop().time() < until:
                call.taken += 1  # of a batch that was pulled long ago
                await asyncio.sleep(0)
            yield [call.reply(", ".join(names))]

        app, _ = gateway(slow, limits=Limits(idle_timeout_s=0.02))
        x = await ask(app, UP)
        assert x.status == 200

    async def test_a_silent_exchange_ends(self) -> None:
        app, backend = gateway(hang, limits=Limits(idle_timeout_s=0.02))
        x = await ask(app, DOWN)
        assert refusal(x) == (504, "DEADLINE_EXCEEDED", "no input and no output for 0.02 s")
        assert backend.cancelled.is_set()

    @pytest.mark.parametrize("path", [HELLO, DOWN])
    @pytest.mark.parametrize("broken", ["http.response.start", "http.response.body"])
    async def test_a_server_that_breaks_is_not_written_to_again(
        self, path: str, broken: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        app, _ = gateway()
        x = HttpExchange(app, method="POST", path=path)
        seen: list[str] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": ADA}

        async def send(event: Any) -> None:
            seen.append(event["type"])
            if event["type"] == broken and not event.get("more_body"):
                raise RuntimeError("the server's own bug")

        with contextlib.suppress(RuntimeError, AssertionError):
            await app(x.scope, receive, send)
        assert seen.count(broken) <= 2
        assert "serving a request failed" in caplog.text

    async def test_a_client_that_goes_while_a_timer_writes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_response, "EARLY_HEADERS_S", 0.01)
        app, backend = gateway(hang)
        async with HttpExchange(app, method="POST", path=DOWN, broken_pipe=True) as x:
            x._vanished = True  # the pipe is broken before the disconnect shows
            x._script.append({"type": "http.request", "body": ADA})
            while not x.unheard:
                await asyncio.sleep(0.001)
            await x.disconnect()
            await x.ended()
        assert backend.cancelled.is_set()

    async def test_a_client_that_never_reads_is_left_in_the_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_exchange, "FAREWELL_S", 0.01)
        app, _ = gateway(limits=Limits(idle_timeout_s=0.02))
        async with HttpExchange(app, method="POST", path=DOWN) as x:
            x.hold_sends()
            await x.send_body(ADA, more=False)
            await x.ended()
        assert json.loads(x.body)["code"] == "DEADLINE_EXCEEDED"  # it was told, and did not read it

    async def test_a_cancelled_server_task_stays_cancelled(self) -> None:
        app, backend = gateway(hang)
        x = HttpExchange(app, method="POST", path=DOWN)
        with pytest.raises(asyncio.CancelledError):  # noqa: PT012 - the block's end is what raises
            async with x:
                await x.send_body(ADA, more=False)
                while not backend.names:
                    await asyncio.sleep(0)
                x._running.cancel()
        assert backend.cancelled.is_set()

    async def test_more_streams_than_allowed_are_asked_to_come_back(self) -> None:
        app, _ = gateway(hang, limits=Limits(max_streams=1))
        async with HttpExchange(app, method="POST", path=BIDI) as first:
            await first.starved()
            x = await ask(app)
            assert refusal(x)[:2] == (503, "UNAVAILABLE")
            assert (b"retry-after", b"1") in x.headers
        assert (await ask(gateway()[0])).status == 200
