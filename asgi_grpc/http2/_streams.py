"""The streams of one connection: their numbers, how many there may be at once, which of them are open.

Source: RFC 9113, sections 5.1.1 and 5.1.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from asgi_grpc.http2._errors import ErrorCode, Http2ConnectionError
from asgi_grpc.http2._frames import MAX_WINDOW, Frame
from asgi_grpc.http2._stream import Stream

_LAST_NUMBER = MAX_WINDOW


class Streams:
    """Those that are open, in the order of their numbers.

    Attributes:
        most: that the service takes at once.
    """

    def __init__(self) -> None:
        self.most = MAX_WINDOW
        self._open: dict[int, Stream] = {}
        self._next_number = 1
        self._idle_number = 0  # the next number when none was found open

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Stream]:
        return iter(self._open.values())

    @property
    def are_used_up(self) -> bool:
        """Whether there is no number for another one."""
        return self._next_number > _LAST_NUMBER

    def was_idle(self) -> bool:
        """Whether none has been open since this was asked before."""
        was_idle = not self._open and self._idle_number == self._next_number
        self._idle_number = 0 if self._open else self._next_number
        return was_idle

    def begin(self, *, receive_window: int, give_back: Callable[[int, int], None]) -> Stream:
        """Open the next one. See ``Stream``."""
        number = self._next_number
        self._next_number += 2
        stream = self._open[number] = Stream(number, receive_window=receive_window, give_back=give_back)
        return stream

    def get(self, number: int) -> Stream | None:
        """The one of that number; None: it is not open."""
        return self._open.get(number)

    def of(self, frame: Frame) -> Stream | None:
        """The stream of a frame; None: it is over.

        Raises:
            Http2ConnectionError: there was never one.
        """
        stream = self._open.get(frame.stream)
        if stream is None and (frame.stream % 2 == 0 or frame.stream >= self._next_number):
            raise Http2ConnectionError(ErrorCode.PROTOCOL_ERROR, f"stream {frame.stream} was never opened")
        return stream

    def remove(self, number: int) -> bool:
        """Forget one; whether it was open."""
        return self._open.pop(number, None) is not None

    def remove_behind(self, last: int) -> list[Stream]:
        """Forget those of greater numbers, at the cost of those alone: a service may say so as often as it likes."""
        removed = []
        while self._open and next(reversed(self._open)) > last:
            removed.append(self._open.popitem()[1])
        return removed
