from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from asgi_grpc import UsageError
from asgi_grpc.client import ConnectionLostError, HandshakeError, PeerError, WebSocket
from tests.client.peers import Handler, accept_websocket, frame, once, read_frame, serving, websocket_to


def playing(*wires: bytes, extra: bytes = b"") -> Handler:
    """Accept, send some bytes (the first glued to the head), and wait for the client to go."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *others = wires or (b"",)
        await accept_websocket(reader, writer, extra, first)
        for wire in others:
            writer.write(wire)
            await writer.drain()
            await asyncio.sleep(0)
        writer.write_eof()
        with suppress(ConnectionResetError):
            await reader.read()

    return handler


async def receive_all(websocket: WebSocket) -> list[str | bytes]:
    """Every message until the close."""
    return [message async for message in websocket]


async def test_messages_are_put_together_however_they_come() -> None:
    text = "née\n€𝄞"
    wire = (
        frame(1, text.encode())
        + frame(1, b"a", fin=False)
        + frame(9, b"ping")
        + frame(0, b"b", fin=False)
        + frame(0, b"c")
        + frame(2, b"\xff" * 70_000)
        + frame(1, b"")
        + frame(8, b"\x0f\xa3because \xc3\xa9")
    )
    for wires in ([wire], [wire[:10], wire[10:]], [b"", *(bytes([byte]) for byte in wire[:40]), wire[40:]]):
        async with websocket_to(playing(*wires)) as websocket:
            assert await receive_all(websocket) == [text, "abc", b"\xff" * 70_000, ""]
            assert (websocket.close_code, websocket.close_reason) == (4003, "because é")
            with pytest.raises(UsageError, match="has closed"):
                await websocket.receive()
            with pytest.raises(UsageError, match="is closing"):
                await websocket.send_text("late")
            await websocket.close()


async def test_a_close_without_a_code_is_1005() -> None:
    async with websocket_to(playing(frame(8, b""))) as websocket:
        assert await websocket.receive() is None
        assert (websocket.close_code, websocket.close_reason) == (1005, "")


async def test_every_kind_of_frame_goes_out_masked_and_pings_are_answered() -> None:
    heard: list[tuple[int, bytes]] = []
    heads: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await accept_websocket(reader, writer, b"sec-websocket-protocol: v2\r\nx-a: b\r\n"))
        writer.write(frame(9, b"you?") + frame(10, b"unasked"))
        while not heard or heard[-1][0] != 0x88:
            heard.append(await read_frame(reader))
            if heard[-1][0] == 0x89:
                writer.write(frame(10, heard[-1][1]))
        writer.write(frame(1, b"too late?") + frame(9, b"no answer") + frame(8, heard[-1][1]))

    async with (
        serving(listen) as port,
        await WebSocket.connect(
            f"ws://127.0.0.1:{port}/x?y", subprotocols=["v1", "v2"], headers=[("X-Me", "1"), ("host", "h")]
        ) as websocket,
    ):
        assert (websocket.subprotocol, websocket.head.header("x-a")) == ("v2", "b")
        reading = asyncio.create_task(websocket.receive())
        await websocket.send_text("é")
        await websocket.send_bytes(b"\xff")
        await websocket.send_fragment("a", last=False)
        await websocket.send_fragment("b", last=True)
        await websocket.send_fragment(b"c", last=True)
        await websocket.ping(b"me?")
        await websocket.send_raw(b"\xc1\x80\x00\x00\x00\x00")
        with pytest.raises(UsageError, match="lone surrogate"):
            await websocket.send_text("\ud800")
        while len(websocket.pongs) < 2:
            await asyncio.sleep(0.001)
        await websocket.close(4321, "enough")
        await websocket.close()
        assert await reading == "too late?"
        assert await websocket.receive() is None
    assert (websocket.close_code, websocket.close_reason) == (4321, "enough")
    assert list(websocket.pongs) == [b"unasked", b"me?"]
    assert heads[0].startswith(b"GET /x?y HTTP/1.1\r\n")
    assert heads[0].count(b"host: ") == 1
    assert b"\r\nSec-WebSocket-Protocol: v1, v2\r\nX-Me: 1\r\n" in heads[0]
    assert sorted(heard) == sorted([
        (0x81, "é".encode()), (0x82, b"\xff"), (0x01, b"a"), (0x80, b"b"), (0x82, b"c"), (0x89, b"me?"),
        (0x8A, b"you?"), (0xC1, b""), (0x88, b"\x10\xe1enough"),
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("wire", "text"),
    [
        (b"\xff\x00", "what the server sends is not a WebSocket frame"),
        (frame(1, b"\xff"), "what the server sends is not a WebSocket frame"),
        (frame(0, b"no beginning"), "what the server sends is not a WebSocket frame"),
        (frame(1, b"12345678") + frame(2, b"123456789"), "a message is larger than 8 bytes"),
        (frame(1, b"1234", fin=False) + frame(0, "é€".encode()), "a message is larger than 8 bytes"),
    ],
)
async def test_what_breaks_the_rules_is_the_servers_fault(wire: bytes, text: str) -> None:
    async with websocket_to(playing(wire), max_message_bytes=8) as websocket:
        with pytest.raises(PeerError, match=text):
            await receive_all(websocket)


async def test_an_end_without_a_close_frame_is_a_lost_connection() -> None:
    async with websocket_to(playing(frame(1, b"one") + b"\x81")) as websocket:
        assert await websocket.receive() == "one"
        with pytest.raises(ConnectionLostError, match="without closing the WebSocket"):
            await websocket.receive()


async def test_abort_resets_the_connection() -> None:
    seen: asyncio.Queue[str] = asyncio.Queue()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept_websocket(reader, writer)
        try:
            await reader.read()
        except ConnectionResetError:
            seen.put_nowait("reset")

    async with serving(listen) as port:
        websocket = await WebSocket.connect(f"ws://127.0.0.1:{port}")
        websocket.abort()
        assert await seen.get() == "reset"
        with pytest.raises(KeyError, match="mine"):
            async with await WebSocket.connect(f"ws://127.0.0.1:{port}"):
                raise KeyError("mine")
        assert await seen.get() == "reset"


@pytest.mark.parametrize(
    ("wire", "status", "body"),
    [
        (b"HTTP/1.1 403 Forbidden\r\ncontent-length: 4\r\n\r\nnope", 403, b"nope"),
        (b"HTTP/1.1 200 OK\r\n\r\n<html>", 200, b"<html>"),
        (b"HTTP/1.1 503 Busy\r\ncontent-length: 9\r\n\r\ncut", 503, b"cut"),
        (b"HTTP/1.1 404 Not Found\r\n\r\n" + b"x" * 100_000, 404, b"x" * 65536),
    ],
)
async def test_a_refusal_gives_its_status_and_the_beginning_of_its_body(wire: bytes, status: int, body: bytes) -> None:
    async with serving(once(wire)) as port:
        with pytest.raises(HandshakeError, match=f"refused the WebSocket with HTTP status {status}") as caught:
            await WebSocket.connect(f"ws://127.0.0.1:{port}")
    assert (caught.value.status, caught.value.body) == (status, body)


@pytest.mark.parametrize(
    ("extra", "text"),
    [
        (b"sec-websocket-extensions: permessage-deflate\r\n", "an extension|extension that was not offered"),
        (b"sec-websocket-protocol: v9\r\n", "subprotocol that was not offered"),
        (b"sec-websocket-accept: twice\r\n", "made for another request"),
        (b"upgrade: mqtt\r\n", "made for another request"),
    ],
)
async def test_an_acceptance_of_something_else_is_refused(extra: bytes, text: str) -> None:
    async with serving(playing(extra=extra)) as port:
        with pytest.raises(PeerError, match=text):
            await WebSocket.connect(f"ws://127.0.0.1:{port}")
