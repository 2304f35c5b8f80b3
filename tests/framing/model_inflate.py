"""A slow, obvious model of the inflating stage: zlib gets one byte at a time, and gives one."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import TypeVar

from asgi_grpc.framing import Broken, End, Fault

KIB = 1024
P = TypeVar("P")


class SlowInflater:
    """Inflate byte by byte under a limit.

    Args:
        wbits: zlib's number for the format of a member.
        follow: the same for the members behind the first; None if there may be none.
        ratio: inflated bytes allowed for each raw byte.
        free: inflated bytes allowed anyway.
    """

    def __init__(self, wbits: int, follow: int | None, *, ratio: int, free: int) -> None:
        self.member = zlib.decompressobj(wbits)
        self.follow = follow
        self.ratio = ratio
        self.free = free
        self.raw = 0
        self.inflated = 0

    def take(self, data: bytes, *, counted: bool = True) -> tuple[bytes, Fault | None]:
        """What some raw bytes add, and the fault behind it; bytes that were not sent are not counted."""
        out = bytearray()
        for byte in data:
            self.raw += counted
            if self.member.eof:
                if self.follow is None:
                    return bytes(out), Fault.BAD_COMPRESSION
                self.member = zlib.decompressobj(self.follow)
            allowed = max(self.free, self.ratio * (-(-self.raw // KIB) * KIB))
            rest = bytes([byte])
            more = True
            while more:
                try:
                    piece = self.member.decompress(rest, 1)
                except zlib.error:
                    return bytes(out), Fault.BAD_COMPRESSION
                if piece and self.inflated == allowed:
                    return bytes(out), Fault.INFLATES_TOO_MUCH
                out += piece
                self.inflated += len(piece)
                rest = self.member.unconsumed_tail
                more = bool(piece or rest) and not self.member.eof
        return bytes(out), None


def model_inflate(wire: bytes, encoding: str, ratio: int, free: int) -> tuple[bytes, Broken | End]:
    """What ``Inflater`` must make of a whole body: all inflated bytes, and the last event."""
    if not wire:
        return b"", End()
    if encoding == "deflate" and len(wire) == 1:
        return b"", Broken(Fault.TRUNCATED, 0)
    wbits = 31
    if encoding == "deflate":
        wbits = 15 if wire[0] & 15 == 8 and int.from_bytes(wire[:2]) % 31 == 0 else -15
    inflater = SlowInflater(wbits, 31 if encoding == "gzip" else None, ratio=ratio, free=free)
    text, fault = inflater.take(wire)
    if fault is None and not inflater.member.eof:
        fault = Fault.TRUNCATED
    return text, Broken(fault, len(text)) if fault else End()


def joined(pieces: Iterable[P]) -> list[P | bytes]:
    """The inflated bytes as one, if there are any, then the fault or the end."""
    text = b""
    rest: list[P | bytes] = []
    for piece in pieces:
        if isinstance(piece, bytes):
            assert not rest, "bytes behind the last event"
            text += piece
        else:
            rest.append(piece)
    return [text, *rest] if text else rest
