"""HTTP streams: a long body up, a long answer down; whole streams, one after the other, on one connection."""

from __future__ import annotations

import time

from tests.bench.doors.load_http import answer_of, connect, must_hold, receive
from tests.bench.doors.wire import NAME


class UpLoad:
    """A body of many messages, and a short answer.

    Args:
        address: of the door.
        blocks: the request's bytes; one ``sendall()`` each.
        count: messages in it.
        wanted: bytes that the answer must hold.
    """

    def __init__(self, address: str, blocks: list[bytes], count: int, wanted: bytes) -> None:
        self._connection = connect(address)
        self._blocks = blocks
        self._count = count
        self._wanted = wanted

    def run(self, seconds: float) -> int:
        """Send streams until the time is over."""
        until = time.perf_counter() + seconds
        done = 0
        while not done or time.perf_counter() < until:
            for block in self._blocks:
                self._connection.sendall(block)
            must_hold(answer_of(self._connection), self._wanted)
            done += self._count
        return done

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class DownLoad:
    """A short request, and an answer of many messages in chunks; they are counted in the first stream only.

    Args:
        address: of the door.
        request: its bytes.
        count: messages in each answer.
    """

    def __init__(self, address: str, request: bytes, count: int) -> None:
        self._connection = connect(address)
        self._request = request
        self._count = count
        self._connection.sendall(request)
        answer = answer_of(self._connection)
        must_hold(answer, NAME)
        found = answer.count(NAME)
        assert found == count, f"{found} messages came of {count}"
        self._least = len(answer) * 9 // 10  # chunks may be cut otherwise the next time

    def run(self, seconds: float) -> int:
        """Receive streams until the time is over."""
        until = time.perf_counter() + seconds
        done = 0
        while not done or time.perf_counter() < until:
            self._connection.sendall(self._request)
            length, tail = 0, b""
            while not tail.endswith(b"\r\n0\r\n\r\n"):
                got = receive(self._connection)
                length += len(got)
                tail = (tail + got[-8:])[-8:]
            assert length > self._least, f"{length} bytes came, at least {self._least} were due"
            done += self._count
        return done

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
