"""HTTP/2 frames: bytes in any chunking to frames, and the bytes of those that a client sends.

Nothing here knows what a frame means.

Source: RFC 9113, sections 4 and 6.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Iterable, Iterator

import msgspec

from asgi_grpc.http2._errors import ErrorCode, Http2ConnectionError

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
MAX_WINDOW = (1 << 31) - 1
DEFAULT_WINDOW = (1 << 16) - 1
MAX_FRAME_BYTES = 1 << 14  # the least that RFC 9113 lets us announce, which is the default too

END_STREAM = ACK = 0x1
END_HEADERS = 0x4
PADDED = 0x8
PRIORITY = 0x20

_HEAD = struct.Struct(">HBBBI")  # the length takes the first two fields
_SETTING = struct.Struct(">HI")
_U32 = struct.Struct(">I")
_GOAWAY = struct.Struct(">II")  # the last stream, a code; a text may follow
_NUMBER = 0x7FFFFFFF  # one bit is reserved


class FrameType(enum.IntEnum):
    """Source: RFC 9113, section 6."""

    DATA = 0
    HEADERS = 1
    PRIORITY = 2
    RST_STREAM = 3
    SETTINGS = 4
    PUSH_PROMISE = 5
    PING = 6
    GOAWAY = 7
    WINDOW_UPDATE = 8
    CONTINUATION = 9


class Setting(enum.IntEnum):
    """Source: RFC 9113, section 6.5.2."""

    HEADER_TABLE_SIZE = 1
    ENABLE_PUSH = 2
    MAX_CONCURRENT_STREAMS = 3
    INITIAL_WINDOW_SIZE = 4
    MAX_FRAME_SIZE = 5
    MAX_HEADER_LIST_SIZE = 6


_RANGES: dict[int, tuple[int, int, ErrorCode]] = {  # of a server's settings: the least, the most, and whose fault
    Setting.ENABLE_PUSH: (0, 0, ErrorCode.PROTOCOL_ERROR),
    Setting.INITIAL_WINDOW_SIZE: (0, MAX_WINDOW, ErrorCode.FLOW_CONTROL_ERROR),
    Setting.MAX_FRAME_SIZE: (MAX_FRAME_BYTES, (1 << 24) - 1, ErrorCode.PROTOCOL_ERROR),
}


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One frame as it came.

    Attributes:
        kind: a ``FrameType``, or a number that nobody knows: RFC 9113 has such frames ignored.
        flags: as bits.
        stream: its number, 0 for the connection.
        payload: padding included.
    """

    kind: int
    flags: int
    stream: int
    payload: bytes


class FrameReader:
    """Cut a byte stream into frames of at most ``MAX_FRAME_BYTES``."""

    def __init__(self) -> None:
        self._held = bytearray()  # a frame, unfinished
        self._wanted = _HEAD.size  # bytes that finish its head, or the whole of it

    @property
    def held_bytes(self) -> int:
        """Bytes kept between two calls: less than one frame."""
        return len(self._held)

    def feed(self, chunk: bytes) -> Iterator[Frame]:
        """The frames that a chunk completes. To be iterated to the end; a fault comes behind the frames before it.

        Raises:
            Http2ConnectionError: a frame is longer than we said that we take; nothing can be read behind it.
        """
        if self._held:
            self._held += chunk
            if len(self._held) < self._wanted:
                return
            chunk = bytes(self._held)
            self._held.clear()
        begin, size = 0, len(chunk)
        self._wanted = _HEAD.size
        while size - begin >= _HEAD.size:
            high, low, kind, flags, number = _HEAD.unpack_from(chunk, begin)
            length = high << 8 | low
            if length > MAX_FRAME_BYTES:
                raise Http2ConnectionError(ErrorCode.FRAME_SIZE_ERROR, f"a frame of {length} bytes")
            end = begin + _HEAD.size + length
            if end > size:
                self._wanted = end - begin
                break
            yield Frame(kind, flags, number & _NUMBER, chunk[begin + _HEAD.size : end])
            begin = end
        self._held += chunk[begin:]


def frame_bytes(kind: FrameType, flags: int, stream: int, payload: bytes) -> bytes:
    """One frame to send."""
    length = len(payload)
    return _HEAD.pack(length >> 8, length & 0xFF, kind, flags, stream) + payload


def data_frames(stream: int, data: bytes | memoryview, *, max_frame_bytes: int, end: bool) -> bytes:
    """DATA frames; one without a payload where there is only an end to tell."""
    parts: list[bytes | memoryview] = []
    for begin in range(0, len(data) or 1, max_frame_bytes):
        piece = data[begin : begin + max_frame_bytes]
        is_last = begin + max_frame_bytes >= len(data)
        length = len(piece)
        flags = END_STREAM if end and is_last else 0
        parts += (_HEAD.pack(length >> 8, length & 0xFF, FrameType.DATA, flags, stream), piece)
    return b"".join(parts)


