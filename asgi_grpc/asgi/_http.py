"""One HTTP request: a body in, a call, an answer out."""

from __future__ import annotations

from functools import partial

from google.protobuf.message import Message

from asgi_grpc.asgi._bodies import choose_reading
from asgi_grpc.asgi._bytes_response import BytesResponse, bytes_of
from asgi_grpc.asgi._ending import ClientGone
from asgi_grpc.asgi._exchange import Exchange
from asgi_grpc.asgi._gateway import Gateway
from asgi_grpc.asgi._head import Head
from asgi_grpc.asgi._http_input import BodyInput
from asgi_grpc.asgi._negotiation import choose_inflater, choose_single, choose_writer
from asgi_grpc.asgi._requests import ManyRequests, OneRequest
from asgi_grpc.asgi._response import EVENT_STREAM, JSON, Content, SingleResponse, StreamResponse
from asgi_grpc.asgi._types import Event, Receive, Send
from asgi_grpc.asgi._watched import WatchedCall
from asgi_grpc.calls import Requests
from asgi_grpc.dialects import Dialect
from asgi_grpc.routing import Match, Route

_HttpAnswer = SingleResponse | StreamResponse | BytesResponse


class HttpExchange(Exchange):
    """One HTTP request and its answer."""

    _answer: _HttpAnswer

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
        write = partial(_write_json, match.route, gateway.dialect)
        answer = SingleResponse(gateway, head, send, write)  # also says what is wrong with the request's head
        super().__init__(gateway, match, head, receive, opener=_open, answer=answer, watched=watched)
        self._send = send
        self._pulled = False

    def _prepare(self) -> Requests:
        """Choose how the answer is written and the body read, and bind the path and the query. See ``Exchange``."""
        head = self._head
        fields = head.fields
        self._answer = answer = self._choose_answer(head.get(b"accept"))
        answer.on_piece = self._idle.note
        self._bound = self._match.bind(head.scope.get("query_string", b""), strict=self._strict)
        is_short = (
            self._route.is_unary_json
            and fields.get(b"content-type", JSON) == JSON
            and b"content-encoding" not in fields
            and fields.get(b"content-length") != b"0"
        )
        return self._pull_object if is_short else self._requests()

    def _requests(self) -> Requests:
        """What cuts the body."""
        head = self._head
        limits = self._limits
        reading = choose_reading(head.get(b"content-type") or "", self._route, self._bound, limits)
        inflater = choose_inflater(head.get(b"content-encoding") or "", limits)
        has_body = bool(self._route.binding.body)
        self._inbox.ended |= _is_without_body(head, wanted=has_body)
        body = BodyInput(self._inbox, reading.framer, inflater)
        if self.method.client_streaming and has_body:
            self._inbox.watch()
            return ManyRequests(body.next, reading.decode).pull
        return OneRequest(body.whole, reading.decode, reading.empty, self._complete).pull

    async def _pull_object(self) -> list[Message]:
        """The body of most unary calls: one JSON object, which came in one piece.

        Any other takes the long way round, through a framer; that costs 5 microseconds more.
        """
        if self._pulled:
            return []
        self._pulled = True
        event = await self._receive()
        body = event.get("body", b"")
        largest = self._limits.max_message_bytes
        if body[:1] == b"{" and not event.get("more_body") and len(body) <= largest:
            messages, bad = self._bound.decode((body,))
            self._complete()
            if bad is not None:
                try:
                    raise bad
                finally:
                    del bad  # the frame is in its traceback
            return messages
        self._inbox.take(event)
        return await self._requests()()

    def _choose_answer(self, accept: str | None) -> _HttpAnswer:
        """What writes the replies. A reply that is bytes has its own media type, whatever the client accepts."""
        reply = self._route.reply
        connection = self._gateway, self._head, self._send
        if self.method.server_streaming:
            if reply.gives_bytes:
                return BytesResponse(*connection, reply)
            writer = choose_writer(accept, named_events=self._gateway.dialect.named_events)
            if writer.media_type == EVENT_STREAM:
                self._transport = "sse"
            return StreamResponse(*connection, writer, reply.encode, end=self._end)
        if reply.gives_bytes:
            return SingleResponse(*connection, partial(bytes_of, reply))
        chosen = choose_single(accept, wire=reply.gives_wire and self.method.kind == "unary").encode()
        if chosen != JSON:
            return SingleResponse(*connection, lambda message: (chosen, reply.wire(message)))
        return self._answer


def _write_json(route: Route, dialect: Dialect, message: Message) -> Content:
    """A reply in the dialect."""
    (encoded,) = route.encode([message])
    return JSON, dialect.unary(encoded)


def _is_without_body(head: Head, *, wanted: bool) -> bool:
    """Whether no body follows, so that nobody needs to wait for its end.

    Where a body is wanted, only ``Content-Length: 0`` says so: an application round us may have changed the headers.
    (uvicorn's HTTP/2 never tells the end of a request that is nothing but a head.) Source: RFC 9112, section 6.3.
    """
    length = head.fields.get(b"content-length")
    if length is not None:
        return length == b"0"
    return not wanted and b"transfer-encoding" not in head.fields


def _open(event: Event) -> tuple[bytes | None, bool]:
    """The bytes of an ``http.request`` event. See ``asgi_grpc.asgi._inbox.Open``."""
    if event["type"] != "http.request":
        raise ClientGone
    return event.get("body") or None, not event.get("more_body", False)
