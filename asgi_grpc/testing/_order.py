"""The order in which an ASGI application may send its events.

Source: the ASGI specification, HTTP and WebSocket, version 2.5.
"""

from __future__ import annotations

import enum

from asgi_grpc.testing._exchange import Message

DENIAL = "websocket.http.response"
"""The extension by which an application answers a handshake with a response of its own."""


class _Http(enum.Enum):
    """How far the answer is."""

    HEAD = "no event yet"
    BODY = "behind http.response.start"
    TRAILERS = "behind the body, trailers were announced"
    DONE = "behind the last event"


class HttpOrder:
    """How far the answer to one HTTP request is."""

    def __init__(self) -> None:
        self._state = _Http.HEAD
        self._trailers = False

    @property
    def begun(self) -> bool:
        """True behind ``http.response.start``."""
        return self._state is not _Http.HEAD

    @property
    def done(self) -> bool:
        """True behind the last event."""
        return self._state is _Http.DONE

    def check(self, event: Message) -> str:
        """What is wrong with sending this event now, empty if nothing."""
        legal = {
            _Http.HEAD: "http.response.start",
            _Http.BODY: "http.response.body",
            _Http.TRAILERS: "http.response.trailers",
        }
        if event["type"] != legal.get(self._state):
            return f"{event['type']} {self._state.value}"
        if self._state is _Http.HEAD:
            self._trailers = event.get("trailers", False)
            self._state = _Http.BODY
        elif self._state is _Http.BODY and not event.get("more_body", False):
            self._state = _Http.TRAILERS if self._trailers else _Http.DONE
        elif self._state is _Http.TRAILERS and not event.get("more_trailers", False):
            self._state = _Http.DONE
        return ""


class _WebSocket(enum.Enum):
    """How far the connection is."""

    ASKED = "before websocket.accept"
    OPEN = "behind websocket.accept"
    DENIED = "in the body of a denial"
    CLOSED = "behind the last event"


_MOVES = {
    (_WebSocket.ASKED, "websocket.accept"): _WebSocket.OPEN,
    (_WebSocket.ASKED, "websocket.close"): _WebSocket.CLOSED,
    (_WebSocket.ASKED, "websocket.http.response.start"): _WebSocket.DENIED,
    (_WebSocket.OPEN, "websocket.send"): _WebSocket.OPEN,
    (_WebSocket.OPEN, "websocket.close"): _WebSocket.CLOSED,
    (_WebSocket.DENIED, "websocket.http.response.body"): _WebSocket.CLOSED,  # by its last piece
}


class WebSocketOrder:
    """How far a WebSocket is.

    Args:
        may_deny: the server offers the denial response.
    """

    def __init__(self, *, may_deny: bool) -> None:
        self._may_deny = may_deny
        self._state = _WebSocket.ASKED

    @property
    def asked(self) -> bool:
        """True before the application's first event."""
        return self._state is _WebSocket.ASKED

    @property
    def closed(self) -> bool:
        """True behind the application's last event."""
        return self._state is _WebSocket.CLOSED

    def check(self, event: Message) -> str:
        """What is wrong with sending this event now, empty if nothing."""
        kind = event["type"]
        move = _MOVES.get((self._state, kind))
        if move is None or (move is _WebSocket.DENIED and not self._may_deny):
            return f"{kind} {self._state.value}"
        if not (self._state is _WebSocket.DENIED and event.get("more_body", False)):
            self._state = move
        return ""
