"""An HTTP answer: its head at the right moment, its records, and its end, after which nothing is written."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Callable

import msgspec
from google.protobuf.message import Message

from asgi_grpc.asgi._ending import ClientGone, HeadSent
from asgi_grpc.asgi._gateway import Gateway
from asgi_grpc.asgi._head import Head
from asgi_grpc.asgi._timer import SilenceTimer
from asgi_grpc.asgi._types import Headers, ResponseBody, ResponseStart, ResponseTrailers, Send
from asgi_grpc.calls import Call, response_headers, to_text
from asgi_grpc.dialects import Failure
from asgi_grpc.errors import Metadata
from asgi_grpc.framing import Writer

EARLY_HEADERS_S = 0.2
"""The head of a stream waits so long for a first message or a failure, which decide its status."""

PIECE_BYTES = 64 << 10
"""Of a long answer: as much as uvicorn takes before it waits for the client."""

JSON = b"application/json"
EVENT_STREAM = b"text/event-stream"

Content = tuple[bytes, bytes]
"""A media type, and the bytes that are of it."""

Write = Callable[[Message], Content]
Encode = Callable[[list[Message]], list[bytes]]


class _State(enum.Enum):
    """``WAITING`` until the head leaves, ``OPEN`` until the last byte does, then ``ENDED`` for good."""

    WAITING = enum.auto()
    OPEN = enum.auto()
    ENDED = enum.auto()


_WAITING, _OPEN, _ENDED = _State  # each look-up through the enum would take as long as those of ten other attributes


class HttpResponse:
    """The events of an answer in their legal order, for both kinds of answer.

    Attributes:
        on_piece: is called when the client has taken a piece of a long answer.
    """

    on_piece: Callable[[], None] = staticmethod(lambda: None)
    is_told = False  # nothing follows the last byte

    def __init__(self, gateway: Gateway, head: Head, send: Send) -> None:
        self._gateway = gateway
        self._dialect = gateway.dialect
        self._send = send
        self._state = _WAITING
        self._call: Call | None = None
        self._is_last = head.is_ambiguous
        self._only_head = head.scope["method"] == "HEAD"
        self._trailers_announced = False
        self._trailers_wanted = b"te" in head.fields and _takes_trailers(head)

    async def options(self, headers: Headers) -> None:
        """Answer ``OPTIONS`` with the methods that a path has. Source: RFC 9110, section 9.3.7."""
        await self._write(self._start(204, headers, trailers=False), *self._end(b"", ()))

    async def failure(self, failure: Failure, headers: Headers) -> None:
        """Answer with a failure; behind the head nothing is written, and the server breaks the connection off."""
        if not self._waiting:
            await self._be_heard()
            return
        given = [] if self._call is None else [*self._call.initial_metadata]
        trailers: Metadata = tuple(failure.trailers.items())
        headers = [*headers, *self._gateway.response_headers(given)]
        if failure.http_status == 401:  # RFC 9110, section 11.6.1: only the service knows its challenge
            challenge = [pair for pair in (*given, *trailers) if pair[0] == "www-authenticate"]
            headers += response_headers(challenge, prefix="")
        await self._whole(failure.http_status, (JSON, self._dialect.unary_failure(failure)), headers, trailers)

    @property
    def _waiting(self) -> bool:
        """The head is still to come."""
        return self._state is _WAITING

    async def _whole(self, status: int, content: Content, headers: Headers, trailers: Metadata = ()) -> None:
        """An answer of known length: in one event, or in several if it is long.

        A server keeps what it was given at once, and says that it is sent. In pieces it stays with us, under our
        limits, while the client does not read.
        """
        media_type, body = content
        size = len(body)
        length = (b"content-length", b"%d" % size)
        start = self._start(status, [(b"content-type", media_type), length, *headers], trailers=bool(trailers))
        if size <= PIECE_BYTES:
            await self._write(start, *self._end(body, trailers))
            return
        await self._write(start)
        last = (size - 1) // PIECE_BYTES * PIECE_BYTES
        for at in range(0, last, PIECE_BYTES):
            await self._piece(body[at : at + PIECE_BYTES])
            self.on_piece()
        await self._write(*self._end(body[last:], trailers))

    async def _stream(self, media_type: bytes) -> None:
        """The head of a stream.

        Raises:
            HeadSent: that was all: else a stream without an end would keep the connection from its next request.
        """
        assert self._call is not None
        headers = [
            (b"content-type", media_type),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),  # nginx would hold records back otherwise
            *self._gateway.response_headers(self._call.initial_metadata),
        ]
        await self._write(self._start(200, headers, trailers=not self._only_head))
        if self._only_head:
            await self._write(*self._end(b"", ()))
            raise HeadSent

    def _start(self, status: int, headers: Headers, *, trailers: bool) -> ResponseStart:
        """The head, which is to be written now."""
        assert self._state is _WAITING
        self._state = _OPEN
        headers = [*headers]
        if self._is_last:  # what the server takes for the next request may be a body
            headers.append((b"connection", b"close"))
        event: ResponseStart = {"type": "http.response.start", "status": status, "headers": headers}
        self._trailers_announced = trailers and self._trailers_wanted
        if self._trailers_announced:
            event["trailers"] = True
        return event

    async def _be_heard(self) -> None:
        """Wait for a client that has not taken yet what was written; nobody does behind a connection that is closed."""
        if self._state is _OPEN:
            await self._piece(b"")

    async def _piece(self, body: bytes) -> None:
        assert self._state is _OPEN
        await self._write({"type": "http.response.body", "body": body, "more_body": True})

    def _end(self, body: bytes, trailers: Metadata) -> list[ResponseBody | ResponseTrailers]:
        """The last piece, and the trailers if the head announced any; they are to be written now."""
        assert self._state is _OPEN
        self._state = _ENDED
        events: list[ResponseBody | ResponseTrailers] = [
            {"type": "http.response.body", "body": body, "more_body": False}
        ]
        if self._trailers_announced:
            pairs = response_headers(trailers, "grpc-trailer-")
            events.append({"type": "http.response.trailers", "headers": pairs, "more_trailers": False})
        return events

    async def _write(self, *events: ResponseStart | ResponseBody | ResponseTrailers) -> None:
        try:
            for event in events:
                await self._send(event)
        except OSError as exc:  # what ASGI says of a client that is gone
            raise ClientGone from exc


class SingleResponse(HttpResponse):
    """The answer of a method that replies with one message. See ``asgi_grpc.asgi._exchange.Answer``."""

    def __init__(self, gateway: Gateway, head: Head, send: Send, write: Write) -> None:
        super().__init__(gateway, head, send)
        self._write_reply = write
        self._content: Content = (b"", b"")

    async def accepted(self, call: Call) -> None:
        """Nothing leaves before the reply."""
        self._call = call

    async def messages(self, messages: list[Message]) -> None:
        """Keep the reply: the status that follows it decides whether it counts."""
        (message,) = messages
        self._content = self._write_reply(message)

    async def success(self) -> None:
        """Answer with the reply."""
        assert self._call is not None
        headers = self._gateway.response_headers(self._call.initial_metadata)
        await self._whole(200, self._content, headers, self._call.trailers)

    async def stop(self) -> None:
        """No timer runs here."""


class StreamResponse(HttpResponse):
    """The answer of a method that replies with a stream. See ``asgi_grpc.asgi._exchange.Answer``.

    The head leaves with the first message, the failure, or after ``EARLY_HEADERS_S``, whichever comes first: so an
    early failure still gets its HTTP status, and an idle stream its head.

    Args:
        gateway: the wiring.
        head: of the request.
        send: of the connection.
        writer: frames records.
        encode: writes replies as JSON.
        end: ends the call with a reason, where nobody else would.
    """

    def __init__(
        self,
        gateway: Gateway,
        head: Head,
        send: Send,
        writer: Writer,
        encode: Encode,
        *,
        end: Callable[[Exception], None],
    ) -> None:
        super().__init__(gateway, head, send)
        self._end_call = end
        self._writer = writer
        self._encode = encode
        self._named = self._dialect.named_events and writer.media_type == EVENT_STREAM
        self._early = gateway.early_headers
        self._writing = asyncio.Lock()  # a timer may want to write while we do
        self._head_timer: asyncio.TimerHandle | None = None
        self._silence = SilenceTimer(gateway.heartbeat_s)
        self._silence.start(self._write_soon)
        self._background: asyncio.Task[None] | None = None

    async def accepted(self, call: Call) -> None:
        """Send the head, or let a timer do it if nothing else does."""
        self._call = call
        if self._early:
            await self._head()
        else:
            self._head_timer = asyncio.get_running_loop().call_later(EARLY_HEADERS_S, self._write_soon)

    async def messages(self, messages: list[Message]) -> None:
        """Send some replies."""
        records = self._encode(messages)
        if not self._named:
            records = self._dialect.messages(records)
        async with self._writing:
            await self._head()
            body = self._writer.messages(records)
            del records  # one copy is enough while a client is slow
            await self._piece(body)
        self._silence.note()

    async def success(self) -> None:
        """Say that the stream is whole."""
        assert self._call is not None
        text = to_text(self._call.trailers)
        record = _event_success(text) if self._named else self._dialect.success(text)
        async with self._writing:
            await self._head()
            await self._write(*self._end(self._writer.success(record), self._call.trailers))

    async def failure(self, failure: Failure, headers: Headers) -> None:
        """Say that the stream failed: by the status if it is early, else by the last record or a broken connection."""
        async with self._writing:
            if self._state is not _OPEN:
                await super().failure(failure, headers)
                return
            record = self._dialect.event_failure(failure) if self._named else self._dialect.failure(failure)
            if record is None:  # the body gets no end, and the server breaks the connection off
                await self._be_heard()
            else:
                await self._write(*self._end(self._writer.failure(record), ()))

    async def stop(self) -> None:
        """End the timers."""
        self._silence.stop()
        if self._head_timer is not None:
            self._head_timer.cancel()
        if self._background is not None:
            self._background.cancel()
            await asyncio.wait({self._background})

    def _write_soon(self) -> None:
        """A timer's turn. While something is being written, that is sign enough."""
        if not self._writing.locked() and (self._background is None or self._background.done()):
            self._background = asyncio.create_task(self._show_life())

    async def _show_life(self) -> None:
        """The head if it is still to come, else a heartbeat: not if the head, that was due, has left with a message."""
        beats = self._gateway.heartbeat_s is not None
        try:
            async with self._writing:
                if self._waiting:
                    await self._head()
                elif self._state is _OPEN and beats and (beat := self._writer.heartbeat()):
                    await self._piece(beat)
        except HeadSent as exc:
            self._end_call(exc)
        except ClientGone:
            pass  # whoever reads the request sees it too, and ends the call

    async def _head(self) -> None:
        """Send the head, unless it has left."""
        if self._waiting:
            if self._head_timer is not None:
                self._head_timer.cancel()
            await self._stream(self._writer.media_type)
        elif self._state is _ENDED:  # a timer has sent the head, and that was all
            raise HeadSent


def _takes_trailers(head: Head) -> bool:
    """Whether the client wants trailers, and the server can send them."""
    wanted = b"trailers" in head.fields[b"te"].lower()
    return wanted and "http.response.trailers" in (head.scope.get("extensions") or {})


def _event_success(trailers: dict[str, str]) -> bytes:
    """The data of the event ``complete``."""
    return msgspec.json.encode({"trailers": trailers} if trailers else {})
