"""One WebSocket, played against an ASGI application."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from asgi_grpc.testing._exchange import Application, Exchange, Message
from asgi_grpc.testing._http import make_scope
from asgi_grpc.testing._order import DENIAL, WebSocketOrder


class WebSocketExchange(Exchange):
    """Be the client of one WebSocket; ``websocket.connect`` is the first that the application receives.

    ::

        async with WebSocketExchange(app, path="/chat", subprotocols=["v1"]) as x:
            assert (await x.receive())["type"] == "websocket.accept"
            await x.send_text("{}")
            assert (await x.receive())["text"] == "{}"
            await x.disconnect(code=1000)

    Args:
        app: any ASGI application.
        path: percent-encoded, with or without a query.
        headers: of the handshake, names in lower case.
        subprotocols: what the client offers.
        extensions: what the server offers; the denial response by default.
        state: of the lifespan.
        patience_s: how long the test waits for the application.
        broken_pipe: whether ``send`` raises ``OSError`` once the client has vanished.

    Source: the ASGI specification, WebSocket, version 2.5.
    """

    def __init__(
        self,
        app: Application,
        *,
        path: str = "/",
        headers: Iterable[tuple[bytes, bytes]] = (),
        subprotocols: Sequence[str] = (),
        extensions: Mapping[str, Mapping[str, Any]] | None = None,
        state: dict[str, Any] | None = None,
        patience_s: float = 10.0,
        broken_pipe: bool = False,
    ) -> None:
        offered = {DENIAL: {}} if extensions is None else extensions
        scope = {
            "type": "websocket",
            "http_version": "1.1",
            "subprotocols": list(subprotocols),
            **make_scope(path, headers, "ws", offered, state),
        }
        super().__init__(app, scope, patience_s=patience_s, broken_pipe=broken_pipe)
        self._order = WebSocketOrder(may_deny=DENIAL in offered)
        self._give({"type": "websocket.connect"})

    async def send_text(self, text: str) -> None:
        """Script a text message."""
        self._give({"type": "websocket.receive", "text": text})

    async def send_bytes(self, data: bytes) -> None:
        """Script a binary message."""
        self._give({"type": "websocket.receive", "bytes": data})

    async def disconnect(self, code: int = 1006, reason: str = "") -> None:
        """Close, or vanish (1006): behind what is scripted so far the application gets a disconnect, ever again.

        Args:
            code: what the client's close frame says; 1005 without a code, 1006 without a close frame.
            reason: its text.
        """
        self._vanished = True
        self._end_input({"type": "websocket.disconnect", "code": code, "reason": reason})

    @property
    def accepted(self) -> bool:
        """True once the application has accepted the handshake."""
        return any(event["type"] == "websocket.accept" for event in self.sent)

    @property
    def texts(self) -> list[str]:
        """Every text message that the application has sent."""
        sends = [event for event in self.sent if event["type"] == "websocket.send"]
        return [event["text"] for event in sends if event.get("text") is not None]

    @property
    def close_code(self) -> int | None:
        """The code of the application's close, None while it has not closed. Before the accept it means HTTP 403."""
        return next((event.get("code", 1000) for event in self.sent if event["type"] == "websocket.close"), None)

    async def _leave(self) -> None:
        await self.disconnect()

    def _check(self, event: Message) -> str:
        problem = self._order.check(event)
        if self._order.closed and not problem:
            self._end_input({"type": "websocket.disconnect", "code": event.get("code", 1006), "reason": ""})
        return problem
