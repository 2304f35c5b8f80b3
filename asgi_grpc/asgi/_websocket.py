"""One WebSocket: a call whose messages are text frames."""

from __future__ import annotations

import asyncio
import enum
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Literal

from google.protobuf.message import Message

from asgi_grpc.asgi._ending import ClientGone
from asgi_grpc.asgi._exchange import Exchange
from asgi_grpc.asgi._gateway import Gateway
from asgi_grpc.asgi._head import Head
from asgi_grpc.asgi._requests import Input, ManyRequests, OneRequest
from asgi_grpc.asgi._types import (
    Event,
    Headers,
    Receive,
    ResponseBody,
    ResponseStart,
    Scope,
    Send,
    WebSocketAccept,
    WebSocketClose,
    WebSocketSend,
)
from asgi_grpc.asgi._watched import WatchedCall
from asgi_grpc.asgi._websocket_input import (
    CANCEL_MARK,
    RECORDS_V1,
    SHORT,
    SPACE,
    cut_bare,
    cut_records,
    find_cancel,
    holds_one_value,
)
from asgi_grpc.calls import Call, Requests, to_text
from asgi_grpc.dialects import Dialect, EnvelopeDialect, Failure
from asgi_grpc.errors import Code, RequestError
from asgi_grpc.framing import Frame
from asgi_grpc.routing import Match

Encode = Callable[[list[Message]], list[bytes]]

_REASON_BYTES = 123  # RFC 6455, section 5.5: 125 of a control frame, less 2 of the code
_MORE_INPUT = "more input after the end of the input"
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://([!-~]+)")  # RFC 6454, section 7.1; "null" is nobody's
_CLOSE_CODES = {413: 1009, 415: 1003}  # of failures that RFC 6455 section 7.4.1 has a code for, by HTTP status

_ENOUGH = 1024  # frames that are cut at once, if they come in several text messages
_GOING_AWAY = 1012  # IANA's registry of close codes: service restart


class _State(enum.Enum):
    """``CONNECTING`` until the handshake is answered, ``OPEN`` until we close, then ``CLOSED`` for good."""

    CONNECTING = enum.auto()
    OPEN = enum.auto()
    CLOSED = enum.auto()


class _Input(enum.Enum):
    """``OPEN`` until the client has said the last it may; then ``ENDED``, or ``BROKEN`` if that could not be read."""

    OPEN = enum.auto()
    ENDED = enum.auto()
    BROKEN = enum.auto()


_OPEN = _Input.OPEN  # looked up for each message, and an enum's own look-up takes as long as cutting one


