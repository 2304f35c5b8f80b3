"""The raw bytes of one WebSocket, from the client, cut into the JSON values of its text messages.

Bytes in any chunking come in; out go a frame for each value, and what the peer asks of the connection. Fragments are
handed on as they arrive: no message is ever held whole, only the value at hand. UTF-8 is checked across fragments,
compressed messages are inflated under a limit, and control frames may stand between the fragments of a message.

Source: RFC 6455, sections 5 to 8; RFC 7692 for permessage-deflate.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator

import msgspec
from wsproto import frame_protocol
from wsproto.extensions import Extension

from asgi_grpc.errors import UsageError
from asgi_grpc.framing._events import Broken, End, Event, Fault
from asgi_grpc.framing._inflate import MessageInflater
from asgi_grpc.framing._json import MessageFramer

_Opcode = frame_protocol.Opcode
_MESSAGE = (_Opcode.TEXT, _Opcode.BINARY)


class EmptyMessage(msgspec.Struct, frozen=True, gc=False):
    """A text message without a byte, which some protocols give a meaning."""


class Ping(msgspec.Struct, frozen=True, gc=False):
    """Answer with a pong.

    Attributes:
        data: what the pong must carry.
    """

    data: bytes


class Pong(msgspec.Struct, frozen=True, gc=False):
    """An answer to a ping, or a sign of life.

    Attributes:
        data: what the ping carried.
    """

    data: bytes


class Closed(msgspec.Struct, frozen=True, gc=False):
    """The client has closed; always the last event.

    Attributes:
        code: 1005 if the close frame has none.
        reason: its text.
    """

    code: int
    reason: str


WebSocketEvent = Event | EmptyMessage | Ping | Pong | Closed


class WebSocketFramer:
    """Cut what a client sends over one WebSocket, behind the handshake, into JSON values.

    A value never spans two messages; in one message values are separated by white space. Offsets count the text of
    all messages, inflated, as if it were one stream. Whatever is against the protocol is ``Broken``.

    Args:
        max_frame_bytes: longest value accepted.
        max_depth: most brackets open at once in one value.
        deflate: permessage-deflate was agreed.
        keeps_window: False if ``client_no_context_takeover`` was agreed.
        max_inflation: as for ``Inflater``; all messages of the connection count together.
        free_bytes: as for ``Inflater``.
    """

    def __init__(
        self,
        *,
        max_frame_bytes: int,
        max_depth: int,
        deflate: bool = False,
        keeps_window: bool = True,
        max_inflation: int = 100,
        free_bytes: int = 1 << 20,
    ) -> None:
        self._max_frame_bytes = max_frame_bytes
        self._max_depth = max_depth
        self._extension = _Rsv1(agreed=deflate)
        self._decoder = frame_protocol.FrameDecoder(client=False, extensions=[self._extension])
        self._inflater = MessageInflater(max_inflation=max_inflation, free_bytes=free_bytes, keeps_window=keeps_window)
        self._framer: MessageFramer | None = None  # of the message at hand
        self._compressed = False  # the message at hand
        self._partial = b""  # the begin of a character whose end is not here yet
        self._text_bytes = 0  # of all messages before
        self._message_bytes = 0  # text of the message at hand that was handed on
        self._open = True

    @property
    def held_bytes(self) -> int:
        """Bytes kept between two calls: at most ``max_frame_bytes``, one control frame and one character."""
        framed = self._framer.held_bytes if self._framer else 0
        return framed + len(self._partial) + len(self._decoder.buffer)

    def feed(self, chunk: bytes) -> list[WebSocketEvent]:
        """The events that a chunk completes; ``Closed`` or ``Broken`` is the last, what follows it is dropped.

        Raises:
            UsageError: after the last event.
        """
        if not self._open:
            raise UsageError("feed() after the end")
        events: list[WebSocketEvent] = []
        self._decoder.receive_bytes(chunk)
        for event in self._events():
            events.append(event)
            if isinstance(event, (Broken, Closed)):
                self._stop()
                break
        return events

    def close(self) -> list[WebSocketEvent]:
        """The connection ended without a close frame: ``Broken``.

        Raises:
            UsageError: after the last event.
        """
        if not self._open:
            raise UsageError("close() after the end")
        broken = Broken(Fault.TRUNCATED, self._at())
        self._stop()
        return [broken]

    def _stop(self) -> None:
        self._open = False
        self._framer = None
        self._partial = b""
        self._decoder.buffer = frame_protocol.Buffer()

    def _at(self) -> int:
        return self._framer.at if self._framer else self._text_bytes

    def _events(self) -> Iterator[WebSocketEvent]:
        try:
            while (frame := self._decoder.process_buffer()) is not None:
                assert isinstance(frame.payload, bytes)  # text is what wsproto's other decoder makes of it
                if frame.opcode.iscontrol():
                    yield self._control(frame.opcode, frame.payload)
                else:
                    yield from self._piece(
                        frame.opcode, frame.payload, last=frame.frame_finished and frame.message_finished
                    )
        except frame_protocol.ParseFailed:
            yield Broken(Fault.BAD_WEBSOCKET_FRAME, self._at())

    def _control(self, opcode: frame_protocol.Opcode, data: bytes) -> WebSocketEvent:
        if opcode is _Opcode.PING:
            return Ping(data)
        if opcode is _Opcode.PONG:
            return Pong(data)
        if not data:
            return Closed(1005, "")
        try:
            code, reason = int.from_bytes(data[:2]), data[2:].decode()
        except UnicodeDecodeError:
            return Broken(Fault.NOT_UTF8, self._at())
        legal = (1000 <= code <= 1014 and code not in (1004, 1005, 1006)) or 3000 <= code <= 4999
        return Closed(code, reason) if legal and len(data) > 1 else Broken(Fault.BAD_WEBSOCKET_FRAME, self._at())

    def _piece(self, opcode: frame_protocol.Opcode, data: bytes, *, last: bool) -> Iterator[WebSocketEvent]:
        """Hand a piece of a message on."""
        if (self._framer is None) is not (opcode in _MESSAGE):
            yield Broken(Fault.BAD_WEBSOCKET_FRAME, self._at())
            return
        if opcode is _Opcode.BINARY:
            yield Broken(Fault.BINARY_MESSAGE, self._at())
            return
        if self._framer is None:
            self._compressed = self._extension.seen
            self._framer = MessageFramer(
                max_frame_bytes=self._max_frame_bytes, max_depth=self._max_depth, offset=self._text_bytes
            )
            self._message_bytes = 0
        for text in self._inflate(data, last=last):
            yield from self._text(text) if isinstance(text, bytes) else [Broken(text.fault, self._at())]
        if last:
            yield from self._end_message()

    def _inflate(self, data: bytes, *, last: bool) -> Iterator[bytes | Broken]:
        if not self._compressed:
            yield data
            return
        yield from self._inflater.feed(data)
        if last:
            yield from self._inflater.end_message()

    def _text(self, data: bytes) -> Iterator[WebSocketEvent]:
        """Hand on what is certainly UTF-8."""
        assert self._framer is not None  # a message is at hand
        data = self._partial + data
        broken = False
        try:
            certain = codecs.utf_8_decode(data, "strict", False)[1]  # noqa: FBT003 - it takes no keywords
        except UnicodeDecodeError as error:
            certain = error.start
            broken = True
        self._partial = data[certain:]
        self._message_bytes += certain
        yield from self._framer.feed(data[:certain])
        if broken:
            yield Broken(Fault.NOT_UTF8, self._at())

    def _end_message(self) -> Iterator[WebSocketEvent]:
        assert self._framer is not None  # a message is at hand
        if self._partial:
            yield Broken(Fault.NOT_UTF8, self._at())
            return
        if not self._message_bytes:
            yield EmptyMessage()
        yield from [event for event in self._framer.close() if not isinstance(event, End)]
        self._text_bytes += self._message_bytes
        self._framer = None


class _Rsv1(Extension):
    """Lets the first frame of a message say that it is compressed, if that was agreed. RFC 7692, section 7.2.3.1."""

    name = "permessage-deflate"

    def __init__(self, *, agreed: bool) -> None:
        self._agreed = agreed
        self.seen = False  # on the last frame that begins a message

    def offer(self) -> bool:
        """The handshake is not ours."""
        return self._agreed

    def frame_inbound_header(
        self,
        proto: frame_protocol.FrameDecoder | frame_protocol.FrameProtocol,  # noqa: ARG002 - wsproto's signature
        opcode: frame_protocol.Opcode,
        rsv: frame_protocol.RsvBits,
        payload_length: int,  # noqa: ARG002 - wsproto's signature
    ) -> frame_protocol.CloseReason | frame_protocol.RsvBits:
        """Note the bit; refuse it where it has no meaning."""
        if opcode in _MESSAGE:
            self.seen = rsv.rsv1
        elif rsv.rsv1:
            return frame_protocol.CloseReason.PROTOCOL_ERROR
        return frame_protocol.RsvBits(self._agreed, rsv2=False, rsv3=False)
