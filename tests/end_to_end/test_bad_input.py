"""Bad input, each with a clear error, and nothing lost that came before it."""

from __future__ import annotations

import gzip
import json
from typing import Any

import httpx
import pytest

from asgi_grpc.client import ConnectionLostError, HandshakeError, HttpConnection, WebSocket
from tests.end_to_end.conftest import STACKS, Stack, run_gateway, run_stack
from tests.end_to_end.test_doors import BIDI, DOWN, HELLO, NDJSON, RECORDS, UP, records, response

BAD_THIRD = '{"name":"Ada"}\n{"name":"Bob"}\n{"name":oops}\n'
AT = "message 3 at byte 30: helloworld.HelloRequest: "


def failure(status: int, name: str, message: str) -> dict[str, Any]:
    return {"code": status, "message": message, "data": None, "status": name, "details": []}


class TestMalformedThirdMessage:
    async def test_of_a_client_stream(self, stack: Stack) -> None:
        async with await HttpConnection.open(stack.http + UP) as connection:
            await connection.send_head("POST", headers=NDJSON.items())
            await connection.send_chunk(BAD_THIRD.encode())  # and the body stays open: the answer does not wait for it
            head = await connection.read_head()
            answer = json.loads(await connection.read_body(max_bytes=1000))
        assert head.status == 400
        assert answer["status"] == "INVALID_ARGUMENT"
        assert answer["message"].startswith(AT)
        assert "oops" not in answer["message"]

    async def test_of_a_bidirectional_stream(self, stack: Stack) -> None:
        async with await HttpConnection.open(stack.http + BIDI) as connection:
            await connection.send_head("POST", headers=NDJSON.items())
            await connection.send_chunk(b'{"name":"Ada"}\n{"name":"Bob"}\n')
            await connection.read_head()
            found: list[Any] = []
            while len(found) < 2:
                found += records((await connection.read_chunk()).decode())
            assert found == [response("Hello, Ada!"), response("Hello, Bob!")]
            await connection.send_chunk(b'{"name":oops}\n')
            (last,) = records((await connection.read_body(max_bytes=1000)).decode())
        assert (last["type"], last["code"]) == ("error", "INVALID_ARGUMENT")
        assert last["error"].startswith(AT)

    @pytest.mark.parametrize("subprotocols", [[], RECORDS], ids=["bare", "records"])
    @pytest.mark.parametrize("path", [UP, BIDI], ids=["up", "bidi"])
    async def test_over_websocket(self, stack: Stack, path: str, subprotocols: list[str]) -> None:
        wrap = '{"type":"request","data":%s}' if subprotocols else "%s"
        async with await WebSocket.connect(stack.ws + path, subprotocols=subprotocols) as socket:
            for name in ("Ada", "Bob"):
                await socket.send_text(wrap % f'{{"name":"{name}"}}')
                if path == BIDI:
                    assert json.loads(str(await socket.receive())) == response(f"Hello, {name}!")
            await socket.send_text(wrap % '{"name":5}')
            last = json.loads(str(await socket.receive()))
            assert (last["type"], last["code"]) == ("error", "INVALID_ARGUMENT")
            assert last["error"].startswith("message 3 at byte 0: helloworld.HelloRequest: ")
            assert last["error"].endswith(" at $.name")
            assert await socket.receive() is None
            assert (socket.close_code, socket.close_reason[:18]) == (4003, "INVALID_ARGUMENT: ")

    def test_a_stream_of_replies_takes_one_message_only(self, stack: Stack) -> None:
        answer = httpx.post(stack.http + DOWN, content=BAD_THIRD, headers=NDJSON)
        assert (answer.status_code, answer.json()["status"]) == (400, "INVALID_ARGUMENT")

    async def test_a_body_that_ends_inside_a_value(self, stack: Stack) -> None:
        answer = httpx.post(stack.http + UP, content='{"name":"Ada"}\n{"name":"B', headers=NDJSON)
        assert answer.json() == failure(
            400, "INVALID_ARGUMENT", "message 2 at byte 15: the stream ends inside a message"
        )


