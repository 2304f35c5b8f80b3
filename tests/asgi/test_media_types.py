"""Bodies and answers that are not JSON: forms, the protobuf wire form, raw bytes."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from asgi_grpc import CallError, Code, Limits
from asgi_grpc.asgi import _bodies
from asgi_grpc.testing import HttpExchange, WebSocketExchange
from tests.asgi.fakes import FakeBackend, FakeCall
from tests.asgi.test_http import TRAILERS, ask, refusal
from tests.asgi.test_websocket import talk
from tests.mapping.playing import SCHEMA, mapped

FORM = (b"content-type", b"application/x-www-form-urlencoded")
PROTOBUF = (b"content-type", b"application/x-protobuf")
PNG = (b"content-type", b"image/png")
METHODS = {method.full_name.rpartition(".")[2]: method for method in SCHEMA.methods}


def seen(backend: FakeBackend) -> list[dict[str, Any]]:
    """All requests, as plain data by protobuf's own hand."""
    return [MessageToDict(message, preserving_proto_field_name=True) for message in backend.requests]


def content_type(x: HttpExchange) -> bytes:
    return dict(x.headers)[b"content-type"]


async def replies(call: FakeCall, *found: dict[str, Any]) -> AsyncIterator[list[Message]]:
    """Replies that do not depend on the request."""
    async for _ in call.requests():
        break
    for fields in found:
        yield [ParseDict(fields, GetMessageClass(call.method.output)())]


class TestForms:
    async def test_a_form_is_a_message(self) -> None:
        app, backend = mapped()
        x = await ask(app, "/v1/whole", b"id=a+b&tags=x&tags=y&item.count=3", headers=[FORM])
        assert x.status == 200
        assert seen(backend) == [{"id": "a b", "tags": ["x", "y"], "item": {"count": 3}}]

    async def test_so_it_is_for_a_method_that_replies_with_a_stream(self) -> None:
        app, backend = mapped()
        assert (await ask(app, "/v1/hear", b"id=a", headers=[FORM])).status == 200
        assert seen(backend) == [{"id": "a"}]

    async def test_what_is_wrong_with_it_is_told(self) -> None:
        app, _ = mapped()
        x = await ask(app, "/v1/whole", b"nope=1", headers=[FORM])
        text = 'the form field "nope": expected a field of mapping.v1.Request, got an unknown name'
        assert refusal(x) == (400, "INVALID_ARGUMENT", text)

    @pytest.mark.parametrize("dialect", ["envelope", "grpc-gateway"])
    async def test_json_that_curl_calls_a_form(self, dialect: str) -> None:
        app, backend = mapped(dialect=dialect)
        x = await ask(app, "/v1/whole", b' {"id":"a"}', headers=[FORM])
        assert (x.status, backend.requests) == (415, [])
        assert b"send Content-Type: application/json" in x.body

    @pytest.mark.parametrize("path", ["/v1/items", "/v1/talk/a"])
    async def test_other_bodies_are_no_forms(self, path: str) -> None:
        app, _ = mapped()
        assert refusal(await ask(app, path, b"name=a", headers=[FORM]))[0] == 415

    async def test_an_empty_form_is_the_empty_message(self) -> None:
        app, backend = mapped()
        assert (await ask(app, "/v1/items/a:archive", b"", headers=[FORM])).status == 200
        assert seen(backend) == [{"id": "a"}]


