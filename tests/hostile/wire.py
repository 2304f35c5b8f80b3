"""Clients that may write any bytes, and a reader of whatever comes back: sockets, and no HTTP or WebSocket library."""

from __future__ import annotations

import asyncio
import json
import select
import struct
import zlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

PATIENCE_S = 20.0
KEY = b"dGhlIHNhbXBsZSBub25jZQ=="  # the one of RFC 6455, section 1.3

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


@dataclass(frozen=True)
class Reply:
    """One HTTP response.

    Attributes:
        status: its code.
        body: JSON where it is, or text; records of a stream are a list.
        headers: in lower case. Of an expected response: those that must be there; None for one that must not.
    """

    status: int
    body: Any = ""
    headers: dict[str, str | None] = field(default_factory=dict)


class Closed(NamedTuple):
    """The end of a WebSocket.

    Attributes:
        records: of the text messages, as JSON.
        code: of the close frame; None: there was none.
        reason: of the close frame.
    """

    records: list[Any]
    code: int | None
    reason: str = ""


def request(
    method: str,
    target: str | bytes,
    *headers: tuple[str, str | bytes],
    body: bytes | None = None,
    host: str | None = "plain",
    last: bool = True,
) -> bytes:
    """One HTTP/1.1 request, with the headers that make it whole unless they are there already.

    Args:
        method: as it is written.
        target: as it is written.
        headers: as they are written.
        body: its length is told by ``Content-Length``, unless a header says something of it.
        host: which gateway is meant; None: no ``Host``.
        last: the connection closes behind the answer.
    """
    names = {name.lower() for name, _ in headers}
    lines = [*headers]
    if host is not None:
        lines.insert(0, ("Host", host))
    if last and "connection" not in names:
        lines.append(("Connection", "close"))
    if body is not None and not names & {"content-length", "transfer-encoding"}:
        lines.append(("Content-Length", str(len(body))))
    raw = target if isinstance(target, bytes) else target.encode()
    head = [method.encode() + b" " + raw + b" HTTP/1.1"]
    head += [
        name.encode("latin-1") + b": " + (value if isinstance(value, bytes) else value.encode())
        for name, value in lines
    ]
    return b"\r\n".join(head) + b"\r\n\r\n" + (body or b"")


def chunked(*chunks: bytes) -> bytes:
    """A body in chunks, with its end. Source: RFC 9112, section 7.1."""
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))


def handshake(
    target: str | bytes,
    *headers: tuple[str, str | bytes],
    host: str | None = "plain",
    without: Iterable[str] = (),
    version: str = "13",
) -> bytes:
    """The opening handshake of a WebSocket. Source: RFC 6455, section 4.1."""
    lines: list[tuple[str, str | bytes]] = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", KEY),
        ("Sec-WebSocket-Version", version),
    ]
    kept = [line for line in lines if line[0].lower() not in without]
    return request("GET", target, *kept, *headers, host=host, last=False)


