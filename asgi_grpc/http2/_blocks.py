"""Header blocks: HEADERS and CONTINUATION frames to fields.

Source: RFC 9113, sections 4.3 and 6.10; RFC 7541, which is hpack's.
"""

from __future__ import annotations

from hpack import Decoder
from hpack.exceptions import HPACKError

from asgi_grpc.http2._errors import ErrorCode, Http2ConnectionError
from asgi_grpc.http2._frames import END_HEADERS, Frame, content
from asgi_grpc.http2._headers import Fields

MAX_HEADER_BYTES = 1 << 16
"""Of a header block as it is on the wire, and of the fields in it."""


class HeaderBlocks:
    """Puts the pieces of header blocks together, and reads them; each block leans on those before it."""

    def __init__(self) -> None:
        self._decoder = Decoder(max_header_list_size=MAX_HEADER_BYTES)
        self._stream = 0  # whose block goes on; 0: none does
        self._held = bytearray()  # the block so far

    @property
    def is_open(self) -> bool:
        """Whether a block goes on: nothing but CONTINUATION may come then."""
        return self._stream != 0

    def begin(self, frame: Frame) -> Fields | None:
        """Take HEADERS; the fields if the block is whole.

        Raises:
            Http2ConnectionError: they can't be read.
        """
        self._stream = frame.stream
        self._held = bytearray(content(frame))
        return self._read(frame)

    def go_on(self, frame: Frame) -> Fields | None:
        """Take CONTINUATION; the fields if the block is whole.

        Raises:
            Http2ConnectionError: they can't be read, or the block is not one that goes on, or is too long.
        """
        if not self.is_open or self._stream != frame.stream:
            raise Http2ConnectionError(ErrorCode.PROTOCOL_ERROR, "CONTINUATION of nothing")
        self._held += frame.payload
        if len(self._held) > MAX_HEADER_BYTES or not (frame.payload or frame.flags & END_HEADERS):
            raise Http2ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, "a header block without end")
        return self._read(frame)

    def _read(self, frame: Frame) -> Fields | None:
        if not frame.flags & END_HEADERS:
            return None
        self._stream = 0
        try:
            decoded = self._decoder.decode(bytes(self._held), raw=True)
            return [(bytes(name), bytes(value)) for name, value in decoded]
        except HPACKError as exc:
            raise Http2ConnectionError(ErrorCode.COMPRESSION_ERROR, type(exc).__name__) from exc
