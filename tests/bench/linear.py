"""Framing costs time in proportion to bytes and chunks: each body once, then twice as long, in chunks of three sizes.

Run it alone: ``python tests/bench/linear.py [MIB]``; 64-KiB chunks get MIB (64), smaller ones a part of it, because
each chunk is a call. A ratio near 2 is linear; 4 would be quadratic.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from asgi_grpc.framing import (
    Inflater,
    JsonFramer,
    JsonSeqFramer,
    PrefixedFramer,
    SseReader,
    WebSocketFramer,
    WholeFramer,
)
from asgi_grpc.testing import websocket_frame

MOST = 1 << 40
DEEP = b'{"a":' * 90 + b"1" + b"}" * 90 + b"\n"
PART = {64 << 10: 1, 7: 8, 1: 32}
ROUNDS = 3


class Cutter(Protocol):
    """What all framers share here."""

    def feed(self, chunk: bytes) -> Iterable[object]:
        """The events that a chunk completes."""

    def close(self) -> Iterable[object]:
        """The last events."""


class Case(NamedTuple):
    """A body of any size, and the framer that it is for."""

    body: Callable[[int], bytes]
    framer: Callable[[], Cutter]


def json() -> Cutter:
    """Values or an array."""
    return JsonFramer(max_frame_bytes=MOST, max_depth=100)


def websocket() -> Cutter:
    """A connection without compression."""
    return WebSocketFramer(max_frame_bytes=MOST, max_depth=100)


def message(size: int) -> bytes:
    """One long WebSocket message; its mask is zero."""
    text = b'{"a":1}\n' * (size // 8)
    return b"\x81\xff" + len(text).to_bytes(8) + bytes(4) + text


def stored(size: int) -> bytes:
    """A gzip member that is as long as its text, but for five bytes in 65 thousand."""
    return b"".join([b"\x1f\x8b\x08" + bytes(6) + b"\xff", (b"\0\xff\xff\0\0" + b"x" * 0xFFFF) * (size // 65540)])


CASES = {
    "one giant line": Case(lambda size: b'{"a":"' + b"x" * (size - 9) + b'"}\n', json),
    "a line of escapes": Case(lambda size: b'{"a":"' + b'\\"' * ((size - 9) // 2) + b'"}\n', json),
    "deep nesting": Case(lambda size: DEEP * (size // len(DEEP)), json),
    "blank lines": Case(lambda size: b"\n" * size, json),
    "an array of numbers": Case(lambda size: b"[1" + b",1" * ((size - 3) // 2) + b"]", json),
    "json-seq, a giant record": Case(
        lambda size: b'\x1e"' + b"x" * (size - 4) + b'"\n', lambda: JsonSeqFramer(max_frame_bytes=MOST)
    ),
    "a unary body": Case(lambda size: b"x" * size, lambda: WholeFramer(max_frame_bytes=MOST)),
    "a giant message, prefixed": Case(
        lambda size: b"\0" + (size - 5).to_bytes(4) + b"x" * (size - 5), lambda: PrefixedFramer(max_frame_bytes=MOST)
    ),
    "empty messages, prefixed": Case(lambda size: bytes(size // 5 * 5), lambda: PrefixedFramer(max_frame_bytes=MOST)),
    "SSE, one giant line": Case(
        lambda size: b"data:" + b"x" * (size - 7) + b"\n\n", lambda: SseReader(max_event_bytes=MOST)
    ),
    "SSE, empty data lines": Case(lambda size: b"data\n" * (size // 5), lambda: SseReader(max_event_bytes=MOST)),
    "gzip, stored": Case(stored, lambda: Inflater("gzip", max_inflation=100)),
    "WebSocket, a long message": Case(message, websocket),
    "WebSocket, pings": Case(lambda size: websocket_frame(9, b"hi") * (size // 8), websocket),
}


def seconds(case: Case, body: bytes, size: int) -> float:
    """The fastest of some rounds."""
    found = float("inf")
    for _ in range(ROUNDS):
        framer = case.framer()
        begin = time.process_time()
        for at in range(0, len(body), size):
            for _ in framer.feed(body[at : at + size]):
                pass
        framer.close()
        found = min(found, time.process_time() - begin)
    return found


def main(mib: int) -> None:
    """Print the table."""
    print("body                        chunks of      half     whole   whole / half   a chunk")
    for name, case in CASES.items():
        for size, part in PART.items():
            total = (mib << 20) // part
            half, whole = (seconds(case, case.body(length), size) for length in (total // 2, total))
            print(
                f"{name:26} {size:10} B {half:7.2f} s {whole:7.2f} s {whole / half:14.2f} "
                f"{whole / (total / size) * 1e6:6.2f} us",
                flush=True,
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 64)
