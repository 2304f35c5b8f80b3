"""WebSocket load: frames made beforehand, answers counted by their bytes.

A text message holds one item; an empty one ends the input.
"""

from __future__ import annotations

import socket
import time

from tests.bench.doors.load_http import connect, receive
from tests.bench.doors.wire import BLOCK, ITEM_BYTES, NAME, item

MASK = b"\x12\x34\x56\x78"
HANDSHAKE = (
    "GET %s HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
    "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
CLOSE = b"\x88\x02\x03\xe8"  # the server's last frame, if all is well


def frame(payload: bytes, opcode: int = 0x81) -> bytes:
    """One short masked frame, as browsers send it."""
    masked = bytes(byte ^ MASK[place % 4] for place, byte in enumerate(payload))
    return bytes([opcode, 0x80 | len(payload)]) + MASK + masked


def upgraded(address: str, path: str) -> socket.socket:
    """A connection that speaks WebSocket."""
    connection = connect(address)
    connection.sendall((HANDSHAKE % path).encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += connection.recv(1)
    assert head.startswith(b"HTTP/1.1 101"), head
    return connection


class WsStreamLoad:
    """Connections one after the other: messages up, then all that comes down, to the end.

    Args:
        address: of the door.
        path: of the method.
        up: the frames to send.
        count: units of work in one connection.
        wanted: bytes that must come down so many times: a pair.
    """

    def __init__(self, address: str, path: str, up: bytes, count: int, wanted: tuple[bytes, int]) -> None:
        self._address = address
        self._path = path
        self._blocks = [up[at : at + BLOCK] for at in range(0, len(up), BLOCK)]
        self._count = count
        answer = self._exchange(keep=True)
        assert answer.count(wanted[0]) == wanted[1], (answer.count(wanted[0]), wanted, answer[:500])

    def run(self, seconds: float) -> int:
        """Do whole connections until the time is over."""
        until = time.perf_counter() + seconds
        done = 0
        while not done or time.perf_counter() < until:
            self._exchange(keep=False)
            done += self._count
        return done

    def close(self) -> None:
        """Nothing is left open between two connections."""

    def _exchange(self, *, keep: bool) -> bytes:
        """One connection; return what came, or its last bytes."""
        connection = upgraded(self._address, self._path)
        for block in self._blocks:
            connection.sendall(block)
        got = b""
        parts = [got]
        while not got.endswith(CLOSE):
            part = receive(connection)
            got = (got + part)[-8:]
            if keep:
                parts.append(part)
        connection.sendall(frame(CLOSE[2:], 0x88))
        assert not connection.recv(1), "something came after the close"
        connection.close()
        return b"".join(parts)


class WsPingPongLoad:
    """One connection: a message up, its answer down, and again.

    Args:
        address: of the door.
        path: of the method.
    """

    def __init__(self, address: str, path: str) -> None:
        self._connection = upgraded(address, path)
        self._frame = frame(item(0))
        self._connection.sendall(self._frame)
        answer = receive(self._connection)
        assert NAME in answer, answer
        self._length = len(answer)
        assert ITEM_BYTES < self._length < 126, answer

    def run(self, seconds: float) -> int:
        """Play until the time is over."""
        until = time.perf_counter() + seconds
        done = 0
        while time.perf_counter() < until:
            for _ in range(10):
                self._connection.sendall(self._frame)
                missing = self._length
                while missing:
                    missing -= len(receive(self._connection))
            done += 10
        return done

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
