"""Frames to request messages, with the place of whatever is wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, cast

from google.protobuf.message import Message

from asgi_grpc.errors import Code, FramingError, RequestError
from asgi_grpc.framing import Broken, End, Event, Fault, Frame
from asgi_grpc.routing import Decode

_BATCH = 1024
"""Messages decoded at once: a small one is some twenty times as large as its frame, and a piece may hold thousands."""


class Input(NamedTuple):
    """A piece of the input, cut.

    Attributes:
        frames: documents of messages, in order.
        ended: nothing comes after them.
        error: what came after them is bad, and nothing comes after that.
    """

    frames: list[Frame]
    ended: bool = False
    error: RequestError | None = None


def to_input(events: Sequence[Event]) -> Input:
    """A framer's events as a piece of the input."""
    if not events or isinstance(events[-1], Frame):
        return Input(cast(list[Frame], events))  # only the last event may be no frame
    frames = cast(list[Frame], events[:-1])
    match events[-1]:
        case Broken(fault=fault, offset=offset):
            large = fault in (Fault.FRAME_TOO_LARGE, Fault.INFLATES_TOO_MUCH)
            code, status = (Code.RESOURCE_EXHAUSTED, 413) if large else (Code.INVALID_ARGUMENT, 400)
            error = FramingError(fault.value, offset=offset, code=code, http_status=status)
            return Input(frames, error=error)
        case End():
            return Input(frames, ended=True)


class ManyRequests:
    """The requests of a call that takes a stream of them, a batch at a time.

    Args:
        next_input: waits for the next piece of the input.
        decode: frames to messages. See ``asgi_grpc.routing.Bound``.
    """

    def __init__(self, next_input: Callable[[], Awaitable[Input]], decode: Decode) -> None:
        self._next_input = next_input
        self._decode_frames = decode
        self._count = 0  # messages handed on
        self._frames: list[Frame] = []
        self._next = 0  # of the frames, the first that is not decoded
        self._error: RequestError | None = None  # behind the frames
        self._ended = False

    async def pull(self) -> list[Message]:
        """The next messages; an empty list at the end. See ``asgi_grpc.calls.Requests``.

        Raises:
            RequestError: the next message is bad; the good ones before it came with an earlier pull. Its text tells
                the message's number, from 1, and the byte offset of its document in the input.
        """
        while True:
            if self._next < len(self._frames):
                if messages := self._decode(self._frames[self._next : self._next + _BATCH]):
                    return messages
            elif self._error is not None:
                error, self._error, self._ended = self._error, None, True
                try:
                    raise self._placed(error, error.offset) if isinstance(error, FramingError) else error
                finally:
                    del error  # the frame is in its traceback
            elif self._ended:
                return []
            else:
                self._frames, self._ended, self._error = await self._next_input()
                self._next = 0

    def _decode(self, frames: list[Frame]) -> list[Message]:
        """The good ones at the beginning of some frames."""
        messages, bad = self._decode_frames([frame.data for frame in frames])
        self._next += len(frames)
        self._count += len(messages)
        if bad is not None:
            self._next = len(self._frames)
            self._error = self._placed(bad, frames[len(messages)].offset)
        return messages

    def _placed(self, error: RequestError, offset: int) -> RequestError:
        """The same error, told with its place in the stream."""
        text = f"message {self._count + 1} at byte {offset}: {error}"
        return RequestError(text, code=error.code, http_status=error.http_status)


class OneRequest:
    """The request of a call that takes one message: the whole input.

    Args:
        read_input: waits for the whole input: an error, or one frame at most.
        decode: its frame to the message. See ``asgi_grpc.routing.Bound``.
        empty: makes the message of an input without a frame.
        complete: called when the input is complete.
    """

    def __init__(
        self,
        read_input: Callable[[], Awaitable[Input]],
        decode: Decode,
        empty: Callable[[], Message],
        complete: Callable[[], None],
    ) -> None:
        self._read_input = read_input
        self._decode = decode
        self._empty = empty
        self._complete = complete
        self._pulled = False

    async def pull(self) -> list[Message]:
        """The one message; an empty input is the empty message. The second pull gives the end.

        Raises:
            RequestError: the input is not one message.
        """
        if self._pulled:
            return []
        self._pulled = True
        frames, _, error = await self._read_input()
        try:
            if error is not None:
                raise error
            self._complete()
            if not frames:
                return [self._empty()]
            messages, error = self._decode([frame.data for frame in frames])
            if error is not None:
                raise error
            return messages
        finally:
            del error  # the frame is in its traceback
