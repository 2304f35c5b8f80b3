"""One HTTP request, played against an ASGI application."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast
from urllib.parse import unquote

from asgi_grpc.testing._exchange import Application, Exchange, ExchangeEndedError, Message
from asgi_grpc.testing._order import HttpOrder


class HttpExchange(Exchange):
    """Be the client of one HTTP request.

    ::

        async with HttpExchange(app, method="POST", path="/v1/books", headers=[(b"content-type", b"x")]) as x:
            await x.send_body(b"{}", more=False)
            assert (await x.receive())["status"] == 200
            assert await x.read_body() == b"{}"

    The body's first bytes come when the test sends them: the application runs before, as it does under a server.

    Args:
        app: any ASGI application.
        method: upper case.
        path: percent-encoded, with or without a query.
        headers: of the request, names in lower case.
        http_version: ``"1.0"``, ``"1.1"`` or ``"2"``.
        extensions: what the server offers, e.g. ``{"http.response.trailers": {}}``.
        state: of the lifespan.
        patience_s: how long the test waits for the application.
        broken_pipe: whether ``send`` raises ``OSError`` once the client has vanished.

    Source: the ASGI specification, HTTP, version 2.5.
    """

    def __init__(
        self,
        app: Application,
        *,
        method: str = "GET",
        path: str = "/",
        headers: Iterable[tuple[bytes, bytes]] = (),
        http_version: str = "1.1",
        extensions: Mapping[str, Mapping[str, Any]] | None = None,
        state: dict[str, Any] | None = None,
        patience_s: float = 10.0,
        broken_pipe: bool = False,
    ) -> None:
        scope = {
            "type": "http",
            "method": method,
            "http_version": http_version,
            **make_scope(path, headers, "http", extensions, state),
        }
        super().__init__(app, scope, patience_s=patience_s, broken_pipe=broken_pipe)
        self._order = HttpOrder()

    async def send_body(self, body: bytes = b"", *, more: bool = True) -> None:
        """Script a piece of the request's body; ``more=False`` ends it."""
        self._give({"type": "http.request", "body": body, "more_body": more})

    async def disconnect(self) -> None:
        """Vanish: behind what is scripted so far every ``receive`` gets a disconnect, and no ``send`` arrives."""
        self._vanished = True
        self._end_input({"type": "http.disconnect"})

    async def read_body(self) -> bytes:
        """The response's body from here on, to its end or the application's."""
        body = bytearray()
        try:
            while True:
                event = await self.receive()
                if event["type"] == "http.response.body":
                    body += event.get("body", b"")
                    if not event.get("more_body", False):
                        break
        except ExchangeEndedError:
            pass  # an unfinished body ends with the application
        return bytes(body)

    @property
    def status(self) -> int | None:
        """The response's status, None while it has not begun."""
        return next((cast("int", event["status"]) for event in self.sent if "status" in event), None)

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The response's headers, none while it has not begun."""
        heads = [event for event in self.sent if event["type"] == "http.response.start"]
        return [(bytes(name), bytes(value)) for name, value in heads[0].get("headers", ())] if heads else []

    @property
    def body(self) -> bytes:
        """All of the response's body so far."""
        return b"".join([event.get("body", b"") for event in self.sent if event["type"] == "http.response.body"])

    @property
    def complete(self) -> bool:
        """True once the application has sent the response's last event."""
        return self._order.done

    async def _leave(self) -> None:
        await self.disconnect()

    def _check(self, event: Message) -> str:
        problem = self._order.check(event)
        if self._order.done:
            self._end_input({"type": "http.disconnect"})
        return problem


def make_scope(
    path: str,
    headers: Iterable[tuple[bytes, bytes]],
    scheme: str,
    extensions: Mapping[str, Mapping[str, Any]] | None,
    state: dict[str, Any] | None,
) -> dict[str, Any]:
    """The keys that the scopes of HTTP and WebSocket share. Source: the ASGI specification, HTTP, connection scope."""
    raw_path, _, query = path.partition("?")
    scope: dict[str, Any] = {
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "scheme": scheme,
        "path": unquote(raw_path),
        "raw_path": raw_path.encode("ascii"),
        "query_string": query.encode("ascii"),
        "root_path": "",
        "headers": [(bytes(name), bytes(value)) for name, value in headers],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 80),
    }
    if extensions is not None:
        scope["extensions"] = extensions
    if state is not None:
        scope["state"] = state
    return scope
