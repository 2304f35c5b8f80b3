"""The clients speak over anything that has the six methods of a transport."""

from __future__ import annotations

import pytest

from asgi_grpc.client import AddressError, HandshakeError, HttpConnection, WebSocket


class Scripted:
    """A transport that keeps what is sent and gives what it was told."""

    def __init__(self, *pieces: bytes) -> None:
        self.sent: list[bytes] = []
        self._pieces = [*pieces, b""]

    async def send(self, data: bytes) -> None:
        self.sent.append(data)

    def post(self, data: bytes) -> None:
        self.sent.append(data)

    async def receive(self) -> bytes:
        return self._pieces.pop(0)

    async def send_eof(self) -> None:
        self.sent.append(b"(eof)")

    def close(self) -> None:
        self.sent.append(b"(close)")

    def abort(self) -> None:
        self.sent.append(b"(abort)")


async def test_http_goes_over_any_transport() -> None:
    transport = Scripted(b"HTTP/1.1 200 OK\r\nContent-Le", b"ngth: 2\r\n\r\no", b"k")
    async with HttpConnection.over(transport, "http://somewhere:81/a?b") as connection:
        await connection.send_head("GET", body=False)
        assert (await connection.read_head()).status == 200
        assert await connection.read_body(max_bytes=9) == b"ok"
        await connection.send_eof()
    assert transport.sent == [b"GET /a?b HTTP/1.1\r\nHost: somewhere:81\r\n\r\n", b"(eof)", b"(close)"]
    with pytest.raises(AddressError):
        HttpConnection.over(transport, "ftp://somewhere")


async def test_a_refused_websocket_aborts_its_transport() -> None:
    transport = Scripted(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
    with pytest.raises(HandshakeError):
        await WebSocket.over(HttpConnection.over(transport, "ws://somewhere/"))
    assert transport.sent[1:] == [b"(abort)"]