class TestWire:
    async def test_both_ways(self) -> None:
        app, backend = mapped()
        body = b"\n\n" + b" " * 10  # a name of ten spaces; nothing but white space, were it text
        x = await ask(app, "/v1/whole", body, headers=[PROTOBUF, (b"accept", b"application/protobuf")])
        assert (x.status, content_type(x), x.body) == (200, b"application/protobuf", body)
        assert seen(backend) == [{"name": " " * 10}]

    async def test_the_answer_follows_accept_alone(self) -> None:
        app, _ = mapped()
        x = await ask(app, "/v1/whole", b"", headers=[PROTOBUF])
        assert (content_type(x), x.body) == (b"application/json", b'{"code":0,"message":"success","data":{}}')
        x = await ask(app, "/v1/items/a", b"", method="GET", headers=[(b"accept", b"application/x-protobuf")])
        assert (content_type(x), x.body) == (b"application/x-protobuf", b"\x12\x01a")

    async def test_one_field_as_the_body(self) -> None:
        app, backend = mapped()
        await ask(app, "/v1/items?id=7", b"\x0a\x01n", headers=[PROTOBUF])
        assert seen(backend) == [{"id": "7", "item": {"name": "n"}}]

    async def test_bytes_that_are_no_message(self) -> None:
        app, _ = mapped()
        x = await ask(app, "/v1/whole", b"\xff", headers=[PROTOBUF])
        text = "mapping.v1.Request: expected the protobuf wire form of the message"
        assert refusal(x) == (400, "INVALID_ARGUMENT", text)

    async def test_failures_stay_json(self) -> None:
        async def fail(call: FakeCall) -> AsyncIterator[list[Message]]:
            raise CallError(Code.NOT_FOUND, "gone")
            yield []

        app, _ = mapped(fail)
        x = await ask(app, "/v1/whole", b"", headers=[(b"accept", b"application/protobuf")])
        assert (content_type(x), refusal(x)) == (b"application/json", (404, "NOT_FOUND", "gone"))

    @pytest.mark.parametrize(
        ("path", "header", "status"),
        [
            ("/v1/b/tags", PROTOBUF, 415),
            ("/v1/talk/a", PROTOBUF, 415),
            ("/v1/hear", PROTOBUF, 415),
            ("/v1/hear", (b"accept", b"application/protobuf"), 406),
            ("/v1/tell/a", (b"accept", b"application/protobuf"), 406),
            ("/v1/r/items", (b"accept", b"application/protobuf"), 406),
        ],
    )
    async def test_only_unary_methods_and_only_messages(
        self, path: str, header: tuple[bytes, bytes], status: int
    ) -> None:
        app, _ = mapped()
        assert refusal(await ask(app, path, b"", headers=[header]))[0] == status

    async def test_limits_hold(self) -> None:
        app, _ = mapped(limits=Limits(max_message_bytes=4))
        assert (await ask(app, "/v1/whole", b"\x0a\x02ab", headers=[PROTOBUF])).status == 200
        assert refusal(await ask(app, "/v1/whole", b"\x0a\x03abc", headers=[PROTOBUF]))[0] == 413


class TestBytesIn:
    @pytest.mark.parametrize("body", [b'{"no":"json', b" \n", b"\xef\xbb\xbf\x00", b""])
    async def test_a_whole_message(self, body: bytes) -> None:
        app, backend = mapped()
        x = await ask(app, "/v1/raw", body, headers=[(b"content-type", b"application/json; charset=x")])
        assert (x.status, content_type(x), x.body) == (200, b"application/json; charset=x", body)
        assert backend.requests == [
            GetMessageClass(METHODS["Raw"].input)(content_type="application/json; charset=x", data=body)
        ]

    async def test_one_field(self) -> None:
        app, backend = mapped()
        assert (await ask(app, "/v1/upload/a?note=n", b"\x00\xff", headers=[PNG])).status == 200
        content = {"content_type": "image/png", "data": "AP8="}
        assert seen(backend) == [{"name": "a", "note": "n", "content": content}]

    async def test_compressed_ones_are_inflated(self) -> None:
        app, backend = mapped()
        await ask(app, "/v1/upload/a", gzip.compress(b"\x00\xff"), headers=[(b"content-encoding", b"gzip")])
        assert seen(backend) == [{"name": "a", "content": {"data": "AP8="}}]

    async def test_limits_hold(self) -> None:
        app, _ = mapped(limits=Limits(max_message_bytes=4))
        assert (await ask(app, "/v1/raw", b"1234")).status == 200
        assert refusal(await ask(app, "/v1/raw", b"12345"))[0] == 413

    async def test_a_body_that_contradicts_the_query(self) -> None:
        app, _ = mapped()
        path = "/v1/upload/a?content.content_type=text/plain"
        assert refusal(await ask(app, path, b"", headers=[PNG]))[0] == 400
        assert refusal(await ask(app, path.replace("upload", "upload-pieces"), b"", headers=[PNG]))[2] == (
            "message 1 at byte 0: the query: expected in content.content_type what the body says, got something else"
        )

    async def test_a_stream_of_pieces(self) -> None:
        app, backend = mapped()
        async with HttpExchange(app, method="POST", path="/v1/raw-pieces", headers=[PNG]) as x:
            await x.send_body(b"\x00")
            assert (await x.receive())["headers"][0] == PNG
            assert (await x.receive())["body"] == b"\x00"  # nobody waits for more
            await x.send_body(b"\xff")
            assert (await x.receive())["body"] == b"\xff"
            await x.send_body(more=False)
            assert await x.read_body() == b""
        assert seen(backend) == [{"content_type": "image/png", "data": "AA=="}, {"data": "/w=="}]

    async def test_path_and_query_are_in_the_first_piece(self) -> None:
        app, backend = mapped(limits=Limits(max_message_bytes=1))
        await ask(app, "/v1/upload-pieces/a?note=n", b"\x00\xff", headers=[PNG])
        assert seen(backend) == [
            {"name": "a", "note": "n", "content": {"content_type": "image/png", "data": "AA=="}},
            {"content": {"data": "/w=="}},
        ]

    async def test_long_chunks_are_cut(self) -> None:
        app, backend = mapped()
        data = bytes(range(256)) * 600
        x = await ask(app, "/v1/raw-pieces", data, headers=[PNG])
        lengths = [len(piece.data) for piece in backend.requests]  # type: ignore[attr-defined]
        assert lengths == [_bodies.PIECE_BYTES, _bodies.PIECE_BYTES, len(data) - 2 * _bodies.PIECE_BYTES]
        assert (content_type(x), x.body) == (b"image/png", data)

    async def test_pieces_leave_room_for_what_is_round_them_in_a_message(self) -> None:
        app, backend = mapped(limits=Limits(max_message_bytes=6))
        await ask(app, "/v1/raw-pieces", b"abcdefg")
        assert [piece.data for piece in backend.requests] == [b"abc", b"def", b"g"]  # type: ignore[attr-defined]

    @pytest.mark.parametrize("headers", [[PNG], [PNG, (b"content-length", b"0")]])
    async def test_an_empty_stream_has_one_empty_piece(self, headers: list[tuple[bytes, bytes]]) -> None:
        app, backend = mapped()
        await ask(app, "/v1/upload-pieces/a", b"", headers=headers)
        assert seen(backend) == [{"name": "a", "content": {"content_type": "image/png"}}]

    async def test_over_websocket_it_is_json(self) -> None:
        app, backend = mapped()
        x = await talk(app, "/v1/upload-pieces/a", '{"contentType":"image/png","data":"AA=="}', '{"data":"/w=="}', "")
        assert x.close_code == 1000
        assert [fields["content"] for fields in seen(backend)] == [
            {"content_type": "image/png", "data": "AA=="},
            {"data": "/w=="},
        ]


