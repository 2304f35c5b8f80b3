"""One HTTP request: a body in, a call, an answer out."""

from __future__ import annotations

from asgi_grpc.asgi._ending import ClientGone
from asgi_grpc.asgi._exchange import Exchange
from asgi_grpc.asgi._gateway import Gateway, header
from asgi_grpc.asgi._http_input import BodyInput
from asgi_grpc.asgi._negotiation import check_accepts_json, choose_framer, choose_inflater, choose_writer
from asgi_grpc.asgi._requests import Input, ManyRequests, OneRequest
from asgi_grpc.asgi._response import SingleResponse, StreamResponse
from asgi_grpc.asgi._types import Event, Headers, Receive, Scope, Send
from asgi_grpc.calls import Requests
from asgi_grpc.routing import Match

WATCH_AFTER_S = 0.02
"""A call whose request is complete gets a watcher of its client only when it takes longer than this."""


class HttpExchange(Exchange):
    """One HTTP request and its answer."""

    def __init__(self, gateway: Gateway, match: Match, scope: Scope, receive: Receive, send: Send) -> None:
        answer = SingleResponse(gateway, scope, send)  # also says what is wrong with the request's head
        super().__init__(gateway, match, scope, receive, opener=_open, answer=answer)
        self._send = send

    def _prepare(self) -> Requests:
        """Choose the framings, and bind the path and the query. See ``Exchange``."""
        headers = self._scope["headers"]
        accept = header(headers, b"accept")
        if self._method.server_streaming:
            writer = choose_writer(accept, named_events=self._gateway.dialect.named_events)
            self._answer = StreamResponse(self._gateway, self._scope, self._send, writer)
        else:
            check_accepts_json(accept)
        bound = self._match.bind(self._scope.get("query_string", b""), strict=self._method.client_streaming)
        has_body = bool(self._match.route.binding.body)
        streaming = self._method.client_streaming and has_body
        limits = self._gateway.limits
        framer = choose_framer(
            (header(headers, b"content-type") or "") if has_body else "", streaming=streaming, limits=limits
        )
        inflater = choose_inflater(header(headers, b"content-encoding") or "", limits)

        body = BodyInput(self._inbox.read, framer, inflater)
        next_input = _no_input if _is_without_body(headers, wanted=has_body) else body.next
        if streaming:
            self._inbox.watch()
            return ManyRequests(next_input, bound).pull
        return OneRequest(next_input, bound, lambda: self._inbox.watch(WATCH_AFTER_S)).pull


async def _no_input() -> Input:
    return Input([], ended=True)


def _is_without_body(headers: Headers, *, wanted: bool) -> bool:
    """Whether no body follows, so that nobody needs to wait for its end.

    Where a body is wanted, only ``Content-Length: 0`` says so: an application round us may have changed the headers.
    (uvicorn's HTTP/2 never tells the end of a request that is nothing but a head.) Source: RFC 9112, section 6.3.
    """
    length = header(headers, b"content-length")
    if length is not None:
        return length == "0"
    return not wanted and header(headers, b"transfer-encoding") is None


def _open(event: Event) -> tuple[bytes | None, bool]:
    """The bytes of an ``http.request`` event. See ``asgi_grpc.asgi._inbox.Open``."""
    if event["type"] != "http.request":
        raise ClientGone
    return event.get("body") or None, not event.get("more_body", False)