def headers_frames(stream: int, block: bytes, *, max_frame_bytes: int, end: bool = False) -> bytes:
    """A header block: HEADERS, and CONTINUATION where it is long."""
    pieces = [block[begin : begin + max_frame_bytes] for begin in range(0, len(block) or 1, max_frame_bytes)]
    frames = b""
    for number, piece in enumerate(pieces):
        kind = FrameType.CONTINUATION if number else FrameType.HEADERS
        flags = END_HEADERS if number == len(pieces) - 1 else 0
        frames += frame_bytes(kind, flags | (END_STREAM if end and not number else 0), stream, piece)
    return frames


def settings_frame(settings: Iterable[tuple[Setting, int]]) -> bytes:
    """SETTINGS."""
    return frame_bytes(FrameType.SETTINGS, 0, 0, b"".join(_SETTING.pack(*pair) for pair in settings))


def window_update(stream: int, increment: int) -> bytes:
    """WINDOW_UPDATE; of the connection where the stream is 0."""
    return frame_bytes(FrameType.WINDOW_UPDATE, 0, stream, _U32.pack(increment))


def rst_stream(stream: int, code: ErrorCode) -> bytes:
    """RST_STREAM."""
    return frame_bytes(FrameType.RST_STREAM, 0, stream, _U32.pack(code))


def goaway(code: ErrorCode) -> bytes:
    """GOAWAY of a client, which has taken no streams."""
    return frame_bytes(FrameType.GOAWAY, 0, 0, _GOAWAY.pack(0, code))


def content(frame: Frame) -> bytes:
    """The payload of DATA or HEADERS without padding and priority.

    Raises:
        Http2ConnectionError: they are longer than the payload.
    """
    begin, end = 0, len(frame.payload)
    if frame.flags & PADDED:
        if not frame.payload:
            raise Http2ConnectionError(ErrorCode.FRAME_SIZE_ERROR, "padding without its length")
        begin, end = 1, end - frame.payload[0]
    if frame.flags & PRIORITY and frame.kind == FrameType.HEADERS:
        begin += 5
    if begin > end:
        raise Http2ConnectionError(ErrorCode.PROTOCOL_ERROR, "padding longer than its frame")
    return frame.payload[begin:end]


def number_in(frame: Frame) -> int:
    """What RST_STREAM or WINDOW_UPDATE says: a code, an increment.

    Raises:
        Http2ConnectionError: it has another size.
    """
    if len(frame.payload) != _U32.size:
        raise Http2ConnectionError(ErrorCode.FRAME_SIZE_ERROR, f"a number of {len(frame.payload)} bytes")
    return int(_U32.unpack(frame.payload)[0])


def goaway_in(frame: Frame) -> tuple[int, int, bytes]:
    """What a GOAWAY says: the last stream that it admits, a code, a text.

    Raises:
        Http2ConnectionError: it is cut, or of a stream.
    """
    _check_connection(frame)
    if len(frame.payload) < _GOAWAY.size:
        raise Http2ConnectionError(ErrorCode.FRAME_SIZE_ERROR, f"GOAWAY of {len(frame.payload)} bytes")
    last, code = _GOAWAY.unpack_from(frame.payload)
    return int(last) & _NUMBER, int(code), frame.payload[_GOAWAY.size :]


def settings_in(frame: Frame) -> list[tuple[int, int]]:
    """The pairs of a SETTINGS frame of a server; none in an acknowledgement.

    Raises:
        Http2ConnectionError: it is cut, or of a stream, or a value is out of its range.

    Source: RFC 9113, sections 6.5 and 6.5.2.
    """
    _check_connection(frame)
    if len(frame.payload) % _SETTING.size or (frame.flags & ACK and frame.payload):
        raise Http2ConnectionError(ErrorCode.FRAME_SIZE_ERROR, f"SETTINGS of {len(frame.payload)} bytes")
    pairs: list[tuple[int, int]] = [*_SETTING.iter_unpack(frame.payload)]
    for name, value in pairs:
        if name in _RANGES and not _RANGES[name][0] <= value <= _RANGES[name][1]:
            raise Http2ConnectionError(_RANGES[name][2], f"the setting {Setting(name).name} is {value}")
    return pairs


def ping_in(frame: Frame) -> bytes:
    """What a PING carries.

    Raises:
        Http2ConnectionError: it has another size, or is of a stream.
    """
    _check_connection(frame)
    if len(frame.payload) != 8:
        raise Http2ConnectionError(ErrorCode.FRAME_SIZE_ERROR, f"PING of {len(frame.payload)} bytes")
    return frame.payload


def _check_connection(frame: Frame) -> None:
    if frame.stream:
        name = FrameType(frame.kind).name
        raise Http2ConnectionError(ErrorCode.PROTOCOL_ERROR, f"{name} is of stream {frame.stream}")
