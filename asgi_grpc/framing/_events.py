"""What every framer says: frames, then how the stream ended."""

from __future__ import annotations

import enum

import msgspec


class Fault(enum.Enum):
    """Why a stream can't be cut any further. The value is a sentence for a stranger."""

    FRAME_TOO_LARGE = "the message is larger than the limit"
    TRUNCATED = "the stream ends inside a message"
    NOT_JSON = "expected a JSON value"
    NOT_UTF8 = "the text is not UTF-8"
    TOO_DEEP = "the JSON is nested too deeply"
    TRAILING_DATA = "expected nothing but white space behind the end of the array"
    BAD_FLAGS = "the message's flags are not of this protocol"
    BAD_WEBSOCKET_FRAME = "the bytes are not a WebSocket frame that may come here"
    BINARY_MESSAGE = "expected a text message"
    BAD_COMPRESSION = "the compressed body is damaged"
    INFLATES_TOO_MUCH = "the compressed body inflates beyond the limit"


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One document's bytes, not yet decoded.

    Attributes:
        data: the bytes, white space around them possibly included.
        offset: of its first byte, from the stream's start.
    """

    data: bytes
    offset: int


class FlaggedFrame(Frame, frozen=True, gc=False):
    """One message that came behind a prefix.

    Attributes:
        flags: the prefix's first byte.
    """

    flags: int


class Broken(msgspec.Struct, frozen=True, gc=False):
    """The peer's fault; always the last event.

    Attributes:
        fault: what is wrong.
        offset: of the bad frame's first byte, from the stream's start.
    """

    fault: Fault
    offset: int


class End(msgspec.Struct, frozen=True, gc=False):
    """The stream ended as it should; always the last event."""


Event = Frame | Broken | End
