"""Framing against its floors: ratios of one run, best of several rounds.

Run it alone: ``python tests/bench/framing.py``. Every row is the time for a whole body of lines of 60 bytes, or of
messages like them, fed in chunks. The floors take the whole body at once, check nothing and know no offsets:

- NDJSON: ``bytes.split(b"\\n")``; once for 100 MB, then for each kind of line.
- An array: msgspec finds the elements (``list[Raw]``), each becomes ``bytes``.
- Length-prefixed messages: a loop of ``unpack_from`` and one slice each, into a list.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable

import msgspec

from asgi_grpc.framing import JsonFramer, JsonSeqFramer, PrefixedFramer
from asgi_grpc.framing._shortcut import prove_lines

CHUNK = 64 << 10
ROUNDS = 5
LINES = 100_000
MANY_LINES = 1_700_000  # 100 MB

FLAT = b'{"name":"user-%06d","count":%06d,"note":"hello world!"}'
NESTED = b'{"name":{"first":"%06d"},"ids":[%06d],"note":"hello wo"}'
BRACES = b'{"name":"{%06d}","count":%06d,"note":"}{ hello world"}'


def body(line: bytes, separator: bytes, *, lead: bytes = b"", end: bytes = b"", count: int = LINES) -> bytes:
    """So many lines of 60 bytes, their ends included."""
    return lead + separator.join([line % (n % 1_000_000, n % 900_000 + 100_000) for n in range(count)]) + end


def best(rows: dict[str, Callable[[], object]], rounds: int = ROUNDS) -> dict[str, float]:
    """Processor seconds of each row's fastest round; the rows take turns, so that a noisy machine hurts all alike."""
    found = dict.fromkeys(rows, float("inf"))
    for _ in range(rounds):
        for name, work in rows.items():
            begin = time.process_time()
            work()
            found[name] = min(found[name], time.process_time() - begin)
    return found


def chunks(wire: bytes, size: int) -> list[bytes]:
    """A body in chunks of one size."""
    return [wire[at : at + size] for at in range(0, len(wire), size)]


def frame(wire: bytes, size: int = CHUNK, count: int = LINES) -> Callable[[], object]:
    """The whole work of ``JsonFramer``: frames with their offsets."""
    pieces = chunks(wire, size)

    def work() -> None:
        framer = JsonFramer(max_frame_bytes=4 << 20, max_depth=100)
        frames = sum([len(framer.feed(piece)) for piece in pieces])
        assert frames + len(framer.close()) - 1 == count

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


def prefixed() -> bytes:
    """Length-prefixed messages, as gRPC sends them."""
    return b"".join([struct.pack(">BI", 0, len(text)) + text for text in body(FLAT, b"\n").split(b"\n")])


def frame_prefixed(wire: bytes) -> Callable[[], object]:
    """The whole work of ``PrefixedFramer``."""
    pieces = chunks(wire, CHUNK)

    def work() -> None:
        framer = PrefixedFramer(max_frame_bytes=4 << 20)
        assert sum([len(framer.feed(piece)) for piece in pieces]) == LINES

    return work


def slice_prefixed(wire: bytes) -> Callable[[], object]:
    """The floor: the shortest loop over the whole body."""
    unpack_from = struct.Struct(">BI").unpack_from

    def work() -> None:
        messages: list[bytes] = []
        at = 0
        while at < len(wire):
            begin = at + 5
            at = begin + unpack_from(wire, at)[1]
            messages.append(wire[begin:at])
        assert len(messages) == LINES

    return work


def decode_array(wire: bytes) -> Callable[[], object]:
    """The floor: the whole body in one call."""
    decoder = msgspec.json.Decoder(list[msgspec.Raw])
    return lambda: list(map(bytes, decoder.decode(wire)))


def show(rows: dict[str, Callable[[], object]], unit: str, count: int = LINES, rounds: int = ROUNDS) -> None:
    """Print a table of ratios; the first row is the floor."""
    times = best(rows, rounds)
    floor = next(iter(times.values()))
    for name, seconds in times.items():
        print(f"{name:38} {seconds / floor:7.2f} x {unit}   {seconds / count * 1e9:7.0f} ns a message")
    print()


def main() -> None:
    """Print the tables."""
    print(f"Chunks of {CHUNK} bytes where nothing else is said.")
    large = body(FLAT, b"\n", end=b"\n", count=MANY_LINES)
    print(f"\nNDJSON, {MANY_LINES} lines of {len(large) // MANY_LINES} bytes, {len(large) / 1e6:.0f} MB")
    show({"bytes.split, the floor": split(large), "flat lines": frame(large, count=MANY_LINES)}, "split", MANY_LINES, 3)
    del large
    flat, nested, braces = (body(line, b"\n", end=b"\n") for line in (FLAT, NESTED, BRACES))
    print(f"JSON, {LINES} objects of {len(flat) // LINES} bytes")
    show(
        {
            "bytes.split, the floor": split(flat),
            "flat lines, proof and cut only": cut_only(flat),
            "nested lines, proof and cut only": cut_only(nested),
            "flat lines": frame(flat),
            "flat lines, CR LF": frame(body(FLAT, b"\r\n", end=b"\r\n")),
            "nested lines": frame(nested),
            "lines with braces in strings": frame(braces),
            "flat lines, one a chunk": frame(flat, len(flat) // LINES),
            "flat lines, 1000 bytes a chunk": frame(flat, 1000),
            "two objects a line": frame(
                b"".join([FLAT % (n, n + 100_000) + b" \n"[n % 2 :][:1] for n in range(LINES)])
            ),
            "an object over three lines": frame(flat.replace(b",", b",\n")),
            "json-seq": frame_sequence(body(FLAT, b"\n\x1e", lead=b"\x1e", end=b"\n")),
        },
        "split",
    )
    compact = body(FLAT, b",", lead=b"[", end=b"]")
    print(f"One JSON array, {LINES} elements of {len(flat) // LINES - 1} bytes")
    show(
        {
            "msgspec list[Raw], the floor": decode_array(compact),
            "an array, compact": frame(compact),
            "an array, an element a line": frame(body(FLAT, b",\n", lead=b"[\n", end=b"\n]")),
        },
        "decode",
    )
    wire = prefixed()
    print(f"Length-prefixed, {LINES} messages of {len(wire) // LINES - 5} bytes")
    show(
        {"unpack and slice, the floor": slice_prefixed(wire), "length-prefixed": frame_prefixed(wire)},
        "loop",
    )


if __name__ == "__main__":
    main()
