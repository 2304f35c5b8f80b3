"""A unary body: all of it is one frame."""

from __future__ import annotations

from asgi_grpc.errors import UsageError
from asgi_grpc.framing._events import Broken, End, Event, Fault, Frame
from asgi_grpc.framing._mark import BYTE_ORDER_MARK
from asgi_grpc.framing._scanner import SPACE


class WholeFramer:
    """Collect a body; hand it on at ``close()``.

    It does not look inside, but for two things: a byte order mark at the very start is skipped, and a body of nothing
    but white space gives no frame.

    Args:
        max_frame_bytes: longest body accepted.
    """

    def __init__(self, *, max_frame_bytes: int) -> None:
        self._max_frame_bytes = max_frame_bytes
        self._held = bytearray()
        self._open = True

    @property
    def held_bytes(self) -> int:
        """Bytes kept between two calls: at most ``max_frame_bytes``."""
        return len(self._held)

    def feed(self, chunk: bytes) -> list[Event]:
        """Nothing, or ``Broken`` when the body passes the limit.

        Raises:
            UsageError: after the last event.
        """
        if not self._open:
            raise UsageError("feed() after the end")
        if len(self._held) + len(chunk) > self._max_frame_bytes:
            self._open = False
            self._held.clear()
            return [Broken(Fault.FRAME_TOO_LARGE, 0)]
        self._held += chunk
        return []

    def close(self) -> list[Event]:
        """The frame, if there is one, then ``End``.

        Raises:
            UsageError: after the last event.
        """
        if not self._open:
            raise UsageError("close() after the end")
        self._open = False
        offset = len(BYTE_ORDER_MARK) if self._held.startswith(BYTE_ORDER_MARK) else 0
        data = bytes(self._held)[offset:]
        self._held.clear()
        return [Frame(data, offset), End()] if data.lstrip(SPACE) else [End()]