class TestRefusals:
    def test_an_unknown_field_is_named(self, stack: Stack) -> None:
        answer = httpx.post(stack.http + HELLO, json={"nmae": "Ada"})
        assert answer.status_code == 400
        assert "nmae" in answer.json()["message"]
        assert "helloworld.HelloRequest" in answer.json()["message"]

    def test_an_unknown_path(self, stack: Stack) -> None:
        answer = httpx.get(stack.http + "/nowhere")
        assert (answer.status_code, answer.json()["status"]) == (404, "NOT_FOUND")

    def test_another_http_method(self, stack: Stack) -> None:
        answer = httpx.delete(stack.http + "/v1/files")
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")

    def test_another_content_type_is_told_what_would_do(self, stack: Stack) -> None:
        for said in ("text/plain", "application/x-www-form-urlencoded"):  # the latter is what curl -d says of JSON
            answer = httpx.post(stack.http + HELLO, content=b'{"name": "Ada"}', headers={"content-type": said})
            assert answer.status_code == 415
            assert "application/json" in answer.json()["message"]

    def test_nothing_acceptable(self, stack: Stack) -> None:
        assert httpx.get(stack.http + "/v1/helloworld/Ada/stream", headers={"accept": "image/png"}).status_code == 406

    def test_a_bad_timeout(self, stack: Stack) -> None:
        answer = httpx.get(stack.http + "/v1/helloworld/Ada", headers={"grpc-timeout": "soon"})
        assert (answer.status_code, "Grpc-Timeout" in answer.json()["message"]) == (400, True)

    def test_what_the_service_refuses_keeps_its_status(self, stack: Stack) -> None:
        answer = httpx.post(stack.http + HELLO, json={"name": ""})
        assert (answer.status_code, answer.json()["status"]) == (400, "INVALID_ARGUMENT")

    def test_a_message_over_the_limit_is_413(self, stack: Stack) -> None:
        answer = httpx.post(stack.http + HELLO, content=b'{"name":"' + b"a" * (4 << 20) + b'"}')
        assert (answer.status_code, answer.json()["status"]) == (413, "RESOURCE_EXHAUSTED")

    def test_a_bomb_is_413(self, stack: Stack) -> None:
        bomb = gzip.compress(b" " * (300 << 20))
        headers = {**NDJSON, "content-encoding": "gzip"}
        answer = httpx.post(stack.http + UP, content=bomb, headers=headers, timeout=30)
        assert (answer.status_code, answer.json()["status"]) == (413, "RESOURCE_EXHAUSTED")

    async def test_binary_messages_are_refused_with_1003(self, stack: Stack) -> None:
        async with await WebSocket.connect(stack.ws + UP) as socket:
            await socket.send_bytes(b"\x00")
            assert json.loads(str(await socket.receive()))["code"] == "INVALID_ARGUMENT"
            assert await socket.receive() is None
            assert socket.close_code == 1003

    async def test_more_input_than_one_message_is_an_error(self, stack: Stack) -> None:
        async with await WebSocket.connect(stack.ws + HELLO) as socket:
            await socket.send_text('{"name":"Ada"}\n{"name":"Bob"}')
            assert json.loads(str(await socket.receive()))["code"] == "INVALID_ARGUMENT"

    async def test_an_unknown_record_is_an_error(self, stack: Stack) -> None:
        async with await WebSocket.connect(stack.ws + UP, subprotocols=RECORDS) as socket:
            await socket.send_text('{"name":"Ada"}')
            assert "expected a record" in json.loads(str(await socket.receive()))["error"]

    async def test_a_cancel_record_cancels(self, stack: Stack) -> None:
        async with await WebSocket.connect(stack.ws + BIDI, subprotocols=RECORDS) as socket:
            await socket.send_text('{"type":"cancel"}')
            assert json.loads(str(await socket.receive()))["code"] == "CANCELLED"
            assert await socket.receive() is None
            assert socket.close_code == 4001


