"""The clients straight into an application: what the application receives and the client reads, step by step."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi_grpc.client import ConnectionLostError, HandshakeError, PeerError, WebSocket
from asgi_grpc.testing import chunkings, connect_http, connect_websocket, websocket_frame

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
START = {"type": "http.response.start", "status": 200, "headers": []}
MORE = {"type": "http.response.body", "body": b"x", "more_body": True}
LAST = {"type": "http.response.body"}
SIZED = b"POST /a%20b?c HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Echo:
    """An application that keeps what it receives and answers with it."""

    def __init__(self) -> None:
        self.scopes: list[Any] = []
        self.events: list[Any] = []

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        await send(START)
        more = True
        while more:
            event = await receive()
            self.events.append(event)
            more = event.get("more_body", False)
            await send({"type": "http.response.body", "body": event.get("body", b""), "more_body": more})

    def pieces(self) -> list[bytes]:
        return [event["body"] for event in self.events if event["type"] == "http.request"]


async def test_each_send_is_received_by_itself() -> None:
    app = Echo()
    async with connect_http(app, "/default", state={"s": 1}) as connection:
        await connection.send_raw(SIZED + b"a")
        await connection.send_raw(b"b")
        await connection.send_raw(b"")
        await connection.send_raw(b"cd")
        head = await connection.read_head()
        assert head.status == 200
        assert await connection.read_body(max_bytes=9) == b"abcd"
        await connection.send_head("GET", body=False)
        await connection.read_head()
        assert await connection.read_body(max_bytes=9) == b""
    assert app.pieces() == [b"a", b"b", b"cd", b""]
    keys = ["type", "method", "path", "raw_path", "query_string", "http_version", "state"]
    assert [[scope[key] for key in keys] for scope in app.scopes] == [
        ["http", "POST", "/a b", b"/a%20b", b"c", "1.1", {"s": 1}],
        ["http", "GET", "/default", b"/default", b"", "1.1", {"s": 1}],
    ]


@given(st.sampled_from([SIZED + b"abcd", SIZED + b"abcd" + GET]).flatmap(chunkings))
def test_no_cut_of_the_bytes_changes_the_answer(chunks: list[bytes]) -> None:
    async def play() -> list[bytes]:
        async with connect_http(Echo()) as connection:
            for chunk in chunks:
                await connection.send_raw(chunk)
            answers = []
            for _ in range(b"".join(chunks).count(b"HTTP/1.1")):
                await connection.read_head()
                answers.append(await connection.read_body(max_bytes=9))
            return answers

    assert asyncio.run(play()) == [b"abcd", b""][: b"".join(chunks).count(b"HTTP/1.1")]


async def test_who_sends_to_an_application_that_does_not_read_waits() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    received = 0

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        nonlocal received
        begun.set()
        await go_on.wait()
        while (event := await receive())["more_body"]:
            received += len(event["body"])
        await send(START)
        await send(LAST)

    async with connect_http(app, lane_bytes=1000) as connection:
        await connection.send_head("POST")
        await begun.wait()
        sending = asyncio.create_task(connection.send_chunk(bytes(5000)))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not sending.done()
        go_on.set()
        await sending
        await connection.end()
        assert (await connection.read_head()).status == 200
    assert received == 5000


async def test_an_application_that_sends_to_a_client_that_does_not_read_waits() -> None:
    sent = 0

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        nonlocal sent
        await send(START)
        for _ in range(100):
            await send({**MORE, "body": bytes(100)})
            sent += 100
        await send(LAST)

    async with connect_http(app, lane_bytes=1000) as connection:
        await connection.send_head("GET", body=False)
        for _ in range(200):
            await asyncio.sleep(0)
        assert 0 < sent <= 1000
        await connection.read_head()
        assert len(await connection.read_body(max_bytes=20_000)) == 10_000
    async with connect_http(app, lane_bytes=1000) as connection:
        await connection.send_head("GET", body=False)
        await connection.read_head()  # and go: what the application has to say is dropped
    assert sent == 20_000


async def test_what_the_application_raises_is_raised_at_the_end_of_the_block() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        async with connect_http(app) as connection:
            await connection.send_head("GET", body=False)
            assert (await connection.read_head()).status == 500


async def test_events_out_of_order_fail_the_block() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await send(START)
        with pytest.raises(RuntimeError):
            await send(START)
        await send(LAST)

    with pytest.raises(AssertionError, match="behind"):
        async with connect_http(app) as connection:
            await connection.send_head("GET", body=False)
            assert (await connection.read_head()).status == 200


async def test_a_body_longer_than_it_said_is_refused() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await send({**START, "headers": [(b"content-length", b"0")]})
        await send(LAST | {"body": b"too long"})

    with pytest.raises(RuntimeError, match=r"http\.response\.body"):
        async with connect_http(app) as connection:
            await connection.send_head("GET", body=False)
            await connection.read_head()


async def test_an_application_that_does_not_end_fails_the_block() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        async with connect_http(app, patience_s=0.01) as connection:
            await connection.send_head("GET", body=False)


async def test_a_failing_test_resets_and_cancels() -> None:
    cancelled = asyncio.Event()

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async def fail() -> None:
        async with connect_http(app) as connection:
            await connection.send_head("GET", body=False)
            await asyncio.sleep(0)
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    assert cancelled.is_set()


async def disconnected(scope: Any, receive: Receive, send: Send) -> None:
    """Read the request, then wait for the client to go, in two tasks at once."""
    assert await receive() == {"type": "http.request", "body": b"", "more_body": False}
    both = await asyncio.gather(receive(), receive())
    assert [event["type"] for event in both] == ["http.disconnect"] * 2
    await send(START)
    await send(LAST)


@pytest.mark.parametrize("behind", [b"", GET], ids=["nothing", "pipelined"])
@pytest.mark.parametrize("leave", ["end", "reset"])
async def test_a_client_that_goes_is_seen_while_the_application_waits(behind: bytes, leave: str) -> None:
    if behind and leave == "end":
        return  # behind a pipelined request nothing is read, as under uvicorn
    async with connect_http(disconnected) as connection:
        await connection.send_raw(GET)
        for _ in range(5):
            await asyncio.sleep(0)
        await connection.send_raw(behind)
        for _ in range(5):
            await asyncio.sleep(0)
        if leave == "reset":
            connection.abort()
            connection.abort()
        else:
            await connection.send_eof()


async def test_the_end_of_the_answer_is_a_disconnect_for_whoever_still_receives() -> None:
    told: list[str] = []

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await receive()
        waiting = asyncio.create_task(receive())
        await asyncio.sleep(0)
        await send(START)
        await send(LAST)
        told.append((await waiting)["type"])

    async with connect_http(app) as connection:
        for _ in range(2):
            await connection.send_raw(GET)
            await connection.read_head()
            assert await connection.read_chunk() == b""
        await connection.send_raw(GET + GET)
        for _ in range(2):
            await connection.read_head()
            assert await connection.read_chunk() == b""
    assert told == ["http.disconnect"] * 4


@pytest.mark.parametrize("rest", [b"cd", b"c", None], ids=["read-and-dropped", "cut-short", "damaged"])
async def test_the_rest_of_a_body_that_nobody_wanted_is_read_and_dropped(rest: bytes | None) -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await send(START)
        await send(LAST)

    async with connect_http(app) as connection:
        chunked = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        await connection.send_raw((chunked if rest is None else SIZED) + b"ab\r\n"[: 4 if rest is None else 2])
        await connection.read_head()
        assert await connection.read_chunk() == b""
        await connection.send_raw(b"no number\r\n" if rest is None else rest)
        if rest == b"cd":
            await connection.send_raw(GET)
            assert (await connection.read_head()).status == 200


async def test_an_answer_to_nonsense_may_find_nobody() -> None:
    async with connect_http(Echo()) as connection:
        await connection.send_raw(b"nonsense\r\n\r\n")
    async with connect_http(Echo()) as connection:
        await connection.send_raw(b"nonsense\r\n\r\n")
        assert (await connection.read_head()).status == 400


async def test_a_body_that_is_damaged_behind_the_head_of_the_answer_ends_the_connection() -> None:
    async with connect_http(Echo()) as connection:
        await connection.send_raw(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n")
        await connection.read_head()
        with pytest.raises(ConnectionLostError):
            await connection.read_chunk()
        for _ in range(5):
            await asyncio.sleep(0)
        with pytest.raises(ConnectionLostError):
            await connection.send_raw(b"more")


async def test_reading_after_closing_is_an_error() -> None:
    async with connect_http(Echo()) as connection:
        reading = asyncio.create_task(connection.read_head())
        await asyncio.sleep(0)
        connection.close()
        with pytest.raises(ConnectionLostError):
            await reading
        with pytest.raises(ConnectionLostError):
            await connection.read_head()


async def test_a_pong_that_is_owed_to_a_server_that_has_gone_is_an_error() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        return

    with pytest.raises(ConnectionLostError):
        async with connect_http(app) as connection:
            await connection.send_raw(GET)
            assert (await connection.read_head()).status == 500
            await connection.read_body(max_bytes=99)
            for _ in range(5):
                await asyncio.sleep(0)
            connection.switch()[0].post(b"pong")


async def chat(scope: Any, receive: Receive, send: Send) -> None:
    """Accept, and send everything back until the client goes."""
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept", "subprotocol": (scope["subprotocols"] or [None])[0]})
    while (event := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": event.get("text"), "bytes": event.get("bytes")})
    assert await receive() == event


async def test_messages_come_whole_however_they_were_sent() -> None:
    async with connect_websocket(chat, "/chat", subprotocols=["v1"]) as client:
        assert client.subprotocol == "v1"
        await client.send_fragment("hel", last=False)
        await client.ping(b"!")
        await client.send_fragment("lo", last=True)
        await client.send_bytes(b"\0")
        assert [await client.receive(), await client.receive()] == ["hello", b"\0"]
        assert list(client.pongs) == [b"!"]
        await client.close(4000)
        assert await client.receive() is None
        assert client.close_code == 4000


async def test_frames_sent_before_the_accept_wait_for_it() -> None:
    asked = asyncio.Event()

    async def slow(scope: Any, receive: Receive, send: Send) -> None:
        asked.set()
        for _ in range(5):
            await asyncio.sleep(0)
        await chat(scope, receive, send)

    offer: list[tuple[str | bytes, str | bytes]] = [
        ("Upgrade", "websocket"),
        ("Connection", "keep-alive, Upgrade"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Extensions", "permessage-deflate"),
    ]
    deflater = zlib.compressobj(wbits=-15)
    deflated = (deflater.compress(b"{}") + deflater.flush(zlib.Z_SYNC_FLUSH))[:-4]
    async with connect_http(slow) as connection:
        await connection.send_head("GET", headers=offer, body=False)
        await connection.send_raw(websocket_frame(1, b"early"))
        await asked.wait()
        await connection.send_raw(websocket_frame(1, deflated, rsv=0x40))
        answer = await connection.read_head()
        assert (answer.status, answer.header("sec-websocket-extensions")) == (101, "permessage-deflate")
        transport, received = connection.switch()
        while len(received) < 2 or len(received) <= 2 + received[1] or len(received) < 4 + received[1]:
            received += await transport.receive()
        first, second = received[2 : 2 + received[1]], received[2 + received[1] :]
        inflater = zlib.decompressobj(-15)
        assert inflater.decompress(first + b"\0\0\xff\xff") == b"early"
        assert inflater.decompress(second[2:] + b"\0\0\xff\xff") == b"{}"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        pytest.param(b"Sec-WebSocket-Key: x\r\n", 400, id="no-version"),
        pytest.param(b"Sec-WebSocket-Version: 9\r\n", 426, id="wrong-version"),
    ],
)
async def test_a_handshake_that_is_none_is_refused(fields: bytes, status: int) -> None:
    async with connect_http(chat) as connection:
        await connection.send_raw(GET[:-2] + b"Upgrade: WebSocket\r\nConnection: upgrade\r\n" + fields + b"\r\n")
        assert (await connection.read_head()).status == status


async def test_a_client_that_goes_before_the_accept_is_told_of() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        assert (await receive())["type"] == "websocket.connect"
        assert await receive() == {"type": "websocket.disconnect", "code": 1006, "reason": ""}
        with pytest.raises(OSError, match="disconnected"):
            await send({"type": "websocket.accept"})
        await send({"type": "websocket.accept"})  # what nobody catches is no error of the application

    async with connect_http(app) as connection:
        await connection.send_raw(
            GET[:-2] + b"Upgrade: websocket\r\nConnection: upgrade\r\n"
            b"Sec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )


async def test_one_message_is_read_ahead_and_no_more() -> None:
    go_on = asyncio.Event()

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await go_on.wait()
        await chat_on(receive, send)

    async def chat_on(receive: Receive, send: Send) -> None:
        count = 0
        while (await receive())["type"] == "websocket.receive":
            count += 1
        assert count == 30

    async with connect_websocket(app, lane_bytes=500) as client:

        async def flood() -> None:
            for _ in range(30):
                await client.send_text("x" * 90)

        flooding = asyncio.create_task(flood())
        for _ in range(100):
            await asyncio.sleep(0)
        assert not flooding.done()
        go_on.set()
        await flooding


async def test_a_message_over_the_limit_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asgi_grpc.testing._server_websocket._MAX_MESSAGE_BYTES", 10)
    async with connect_websocket(chat) as client:
        await client.send_text("x" * 10)
        assert await client.receive() == "x" * 10
        await client.send_fragment("x" * 10, last=False)
        await client.send_fragment("x", last=False)
        assert await client.receive() is None
        assert client.close_code == 1009


async def test_what_comes_behind_the_applications_close_is_dropped() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        await send({"type": "websocket.close", "code": 4001, "reason": "enough"})
        assert await receive() == {"type": "websocket.disconnect", "code": 4001, "reason": "enough"}

    async with connect_websocket(app) as client:
        for _ in range(3):
            await client.send_text("x")
        assert await client.receive() is None
        assert (client.close_code, client.close_reason) == (4001, "enough")
    async with connect_websocket(app) as client:
        await client.send_text("x")  # and go, without an answer to the close


async def test_sending_to_a_client_that_has_closed_is_an_error_nobody_sees() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while True:
            await send({"type": "websocket.send", "text": "x" * 100})
            await asyncio.sleep(0)

    async with connect_websocket(app, lane_bytes=500) as client:
        await client.receive()
    async with connect_websocket(app, lane_bytes=500) as client:
        await client.close()
        while await client.receive() is not None:
            pass


async def test_an_application_that_breaks_the_order_of_a_websocket_fails_the_block() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept", "subprotocol": "unasked"})

    with pytest.raises(RuntimeError, match="unasked"):
        async with connect_websocket(app):
            pass

    async def other(scope: Any, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        with pytest.raises(RuntimeError):
            await send({"type": "websocket.accept"})

    with pytest.raises(AssertionError, match="accept"):
        async with connect_websocket(other) as client:
            with pytest.raises(ConnectionLostError):
                await client.receive()


async def test_a_loss_that_is_not_the_applications_fault_stays_a_loss() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})

    with pytest.raises(ConnectionLostError):
        async with connect_websocket(app) as client:
            await client.receive()


async def test_a_frame_that_is_none_is_answered_with_a_close() -> None:
    async with connect_websocket(chat) as client:
        await client.send_raw(b"\xff\xff")
        assert await client.receive() is None
        assert client.close_code == 1002


async def test_a_refusal_is_a_handshake_error() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.close"})

    with pytest.raises(HandshakeError) as caught:
        async with connect_websocket(app):
            pass
    assert caught.value.status == 403
