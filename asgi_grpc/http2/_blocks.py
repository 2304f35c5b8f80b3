"""Header blocks: HEADERS and CONTINUATION frames to fields, and fields to a block.

Source: RFC 9113, sections 4.3, 6.5.2 and 6.10; RFC 7541, which is hpack's.
"""

from __future__ import annotations

from collections.abc import Iterator

from hpack import Decoder, Encoder
from hpack.exceptions import HPACKError

from asgi_grpc.errors import CallError, Code
from asgi_grpc.http2._errors import ErrorCode, HeadersTooLargeError, Http2ConnectionError
from asgi_grpc.http2._frames import END_HEADERS, Frame, content
from asgi_grpc.http2._headers import Fields

MAX_HEADER_BYTES = 1 << 16
"""Of the fields of one block, counted as RFC 9113 does; more ends its call."""

MAX_BLOCK_BYTES = 1 << 18
"""Of a header block as it is on the wire; more ends the connection."""

_MAX_READ_BYTES = 1 << 19  # of fields, most of them read for the next block only: 12 000 take up to 0.1 s
_PIECE_BYTES = 1 << 12  # of a block that is decoded at once
_NO_LIMIT = 1 << 62  # hpack's own leaves the table behind unusable, and with it the connection
_MAX_TABLE_BYTES = 4096


class HeaderBlocks:
    """Puts the pieces of header blocks together, and reads them; each block leans on those before it."""

    def __init__(self) -> None:
        self._decoder = Decoder(max_header_list_size=_NO_LIMIT)
        self._stream = 0  # whose block goes on; 0: none does
        self._held = bytearray()  # the block so far

    @property
    def is_open(self) -> bool:
        """Whether a block goes on: nothing but CONTINUATION may come then."""
        return self._stream != 0

    def begin(self, frame: Frame) -> Fields | None:
        """Take HEADERS; the fields if the block is whole.

        Raises:
            HeadersTooLargeError: the fields are more than one call may have. The next block can be read all the same.
            Http2ConnectionError: they can't be read.
        """
        self._stream = frame.stream
        self._held = bytearray(content(frame))
        return self._read(frame)

    def go_on(self, frame: Frame) -> Fields | None:
        """Take CONTINUATION; the fields if the block is whole.

        Raises:
            HeadersTooLargeError: see ``begin()``.
            Http2ConnectionError: they can't be read, or the block is not one that goes on, or is too long.
        """
        if not self.is_open or self._stream != frame.stream:
            raise Http2ConnectionError(ErrorCode.PROTOCOL_ERROR, "CONTINUATION of nothing")
        self._held += frame.payload
        if len(self._held) > MAX_BLOCK_BYTES or not (frame.payload or frame.flags & END_HEADERS):
            raise Http2ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, "a header block without end")
        return self._read(frame)

    def _read(self, frame: Frame) -> Fields | None:
        if not frame.flags & END_HEADERS:
            return None
        self._stream = 0
        fields: list[tuple[bytes, bytes]] = []
        size = 0
        try:
            for piece in _pieces(bytes(self._held)):
                decoded = [(bytes(name), bytes(value)) for name, value in self._decoder.decode(piece, raw=True)]
                size += list_bytes(decoded)
                if size <= MAX_HEADER_BYTES:
                    fields += decoded
                elif size > _MAX_READ_BYTES:
                    raise Http2ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, f"headers of {size} bytes in a block")
        except HPACKError as exc:
            raise Http2ConnectionError(ErrorCode.COMPRESSION_ERROR, type(exc).__name__) from exc
        if size > MAX_HEADER_BYTES:
            raise HeadersTooLargeError(MAX_HEADER_BYTES)
        return fields


class HeaderWriter:
    """Makes the header blocks of requests, no larger than the service takes them.

    Attributes:
        max_list_bytes: of the fields of one request; None: the service has not said.
    """

    def __init__(self) -> None:
        self.max_list_bytes: int | None = None
        self._encoder = Encoder()
        self._table_bytes = self._least_table_bytes = _MAX_TABLE_BYTES

    def set_table_bytes(self, size: int) -> None:
        """The service bounds the table; it is told with the next block, however often it did so until then."""
        self._table_bytes = min(size, _MAX_TABLE_BYTES)
        self._least_table_bytes = min(self._least_table_bytes, self._table_bytes)

    def block(self, fields: Fields) -> bytes:
        """The block of one request.

        Raises:
            CallError: RESOURCE_EXHAUSTED, as grpcio says it; nothing has changed.
        """
        if self.max_list_bytes is not None and list_bytes(fields) > self.max_list_bytes:
            text = f"the metadata of the request is more than the service takes: {self.max_list_bytes} bytes"
            raise CallError(Code.RESOURCE_EXHAUSTED, text)
        # RFC 7541, section 4.2: the smallest size since the last block, then the last one.
        for size in (self._least_table_bytes, self._table_bytes):
            if size != self._encoder.header_table_size:
                self._encoder.header_table_size = size
        self._least_table_bytes = self._table_bytes
        return self._encoder.encode(fields, huffman=False)  # hpack's Huffman is quadratic: 0.3 s for 64 KiB of text


def list_bytes(fields: Fields) -> int:
    """What a list of fields counts. Source: RFC 9113, section 6.5.2."""
    return sum(len(name) + len(value) + 32 for name, value in fields)


def _pieces(block: bytes) -> Iterator[bytes]:
    """A block, cut between its fields; a long field is a piece of its own.

    For each field hpack copies all that is left of what it was given: of a whole block that is quadratic.

    Raises:
        Http2ConnectionError: the table changes its size in the middle, which hpack only sees within a piece.
    """
    begin = 0
    end = 0 if len(block) > _PIECE_BYTES else len(block)
    while end < len(block):
        try:
            after = _end_of_field(block, end)
        except IndexError:  # it is cut: hpack will say so
            after = len(block)
        if after - begin > _PIECE_BYTES and begin < end:
            yield block[begin:end]
            begin = end
            if block[begin] & 0xE0 == 0x20:
                raise Http2ConnectionError(ErrorCode.COMPRESSION_ERROR, "a table size in the middle of a block")
        end = after
    yield block[begin:]


def _end_of_field(block: bytes, at: int) -> int:
    """Where the field ends that begins there. Source: RFC 7541, section 6."""
    first = block[at]
    if first & 0x80:  # indexed
        return _number(block, at, 7)[1]
    if first & 0xE0 == 0x20:  # no field, the size of the table
        return _number(block, at, 5)[1]
    index, at = _number(block, at, 6 if first & 0x40 else 4)
    for _ in range(1 if index else 2):  # a value, and a name where there is no index
        length, at = _number(block, at, 7)
        at += length
    return at


def _number(block: bytes, at: int, bits: int) -> tuple[int, int]:
    """A number, and where it ends. Source: RFC 7541, section 5.1."""
    most = (1 << bits) - 1
    number = block[at] & most
    at += 1
    if number == most:
        for shift in range(0, 63, 7):  # hpack refuses longer ones
            number += (block[at] & 0x7F) << shift
            at += 1
            if block[at - 1] < 0x80:
                break
    return number, at
