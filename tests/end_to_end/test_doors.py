"""Every door, every kind, under every stack: what a client writes and what it reads."""

from __future__ import annotations

import gzip
import json
from typing import Any

import httpx
import pytest

from asgi_grpc.client import HandshakeError, HttpConnection, WebSocket
from asgi_grpc.framing import End, SseEvent, SseReader
from tests.end_to_end.conftest import Stack

HELLO = "/helloworld.Greeter/SayHello"
DOWN = "/helloworld.Greeter/SayHelloServerStream"
UP = "/helloworld.Greeter/SayHelloClientStream"
BIDI = "/helloworld.Greeter/SayHelloBidiStream"
NDJSON = {"content-type": "application/x-ndjson"}
RECORDS = ["asgi-grpc.records.v1"]


def records(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


def response(message: str, language: str = "en") -> dict[str, Any]:
    return {"type": "response", "data": {"message": message, "language": language}}


def read_events(body: bytes) -> list[SseEvent]:
    reader = SseReader(max_event_bytes=1 << 20)
    found = [*reader.feed(body), *reader.close()]
    assert found.pop() == End()
    return [event for event in found if isinstance(event, SseEvent)]


COMPLETE = {"type": "complete"}


class TestUnary:
    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("GET", "/v1/helloworld/Ada?language=en", None),
            ("POST", "/v1/helloworld", {"name": "Ada", "language": "en"}),
            ("POST", HELLO, {"name": "Ada", "language": "en"}),
        ],
        ids=["path-and-query", "body", "default-path"],
    )
    def test_every_binding_answers(self, stack: Stack, method: str, path: str, body: Any) -> None:
        answer = httpx.request(method, stack.http + path, json=body)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert answer.json() == {"code": 0, "message": "success", "data": {"message": "Hello, Ada!", "language": "en"}}

    def test_text_of_every_script_survives(self, stack: Stack) -> None:
        answer = httpx.get(stack.http + "/v1/helloworld/" + "王小明%2F")
        assert "王小明/" in answer.json()["data"]["message"]

    def test_head_has_the_head_of_get(self, stack: Stack) -> None:
        answer = httpx.head(stack.http + "/v1/helloworld/Ada")
        assert (answer.status_code, answer.content) == (200, b"")

    def test_options_tells_the_methods(self, stack: Stack) -> None:
        answer = httpx.options(stack.http + "/v1/files")  # of the inner middleware, which stands alone
        assert (answer.status_code, answer.headers["allow"]) == (204, "POST")

    def test_a_compressed_body_is_inflated(self, stack: Stack) -> None:
        body = gzip.compress(b'{"name":"Ada"}')
        headers = {"content-type": "application/json", "content-encoding": "gzip"}
        assert httpx.post(stack.http + HELLO, content=body, headers=headers).status_code == 200


class TestServerStreaming:
    URL = "/v1/helloworld/Ada/stream"

    def test_ndjson_is_the_default(self, stack: Stack) -> None:
        answer = httpx.get(stack.http + self.URL)
        found = records(answer.text)
        assert answer.headers["content-type"] == "application/x-ndjson"
        assert answer.headers["cache-control"] == "no-store"
        assert [record["type"] for record in found] == ["response"] * (len(found) - 1) + ["complete"]
        assert found[0] == response("Hello, Ada!")

    def test_a_json_array(self, stack: Stack) -> None:
        answer = httpx.get(stack.http + self.URL, headers={"accept": "application/json"})
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()[0] == response("Hello, Ada!")
        assert answer.json()[-1] == COMPLETE

    def test_server_sent_events(self, stack: Stack) -> None:
        answer = httpx.get(stack.http + self.URL, headers={"accept": "text/event-stream"})
        found = read_events(answer.content)
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert [event.name for event in found] == ["response"] * (len(found) - 1) + ["complete"]
        assert json.loads(found[0].data) == {"message": "Hello, Ada!", "language": "en"}

    def test_a_json_text_sequence(self, stack: Stack) -> None:
        answer = httpx.get(stack.http + self.URL, headers={"accept": "application/json-seq"})
        found = [json.loads(part) for part in answer.content.split(b"\x1e")[1:]]
        assert (found[0], found[-1]) == (response("Hello, Ada!"), COMPLETE)

    def test_a_posted_request(self, stack: Stack) -> None:
        assert records(httpx.post(stack.http + DOWN, json={"name": "Ada"}).text)[-1] == COMPLETE


class TestClientStreaming:
    @pytest.mark.parametrize(
        "body",
        [
            b'{"name":"Ada"}\n{"name":"Bob"}\n',
            b'\xef\xbb\xbf{"name":\r\n"Ada"}\r\n\r\n{"name":"Bob"}',
            b'{"name":"Ada"}{"name":"Bob"}',
            b'[{"name":"Ada"},\n{"name":"Bob"}]',
        ],
        ids=["lines", "bom-and-crlf", "side-by-side", "array"],
    )
    def test_every_framing_in(self, stack: Stack, body: bytes) -> None:
        answer = httpx.post(stack.http + "/v1/helloworld/client-stream", content=body, headers=NDJSON)
        assert answer.json()["data"]["message"] == "Hello to all: Ada, Bob!"

    def test_a_json_text_sequence(self, stack: Stack) -> None:
        body = b'\x1e{"name":"Ada"}\n\x1e{"name":"Bob"}\n'
        answer = httpx.post(stack.http + UP, content=body, headers={"content-type": "application/json-seq"})
        assert answer.json()["data"]["message"] == "Hello to all: Ada, Bob!"

    async def test_a_body_cut_inside_a_code_point(self, stack: Stack) -> None:
        body = '{"name":"小"}\n{"name":"é"}'.encode()
        async with await HttpConnection.open(stack.http + UP) as connection:
            await connection.send_head("POST", headers=NDJSON.items())
            for byte in body:
                await connection.send_chunk(bytes([byte]))
            await connection.end()
            assert (await connection.read_head()).status == 200
            answer = json.loads(await connection.read_body(max_bytes=1000))
        assert answer["data"]["message"] == "Hello to all: 小, é!"


