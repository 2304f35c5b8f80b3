"""Servers that send exact bytes: a handler plays one connection."""

from __future__ import annotations

import asyncio
import base64
import re
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from hashlib import sha1

from asgi_grpc.client import HttpConnection, WebSocket

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(handler: Handler, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve on a free port of 127.0.0.1. What a handler raises, fails the test; its connection is closed after it."""
    faults: list[Exception] = []
    running: set[asyncio.Task[None]] = set()

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        try:
            await handler(reader, writer)
        except (asyncio.CancelledError, ConnectionError):
            pass  # the test is over, or the client has aborted
        except Exception as exc:  # noqa: BLE001 - raised again in the test's own task
            faults.append(exc)
        finally:
            running.discard(task)
            writer.close()
            with suppress(OSError, ssl.SSLError, asyncio.CancelledError):
                await writer.wait_closed()

    server = await asyncio.start_server(play, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(running):
            task.cancel()
        if running:
            await asyncio.wait(running)
        await server.wait_closed()
    if faults:
        raise faults[0]


def once(response: bytes) -> Handler:
    """Read one head, then answer with these bytes."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(response)
        await writer.drain()

    return handler


async def accept_websocket(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, extra: bytes = b"", glued: bytes = b""
) -> bytes:
    """Agree on a WebSocket; ``glued`` bytes follow in the same segment. The head of the request is returned."""
    head = await reader.readuntil(b"\r\n\r\n")
    found = re.search(rb"(?i)sec-websocket-key: *(\S+)", head)
    assert found
    token = base64.b64encode(sha1(found[1] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
        b"sec-websocket-accept: " + token + b"\r\n" + extra + b"\r\n" + glued
    )
    await writer.drain()
    return head


def frame(opcode: int, payload: bytes, *, fin: bool = True) -> bytes:
    """One server's frame of RFC 6455, section 5.2."""
    head = bytes([(0x80 if fin else 0) | opcode])
    if len(payload) < 126:
        return head + bytes([len(payload)]) + payload
    if len(payload) < 1 << 16:
        return head + b"\x7e" + len(payload).to_bytes(2, "big") + payload
    return head + b"\x7f" + len(payload).to_bytes(8, "big") + payload


async def read_frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """One frame of a client: its first byte, its payload unmasked."""
    first, length = await reader.readexactly(2)
    assert length & 0x80, "a client masks"
    length &= 0x7F
    if length == 126:
        length = int.from_bytes(await reader.readexactly(2), "big")
    elif length == 127:
        length = int.from_bytes(await reader.readexactly(8), "big")
    mask = await reader.readexactly(4)
    payload = await reader.readexactly(length)
    whole = (mask * (length // 4 + 1))[:length]
    return first, (int.from_bytes(payload, "big") ^ int.from_bytes(whole, "big")).to_bytes(length, "big")


@asynccontextmanager
async def http_to(handler: Handler) -> AsyncIterator[HttpConnection]:
    """A connection to a server that plays."""
    async with serving(handler) as port, await HttpConnection.open(f"http://127.0.0.1:{port}") as connection:
        yield connection


@asynccontextmanager
async def websocket_to(handler: Handler, *, max_message_bytes: int = 1 << 20) -> AsyncIterator[WebSocket]:
    """A WebSocket to a server that plays."""
    async with serving(handler) as port:
        url = f"ws://127.0.0.1:{port}"
        async with await WebSocket.connect(url, max_message_bytes=max_message_bytes) as websocket:
            yield websocket


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection by RST."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
