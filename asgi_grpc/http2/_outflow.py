"""What one connection may send: its window and those of its streams, and the pieces that wait for room.

A piece waits in one of two places, so that what comes from the service costs only as much as it lets leave: for its own
stream's window, or, in turn, for what all streams share.

Source: RFC 9113, sections 5.2 and 6.9.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable

from asgi_grpc.http2._errors import ErrorCode, Http2ConnectionError, Http2StreamError
from asgi_grpc.http2._frames import DEFAULT_WINDOW, MAX_FRAME_BYTES, MAX_WINDOW, data_frames
from asgi_grpc.http2._stream import Stream


class _Piece:
    """What is left of a piece of a body.

    Attributes:
        stream: whose it is.
        rest: at least a byte.
        ends: the body ends with it.
    """

    __slots__ = ("ends", "rest", "stream")

    def __init__(self, stream: Stream, rest: memoryview, *, ends: bool) -> None:
        self.stream = stream
        self.rest = rest
        self.ends = ends


class Outflow:
    """The sending side of one connection.

    Args:
        write: takes the bytes of frames.

    Attributes:
        max_frame_bytes: longest frame that is sent.
        is_paused: by a network that is slower than we are.
    """

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self.max_frame_bytes = MAX_FRAME_BYTES
        self._write = write
        self._window = DEFAULT_WINDOW  # of the connection
        self._stream_window = DEFAULT_WINDOW  # of a stream, before its credit
        self._most_credit = 0  # of a stream, at most
        self.is_paused = False
        self._in_turn: OrderedDict[int, _Piece] = OrderedDict()  # they wait for the connection, first come first served
        self._stuck: dict[int, _Piece] = {}  # their streams' windows are used up
        self._is_looking = False

    def whole(self, stream: Stream, body: bytes) -> bytes:
        """The frames of a whole body where the windows allow all of it; else nothing."""
        return self._frames(stream, body, ends=True) if len(body) <= self._room(stream) else b""

    async def send(self, stream: Stream, data: bytes, *, end: bool = False) -> None:
        """Send a piece of a body as the windows allow; what is left of it is dropped once the stream is over.

        Args:
            stream: nobody else sends on it.
            data: a long one leaves in turn with those of other streams.
            end: the body ends with it.
        """
        if stream.is_over or stream.half_closed:
            return
        if not data or (len(data) <= self._room(stream) and not self.is_paused):  # then nobody waits before it
            self._write(self._frames(stream, data, ends=end))
            return
        self._in_turn[stream.number] = _Piece(stream, memoryview(data), ends=end)
        writing = stream.writing = asyncio.get_running_loop().create_future()
        try:
            self._pump()
            await writing
        finally:
            stream.writing = None
            self.forget(stream)

    def forget(self, stream: Stream) -> None:
        """Nothing more of a stream is sent; whoever sends is let go."""
        self._in_turn.pop(stream.number, None)
        self._stuck.pop(stream.number, None)
        stream.let_writer_go()

    def pause(self) -> None:
        """The network is slower than we are."""
        self.is_paused = True

    def resume(self) -> None:
        """It has caught up."""
        self.is_paused = False
        self._pump()

    def widen(self, increment: int) -> None:
        """The service takes more, of all streams.

        Raises:
            Http2ConnectionError: by nothing, or by too much.
        """
        self._window += increment
        if not increment or self._window > MAX_WINDOW:
            raise Http2ConnectionError(_wrong_update(increment), f"WINDOW_UPDATE by {increment}")
        self._pump()

    def widen_stream(self, stream: Stream, increment: int) -> None:
        """The service takes more of one stream.

        Raises:
            Http2StreamError: by nothing, or by too much.
        """
        stream.credit += increment
        if not increment or stream.credit + self._stream_window > MAX_WINDOW:
            raise Http2StreamError(_wrong_update(increment), f"WINDOW_UPDATE by {increment}")
        self._most_credit = max(self._most_credit, stream.credit)
        self._unstick(stream.number)
        self._pump()

    def set_stream_window(self, window: int, streams: Iterable[Stream]) -> None:
        """The service takes more or less, of each stream.

        Args:
            window: of a stream of which nothing was sent.
            streams: all that are open.

        Raises:
            Http2ConnectionError: the window of one becomes too large.
        """
        if window + self._most_credit > MAX_WINDOW:
            self._most_credit = max((stream.credit for stream in streams), default=0)
            if window + self._most_credit > MAX_WINDOW:
                raise Http2ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, "a window too large")
        has_grown = window > self._stream_window
        self._stream_window = window
        if has_grown and self._stuck and not self._is_looking:  # once for all the settings that come at once
            self._is_looking = True
            asyncio.get_running_loop().call_soon(self._look)

    def _look(self) -> None:
        """See which streams have room again."""
        self._is_looking = False
        for number in [*self._stuck]:
            self._unstick(number)
        self._pump()

    def _unstick(self, number: int) -> None:
        """Have a stream wait its turn if its own window lets it."""
        if (piece := self._stuck.get(number)) is not None and piece.stream.credit + self._stream_window > 0:
            self._in_turn[number] = self._stuck.pop(number)

    def _pump(self) -> None:
        """Send what can be sent: a round for each stream, as long as there is room."""
        while self._in_turn and self._window > 0 and not self.is_paused:
            number, piece = self._in_turn.popitem(last=False)
            stream = piece.stream
            if stream.writing is None or stream.writing.done():
                continue  # it is over, or whoever sent was cancelled
            room = self._room(stream)
            if room <= 0:
                self._stuck[number] = piece
                continue
            now, piece.rest = piece.rest[:room], piece.rest[room:]
            self._write(self._frames(stream, now, ends=piece.ends and not piece.rest))
            if piece.rest:
                self._in_turn[number] = piece
            else:
                stream.let_writer_go()

    def _room(self, stream: Stream) -> int:
        """How much of a stream may leave now."""
        return min(stream.credit + self._stream_window, self._window)

    def _frames(self, stream: Stream, data: bytes | memoryview, *, ends: bool) -> bytes:
        """DATA frames for which there is room."""
        stream.credit -= len(data)
        self._window -= len(data)
        stream.half_closed = ends
        return data_frames(stream.number, data, max_frame_bytes=self.max_frame_bytes, end=ends)


def _wrong_update(increment: int) -> ErrorCode:
    """RFC 9113, sections 6.9 and 6.9.1."""
    return ErrorCode.FLOW_CONTROL_ERROR if increment else ErrorCode.PROTOCOL_ERROR
