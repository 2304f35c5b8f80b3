"""What the tests of ``asgi-grpc call`` share: a way to run it, and servers for it to talk to."""

from __future__ import annotations

import asyncio

import pytest

from asgi_grpc.cli import main
from tests.client.peers import Handler, accept_websocket, read_frame

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = b"transfer-encoding: chunked\r\n"
NDJSON = b"content-type: application/x-ndjson; charset=utf-8\r\n"
COMPLETE = b'{"type":"complete"}\n'
THREE = b'{"a":1}\n\n{"a":2}\n{"a":3}'


class Ended:
    """How a command ended."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status = status
        self.out = out
        self.err = err


class Runner:
    """Runs ``asgi-grpc call`` in a thread, beside the servers of this loop."""

    def __init__(self, capture: pytest.CaptureFixture[bytes]) -> None:
        self._capture = capture

    async def __call__(self, url: str, *arguments: str) -> Ended:
        status = await asyncio.to_thread(main, ["call", url, *arguments])
        out, err = self._capture.readouterr()
        return Ended(status, out.decode("utf-8", "replace"), err.decode().removeprefix("asgi-grpc: ").rstrip("\n"))


def chunk(data: bytes) -> bytes:
    """One chunk of an HTTP body."""
    return b"%x\r\n%s\r\n" % (len(data), data)


async def read_body(reader: asyncio.StreamReader) -> bytes:
    """A chunked body."""
    body = b""
    while size := int(await reader.readline(), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return body


def answering(wire: bytes, heard: list[bytes], *, wait: bool = True) -> Handler:
    """Read a request, its chunked body too, and answer."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        if wait and b"chunked" in heard[0]:
            heard.append(await read_body(reader))
        writer.write(wire)
        await writer.drain()

    return handler


def talking(
    wire: bytes, heard: list[str], *, extra: bytes = b"sec-websocket-protocol: asgi-grpc.records.v1\r\n"
) -> Handler:
    """Accept a WebSocket, read records up to the end, and answer."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append((await accept_websocket(reader, writer, extra)).decode())
        while not heard[-1].endswith('{"type":"end"}'):
            first, payload = await read_frame(reader)
            if first != 0x81:
                return
            heard.append(payload.decode())
        writer.write(wire)
        await writer.drain()
        await reader.read()

    return handler
