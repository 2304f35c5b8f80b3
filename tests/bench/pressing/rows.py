"""The rows of the table: each presses one gateway in one way, and sees to it that what comes back is right."""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import NamedTuple

from tests.bench.pressing.memory import FLAT_BYTES, MIB, Memory
from tests.bench.pressing.sockets import (
    PAUSE_S,
    SMALL_WINDOW,
    Connection,
    block,
    chunk,
    frame,
    in_bursts,
    item,
    last_count,
)

BACKS = ("async", "sync", "channel", "http2")
NO_RETRIES = "no-retries"
"""A channel again, with ``grpc.enable_retries`` 0: else grpcio keeps what it may have to send once more."""
_COUNT_BYTES = 16 * MIB
"""Of small messages so much goes through a channel at most: each costs it as much as 64 KiB do."""

_BEGIN = b'{"name":"'


class Pressed(NamedTuple):
    """A gateway.

    Attributes:
        address: where it listens.
        memory: its process's.
        back: of ``BACKS``.
        total: bytes that a row is to move.
        streams: that are to be idle at once.
        pause_s: of whoever is slow, before each burst.
    """

    address: str
    memory: Memory
    back: str
    total: int
    streams: int = 1000
    pause_s: float = PAUSE_S


class Row(NamedTuple):
    """One kind of pressure.

    Attributes:
        press: does it, and says what else is worth saying.
        backs: for which it is done.
        most: what the gateway may grow by.
        theirs: who makes it grow beyond that, if not we; by back end.
    """

    press: Callable[[Pressed], str]
    backs: tuple[str, ...] = BACKS
    most: int = FLAT_BYTES
    theirs: Mapping[str, str] = {}


