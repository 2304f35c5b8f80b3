"""A compressed body becomes its bytes, a bounded piece at a time.

Compressed bytes in any chunking come in, pieces of at most 64 KiB go out, each made only when it is asked for. A framer
stands behind it, and its offsets count inflated bytes, as ours do.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Literal

from asgi_grpc.errors import UsageError
from asgi_grpc.framing._events import Broken, End, Fault

_PIECE = 64 << 10
_BLOCK = 1024
"""Raw bytes given to zlib at once, counted from the body's start, so that faults never depend on the chunking."""
_GZIP, _ZLIB, _RAW = 31, 15, -15


class Inflater:
    """Inflate a body under a limit.

    ``for piece in inflater.feed(chunk)`` gives the inflated bytes piece by piece; stop early and the rest is never
    inflated. A ``Broken`` is the last that it gives; its offset counts inflated bytes. The pieces joined, and the
    fault, are the same for every chunking.

    Several gzip members in a row are one body. ``deflate`` is the zlib format; bare deflate data, which some clients
    send under that name, are told apart by their first two bytes.

    Args:
        encoding: the ``Content-Encoding``.
        max_inflation: most inflated bytes for each raw byte; the raw size is rounded up to whole KiB.
        free_bytes: so much inflated data is accepted from any raw size.

    Source: RFC 9110, section 8.4.1; RFC 1950, section 2.2; RFC 1952, section 2.2.
    """

    def __init__(self, encoding: Literal["gzip", "deflate"], *, max_inflation: int, free_bytes: int = 1 << 20) -> None:
        self._max_inflation = max_inflation
        self._free_bytes = free_bytes
        self._next_member = _GZIP if encoding == "gzip" else None  # what may follow a whole member
        self._member = zlib.decompressobj(_GZIP) if encoding == "gzip" else None
        self._head = b""  # the first byte of a deflate body
        self._raw = 0
        self._inflated = 0
        self._whole = True  # nothing yet, or exactly whole members
        self._open = True
        self._idle = True

    @property
    def held_bytes(self) -> int:
        """Compressed bytes kept between two calls, besides zlib's own window of 32 KiB: at most one."""
        return len(self._head)

    def feed(self, chunk: bytes) -> Iterator[bytes | Broken]:
        """Inflate a chunk; take every piece of it before the next call.

        Raises:
            UsageError: after ``Broken``, after ``close()``, or before the last pieces were taken.
        """
        if not self._open:
            raise UsageError("feed() after the end")
        if not self._idle:
            raise UsageError("feed() before the last chunk's pieces were taken")
        self._idle = False
        return self._feed(chunk)

    def close(self) -> list[Broken | End]:
        """``End``, or ``Broken`` if the body stops inside its compressed data. An empty body is fine.

        Raises:
            UsageError: after ``Broken`` or ``close()``.
        """
        if not self._open:
            raise UsageError("close() after the end")
        self._open = False
        self._head = b""
        return [End()] if self._whole else [Broken(Fault.TRUNCATED, self._inflated)]

    def _feed(self, chunk: bytes) -> Iterator[bytes | Broken]:
        pos = 0
        while pos < len(chunk) and self._open:
            step = min(_BLOCK - self._raw % _BLOCK, len(chunk) - pos)
            self._raw += step
            yield from self._inflate(chunk[pos : pos + step])
            pos += step
        self._idle = True

    def _inflate(self, block: bytes) -> Iterator[bytes | Broken]:
        """Inflate a block that crosses no border between KiB of raw bytes."""
        allowed = max(self._free_bytes, self._max_inflation * -(-self._raw // _BLOCK) * _BLOCK)
        self._whole = False
        if self._member is None:
            block = self._head + block
            self._head = block if len(block) < 2 else b""
            if self._head:
                return
            self._member = zlib.decompressobj(_ZLIB if _has_zlib_header(block) else _RAW)
        more = True
        while more:
            if self._member.eof:
                if self._next_member is None:
                    yield self._break(Fault.BAD_COMPRESSION)
                    return
                self._member = zlib.decompressobj(self._next_member)
            member = self._member
            wanted = min(_PIECE, allowed + 1 - self._inflated)
            piece, damaged = _decompress(member, block, wanted)
            fits = piece[: allowed - self._inflated]
            self._inflated += len(fits)
            if fits:
                yield fits
            if len(fits) < len(piece) or damaged:
                yield self._break(Fault.BAD_COMPRESSION if len(fits) == len(piece) else Fault.INFLATES_TOO_MUCH)
                return
            block = member.unused_data if member.eof else member.unconsumed_tail
            more = bool(block) or (len(piece) == wanted and not member.eof)
        self._whole = member.eof

    def _break(self, fault: Fault) -> Broken:
        self._open = False
        return Broken(fault, self._inflated)


class MessageInflater(Inflater):
    """Inflate the messages of one WebSocket, under one limit for all of them.

    Args:
        max_inflation: as for ``Inflater``.
        free_bytes: as for ``Inflater``.
        keeps_window: whether a message may refer to the ones before it.

    Source: RFC 7692, section 7.2.2.
    """

    def __init__(self, *, max_inflation: int, free_bytes: int, keeps_window: bool) -> None:
        super().__init__("deflate", max_inflation=max_inflation, free_bytes=free_bytes)
        self._keeps_window = keeps_window
        self._next_member = _RAW
        self._member = zlib.decompressobj(_RAW)

    def end_message(self) -> Iterator[bytes | Broken]:
        """The message's last bytes: what deflate ends a block with is not sent."""
        yield from self._inflate(b"\0\0\xff\xff")
        if not self._keeps_window:
            self._member = zlib.decompressobj(_RAW)


def _decompress(member: zlib._Decompress, block: bytes, wanted: int) -> tuple[bytes, bool]:
    """Up to so many inflated bytes, and whether the data are damaged behind them."""
    spare = member.copy()
    try:
        return member.decompress(block, wanted), False
    except zlib.error:
        return _before_damage(spare, block), True


def _before_damage(member: zlib._Decompress, block: bytes) -> bytes:
    """What a damaged block inflates to, as if it came byte by byte.

    zlib's Python binding drops what it inflated in a call that fails, and one raw byte may stand for a thousand
    inflated ones. So those of the bad byte are asked for one at a time: no piece's end, wherever it was, makes a
    difference then.
    """
    seeker = member.copy()
    good = bytearray()
    raw = b""  # at first, what zlib has taken in already
    rest = block
    try:
        while True:
            seeker.decompress(raw)
            good += member.decompress(raw)
            raw, rest = rest[:1], rest[1:]
    except zlib.error:
        pass  # raw is the bad byte: the same bits must fail again below
    try:
        while True:
            good += member.decompress(raw, 1)
            raw = member.unconsumed_tail
    except zlib.error:
        return bytes(good)


def _has_zlib_header(head: bytes) -> bool:
    """Source: RFC 1950, section 2.2: method 8, and a check number over both bytes."""
    return head[0] & 0x0F == 8 and int.from_bytes(head[:2]) % 31 == 0
