"""Framing costs time in proportion to bytes and chunks: each body once, then twice as long, in chunks of three sizes.

Run it alone: ``python tests/bench/linear.py [MIB]``; 64-KiB chunks get MIB (64), smaller ones a part of it, because
each chunk is a call. A ratio near 2 is linear; 4 would be quadratic.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from asgi_grpc.framing import JsonFramer

DEEP = b'{"a":' * 90 + b"1" + b"}" * 90 + b"\n"
BODIES: dict[str, Callable[[int], bytes]] = {
    "one giant line": lambda size: b'{"a":"' + b"x" * (size - 9) + b'"}\n',
    "a line of escapes": lambda size: b'{"a":"' + b'\\"' * ((size - 9) // 2) + b'"}\n',
    "deep nesting": lambda size: DEEP * (size // len(DEEP)),
    "blank lines": lambda size: b"\n" * size,
}
PART = {64 << 10: 1, 7: 8, 1: 32}
ROUNDS = 3


def seconds(body: bytes, size: int) -> float:
    """The fastest of some rounds."""
    found = float("inf")
    for _ in range(ROUNDS):
        framer = JsonFramer(max_frame_bytes=len(body) + 1, max_depth=100)
        begin = time.perf_counter()
        for at in range(0, len(body), size):
            framer.feed(body[at : at + size])
        framer.close()
        found = min(found, time.perf_counter() - begin)
    return found


def main(mib: int) -> None:
    """Print the table."""
    print("body                chunks of      half     whole   whole / half   a chunk")
    for name, make in BODIES.items():
        for size, part in PART.items():
            total = (mib << 20) // part
            half, whole = (seconds(make(length), size) for length in (total // 2, total))
            print(
                f"{name:18} {size:10} B {half:7.2f} s {whole:7.2f} s {whole / half:14.2f} "
                f"{whole / (total / size) * 1e6:6.2f} us"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 64)
