"""HTTP/1.1 load: blocking sockets, bytes made beforehand, answers counted and not parsed.

What a load costs is little, the same for every door, and shown in a column of its own.
"""

from __future__ import annotations

import select
import socket
import time
from typing import Protocol

CONNECTIONS = 8  # that ask for unary calls at the same time
PATIENCE_S = 60.0
STEP = 256 << 10


class Load(Protocol):
    """One row's work for one door."""

    def run(self, seconds: float) -> int:
        """Do whole pieces of work until so many seconds are over; return the units done.

        Raises:
            AssertionError: an answer was not what the first one led us to expect.
        """
        ...

    def close(self) -> None:
        """Leave the server alone."""
        ...


def connect(address: str) -> socket.socket:
    """A connection to ``HOST:PORT`` that sends at once what it is given."""
    host, port = address.rsplit(":", 1)
    found = socket.create_connection((host, int(port)), timeout=PATIENCE_S)
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return found


def answer_of(connection: socket.socket) -> bytes:
    """One whole answer, its end found by the lengths in it: for the first one, and for those of streams up."""
    got = b""
    while b"\r\n\r\n" not in got:
        got += receive(connection)
    head = got[: got.index(b"\r\n\r\n")].lower()
    if b"content-length: " in head:
        length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
        while len(got) < len(head) + 4 + length:
            got += receive(connection)
    else:
        while not got.endswith(b"0\r\n\r\n"):
            got += receive(connection)
    return got


def receive(connection: socket.socket) -> bytes:
    """What came; never nothing."""
    got = connection.recv(STEP)
    assert got, "the server closed the connection"
    return got


def must_hold(answer: bytes, wanted: bytes) -> None:
    """An answer of status 200 that has these bytes."""
    assert answer.startswith(b"HTTP/1.1 200"), answer[:2000]
    assert wanted in answer, (wanted, answer[:2000])


class UnaryLoad:
    """The same request over and over, on some connections at once; every answer has the length of the first.

    Args:
        address: of the door.
        request: its bytes.
        wanted: bytes that the first answer must hold.
    """

    def __init__(self, address: str, request: bytes, wanted: bytes) -> None:
        self._request = request
        self._open = {found.fileno(): found for found in (connect(address) for _ in range(CONNECTIONS))}
        self._poll = select.epoll()
        lengths = set()
        for number, connection in self._open.items():
            connection.sendall(request)
            answer = answer_of(connection)
            must_hold(answer, wanted)
            lengths.add(len(answer))
            self._poll.register(number, select.EPOLLIN)
        assert len(lengths) == 1, f"answers of several lengths: {lengths}"
        self._length = lengths.pop()

    def run(self, seconds: float) -> int:
        """Ask for calls until the time is over, and wait for the last answers."""
        until = time.perf_counter() + seconds
        missing = dict.fromkeys(self._open, self._length)
        for connection in self._open.values():
            connection.sendall(self._request)
        waiting, done = len(missing), 0
        while waiting:
            ready = self._poll.poll(PATIENCE_S)
            assert ready, "no answer"
            for number, _ in ready:
                connection = self._open[number]
                missing[number] -= len(receive(connection))
                if missing[number] > 0:
                    continue
                assert not missing[number], "a longer answer than the first"
                done += 1
                if time.perf_counter() < until:
                    missing[number] = self._length
                    connection.sendall(self._request)
                else:
                    waiting -= 1
        return done

    def close(self) -> None:
        """Close all connections."""
        self._poll.close()
        for connection in self._open.values():
            connection.close()