@pytest.mark.parametrize(("http", "ws"), STACKS.values(), ids=list(STACKS))
class TestUpstream:
    async def test_not_running(self, http: str, ws: str, unused_tcp_port: int) -> None:
        nobody = f"127.0.0.1:{unused_tcp_port}"
        with run_gateway(nobody, nobody, http, ws) as gateway:
            expected = failure(503, "UNAVAILABLE", "the upstream service can't be reached")
            assert httpx.post(f"http://{gateway.address}{HELLO}", json={"name": "Ada"}).json() == expected
            answer = httpx.post(f"http://{gateway.address}{BIDI}", content=b'{"name":"Ada"}\n', headers=NDJSON)
            assert (answer.status_code, answer.json()) == (503, expected)
            async with await WebSocket.connect(f"ws://{gateway.address}{BIDI}") as socket:
                assert json.loads(str(await socket.receive()))["code"] == "UNAVAILABLE"
                assert await socket.receive() is None
                assert socket.close_code == 4014
            assert "Traceback" not in gateway.stderr

    async def test_killed_in_mid_stream(self, http: str, ws: str) -> None:
        with run_stack(http, ws) as stack:
            async with (
                await HttpConnection.open(stack.http + BIDI) as connection,
                await WebSocket.connect(stack.ws + BIDI) as socket,
            ):
                await connection.send_head("POST", headers=NDJSON.items())
                await connection.send_chunk(b'{"name":"Ada"}\n')
                await connection.read_head()
                assert records((await connection.read_chunk()).decode()) == [response("Hello, Ada!")]
                await socket.send_text('{"name":"Ada"}')
                assert json.loads(str(await socket.receive())) == response("Hello, Ada!")
                stack.greeter.kill()
                (last,) = records((await connection.read_body(max_bytes=1000)).decode())
                assert (last["type"], last["code"]) == ("error", "UNAVAILABLE")
                assert json.loads(str(await socket.receive()))["code"] == "UNAVAILABLE"
                assert await socket.receive() is None
                assert socket.close_code == 4014
            assert "Traceback" not in stack.gateway.stderr

    async def test_bare_streams_are_broken_off(self, http: str, ws: str) -> None:
        with run_stack(http, ws, DIALECT="bare") as stack:
            async with await HttpConnection.open(stack.http + BIDI) as connection:
                await connection.send_head("POST", headers=NDJSON.items())
                await connection.send_chunk(b'{"name":"Ada"}\n')
                await connection.read_head()
                assert records((await connection.read_chunk()).decode()) == [response("Hello, Ada!")["data"]]
                stack.greeter.kill()
                with pytest.raises(ConnectionLostError):
                    await connection.read_body(max_bytes=1000)


class TestClientGone:
    async def test_over_http(self, stack: Stack) -> None:
        async with await HttpConnection.open(stack.http + "/streaming.v1.StreamingService/Chat") as connection:
            await connection.send_head("POST", headers=NDJSON.items())
            await connection.send_chunk(b'{"userId":"ada","roomId":"http-gone"}\n')
            await connection.read_head()
            connection.abort()
        stack.streaming.wait_for(r"Chat cancelled.*http-gone", timeout_s=1.0)

    async def test_over_websocket(self, stack: Stack) -> None:
        async with await WebSocket.connect(stack.ws + "/streaming.v1.StreamingService/Chat") as socket:
            await socket.send_text('{"userId":"ada","roomId":"ws-gone"}')
            await socket.receive()
            socket.abort()
        stack.streaming.wait_for(r"Chat cancelled.*ws-gone", timeout_s=1.0)

    async def test_while_a_stream_of_replies_is_idle(self, stack: Stack) -> None:
        async with await HttpConnection.open(stack.http + "/v1/users/gone/notifications") as connection:
            await connection.send_head("GET", body=False)
            await connection.read_head()
            connection.abort()
        stack.streaming.wait_for(r"SubscribeToNotifications cancelled.*gone", timeout_s=1.0)


async def test_refused_handshakes_tell_why(stack: Stack) -> None:
    with pytest.raises(HandshakeError) as caught:
        await WebSocket.connect(stack.ws + "/v1/helloworld/Ada?nmae=x")
    assert caught.value.status == 400
    assert b"nmae" in caught.value.body
