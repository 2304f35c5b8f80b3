"""WebSocket exchanges, event by event."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from asgi_grpc import CallError, Code, Limits
from asgi_grpc.asgi import _websocket_input
from asgi_grpc.testing import WebSocketExchange
from tests.asgi.fakes import BIDI, DOWN, HELLO, UP, FakeCall, gateway
from tests.asgi.test_http import fail, hang
from tests.mapping.playing import mapped

ADA, BOB = '{"name":"Ada"}', '{"name":"Bob"}'
RECORDS = ["other", "asgi-grpc.records.v1"]
COMPLETE = '{"type":"complete"}'


def response(text: str) -> str:
    return f'{{"type":"response","data":{{"message":"{text}"}}}}'


def request(message: str) -> str:
    return f'{{"type":"request","data":{message}}}'


async def talk(app: Any, path: str, *texts: str, **options: Any) -> WebSocketExchange:
    """Say all of it, and hear all of the answer."""
    async with WebSocketExchange(app, path=path, **options) as x:
        for text in texts:
            await x.send_text(text)
        await x.ended()
    return x


def error_of(x: WebSocketExchange) -> tuple[str, str]:
    record = json.loads(x.texts[-1])
    assert record["type"] == "error"
    return record["code"], record["error"]


class TestBare:
    async def test_a_client_stream_ends_with_an_empty_message(self) -> None:
        app, _ = gateway()
        x = await talk(app, UP, ADA + "\n" + BOB, "")
        assert x.sent == [
            {"type": "websocket.accept", "subprotocol": None, "headers": []},
            {"type": "websocket.send", "text": response("Hello Ada, Bob")},
            {"type": "websocket.send", "text": COMPLETE},
            {"type": "websocket.close", "code": 1000, "reason": ""},
        ]

    async def test_the_other_system_s_mark_may_stand_behind_messages(self) -> None:
        app, backend = gateway()
        x = await talk(app, BIDI, ADA, BOB + '\n {"__end_stream__" : true} ')
        assert x.texts == [response("Hello Ada"), response("Hello Bob"), COMPLETE]
        assert backend.names == ["Ada", "Bob"]

    async def test_a_message_that_only_looks_like_the_mark_is_a_message(self) -> None:
        app, _ = gateway()
        assert error_of(await talk(app, UP, '{"__end_stream__":false}'))[0] == "INVALID_ARGUMENT"

    @pytest.mark.parametrize("path", [HELLO, DOWN])
    async def test_one_message_ends_its_own_input(self, path: str) -> None:
        app, _ = gateway()
        assert (await talk(app, path, ADA)).texts == [response("Hello Ada"), COMPLETE]
        assert (await talk(app, path, ADA, "")).texts == [response("Hello Ada"), COMPLETE]

    async def test_no_message_is_the_empty_message(self) -> None:
        app, backend = gateway()
        await talk(app, HELLO, "")
        assert backend.names == [""]

    @pytest.mark.parametrize("path", [HELLO, DOWN])
    async def test_more_than_one_message_is_an_error(self, path: str) -> None:
        app, _ = gateway(hang)
        assert error_of(await talk(app, path, ADA + "\n" + BOB))[0] == "INVALID_ARGUMENT"
        x = await talk(app, path, ADA, BOB)
        assert error_of(x) == ("INVALID_ARGUMENT", "more input after the end of the input")
        assert x.close_code == 4003

    async def test_input_after_the_end_is_an_error(self) -> None:
        app, backend = gateway()
        x = await talk(app, UP, ADA, '{"__end_stream__":true}' + BOB)
        assert error_of(x)[1].endswith("more input after the end of the input")
        hanging, _ = gateway(hang)
        async with WebSocketExchange(hanging, path=UP) as late:
            await late.send_text(ADA)
            await late.send_text("")
            await late.starved()
            await late.send_text(BOB)
            await late.ended()
        assert late.close_code in (4003, 1006) or error_of(late)[0] == "INVALID_ARGUMENT"
        assert backend.names == ["Ada"]

    @pytest.mark.parametrize(
        ("late", "message"),
        [
            (['{"name":', '"x"}'], "message 2 at byte 0: the stream ends inside a message"),
            (["", BOB], "more input after the end of the input"),
        ],
        ids=["cut-value", "after-the-end"],
    )
    async def test_what_is_wrong_with_later_messages_loses_no_earlier_ones(self, late: list[str], message: str) -> None:
        app, backend = gateway()
        x = await talk(app, UP, ADA, *late)
        assert (error_of(x), backend.names) == (("INVALID_ARGUMENT", message), ["Ada"])

    async def test_a_binding_without_a_body_starts_at_once(self) -> None:
        app, backend = gateway()
        x = await talk(app, "/v1/helloworld/Ada/stream?language=en")
        assert (x.texts, backend.names) == ([response("Hello Ada"), COMPLETE], ["Ada"])
        hanging, _ = gateway(hang)
        async with WebSocketExchange(hanging, path="/v1/helloworld/Ada/stream") as x:
            await x.send_text("{}")
            await x.starved()
            assert x.texts == []
            await x.send_text(ADA)
            await x.ended()
        assert error_of(x)[0] == "INVALID_ARGUMENT"

    async def test_a_client_stream_on_a_binding_without_a_body_takes_whole_messages(self) -> None:
        app, backend = mapped()
        x = await talk(app, "/v1/tell/a?note=n", '{"tags":["x"]}', '{"id":"a"}', "")
        assert x.close_code == 1000
        first, second = backend.requests
        assert MessageToDict(first) == {"id": "a", "note": "n", "tags": ["x"]}
        assert MessageToDict(second) == {"id": "a", "note": "n"}
        assert error_of(await talk(app, "/v1/tell/a", '{"id":"b"}')) == (
            "INVALID_ARGUMENT",
            "message 1 at byte 0: the body: expected in id what the URL says, got something else",
        )
        assert error_of(await talk(app, "/v1/tell/a", "", "{}")) == (
            "INVALID_ARGUMENT",
            "more input after the end of the input",
        )

    async def test_failures_close_with_their_code(self) -> None:
        async def fail_loudly(call: FakeCall) -> AsyncIterator[list[Message]]:
            raise CallError(Code.UNAUTHENTICATED, "é" * 200)
            yield []

        app, _ = gateway(fail_loudly)
        x = await talk(app, BIDI)
        assert x.close_code == 4016
        assert len(x.sent[-1]["reason"].encode()) <= 123
        assert x.sent[-1]["reason"].startswith("UNAUTHENTICATED: ééé")

    async def test_other_dialects(self) -> None:
        plain, _ = gateway(dialect="grpc-gateway")
        assert (await talk(plain, HELLO, ADA)).texts == ['{"result":{"message":"Hello Ada","language":""}}']
        bare, _ = gateway(fail, dialect="bare")
        x = await talk(bare, HELLO, ADA)
        assert (x.texts, x.close_code) == ([], 4005)

    async def test_silence_may_end_a_client_stream(self) -> None:
        app, _ = gateway(half_close_after_idle_s=0.02)
        x = await talk(app, UP, ADA, BOB)
        assert x.texts == [response("Hello Ada, Bob"), COMPLETE]

    async def test_silence_means_nothing_before_the_first_message_or_where_both_sides_talk(self) -> None:
        app, _ = gateway(half_close_after_idle_s=0.01)
        for path, text in ((UP, None), (BIDI, ADA)):
            async with WebSocketExchange(app, path=path) as x:
                if text:
                    await x.send_text(text)
                await asyncio.sleep(0.05)
                assert x.close_code is None


class TestRecords:
    async def test_requests_and_an_end(self) -> None:
        app, _ = gateway()
        x = await talk(app, UP, request(ADA) + "\n" + request(BOB), '{"type":"end"}', subprotocols=RECORDS)
        assert x.sent[0] == {"type": "websocket.accept", "subprotocol": RECORDS[1], "headers": []}
        assert x.texts == [response("Hello Ada, Bob"), COMPLETE]

    async def test_an_end_may_come_with_the_last_request(self) -> None:
        app, _ = gateway()
        for path in (HELLO, UP):
            x = await talk(app, path, request(ADA) + '\n{"type":"end"}', subprotocols=RECORDS)
            assert x.texts == [response("Hello Ada"), COMPLETE]

    async def test_records_are_the_envelope_s_whatever_the_dialect(self) -> None:
        app, _ = gateway(dialect="bare")
        x = await talk(app, HELLO, request(ADA), subprotocols=RECORDS)
        assert x.texts == [response("Hello Ada"), COMPLETE]

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            pytest.param(ADA, "expected a record {", id="bare"),
            pytest.param('{"type":"request"}', "expected a record {", id="no-data"),
            pytest.param('{"type":"what"}', "expected a record {", id="unknown"),
            pytest.param("5", "expected a record {", id="number"),
            pytest.param('{"type":5}', "expected a record {", id="odd-type"),
            pytest.param('{"type":"\\ud800"}', "the record is not valid JSON", id="surrogate"),
            pytest.param('{"type":"request","data":{"name":}}', "the record is not valid JSON", id="not-json"),
            pytest.param("{" * 30, "the stream ends inside a message", id="unfinished"),
        ],
    )
    async def test_what_is_no_record_is_an_error_behind_the_good_ones(self, text: str, problem: str) -> None:
        app, backend = gateway()
        x = await talk(app, UP, request(ADA) + "\n" + text, subprotocols=RECORDS)
        code, message = error_of(x)
        assert (code, message[:13], problem in message) == ("INVALID_ARGUMENT", "message 2 at ", True), message
        assert backend.names == ["Ada"]

    async def test_cancel(self) -> None:
        app, _ = gateway(hang)
        x = await talk(app, BIDI, request(ADA), '{"type":"cancel"}', subprotocols=RECORDS)
        assert (error_of(x), x.close_code) == (("CANCELLED", "the client cancelled the call"), 4001)

    async def test_cancel_behind_the_end_of_the_input(self) -> None:
        app, backend = gateway(hang)
        async with WebSocketExchange(app, path=HELLO, subprotocols=RECORDS) as x:
            await x.send_text(request(ADA))
            while not backend.names:
                await asyncio.sleep(0)
            await x.send_text('{"type":"cancel"}')
            await x.ended()
        assert error_of(x)[0] == "CANCELLED"
        assert backend.cancelled.is_set()

    async def test_input_behind_the_end_is_an_error(self) -> None:
        app, _ = gateway()
        x = await talk(app, UP, request(ADA) + '\n{"type":"end"}\n' + request(BOB), subprotocols=RECORDS)
        assert error_of(x)[1].endswith("more input after the end of the input")


SPACE = "\n" * 20_000  # makes a text message one that is cut a piece at a time


class TestLong:
    """Text messages that are cut a piece at a time mean what short ones mean."""

    async def test_all_messages_arrive_in_order(self) -> None:
        app, backend = gateway()
        texts = ["\n".join(f'{{"name":"{n}"}}' for n in range(k, k + 3000)) for k in (0, 3000)]
        await talk(app, UP, *texts, ADA, "")
        assert backend.names == [*map(str, range(6000)), "Ada"]

    @pytest.mark.parametrize("gap", ["", SPACE])
    async def test_the_end_mark_ends_the_input(self, gap: str) -> None:
        app, backend = gateway()
        x = await talk(app, UP, ADA + SPACE + '{"__end_stream__":true}' + gap)
        assert (x.texts, backend.names) == ([response("Hello Ada"), COMPLETE], ["Ada"])

    @pytest.mark.parametrize("gap", ["", SPACE])
    @pytest.mark.parametrize("more", [BOB, "{"])
    async def test_what_follows_the_end_mark_is_an_error(self, gap: str, more: str) -> None:
        app, backend = gateway()
        x = await talk(app, UP, ADA + SPACE + '{"__end_stream__":true}' + gap + more)
        assert error_of(x)[1].endswith("more input after the end of the input")
        assert backend.names == ["Ada"]

    @pytest.mark.parametrize("path", [HELLO, DOWN])
    async def test_one_message_ends_its_own_input(self, path: str) -> None:
        app, _ = gateway()
        assert (await talk(app, path, SPACE + ADA + SPACE)).texts == [response("Hello Ada"), COMPLETE]
        assert error_of(await talk(app, path, ADA + SPACE + BOB))[1] == "more input after the end of the input"
        assert error_of(await talk(app, path, ADA + SPACE + "{"))[0] == "INVALID_ARGUMENT"

    async def test_messages_behind_the_end_that_came_while_it_was_cut_are_an_error(self) -> None:
        async def slow(call: FakeCall) -> AsyncIterator[list[Message]]:
            names = call.names()
            found = [await anext(names)]
            await read.wait()
            yield [call.reply(", ".join([*found, *[name async for name in names]]))]

        read = asyncio.Event()
        app, _ = gateway(slow)
        async with WebSocketExchange(app, path=UP) as x:
            await x.send_text("\n".join([ADA] * 3000) + '\n{"__end_stream__":true}')
            await x.starved()
            await x.send_text(BOB)
            await x.starved()
            read.set()
            await x.ended()
        assert error_of(x)[1].endswith("more input after the end of the input")

    async def test_records_are_cut_too(self) -> None:
        app, backend = gateway()
        text = request(ADA) + SPACE + request(BOB) + SPACE + '{"type":"end"}' + SPACE
        x = await talk(app, UP, text, subprotocols=RECORDS)
        assert x.texts == [response("Hello Ada, Bob"), COMPLETE]
        x = await talk(app, UP, text + request(ADA), subprotocols=RECORDS)
        assert error_of(x)[1].endswith("more input after the end of the input")
        x = await talk(app, UP, request(ADA) + SPACE + "{}", subprotocols=RECORDS)
        assert error_of(x)[0] == "INVALID_ARGUMENT"
        assert backend.names == ["Ada", "Bob"] * 2 + ["Ada"]

    async def test_a_cancel_far_behind_does_not_wait(self) -> None:
        app, _ = gateway(hang)
        x = await talk(app, BIDI, request(ADA) + SPACE + '{"type":"cancel"}', subprotocols=RECORDS)
        assert error_of(x)[0] == "CANCELLED"

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("{}" * 10_000, "more input after the end of the input"),
            ("{" + SPACE, "more input after the end of the input"),
            (request(ADA) + SPACE + '{"type":"cancel"}', "the client cancelled the call"),
        ],
    )
    async def test_a_long_text_behind_the_end_is_told_without_cutting_it(
        self, text: str, problem: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        app, _ = gateway(hang)
        async with WebSocketExchange(app, path=BIDI, subprotocols=RECORDS) as x:
            await x.send_text(request(ADA) + '{"type":"end"}')
            await x.starved()
            monkeypatch.setattr(_websocket_input, "cut_long_message", None)
            await x.send_text(SPACE)
            await x.send_text(text)
            await x.ended()
        assert error_of(x)[1] == problem


class TestHandshake:
    async def test_an_unknown_path_is_denied_with_404(self) -> None:
        app, _ = gateway()
        x = await talk(app, "/nowhere")
        assert x.sent[0]["status"] == 404
        assert json.loads(x.sent[1]["body"])["status"] == "NOT_FOUND"

    async def test_or_closed_where_the_server_can_not_deny(self) -> None:
        app, _ = gateway()
        x = await talk(app, "/nowhere", extensions={})
        assert x.sent == [{"type": "websocket.close", "code": 1008, "reason": "no method is bound to this path"}]

    @pytest.mark.parametrize(
        ("origins", "origin", "status"),
        [
            ((), b"https://evil.example", 403),
            ((), b"null", 403),
            ((), b"http://here.example", None),
            ((), b"HTTP://HERE.example", None),
            (["https://app.example"], b"https://app.example", None),
            (["https://app.example"], b"https://app.example.evil", 403),
            ("*", b"https://evil.example", None),
            ((), None, None),
        ],
    )
    async def test_origins(self, origins: Any, origin: bytes | None, status: int | None) -> None:
        app, _ = gateway(origins=origins)
        headers = [(b"host", b"here.example"), *([(b"origin", origin)] if origin else [])]
        x = await talk(app, HELLO, ADA, headers=headers)
        assert x.sent[0].get("status") == status

    @pytest.mark.parametrize("origin", [b"http://[here.example", b"null", b"", b"//"])
    async def test_an_origin_that_names_no_page_is_refused_without_a_host_too(self, origin: bytes) -> None:
        app, _ = gateway()
        x = await talk(app, HELLO, ADA, headers=[(b"origin", origin)])
        assert x.sent[0].get("status") == 403

    async def test_too_many_streams(self) -> None:
        app, _ = gateway(limits=Limits(max_streams=0))
        x = await talk(app, HELLO)
        assert x.sent[0]["status"] == 503
        assert (b"retry-after", b"1") in list(x.sent[0]["headers"])

    async def test_a_bad_query_is_denied(self) -> None:
        app, _ = gateway()
        x = await talk(app, "/v1/helloworld/Ada?nmae=x")
        assert x.sent[0]["status"] == 400

    async def test_a_client_that_goes_before_the_answer_gets_none(self) -> None:
        app, _ = gateway()
        for path in (HELLO, "/nowhere"):
            x = WebSocketExchange(app, path=path)
            x._script.clear()
            async with x:
                await x.disconnect()
                await x.ended()
            assert (x.sent, x.unheard) == ([], [])


class TestEnds:
    @pytest.mark.parametrize("path", [HELLO, DOWN, UP, BIDI])
    async def test_a_client_that_goes_cancels_the_call(self, path: str) -> None:
        app, backend = gateway(hang)
        async with WebSocketExchange(app, path=path) as x:
            await x.send_text(ADA)
            while not backend.names:
                await asyncio.sleep(0)
            await x.disconnect()
            await x.ended()
        assert backend.cancelled.is_set()
        assert x.unheard == []

    async def test_binary_messages_close_with_1003(self) -> None:
        app, _ = gateway(hang)
        async with WebSocketExchange(app, path=UP) as x:
            await x.send_bytes(b"\x00")
            await x.ended()
        assert x.close_code == 1003

    async def test_a_message_over_the_limit_closes_with_1009(self) -> None:
        app, backend = gateway(limits=Limits(max_message_bytes=14))
        x = await talk(app, UP, ADA, '{"name": "Ada"}')
        assert (error_of(x)[0], x.close_code) == ("RESOURCE_EXHAUSTED", 1009)
        assert backend.names == ["Ada"]

    async def test_a_broken_pipe_is_no_error(self, caplog: pytest.LogCaptureFixture) -> None:
        app, _ = gateway()
        async with WebSocketExchange(app, path=BIDI, broken_pipe=True) as x:
            await x.starved()
            await x.send_text(ADA)
            await x.disconnect()
            await x.ended()
        assert caplog.records == []

    async def test_lone_surrogates_are_refused(self) -> None:
        app, _ = gateway()
        assert error_of(await talk(app, UP, '{"name":"\ud800"}'))[0] == "INVALID_ARGUMENT"


class TestOddInput:
    async def test_messages_of_white_space_are_no_request(self) -> None:
        app, _ = gateway()
        async with WebSocketExchange(app, path=HELLO) as x:
            for text in (" ", "\n", ADA):
                await x.send_text(text)
                await x.starved()
            await x.ended()
        assert x.texts == [response("Hello Ada"), COMPLETE]

    async def test_what_comes_behind_bad_input_is_not_looked_at(self) -> None:
        app, backend = gateway()
        async with WebSocketExchange(app, path=UP) as x:
            assert (await x.receive())["type"] == "websocket.accept"
            x.hold_sends()
            await x.send_text("{")
            assert error_of_text((await x.receive())["text"]) == "INVALID_ARGUMENT"
            await x.send_text(ADA)
            await x.starved()
            x.release_sends()
            await x.ended()
        assert backend.names == []
        assert x.close_code == 4003


def error_of_text(text: str) -> str:
    """The code of a failure record."""
    code: str = json.loads(text)["code"]
    return code
