"""One HTTP/2 connection to a service, seen from the client.

Source: RFC 9113.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, cast

from asgi_grpc.errors import CallError, Code
from asgi_grpc.http2._blocks import MAX_HEADER_BYTES, HeaderBlocks, HeaderWriter
from asgi_grpc.http2._errors import (
    ErrorCode,
    HeadersTooLargeError,
    Http2ConnectionError,
    Http2StreamError,
    StreamRefused,
    code_of_reset,
)
from asgi_grpc.http2._frames import (
    ACK,
    DEFAULT_WINDOW,
    END_STREAM,
    MAX_WINDOW,
    PADDED,
    PREFACE,
    Frame,
    FrameReader,
    FrameType,
    Setting,
    content,
    frame_bytes,
    goaway,
    goaway_in,
    headers_frames,
    number_in,
    ping_in,
    rst_stream,
    settings_frame,
    settings_in,
    window_update,
)
from asgi_grpc.http2._headers import Fields
from asgi_grpc.http2._keepalive import Keepalive
from asgi_grpc.http2._outflow import Outflow
from asgi_grpc.http2._stream import Stream
from asgi_grpc.http2._streams import Streams

_LONGEST_FRAME = 1 << 16  # that we send, whatever the service would take: others want their turn
_OUR_WINDOW = 1 << 24  # of the connection: streams have bounds of their own, this must only not be in their way
_MAX_UNSENT = 1 << 24  # bytes; a peer that asks for answers and does not read them

_AGAINST_THE_RULES = "the upstream service breaks the rules of HTTP/2"
_SILENT = "the upstream service does not answer any more"
_GONE = "the upstream connection broke"

_log = logging.getLogger("asgi_grpc.error")


class Connection(asyncio.Protocol):
    """One connection and its streams.

    Args:
        window_bytes: what the service may send on one stream before something of it was taken.
        on_end: called once, when no further stream can be opened.
        keepalive_s: without a byte from the service, until it is asked for one while there are streams; None: never.

    Attributes:
        pings_too_often: the service has said so, and left.
        ready: done when the service's settings are there; fails if the connection does before.
    """

    def __init__(
        self, *, window_bytes: int, on_end: Callable[[Connection], None], keepalive_s: float | None = None
    ) -> None:
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._window_bytes = window_bytes
        self._on_end = on_end
        self._reader = FrameReader()
        self._blocks = HeaderBlocks()
        self._ends_answer = False  # where the header block ends that has begun
        self._header_writer = HeaderWriter()
        self._streams = Streams()
        self._outflow = Outflow(self._write)
        self._receive_window = _OUR_WINDOW
        self._keepalive = None if keepalive_s is None else self._watch(keepalive_s)
        self.keepalive_s = keepalive_s
        self.pings_too_often = False
        self._is_greeted = False
        self._is_ending = False
        self._transport: asyncio.Transport
        self._handlers: dict[int, Callable[[Frame], None]] = {
            FrameType.DATA: self._on_data,
            FrameType.HEADERS: self._on_headers,
            FrameType.CONTINUATION: self._on_continuation,
            FrameType.RST_STREAM: self._on_rst_stream,
            FrameType.SETTINGS: self._on_settings,
            FrameType.PUSH_PROMISE: self._on_push_promise,
            FrameType.PING: self._on_ping,
            FrameType.GOAWAY: self._on_goaway,
            FrameType.WINDOW_UPDATE: self._on_window_update,
        }

    @property
    def has_room(self) -> bool:
        """Whether a stream can be opened now."""
        return not self._is_ending and len(self._streams) < self._streams.most

    def was_idle(self) -> bool:
        """Whether no stream has been open since this was asked before."""
        return self._streams.was_idle()

    # What calls do

    def open(self, fields: Fields, body: bytes | None = None) -> Stream:
        """Begin a request; ``has_room`` must be true.

        Args:
            fields: of the request.
            body: the whole of it, which leaves in the same piece where the windows allow; None: ``send()`` follows.

        Raises:
            CallError: the fields are more than the service takes; nothing was sent.
        """
        assert self.has_room
        block = self._header_writer.block(fields)
        stream = self._streams.begin(receive_window=self._window_bytes, give_back=self._give_back)
        if self._streams.are_used_up:
            self._retire()
        frames = headers_frames(stream.number, block, max_frame_bytes=self._outflow.max_frame_bytes)
        self._write(frames if body is None else frames + self._outflow.whole(stream, body))
        if self._keepalive is not None:
            self._keepalive.begin()
        return stream

    def send(self, stream: Stream, data: bytes, *, end: bool = False) -> Coroutine[Any, Any, None]:
        """Send a piece of a request's body as the windows allow. See ``Outflow.send``."""
        return self._outflow.send(stream, data, end=end)

    def close_stream(self, stream: Stream, code: ErrorCode = ErrorCode.CANCEL) -> None:
        """Forget a stream, and tell the service if it does not know that it is over. Idempotent."""
        if not self._streams.remove(stream.number):
            return
        self._outflow.forget(stream)
        if not (stream.has_ended and stream.half_closed):
            self._control(rst_stream(stream.number, code))
        stream.half_closed = True
        self._close_if_done()

    def close(self, failure: CallError, code: ErrorCode = ErrorCode.NO_ERROR) -> None:
        """End the connection; running streams fail. Idempotent."""
        self._end(failure)
        if self._transport.is_closing():
            return
        if self._outflow.is_paused:  # by a service that does not read, for which close() would wait
            self._transport.abort()
        else:
            self._transport.write(goaway(code))
            self._transport.close()

    def abort(self) -> None:
        """Let go of it at once."""
        self._transport.abort()

    # What the transport tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say hello."""
        self._transport = cast(asyncio.Transport, transport)
        ours = [
            (Setting.ENABLE_PUSH, 0),
            (Setting.INITIAL_WINDOW_SIZE, self._window_bytes),
            (Setting.MAX_HEADER_LIST_SIZE, MAX_HEADER_BYTES),
        ]
        self._write(PREFACE + settings_frame(ours) + window_update(0, _OUR_WINDOW - DEFAULT_WINDOW))

    def data_received(self, data: bytes) -> None:
        """Hand out what has come."""
        if self._keepalive is not None:
            self._keepalive.heard()
        try:
            for frame in self._reader.feed(data):
                if self._transport.is_closing():
                    return  # what comes late is nobody's any more
                if not self._is_greeted:
                    self._greet(frame)
                if self._blocks.is_open and frame.kind != FrameType.CONTINUATION:
                    raise Http2ConnectionError(ErrorCode.PROTOCOL_ERROR, "another frame within a header block")
                if (handle := self._handlers.get(frame.kind)) is not None:
                    try:
                        handle(frame)
                    except Http2StreamError as exc:
                        self._break_stream(frame.stream, exc)
        except Http2ConnectionError as exc:
            _log.warning("%s: %s", _AGAINST_THE_RULES, exc)
            code = Code.INTERNAL if self.ready.done() else Code.UNAVAILABLE  # that was no HTTP/2, and nothing has begun
            self.close(CallError(code, _AGAINST_THE_RULES), exc.code)

    def connection_lost(self, exc: Exception | None) -> None:
        """All streams fail."""
        if exc is not None:
            _log.info("the upstream connection broke: %s", exc)
        self._end(CallError(Code.UNAVAILABLE, _GONE))

    def pause_writing(self) -> None:
        """The network is slower than we are."""
        self._outflow.pause()

    def resume_writing(self) -> None:
        """It has caught up."""
        self._outflow.resume()

    # What frames mean

    def _greet(self, frame: Frame) -> None:
        """Look at the first frame."""
        if frame.kind != FrameType.SETTINGS or frame.flags & ACK:
            raise Http2ConnectionError(ErrorCode.PROTOCOL_ERROR, "the first frame is not SETTINGS")
        self._is_greeted = True

    def _on_data(self, frame: Frame) -> None:
        cost = len(frame.payload)
        self._receive_window -= cost
        if self._receive_window < 0:
            raise Http2ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, "more than the window allows")
        if self._receive_window < _OUR_WINDOW // 2:
            self._control(window_update(0, _OUR_WINDOW - self._receive_window))
            self._receive_window = _OUR_WINDOW
        stream = self._streams.of(frame)
        if stream is not None:
            piece = content(frame) if frame.flags & PADDED else frame.payload
            stream.put_data(piece, cost=cost, end=bool(frame.flags & END_STREAM))

    def _on_headers(self, frame: Frame) -> None:
        self._streams.of(frame)
        self._ends_answer = bool(frame.flags & END_STREAM)
        self._put_fields(frame.stream, self._blocks.begin(frame))

    def _on_continuation(self, frame: Frame) -> None:
        self._put_fields(frame.stream, self._blocks.go_on(frame))

    def _put_fields(self, number: int, fields: Fields | None) -> None:
        """Hand out a header block if it is whole; that of a stream that is over was read for the next one's sake."""
        if fields is not None and (stream := self._streams.get(number)) is not None:
            stream.put_fields(fields, end=self._ends_answer)

    def _on_rst_stream(self, frame: Frame) -> None:
        reason = number_in(frame)
        stream = self._streams.of(frame)
        if stream is None:
            return
        self._streams.remove(frame.stream)
        if reason == ErrorCode.REFUSED_STREAM and stream.head is None:
            stream.put_failure(StreamRefused("REFUSED_STREAM"))
        else:
            stream.put_failure(CallError(code_of_reset(reason), "the upstream service reset the stream"))
        self._close_if_done()

    def _on_settings(self, frame: Frame) -> None:
        for name, value in settings_in(frame):
            self._set(name, value)
        if frame.flags & ACK:
            return
        self._control(frame_bytes(FrameType.SETTINGS, ACK, 0, b""))
        if not self.ready.done():
            self.ready.set_result(None)

    def _set(self, name: int, value: int) -> None:
        """One setting of the service; those that say nothing to a client are passed over."""
        match name:
            case Setting.HEADER_TABLE_SIZE:
                self._header_writer.set_table_bytes(value)
            case Setting.MAX_HEADER_LIST_SIZE:
                self._header_writer.max_list_bytes = value
            case Setting.MAX_CONCURRENT_STREAMS:
                self._streams.most = value
            case Setting.INITIAL_WINDOW_SIZE:
                self._outflow.set_stream_window(value, self._streams)
            case Setting.MAX_FRAME_SIZE:
                self._outflow.max_frame_bytes = min(value, _LONGEST_FRAME)

    def _on_push_promise(self, frame: Frame) -> None:
        raise Http2ConnectionError(ErrorCode.PROTOCOL_ERROR, f"PUSH_PROMISE of {len(frame.payload)} bytes")

    def _on_ping(self, frame: Frame) -> None:
        data = ping_in(frame)
        if not frame.flags & ACK:
            self._control(frame_bytes(FrameType.PING, ACK, 0, data))

    def _on_goaway(self, frame: Frame) -> None:
        last, code, text = goaway_in(frame)
        self.pings_too_often = code == ErrorCode.ENHANCE_YOUR_CALM and text == b"too_many_pings"
        self._retire()
        for stream in self._streams.remove_behind(last):
            has_begun = stream.head is not None
            stream.put_failure(CallError(Code.UNAVAILABLE, _GONE) if has_begun else StreamRefused("GOAWAY"))
        self._close_if_done()

    def _on_window_update(self, frame: Frame) -> None:
        increment = number_in(frame) & MAX_WINDOW
        if frame.stream == 0:
            self._outflow.widen(increment)
        elif (stream := self._streams.of(frame)) is not None:
            self._outflow.widen_stream(stream, increment)

    # What several of them need

    def _break_stream(self, number: int, fault: Http2StreamError) -> None:
        """What is wrong with one stream ends that one."""
        if (stream := self._streams.get(number)) is None:
            return  # what is too large is of a stream that is over
        if isinstance(fault, HeadersTooLargeError):
            stream.put_failure(CallError(Code.RESOURCE_EXHAUSTED, f"the service sent {fault.problem}"))
            stream.has_ended |= self._ends_answer
        else:
            _log.warning("%s: %s", _AGAINST_THE_RULES, fault)
            stream.put_failure(CallError(Code.INTERNAL, _AGAINST_THE_RULES))
        self.close_stream(stream, fault.code)

    def _give_back(self, number: int, taken: int) -> None:
        self._control(window_update(number, taken))

    def _write(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)

    def _control(self, data: bytes) -> None:
        """Write what a service may cause as often as it likes; one that does not read it is left."""
        self._write(data)
        if self._transport.get_write_buffer_size() > _MAX_UNSENT:
            self._end(CallError(Code.UNAVAILABLE, "the upstream service does not read"))
            self._transport.abort()

    def _watch(self, keepalive_s: float) -> Keepalive:
        """Notice a service that has gone without a word."""
        ping = frame_bytes(FrameType.PING, 0, 0, bytes(8))

        def fail() -> None:
            _log.warning("%s", _SILENT)
            self._end(CallError(Code.UNAVAILABLE, _SILENT))
            self._transport.abort()

        return Keepalive(
            keepalive_s, is_needed=lambda: bool(self._streams), ping=lambda: self._control(ping), on_silence=fail
        )

    def _retire(self) -> None:
        """Take no more streams."""
        if not self._is_ending:
            self._is_ending = True
            self._on_end(self)

    def _close_if_done(self) -> None:
        if self._is_ending and not self._streams:
            self._transport.close()

    def _end(self, failure: CallError) -> None:
        self._retire()
        if self._keepalive is not None:
            self._keepalive.stop()
        if not self.ready.done():
            self.ready.set_exception(failure)
            self.ready.exception()  # nobody may wait any more
        for stream in self._streams.remove_behind(0):  # an error of its own for each: tracebacks grow with each raise
            stream.put_failure(CallError(failure.code, failure.message))
