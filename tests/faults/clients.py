"""A scripted client for all doors: it needs no server."""

from __future__ import annotations

from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from asgi_grpc.testing import ExchangeEndedError, HttpExchange, WebSocketExchange
from tests.faults.cells import Way
from tests.faults.speaking import PATIENCE_S, Answer, Headers, Speaker, http_answer, socket_answer


class Client(Speaker):
    """A call that is played against the gateway itself.

    Args:
        app: the gateway.
        way: see ``Speaker``.
        cell: see ``Speaker``.
        headers: see ``Speaker``.
    """

    def __init__(self, app: Any, way: Way, cell: str, headers: Headers) -> None:
        super().__init__(way, cell, headers)
        self.deaf = False  # to what is sent: every send raises
        self._app = app
        self.exchange: HttpExchange | WebSocketExchange
        if way.door.is_socket:
            self.exchange = WebSocketExchange(
                self._serve,
                path=self.path,
                headers=self.headers,
                subprotocols=self.subprotocols,
                patience_s=PATIENCE_S,
            )
        else:
            self.exchange = HttpExchange(
                self._serve, method="POST", path=self.path, headers=self.headers, patience_s=PATIENCE_S
            )

    @property
    def http(self) -> HttpExchange:
        """The exchange of a call over HTTP."""
        assert isinstance(self.exchange, HttpExchange)
        return self.exchange

    @property
    def socket(self) -> WebSocketExchange:
        """The exchange of a call over WebSocket."""
        assert isinstance(self.exchange, WebSocketExchange)
        return self.exchange

    async def __aenter__(self) -> Self:
        await self.exchange.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.exchange.__aexit__(kind, error, traceback)

    async def send_body(self, body: bytes, *, more: bool) -> None:
        """See ``Speaker``."""
        await self.http.send_body(body, more=more)

    async def send_text(self, text: str) -> None:
        """See ``Speaker``."""
        await self.socket.send_text(text)

    def output(self) -> bytes:
        """See ``Speaker``."""
        return "".join(self.socket.texts).encode() if self.way.door.is_socket else self.http.body

    @property
    def over(self) -> bool:
        """See ``Speaker``."""
        return self.exchange._running.done()

    async def more(self) -> None:
        """See ``Speaker``."""
        with suppress(ExchangeEndedError):
            await self.exchange.receive()

    async def answer(self) -> Answer:
        """See ``Speaker``."""
        await self.exchange.ended()
        if self.way.door.is_socket:
            for event in self.exchange.sent:
                if event["type"] == "websocket.http.response.start":
                    return Answer(event["status"])
            close = self.socket.close_code
            return Answer(None) if close is None else socket_answer(self.socket.texts, close)
        status = self.http.status
        if status is None or not self.http.complete:
            return Answer(None)
        return http_answer(self.way, status, self.http.body)

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_if_heard(event: Any) -> None:
            if self.deaf:
                raise OSError("the client does not listen")
            await send(event)

        await self._app(scope, receive, send_if_heard)


def scripted(client: Speaker) -> Client:
    """The same client, which is one of these."""
    assert isinstance(client, Client)
    return client