class WebSocketAnswer:
    """Our side of a WebSocket. See ``asgi_grpc.asgi._exchange.Answer``.

    Args:
        gateway: the wiring.
        scope: of the connection.
        send: of the connection.
        encode: writes replies as JSON; None: the handshake can only be refused.
    """

    def __init__(self, gateway: Gateway, scope: Scope, send: Send, encode: Encode | None = None) -> None:
        self._gateway = gateway
        self._send = send
        self._encode = encode
        self.records = RECORDS_V1 in scope.get("subprotocols", ())
        self._dialect: Dialect = EnvelopeDialect() if self.records else gateway.dialect
        self._denial = "websocket.http.response" in (scope.get("extensions") or {})
        self._state = _State.CONNECTING
        self._call: Call | None = None
        self.is_told = False

    async def accepted(self, call: Call) -> None:
        """Accept the handshake."""
        self._call = call
        self._state = _State.OPEN
        subprotocol = RECORDS_V1 if self.records else None
        headers = self._gateway.response_headers(call.initial_metadata)
        await self._write(WebSocketAccept(type="websocket.accept", subprotocol=subprotocol, headers=headers))

    async def messages(self, messages: list[Message]) -> None:
        """Send some replies, a text message each."""
        assert self._encode is not None
        records = self._dialect.messages(self._encode(messages))
        send = self._send
        try:
            for record in records:
                event: WebSocketSend = {"type": "websocket.send", "text": record.decode()}
                await send(event)
        except OSError as exc:  # as in _write(), which costs a coroutine for each message
            raise ClientGone from exc

    async def success(self) -> None:
        """Say that the stream is whole, and close."""
        assert self._call is not None
        await self._close(self._dialect.success(to_text(self._call.trailers)), 1000, "")

    async def failure(self, failure: Failure, headers: Headers) -> None:
        """Refuse the handshake, or say that the stream failed and close."""
        if self._state is _State.CONNECTING:
            await self._refuse(failure, headers)
        elif self._state is _State.OPEN:
            code = _CLOSE_CODES.get(failure.http_status, failure.code.close_code)
            if self._gateway.running.draining and failure.code is Code.UNAVAILABLE:
                code = _GOING_AWAY
            await self._close(self._dialect.failure(failure), code, f"{failure.code.name}: {failure.message}")

    async def stop(self) -> None:
        """No timer runs here."""

    async def _refuse(self, failure: Failure, headers: Headers) -> None:
        self._state = _State.CLOSED
        if not self._denial:
            await self._write(WebSocketClose(type="websocket.close", code=1008, reason=_short(failure.message)))
            return
        body = self._dialect.unary_failure(failure)
        head = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), *headers]
        await self._write(ResponseStart(type="websocket.http.response.start", status=failure.http_status, headers=head))
        await self._write(ResponseBody(type="websocket.http.response.body", body=body, more_body=False))
        await asyncio.sleep(0)  # uvicorn 0.54 logs an error, of no handshake, for an application that ends before this

    async def _close(self, record: bytes | None, code: int, reason: str) -> None:
        self._state = _State.CLOSED
        if record is not None:
            await self._write(WebSocketSend(type="websocket.send", text=record.decode()))
        self.is_told = True  # some servers return from the close only when the client has answered it
        await self._write(WebSocketClose(type="websocket.close", code=code, reason=_short(reason)))

    async def _write(
        self, event: WebSocketAccept | WebSocketSend | WebSocketClose | ResponseStart | ResponseBody
    ) -> None:
        try:
            await self._send(event)
        except OSError as exc:  # what ASGI says of a client that is gone
            raise ClientGone from exc


