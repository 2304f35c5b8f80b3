"""The part of ASGI 3 that we speak. Source: the ASGI specification, HTTP and WebSocket message formats, version 2.5."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Literal, NotRequired, TypedDict

Scope = MutableMapping[str, Any]  # ASGI's own dictionaries: servers and frameworks add keys of their own
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Any], Awaitable[None]]  # takes each of the TypedDicts below, and whatever wrapped applications send
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

Headers = Iterable[tuple[bytes, bytes]]


class ResponseStart(TypedDict):
    """The head of an HTTP answer; of a refused WebSocket handshake too (the denial response extension)."""

    type: Literal["http.response.start", "websocket.http.response.start"]
    status: int
    headers: Headers
    trailers: NotRequired[bool]


class ResponseBody(TypedDict):
    """A piece of an answer's body."""

    type: Literal["http.response.body", "websocket.http.response.body"]
    body: bytes
    more_body: bool


class ResponseTrailers(TypedDict):
    """HTTP trailers, where the server offers ``http.response.trailers``."""

    type: Literal["http.response.trailers"]
    headers: Headers
    more_trailers: bool


class WebSocketAccept(TypedDict):
    """Our yes to a handshake."""

    type: Literal["websocket.accept"]
    subprotocol: str | None
    headers: Headers


class WebSocketSend(TypedDict):
    """One text message."""

    type: Literal["websocket.send"]
    text: str


class WebSocketClose(TypedDict):
    """The end of a WebSocket, or our no to a handshake."""

    type: Literal["websocket.close"]
    code: int
    reason: str