class TestBytesOut:
    async def test_a_field_of_the_reply(self) -> None:
        app, _ = mapped()
        body = b'{"content":{"contentType":"text/csv","data":"YSxi"}}'
        for accept in (b"*/*", b"image/png"):  # what comes is known only when it is there
            x = await ask(app, "/v1/download", body, headers=[(b"accept", accept)])
            assert x.headers == [(b"content-type", b"text/csv"), (b"content-length", b"3")]
            assert x.body == b"a,b"

    @pytest.mark.parametrize("given", ["", " ", "text/html\r\nx: y", "téxt/plain"])
    async def test_a_content_type_that_http_can_not_carry(self, given: str) -> None:
        app, _ = mapped(lambda call: replies(call, {"content": {"contentType": given, "data": "AA=="}}))
        x = await ask(app, "/v1/download", b"")
        assert (content_type(x), x.body) == (b"application/octet-stream", b"\x00")

    async def test_a_stream_is_the_bytes_with_nothing_in_between(self) -> None:
        async def send(call: FakeCall) -> AsyncIterator[list[Message]]:
            first, second = {"contentType": "a/b", "data": "AA=="}, {"contentType": "c/d", "data": "AQ=="}
            async for batch in replies(call, *({"content": fields} for fields in (first, {}, second))):
                yield batch
            call.trailers = [("k", "v")]

        app, _ = mapped(send)
        headers = [(b"te", b"trailers")]
        x = await ask(app, "/v1/download-pieces/a", b"", method="GET", headers=headers, extensions=TRAILERS)
        assert x.headers == [(b"content-type", b"a/b"), (b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]
        assert [event["body"] for event in x.sent if event["type"] == "http.response.body"] == [b"\x00", b"\x01", b""]
        assert (x.complete, x.sent[-1]["headers"]) == (True, [(b"grpc-trailer-k", b"v")])

    async def test_an_empty_stream(self) -> None:
        app, _ = mapped(replies)
        x = await ask(app, "/v1/download-pieces/a", b"", method="GET")
        assert (x.status, content_type(x), x.body, x.complete) == (200, b"application/octet-stream", b"", True)

    async def test_a_failure_before_the_first_byte_has_its_status(self) -> None:
        async def fail(call: FakeCall) -> AsyncIterator[list[Message]]:
            raise CallError(Code.NOT_FOUND, "gone")
            yield []

        app, _ = mapped(fail)
        assert refusal(await ask(app, "/v1/download-pieces/a", b"", method="GET")) == (404, "NOT_FOUND", "gone")

    async def test_a_failure_behind_it_breaks_the_connection_off(self) -> None:
        async def fail(call: FakeCall) -> AsyncIterator[list[Message]]:
            async for batch in replies(call, {"content": {"contentType": "a/b", "data": "AA=="}}):
                yield batch
            raise CallError(Code.ABORTED, "no more")

        app, _ = mapped(fail)
        x = await ask(app, "/v1/download-pieces/a", b"", method="GET")
        assert (x.status, x.body, x.complete) == (200, b"\x00", False)

    async def test_over_websocket_it_is_json(self) -> None:
        app, _ = mapped(lambda call: replies(call, {"content": {"contentType": "a/b", "data": "AA=="}}))
        async with WebSocketExchange(app, path="/v1/download-pieces/a") as x:
            await x.ended()
        assert json.loads(x.texts[0])["data"] == {"contentType": "a/b", "data": "AA=="}
