"""NDJSON framing against its floor, ``bytes.split``: ratios of one run, best of several rounds.

Run it alone: ``python tests/bench/framing.py``. Every row is the time for a whole body of 60-byte lines, fed in chunks.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from asgi_grpc.framing import JsonFramer, JsonSeqFramer
from asgi_grpc.framing._shortcut import prove_lines

CHUNK = 64 << 10
ROUNDS = 5
LINES = 100_000

FLAT = b'{"name":"user-%06d","count":%06d,"note":"hello world"}'
NESTED = b'{"name":{"first":"%06d"},"ids":[%06d],"note":"hello wo"}'
BRACES = b'{"name":"{%06d}","count":%06d,"note":"}{ hello world"}'


def body(line: bytes, separator: bytes, *, lead: bytes = b"", end: bytes = b"") -> bytes:
    """So many lines of 60 bytes, their ends included."""
    return lead + separator.join([line % (n, n + 100_000) for n in range(LINES)]) + end


def best(rows: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Seconds of each row's fastest round; the rows take turns, so that a noisy machine hurts all alike."""
    found = dict.fromkeys(rows, float("inf"))
    for _ in range(ROUNDS):
        for name, work in rows.items():
            begin = time.perf_counter()
            work()
            found[name] = min(found[name], time.perf_counter() - begin)
    return found


def chunks(wire: bytes, size: int) -> list[bytes]:
    """A body in chunks of one size."""
    return [wire[at : at + size] for at in range(0, len(wire), size)]


def frame(wire: bytes, size: int = CHUNK) -> Callable[[], object]:
    """The whole work of ``JsonFramer``: frames with their offsets."""
    pieces = chunks(wire, size)

    def work() -> None:
        framer = JsonFramer(max_frame_bytes=4 << 20, max_depth=100)
        frames = sum([len(framer.feed(piece)) for piece in pieces])
        assert frames + len(framer.close()) - 1 == LINES

    return work


def split(wire: bytes) -> Callable[[], object]:
    """The floor: one split of the whole body."""
    return lambda: wire.split(b"\n")


def cut_only(wire: bytes) -> Callable[[], object]:
    """Proof and cut, without the frames, which cost more than both."""
    pieces = []
    for piece in chunks(wire, CHUNK):
        begin, end = piece.find(b"\n") + 1, piece.rfind(b"\n")
        pieces.append(piece[begin:end])

    def work() -> None:
        for piece in pieces:
            assert prove_lines(piece, b"\n", 4 << 20, 100) is not None

    return work


def frame_sequence(wire: bytes) -> Callable[[], object]:
    """The whole work of ``JsonSeqFramer``."""
    pieces = chunks(wire, CHUNK)

    def work() -> None:
        framer = JsonSeqFramer(max_frame_bytes=4 << 20)
        assert sum([len(framer.feed(piece)) for piece in pieces]) == LINES

    return work


def main() -> None:
    """Print a table of ratios."""
    flat, nested, braces = (body(line, b"\n", end=b"\n") for line in (FLAT, NESTED, BRACES))
    rows = {
        "bytes.split, the floor": split(flat),
        "flat lines, proof and cut only": cut_only(flat),
        "nested lines, proof and cut only": cut_only(nested),
        "flat lines": frame(flat),
        "flat lines, CR LF": frame(body(FLAT, b"\r\n", end=b"\r\n")),
        "nested lines": frame(nested),
        "lines with braces in strings": frame(braces),
        "flat lines, one a chunk": frame(flat, len(flat) // LINES),
        "flat lines, 1000 bytes a chunk": frame(flat, 1000),
        "two objects a line": frame(b"".join([FLAT % (n, n + 100_000) + b" \n"[n % 2 :][:1] for n in range(LINES)])),
        "an object over three lines": frame(flat.replace(b",", b",\n")),
        "an array, compact": frame(body(FLAT, b",", lead=b"[", end=b"]")),
        "an array, an element a line": frame(body(FLAT, b",\n", lead=b"[\n", end=b"\n]")),
        "json-seq": frame_sequence(body(FLAT, b"\n\x1e", lead=b"\x1e", end=b"\n")),
    }
    times = best(rows)
    floor = times["bytes.split, the floor"]
    print(f"{LINES} objects of {len(flat) // LINES} bytes, chunks of {CHUNK} bytes where nothing else is said")
    for name, seconds in times.items():
        print(f"{name:36} {seconds / floor:7.2f} x split   {seconds / LINES * 1e9:7.0f} ns an object")


if __name__ == "__main__":
    main()