class TestBidirectional:
    async def test_full_duplex_over_http_1_1(self, stack: Stack) -> None:
        async with await HttpConnection.open(stack.http + BIDI) as connection:
            await connection.send_head("POST", headers=NDJSON.items())
            for name in ("Ada", "Bob"):
                await connection.send_chunk(b'{"name":"%b"}\n' % name.encode())
                if name == "Ada":
                    assert (await connection.read_head()).status == 200
                assert records((await connection.read_chunk()).decode()) == [response(f"Hello, {name}!")]
            await connection.end()
            assert records((await connection.read_body(max_bytes=1000)).decode()) == [COMPLETE]

    def test_server_sent_events_for_a_posted_stream(self, stack: Stack) -> None:
        headers = {**NDJSON, "accept": "text/event-stream"}
        answer = httpx.post(stack.http + BIDI, content=b'{"name":"Ada"}\n', headers=headers)
        found = [(event.name, event.data, event.id) for event in read_events(answer.content)]
        assert found == [
            ("response", b'{"message":"Hello, Ada!","language":"en"}', "1"),
            ("complete", b"{}", "1"),
        ]

    def test_an_empty_stream_is_well_formed_in_every_framing(self, stack: Stack) -> None:
        for accept, body in {
            "application/x-ndjson": '{"type":"complete"}\n',
            "application/json": '[{"type":"complete"}]\n',
            "application/json-seq": '\x1e{"type":"complete"}\n',
        }.items():
            answer = httpx.post(stack.http + BIDI, content=b"", headers={**NDJSON, "accept": accept})
            assert (answer.status_code, answer.headers["content-type"], answer.text) == (200, accept, body)


class TestWebSocket:
    async def receive(self, socket: WebSocket) -> list[Any]:
        found = [json.loads(message) async for message in socket]
        assert socket.close_code == 1000
        return found

    async def test_unary_answers_at_once(self, stack: Stack) -> None:
        async with await WebSocket.connect(stack.ws + HELLO) as socket:
            await socket.send_text('{"name":"Ada"}')
            assert await self.receive(socket) == [response("Hello, Ada!"), COMPLETE]

    async def test_a_binding_without_a_body_needs_no_message(self, stack: Stack) -> None:
        async with await WebSocket.connect(stack.ws + "/v1/helloworld/Ada/stream?language=en") as socket:
            found = await self.receive(socket)
        assert (found[0], found[-1]) == (response("Hello, Ada!"), COMPLETE)

    async def test_an_empty_message_ends_the_input(self, stack: Stack) -> None:
        async with await WebSocket.connect(stack.ws + UP) as socket:
            await socket.send_text('{"name":"Ada"}\n{"name":"Bob"}')
            await socket.send_text('{"name":"Eve"}')
            await socket.send_text("")
            assert await self.receive(socket) == [response("Hello to all: Ada, Bob, Eve!"), COMPLETE]

    async def test_the_other_system_s_mark_ends_the_input(self, stack: Stack) -> None:
        async with await WebSocket.connect(stack.ws + BIDI) as socket:
            await socket.send_text('{"name":"Ada"}')
            assert json.loads(str(await socket.receive())) == response("Hello, Ada!")
            await socket.send_text('{"__end_stream__": true}')
            assert await self.receive(socket) == [COMPLETE]

    async def test_records(self, stack: Stack) -> None:
        async with await WebSocket.connect(stack.ws + BIDI, subprotocols=RECORDS) as socket:
            assert socket.subprotocol == RECORDS[0]
            await socket.send_text('{"type":"request","data":{"name":"Ada"}}\n{"type":"request","data":{"name":"Bob"}}')
            await socket.send_text('{"type":"end"}')
            assert await self.receive(socket) == [response("Hello, Ada!"), response("Hello, Bob!"), COMPLETE]

    async def test_a_message_in_fragments_is_one(self, stack: Stack) -> None:
        async with await WebSocket.connect(stack.ws + UP) as socket:
            await socket.send_fragment('{"name":', last=False)
            await socket.ping(b"between")
            await socket.send_fragment('"Ada"}', last=True)
            await socket.send_text("")
            assert await self.receive(socket) == [response("Hello to all: Ada!"), COMPLETE]
            assert list(socket.pongs) == [b"between"]

    async def test_an_unknown_path_is_refused_with_its_status(self, stack: Stack) -> None:
        with pytest.raises(HandshakeError) as caught:
            await WebSocket.connect(stack.ws + "/nowhere")
        assert caught.value.status == 404

    async def test_a_foreign_origin_is_refused(self, stack: Stack) -> None:
        with pytest.raises(HandshakeError) as caught:
            await WebSocket.connect(stack.ws + UP, headers=[("Origin", "https://evil.example")])
        assert caught.value.status == 403
        async with await WebSocket.connect(stack.ws + UP, headers=[("Origin", stack.http)]) as socket:
            await socket.close()