def frame(
    opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, masked: bool = True, length: int | None = None
) -> bytes:
    """One frame, with whatever is said to be in its head. Source: RFC 6455, section 5.2."""
    size = len(payload) if length is None else length
    head = bytes([fin << 7 | rsv << 4 | opcode])
    bit = 0x80 if masked else 0
    if size < 126:
        head += bytes([bit | size])
    elif size < 1 << 16:
        head += struct.pack(">BH", bit | 126, size)
    else:
        head += struct.pack(">BQ", bit | 127, size)
    if not masked:
        return head + payload
    key = b"\x5a\xa5\x0f\xf0"
    pattern = int.from_bytes((key * (len(payload) // 4 + 1))[: len(payload)])
    return head + key + (int.from_bytes(payload) ^ pattern).to_bytes(len(payload))


def text(value: str | bytes) -> bytes:
    """A text message of one frame."""
    return frame(TEXT, value if isinstance(value, bytes) else value.encode())


def close(code: int | None = 1000, reason: bytes = b"") -> bytes:
    """A close frame."""
    return frame(CLOSE, b"" if code is None else struct.pack(">H", code) + reason)


class Peer:
    """One connection to the server.

    Attributes:
        heard: all that came back.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.heard = b""

    @classmethod
    async def connect(cls, address: str) -> Peer:
        """Open a connection."""
        host, _, port = address.rpartition(":")
        return cls(*await asyncio.open_connection(host, int(port)))

    async def write(self, data: bytes, *, drip: bool = False) -> None:
        """Write, byte by byte perhaps; a server that closed meanwhile is no error."""
        with suppress(ConnectionError):
            for piece in (data[at : at + 1] for at in range(len(data))) if drip else (data,):
                self._writer.write(piece)
                await self._writer.drain()
                if drip:
                    await asyncio.sleep(0)

    async def hear(self, mark: bytes) -> bytes:
        """Read until some bytes came, or the server closed; return what follows them."""
        async with asyncio.timeout(PATIENCE_S):
            while mark not in self.heard and (news := await self._news()):
                self.heard += news
        return self.heard.partition(mark)[2]

    async def hear_out(self, *, is_socket: bool = False) -> bytes:
        """Read until the server closes; a WebSocket's close frame is answered."""
        answered = not is_socket
        async with asyncio.timeout(PATIENCE_S):
            while news := await self._news():
                self.heard += news
                if not answered and any(opcode == CLOSE for opcode, _ in frames(self.heard.partition(b"\r\n\r\n")[2])):
                    answered = True
                    await self.write(close())
        return self.heard

    async def hear_close(self) -> Closed:
        """Read until the server's close frame came, or its end."""
        async with asyncio.timeout(PATIENCE_S):
            while closed(self.heard).code is None and (news := await self._news()):
                self.heard += news
        return closed(self.heard)

    async def reset(self) -> None:
        """Wait until the server has reset the connection; nothing is read."""
        connection = self._writer.get_extra_info("socket")
        poll = select.poll()
        poll.register(connection.fileno(), 0)
        async with asyncio.timeout(PATIENCE_S):
            while not poll.poll(0):
                await asyncio.sleep(0.01)

    async def gone(self) -> None:
        """Close the connection."""
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()

    def abort(self) -> None:
        """Reset the connection."""
        self._writer.transport.abort()

    async def _news(self) -> bytes:
        try:
            return await self._reader.read(1 << 16)
        except ConnectionError:
            return b""


def frames(data: bytes) -> list[tuple[int, bytes]]:
    """The whole frames that a server sent: opcode and payload, inflated where it is compressed."""
    found = []
    inflater = zlib.decompressobj(-15)
    while len(data) >= 2:
        size, at = data[1], 2
        assert size < 128, "a server's frames are not masked"
        if size == 126:
            size, at = int.from_bytes(data[2:4]), 4
        elif size == 127:
            size, at = int.from_bytes(data[2:10]), 10
        if len(data) < at + size:
            break
        payload = data[at : at + size]
        if data[0] & 0x40:  # RFC 7692, section 7.2.2
            payload = inflater.decompress(payload + b"\0\0\xff\xff")
        found.append((data[0] & 0x0F, payload))
        data = data[at + size :]
    return found


def replies(data: bytes) -> list[Reply]:
    """The HTTP responses on a connection, those of status 100 left out."""
    found = []
    while data:
        head, _, rest = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        status = int(first.split(" ")[1])
        headers: dict[str, str | None] = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        if status == 100:
            data = rest
            continue
        if headers.get("transfer-encoding") == "chunked":
            body, data = _dechunk(rest)
        else:
            size = int(headers.get("content-length") or len(rest))
            body, data = rest[:size], rest[size:]
        found.append(Reply(status, _read(body, headers.get("content-type") or ""), headers))
    return found


def closed(data: bytes) -> Closed:
    """What came on a WebSocket behind its handshake."""
    records: list[Any] = []
    for opcode, payload in frames(data.partition(b"\r\n\r\n")[2]):
        if opcode == CLOSE:
            return Closed(records, int.from_bytes(payload[:2]) if payload else 1005, payload[2:].decode())
        if opcode == TEXT:
            records.append(json.loads(payload))
    return Closed(records, None)


def _read(body: bytes, content_type: str) -> Any:
    kind = content_type.partition(";")[0]
    if kind == "application/json" and body:
        return json.loads(body)
    if kind == "application/x-ndjson":
        return [json.loads(line) for line in body.splitlines() if line.strip()]
    return body.decode("utf-8", "backslashreplace")


def _dechunk(data: bytes) -> tuple[bytes, bytes]:
    body = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        length = int(size, 16)
        body += data[:length]
        data = data[length + 2 :]
        if not length:
            break
    return body, data