def up(size: int) -> Callable[[Pressed], str]:
    """NDJSON up; the servicer reads in bursts."""

    def press(gateway: Pressed) -> str:
        piece, each = block(item(size) + b"\n")
        times = max(1, _total(gateway, size) // len(piece))
        with Connection(gateway.address) as client:
            client.post("Up", metadata=in_bursts(times * each, gateway.pause_s))
            for _ in range(times):
                client.chunk(piece)
            client.write(b"0\r\n\r\n")
            assert client.status() == 200
            assert last_count(client.rest()[1]) == times * each
        return f"{times * len(piece) / MIB:.0f} MiB"

    return press


def down(accept: str) -> Callable[[Pressed], str]:
    """64 KiB a message down; the client reads in bursts."""

    def press(gateway: Pressed) -> str:
        count = gateway.total >> 16
        with Connection(gateway.address, window=SMALL_WINDOW) as client:
            client.ask("Down", b'{"count":%d}' % count, metadata={"item-bytes": 64 << 10}, Accept=accept)
            assert client.status() == 200
            size, tail = client.rest(slowly=gateway.total, pause_s=gateway.pause_s)
        assert size > gateway.total
        assert b"complete" in tail
        return f"{size / MIB:.0f} MiB"

    return press


def socket_up(size: int) -> Callable[[Pressed], str]:
    """A WebSocket message for each message up; the servicer reads in bursts."""

    def press(gateway: Pressed) -> str:
        piece, each = block(frame(1, item(size)))
        times = max(1, _total(gateway, size) // len(piece))
        with Connection(gateway.address) as client:
            client.upgrade("Up", metadata=in_bursts(times * each, gateway.pause_s))
            for _ in range(times):
                client.write(piece)
            client.write(frame(1, b""))
            assert last_count(client.rest()[1]) == times * each
        return f"{times * len(piece) / MIB:.0f} MiB"

    return press


def socket_down(gateway: Pressed) -> str:
    """The same down; the client reads in bursts."""
    count = gateway.total >> 16
    with Connection(gateway.address, window=SMALL_WINDOW) as client:
        client.upgrade("Down", metadata={"item-bytes": 64 << 10})
        client.write(frame(1, b'{"count":%d}' % count))
        size, tail = client.rest(slowly=gateway.total, pause_s=gateway.pause_s)
    assert size > gateway.total
    assert b"complete" in tail
    return f"{size / MIB:.0f} MiB"


def only_writes(gateway: Pressed) -> str:
    """A client of a bidirectional stream writes and never reads: it is to be held back."""
    piece, _ = block(item(60) + b"\n")
    with Connection(gateway.address, window=SMALL_WINDOW) as client:
        client.post("Both")
        client.flood_unread(chunk(piece), 64 * MIB // len(piece))
        assert client.sent < 60 * MIB, "the client was never held back"
        return f"held back after {client.sent / MIB:.1f} MiB"


def idle(door: str) -> Callable[[Pressed], str]:
    """Streams that wait, each after its first message."""

    def press(gateway: Pressed) -> str:
        with ExitStack() as clients:
            for _ in range(gateway.streams):
                client = clients.enter_context(Connection(gateway.address))
                if door == "websocket":
                    client.upgrade("Both")
                    client.write(frame(1, item(60)))
                elif door == "ndjson":
                    client.post("Both")
                    client.chunk(item(60) + b"\n")
                else:
                    client.ask("Down", b"{}", Accept="text/event-stream")
                client.read_until(b"}")
            grown = gateway.memory.settled() - gateway.memory.idle
        return f"{grown / gateway.streams / 1024:.1f} KiB each"

    return press


def slow_readers(gateway: Pressed) -> str:
    """200 downloads whose clients read nothing."""
    with ExitStack() as clients:
        for _ in range(200):
            client = clients.enter_context(Connection(gateway.address, window=SMALL_WINDOW))
            client.ask("Down", b'{"count":1000000}', metadata={"item-bytes": 64 << 10})
        grown = gateway.memory.settled() - gateway.memory.idle
    return f"{grown / 200 / 1024:.0f} KiB each"


def endless_line(gateway: Pressed) -> str:
    """A message without an end: refused at the limit."""
    piece = b"x" * (64 << 10)
    with Connection(gateway.address) as client:
        client.post("Up")
        client.chunk(_BEGIN)
        client.flood(chunk(piece), gateway.total // len(piece))
        assert client.status() == 413
        return f"413 after {client.sent / MIB:.1f} MiB"


def bomb(gateway: Pressed) -> str:
    """The same, as a gzip body that is a thousandth of it: refused at the limit."""
    member = gzip.compress(b"x" * 16 * MIB, 9)
    with Connection(gateway.address) as client:
        client.post("Up", Content_Encoding="gzip")
        client.chunk(gzip.compress(_BEGIN))
        client.flood(chunk(member), max(1, gateway.total // (16 * MIB)))
        assert client.status() == 413
        return f"413 after {client.sent / 1024:.0f} KiB"


def inflated(gateway: Pressed) -> str:
    """A gzip body that shrank to a fiftieth, as it may; the servicer reads in bursts."""
    noise = random.Random(7).randbytes(1200).hex().encode()
    line = b'{"name":"%b%b"}\n' % (noise, b"x" * (62 << 10))
    member = gzip.compress(line * 16)
    times = gateway.total // (16 * len(line))
    with Connection(gateway.address) as client:
        client.post("Up", metadata=in_bursts(times * 16, gateway.pause_s), Content_Encoding="gzip")
        for _ in range(times):
            client.chunk(member)
        client.write(b"0\r\n\r\n")
        assert client.status() == 200
        assert last_count(client.rest()[1]) == times * 16
    return f"{times * 16 * len(line) / MIB:.0f} MiB of {client.sent / MIB:.0f}"


def fragments(size: int) -> Callable[[Pressed], str]:
    """One WebSocket message in fragments, without an end."""

    def press(gateway: Pressed) -> str:
        piece, _ = block(frame(0, b"x" * size, fin=False))
        with Connection(gateway.address) as client:
            client.upgrade("Up")
            client.write(frame(1, _BEGIN, fin=False))
            total = gateway.total if size else gateway.total // 16
            client.flood(piece, total // len(piece))
            sent = client.sent
            code = _close_code(client.rest()[1]) if sent < total * 0.99 else 0
        return f"{code or 'taken'} after {sent / MIB:.1f} MiB"

    return press


def long_text(gateway: Pressed) -> str:
    """WebSocket messages of 15 MiB with many small messages in each; the servicer reads in bursts."""
    line = item(60) + b"\n"
    each = 15 * MIB // len(line)
    times = max(1, gateway.total // (64 * MIB))
    with Connection(gateway.address) as client:
        client.upgrade("Up", metadata=in_bursts(times * each, gateway.pause_s))
        for _ in range(times):
            client.write(frame(1, line * each))
        client.write(frame(1, b""))
        assert last_count(client.rest()[1]) == times * each
    return f"{times} of 15 MiB"


def socket_bomb(gateway: Pressed) -> str:
    """A WebSocket message that was compressed to a thousandth."""
    deflate = zlib.compressobj(9, wbits=-12)
    data = deflate.compress(_BEGIN + b"x" * min(gateway.total, 256 * MIB)) + deflate.flush(zlib.Z_SYNC_FLUSH)
    with Connection(gateway.address) as client:
        offer = "permessage-deflate; client_max_window_bits"
        client.upgrade("Up", Sec_WebSocket_Extensions=offer)
        client.flood(frame(1, data.removesuffix(b"\0\0\xff\xff"), rsv=0x40), 1)
        return f"{_close_code(client.rest()[1])} after {client.sent / 1024:.0f} KiB"


def _total(gateway: Pressed, size: int) -> int:
    """How many bytes of messages of this size are worth their time."""
    if size >= 1 << 10:
        return gateway.total
    total = gateway.total if size >= 32 else gateway.total // 64
    return min(total, _COUNT_BYTES) // 4 if gateway.back in ("channel", NO_RETRIES) else total


def _close_code(tail: bytes) -> int:
    """Of the close frame that ends a WebSocket's bytes; 0 if there is none."""
    at = tail.rfind(b"\x88")
    return int.from_bytes(tail[at + 2 : at + 4]) if at >= 0 else 0


HTTP_ROWS = {
    "upload, 64 KiB a message": Row(up(64 << 10)),
    "upload, 60 B a message": Row(up(60)),
    "upload, 2 B a message": Row(up(2), (*BACKS, NO_RETRIES), theirs={"channel": "grpcio"}),
    "upload, gzip": Row(inflated, ("async",)),
    "download, NDJSON": Row(down("application/x-ndjson")),
    "download, SSE": Row(down("text/event-stream")),
    "client that only writes": Row(only_writes),
    "200 clients that do not read": Row(slow_readers, most=200 * MIB),
    "1000 idle streams, NDJSON": Row(idle("ndjson"), ("async", "channel", "http2"), most=1000 * (64 << 10)),
    "1000 idle streams, SSE": Row(idle("sse"), ("async", "channel", "http2"), most=1000 * (64 << 10)),
    "a line without an end": Row(endless_line, ("async", "channel")),
    "a gzip bomb": Row(bomb, ("async",)),
}
SOCKET_ROWS = {
    "WebSocket up, 64 KiB a message": Row(socket_up(64 << 10)),
    "WebSocket up, 60 B a message": Row(socket_up(60)),
    "WebSocket up, 2 B a message": Row(socket_up(2), ("async",)),
    "WebSocket down": Row(socket_down),
    "1000 idle WebSockets": Row(idle("websocket"), ("async", "channel", "http2"), most=1000 * (64 << 10)),
    "WebSocket messages of 15 MiB": Row(long_text, ("async",), theirs={"async": "uvicorn"}),
    "WebSocket message without an end": Row(fragments(64 << 10), ("async",), theirs={"async": "uvicorn"}),
    "WebSocket message, empty fragments": Row(fragments(0), ("async",), theirs={"async": "uvicorn"}),
    "WebSocket message, a deflate bomb": Row(socket_bomb, ("async",), theirs={"async": "uvicorn"}),
}
ROWS = HTTP_ROWS | SOCKET_ROWS