class WebSocketExchange(Exchange):
    """One WebSocket and its call. To be run after ``websocket.connect`` was received."""

    _transport = "websocket"

    def __init__(
        self,
        gateway: Gateway,
        match: Match,
        head: Head,
        receive: Receive,
        send: Send,
        *,
        watched: WatchedCall | None = None,
    ) -> None:
        answer = WebSocketAnswer(gateway, head.scope, send, match.route.encode)
        super().__init__(gateway, match, head, receive, opener=self._open, answer=answer, watched=watched)
        self._cut = cut_records if answer.records else cut_bare
        self._input = _Input.OPEN
        self._pieces: Iterator[Input] = iter(())  # of what was read, those that the call has not taken
        self._silence_s: float | None = None  # that ends the input

    async def run(self) -> None:
        """See ``Exchange``."""
        try:
            await super().run()
        finally:
            self._pieces = iter(())  # which lead back here, and hold what was read

    def _prepare(self) -> Requests:
        """Check the origin, and bind the path and the query. See ``Exchange``."""
        check_origin(self._head, self._gateway.origins)
        streaming = self.method.client_streaming
        whole = streaming and not self._route.binding.body  # browsers have no other way to stream to such a method
        bound = self._match.bind(self._head.scope.get("query_string", b""), strict=self._strict, whole=whole)
        self._inbox.watch()
        if streaming:
            return ManyRequests(self._next_input, bound.decode).pull
        return OneRequest(self._only_input, bound.decode, bound.empty, self._end_input).pull

    def _open(self, event: Event) -> tuple[bytes | None, bool]:
        """The text of a ``websocket.receive`` event. See ``asgi_grpc.asgi._inbox.Open``."""
        if event["type"] != "websocket.receive":
            raise ClientGone
        text = event.get("text")
        if text is None:
            raise RequestError("binary messages need a subprotocol that defines them: send text", http_status=415)
        data: bytes = text.encode("utf-8", "surrogatepass")
        if self._input is not _OPEN:
            if self._input is _Input.ENDED:
                self._check_after_end(data)
            return None, False
        if self._cut is cut_records and data.find(CANCEL_MARK) >= 0:
            self._check_cancel(data)  # it does not wait until the call wants more
        return data, False

    def _end_input(self) -> None:
        self._input = _Input.ENDED

    def _check_after_end(self, text: bytes) -> None:
        """Once the input is complete, the client may only cancel, or say once more that it is complete.

        Where the whole request is in the address, clients that must send something first may send an empty message.
        """
        if self._cut is cut_records and text.find(CANCEL_MARK) >= 0:
            self._check_cancel(text)
        text = text.strip(SPACE)
        if len(text) > SHORT:  # whatever it is: nobody waits until it is cut
            raise RequestError(_MORE_INPUT)
        in_address = not self._route.binding.body and not self.method.client_streaming
        for found in self._cut(text, self._limits):
            empty = in_address and all(frame.data.strip() == b"{}" for frame in found.frames)
            if found.error is not None or (found.frames and not empty):
                raise RequestError(_MORE_INPUT)

    def _check_cancel(self, text: bytes) -> None:
        cancel = find_cancel(text, self._limits)
        try:
            if cancel is not None:
                raise cancel
        finally:
            del cancel  # the frame is in its traceback

    async def _only_input(self) -> Input:
        """The message of a method that takes one: it ends its own input. A binding without a body needs none."""
        if not self._route.binding.body:
            return Input([], ended=True)
        found = await self._next_input()
        while not (found.frames or found.ended or found.error):
            found = await self._next_input()  # that was a message of white space
        if len(found.frames) > 1:
            raise RequestError(_MORE_INPUT)
        return found

    async def _next_input(self) -> Input:
        """What came since, of several text messages perhaps, or a part of it."""
        while (found := next(self._pieces, None)) is None:
            if self._silence_s is None:
                texts = await self._inbox.read()
            else:
                try:
                    async with asyncio.timeout(self._silence_s):
                        texts = await self._inbox.read()
                except TimeoutError:
                    self._end_input()
                    return Input([], ended=True)
            if self.method.kind == "client_streaming":  # the others answer while they listen: silence means nothing
                self._silence_s = self._gateway.half_close_after_idle_s
            self._pieces = self._cut_texts(texts)
        return found

    def _cut_texts(self, texts: Sequence[bytes]) -> Iterator[Input]:
        """The input in some text messages: of short ones together, of a long one a piece at a time."""
        frames: list[Frame] = []
        bare, limits = self._cut is cut_bare, self._limits
        for place, text in enumerate(texts, 1):
            if bare and holds_one_value(text, limits):  # as most are
                frames.append(Frame(text, 0))
                continue
            for found in self._cut(text, limits):
                frames += found.frames
                if found.error is not None:
                    self._input = _Input.BROKEN
                    yield Input(frames, error=found.error)
                    return
                if found.ended:
                    self._end_input()
                    behind = [*texts[place:], *self._inbox.read_now()]
                    yield Input(frames, ended=True, error=self._behind_the_end(behind))
                    return
                if len(frames) >= _ENOUGH:
                    yield Input(frames)
                    frames = []
        yield Input(frames)

    def _behind_the_end(self, texts: Sequence[bytes]) -> RequestError | None:
        """What is wrong with text messages that came together with the end; it counts after the good ones."""
        try:
            for text in texts:
                self._check_after_end(text)
        except RequestError as error:
            return error
        return None


def check_origin(head: Head, origins: Collection[str] | Literal["*"]) -> None:
    """Browsers send ``Origin``; anything else passes. Source: RFC 6455, section 10.2.

    Raises:
        RequestError: 403, a page of this origin may not connect.
    """
    origin = head.get(b"origin")
    if origin is None or origins == "*" or origin in origins:
        return
    page = _ORIGIN.fullmatch(origin.lower())
    if page is None or page[1] != (head.get(b"host") or "").lower():
        raise RequestError("pages of this origin may not connect", code=Code.PERMISSION_DENIED)


def _short(text: str) -> str:
    """As much of a text as a close frame has room for."""
    return text.encode("utf-8", "replace")[:_REASON_BYTES].decode("utf-8", "ignore")
