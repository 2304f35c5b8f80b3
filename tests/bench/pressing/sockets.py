"""Clients that press: blocking sockets, bytes made once, nothing kept of what comes."""

from __future__ import annotations

import base64
import json
import select
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Self

BURSTS = 8
"""Whoever is slow does its work in so many bursts."""

PAUSE_S = 0.25
"""Before each of them: time enough to fill whatever can be filled."""

SMALL_WINDOW = 32 << 10
_TIMEOUT_S = 300.0
_STALLED_S = 3.0
_MASK = bytes(4)
_CLOSED = b"\x88\x02\x03\xe8"

NDJSON = "application/x-ndjson"


def item(size: int) -> bytes:
    """A JSON item of about so many bytes, at least two."""
    return b"{}" if size < 12 else b'{"name":"%b"}' % (b"x" * (size - 11))


def block(one: bytes) -> tuple[bytes, int]:
    """The same again and again, 64 KiB or a little more; and how often."""
    times = -(-(64 << 10) // len(one))
    return one * times, times


def frame(opcode: int, payload: bytes, *, fin: bool = True, rsv: int = 0) -> bytes:
    """A client's WebSocket frame; its mask is zero. Source: RFC 6455, section 5.2."""
    size = len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    else:
        length = b"\xfe" + size.to_bytes(2) if size < 1 << 16 else b"\xff" + size.to_bytes(8)
    return bytes([fin << 7 | rsv | opcode]) + length + _MASK + payload


class Connection:
    """One socket to the gateway."""

    def __init__(self, address: str, *, window: int | None = None) -> None:
        host, port = address.rsplit(":", 1)
        self._socket = socket.socket()
        if window is not None:  # before it connects: the window's scale is settled then
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        self._socket.settimeout(_TIMEOUT_S)
        self._socket.connect((host, int(port)))
        self.sent = 0
        self._early = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go."""
        self._socket.close()

    def write(self, data: bytes) -> None:
        """Send it all, however long that takes."""
        self._socket.sendall(data)
        self.sent += len(data)

    def read(self, most: int = 1 << 18) -> bytes:
        """Some bytes; none at the end."""
        if self._early:
            early, self._early = self._early, b""
            return early
        return self._socket.recv(most)

    def read_until(self, mark: bytes, most: int = 1 << 20) -> bytes:
        """All up to the mark and with it; what came behind it is read next."""
        found = b""
        while mark not in found:
            more = self.read()
            if not more or len(found) > most:
                raise AssertionError(f"expected {mark!r}, got {found[-500:]!r} and the end")
            found += more
        cut = found.index(mark) + len(mark)
        self._early = found[cut:]
        return found[:cut]

    def post(self, method: str, *, metadata: Mapping[str, object] = {}, **headers: str) -> None:
        """The head of a request whose body comes in chunks."""
        self._head("POST", method, {"Transfer-Encoding": "chunked", "Content-Type": NDJSON, **headers}, metadata)

    def ask(self, method: str, body: bytes, *, metadata: Mapping[str, object] = {}, **headers: str) -> None:
        """A whole request."""
        own = {"Content-Length": str(len(body)), "Content-Type": "application/json"}
        self._head("POST", method, {**own, **headers}, metadata)
        self.write(body)

    def upgrade(self, method: str, *, metadata: Mapping[str, object] = {}, **headers: str) -> None:
        """Open a WebSocket."""
        own = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        key = base64.b64encode(bytes(16)).decode()
        self._head("GET", method, {**own, "Sec-WebSocket-Key": key, **headers}, metadata)
        head = self.read_until(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101"), head

    def chunk(self, data: bytes) -> None:
        """A chunk of a body."""
        self.write(chunk(data))

    def flood(self, piece: bytes, times: int) -> None:
        """Write the same piece so many times; less often if the peer does not want it any more.

        It does not when it has answered, when it has gone, or when it has taken nothing for some seconds.
        """
        self._socket.settimeout(_STALLED_S)
        with suppress(ConnectionError, TimeoutError):
            for _ in range(times):
                if select.select([self._socket], [], [], 0)[0]:
                    break
                self.write(piece)
        self._socket.settimeout(_TIMEOUT_S)

    def flood_unread(self, piece: bytes, times: int) -> None:
        """The same, whatever the peer answers."""
        self._socket.settimeout(_STALLED_S)
        with suppress(ConnectionError, TimeoutError):
            for _ in range(times):
                self.write(piece)
        self._socket.settimeout(_TIMEOUT_S)

    def status(self) -> int:
        """Of the answer that begins now."""
        head = self.read_until(b"\r\n\r\n")
        return int(head.split(b" ", 2)[1])

    def rest(self, *, slowly: int = 0, pause_s: float = PAUSE_S) -> tuple[int, bytes]:
        """Read all that is left, up to the frame that closes a WebSocket: how many bytes, and the last ones.

        Args:
            slowly: about how many bytes come; they are read in bursts. 0: at once.
            pause_s: before each burst.
        """
        count, tail, left = 0, b"", 0
        with suppress(ConnectionResetError):
            while True:
                if slowly and left <= 0:
                    left = slowly // BURSTS
                    time.sleep(pause_s)
                data = self.read()
                if not data:
                    break
                count, left = count + len(data), left - len(data)
                tail = (tail + data)[-2000:]
                if tail.endswith(_CLOSED):
                    break
        return count, tail

    def _head(self, verb: str, method: str, headers: Mapping[str, str], metadata: Mapping[str, object]) -> None:
        lines = [f"{verb} /bench.v1.Bench/{method} HTTP/1.1", "Host: localhost", "Connection: close"]
        if "Connection" in headers:
            lines.pop()
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        lines += [f"Grpc-Metadata-{name.replace('_', '-')}: {value}" for name, value in metadata.items()]
        self.write("\r\n".join([*lines, "", ""]).encode())


def chunk(data: bytes) -> bytes:
    """A chunk of a body. Source: RFC 9112, section 7.1."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def in_bursts(items: int, pause_s: float) -> dict[str, object]:
    """Metadata that make the servicer read so many items in bursts."""
    return {"pause-every": -(-items // BURSTS), "pause-s": pause_s}


def last_count(body: bytes) -> int:
    """The count in the record of a ``Total``, wherever in the bytes it stands."""
    begin = body.index(b'{"type":"response"') if b'{"type":"response"' in body else body.index(b"{")
    return int(json.JSONDecoder().raw_decode(body[begin:].decode("utf-8", "replace"))[0]["data"]["count"])
