"""Messages behind a five-byte prefix: a byte of flags, and the length.

Bytes in any chunking come in, one frame for each message goes out, as gRPC and the protocols made after it send them.

Source: gRPC over HTTP2, section Length-Prefixed-Message.
"""

from __future__ import annotations

import struct
from collections.abc import Collection

from asgi_grpc.errors import UsageError
from asgi_grpc.framing._events import Broken, End, Event, Fault, FlaggedFrame

_PREFIX = struct.Struct(">BI")


class PrefixedFramer:
    """Cut a byte stream into length-prefixed messages.

    Both checks are made on the five bytes of the prefix, before anything of the message is kept: the flags first.

    Args:
        max_frame_bytes: longest message accepted, as it is on the wire, without its prefix.
        flags: the values of the first byte that may come. gRPC: 0, and 1 for a compressed message; gRPC-Web adds 0x80
            for trailers, Connect 2 for the end of a stream.
    """

    def __init__(self, *, max_frame_bytes: int, flags: Collection[int] = (0, 1)) -> None:
        self._max_frame_bytes = max_frame_bytes
        self._flags = frozenset(flags)
        self._held = bytearray()  # a prefix and its message, unfinished
        self._wanted = _PREFIX.size  # bytes that finish the prefix, or the message
        self._seen = 0  # bytes of whole messages
        self._open = True

    @property
    def held_bytes(self) -> int:
        """Bytes kept between two calls: at most ``max_frame_bytes`` and a prefix."""
        return len(self._held)

    def feed(self, chunk: bytes) -> list[Event]:
        """The messages that a chunk completes, as ``FlaggedFrame``, then ``Broken`` if a prefix is refused.

        Raises:
            UsageError: after the last event.
        """
        if not self._open:
            raise UsageError("feed() after the end")
        self._held += chunk
        if len(self._held) < self._wanted:
            return []
        data = bytes(self._held)
        self._held.clear()
        events: list[Event] = []
        begin = 0
        self._wanted = _PREFIX.size
        while len(data) - begin >= _PREFIX.size:
            flags, length = _PREFIX.unpack_from(data, begin)
            if flags not in self._flags or length > self._max_frame_bytes:
                fault = Fault.FRAME_TOO_LARGE if flags in self._flags else Fault.BAD_FLAGS
                events.append(Broken(fault, self._seen + begin))
                self._open = False
                return events
            payload = begin + _PREFIX.size
            if len(data) - payload < length:
                self._wanted = _PREFIX.size + length
                break
            events.append(FlaggedFrame(data[payload : payload + length], self._seen + payload, flags))
            begin = payload + length
        self._held += data[begin:]
        self._seen += begin
        return events

    def close(self) -> list[Event]:
        """``End``, or ``Broken`` if the stream stops inside a prefix or a message.

        Raises:
            UsageError: after the last event.
        """
        if not self._open:
            raise UsageError("close() after the end")
        self._open = False
        if not self._held:
            return [End()]
        self._held.clear()
        return [Broken(Fault.TRUNCATED, self._seen)]
