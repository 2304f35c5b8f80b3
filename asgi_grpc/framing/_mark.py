"""The byte order mark that some clients put in front of UTF-8.

Source: RFC 8259, section 8.1: a parser may ignore it.
"""

from __future__ import annotations

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class LeadingMark:
    """Takes one byte order mark off a stream's very start, however it was cut.

    Attributes:
        held: bytes that may yet be a mark's first two.
        length: of the mark that was taken off, 0 or 3.
        passed: True once the mark, or its absence, is certain.
    """

    __slots__ = ("held", "length", "passed")

    def __init__(self) -> None:
        self.held = b""
        self.length = 0
        self.passed = False

    def strip(self, chunk: bytes) -> bytes:
        """What a chunk adds to the stream behind the mark; nothing while it is uncertain."""
        chunk = self.held + chunk
        if len(chunk) < len(BYTE_ORDER_MARK) and BYTE_ORDER_MARK.startswith(chunk):
            self.held = chunk
            return b""
        self.held = b""
        self.passed = True
        if chunk.startswith(BYTE_ORDER_MARK):
            self.length = len(BYTE_ORDER_MARK)
        return chunk[self.length :]

    def close(self) -> bytes:
        """The stream ends here: what was held is no mark."""
        rest, self.held, self.passed = self.held, b"", True
        return rest
