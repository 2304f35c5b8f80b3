"""An ASGI server for one connection in memory: a client's bytes in, the application's answers out.

It does what uvicorn does with h11 and wsproto, without its clocks: no time-outs, no pings of its own, no headers
added. It runs no faster than the application receives: bytes are read from the lane when ``receive()`` wants some.
"""

from __future__ import annotations

import asyncio
import http
from contextlib import suppress
from typing import Any

import h11

from asgi_grpc.testing._exchange import Application, Message
from asgi_grpc.testing._http import make_scope
from asgi_grpc.testing._lanes import Lane
from asgi_grpc.testing._order import HttpOrder
from asgi_grpc.testing._report import Report
from asgi_grpc.testing._server_websocket import WebSocketServer

_PLAIN = (b"content-type", b"text/plain; charset=utf-8")
_CLOSE = (b"connection", b"close")


class Server:
    """Serve one connection, request after request, until one side ends it.

    Args:
        app: any ASGI application.
        incoming: the client's bytes.
        outgoing: ours.
        state: of the lifespan; each request gets a copy.
        report: where the application's faults go.
    """

    def __init__(
        self, app: Application, incoming: Lane, outgoing: Lane, *, state: dict[str, Any] | None, report: Report
    ) -> None:
        self._app = app
        self._incoming = incoming
        self._outgoing = outgoing
        self._state = state
        self._report = report
        self._h11 = h11.Connection(h11.SERVER)

    async def serve(self) -> None:
        """Serve until the end; it is the client's, ours or an error's."""
        try:
            while await self._serve_one():
                pass
        finally:
            self._outgoing.end()
            self._incoming.refuse()

    async def _serve_one(self) -> bool:
        """Serve a request: whether another one may follow."""
        reader = _Reader(self._h11, self._incoming)
        try:
            request = await reader.next_event()
        except h11.RemoteProtocolError:
            with suppress(ConnectionResetError):  # the client does not want to know
                await self._outgoing.put(_refusal(self._h11))
            return False
        if not isinstance(request, h11.Request):
            return False
        scope = _scope(request, self._state)
        if _wants_websocket(request):
            trailing = self._h11.trailing_data[0]
            websocket = WebSocketServer(self._app, self._incoming, self._outgoing, report=self._report)
            await websocket.serve(request, trailing, scope)
            return False
        exchange = _HttpServer(self._h11, reader, self._outgoing, head_only=request.method == b"HEAD")
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except Exception as exc:  # noqa: BLE001 - raised again where the test ends
            self._report.errors.append(exc)
        self._report.violations += exchange.violations
        if not await exchange.finish():
            return False
        self._h11.start_next_cycle()
        return True


class _Reader:
    """The h11 events of one connection, read as they are wanted."""

    def __init__(self, connection: h11.Connection, incoming: Lane) -> None:
        self._h11 = connection
        self._incoming = incoming
        self.gone = False  # the client: ended, reset or broke HTTP

    async def next_event(self) -> h11.Event | None:
        """The next event of what the client sends; None when it is gone. Raises ``h11.RemoteProtocolError``."""
        while True:
            event = self.poll()
            if event is not None or self.gone:
                return event
            await self.read()

    def poll(self) -> h11.Event | None:
        """The next event that needs no more bytes."""
        if self.gone:
            return None
        event = self._h11.next_event()
        return event if isinstance(event, h11.Event) else None

    async def read(self) -> None:
        """Wait for the client's next piece. As under uvicorn, the end of its direction means that it is gone."""
        try:
            data = await self._incoming.take()
        except ConnectionResetError:
            data = b""
        if data:
            self._h11.receive_data(data)
        else:
            self.gone = True

    async def until(self, done: HttpOrder) -> None:
        """Wait until the answer is done or the client gone. Behind a pipelined request nothing is read."""
        while not self.gone and not done.done:
            if self._h11.trailing_data[0]:
                await self._incoming.wait(lambda: done.done or self._incoming.broken)
                self.gone = self._incoming.broken
                continue
            try:
                data = await self._incoming.take(lambda: done.done)
            except ConnectionResetError:
                data = b""
            if data:
                self._h11.receive_data(data)
            self.gone = data == b""

    def wake(self) -> None:
        """The answer has moved on."""
        self._incoming.wake()


class _HttpServer:
    """The ``receive`` and ``send`` of one request."""

    def __init__(self, connection: h11.Connection, reader: _Reader, outgoing: Lane, *, head_only: bool) -> None:
        self.violations: list[str] = []
        self._h11 = connection
        self._reader = reader
        self._outgoing = outgoing
        self._head_only = head_only
        self._order = HttpOrder()
        self._whole = False  # the request
        self._one_receiver = asyncio.Lock()

    async def receive(self) -> Message:
        """All that one piece brought of the body, or the disconnect."""
        async with self._one_receiver:
            if not self._whole and not self._reader.gone and not self._order.done:
                body = await self._read_body()
                if body is not None:
                    return {"type": "http.request", "body": body, "more_body": not self._whole}
            await self._reader.until(self._order)
            return {"type": "http.disconnect"}

    async def send(self, event: Message) -> None:
        """Write an event; nothing once the client is gone."""
        problem = self._order.check(event)
        if problem:
            self.violations.append(problem)
            raise RuntimeError(problem)
        if not self._reader.gone:
            try:
                data = self._encode(event)
            except h11.LocalProtocolError as exc:
                raise RuntimeError(f"{event['type']}: {exc}") from exc
            await self._write(data)
        self._reader.wake()

    async def finish(self) -> bool:
        """End the exchange, as far as the application has not: whether another may follow."""
        if not self._order.begun:
            await self.send({"type": "http.response.start", "status": 500, "headers": [_PLAIN, _CLOSE]})
            await self.send({"type": "http.response.body", "body": b"Internal Server Error"})
        if not self._order.done or self._h11.our_state is not h11.DONE:
            return False
        try:
            while not self._whole and not self._reader.gone:
                self._whole = isinstance(await self._reader.next_event(), h11.EndOfMessage)
        except h11.RemoteProtocolError:
            return False
        return not self._reader.gone and self._h11.their_state is h11.DONE

    async def _read_body(self) -> bytes | None:
        """Read a piece of the body; None if there is none: the client is gone."""
        if self._h11.they_are_waiting_for_100_continue:
            interim = h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")
            await self._write(self._h11.send(interim) or b"")
        body = bytearray()
        try:
            event = await self._reader.next_event()
            while isinstance(event, h11.Data):
                body += event.data
                event = self._reader.poll()
        except h11.RemoteProtocolError:
            if not self._order.begun:
                await self._write(_refusal(self._h11))
            self._reader.gone = True
            return None
        self._whole = isinstance(event, h11.EndOfMessage)
        return None if self._reader.gone else bytes(body)

    async def _write(self, data: bytes) -> None:
        try:
            await self._outgoing.put(data)
        except ConnectionResetError:
            self._reader.gone = True

    def _encode(self, event: Message) -> bytes:
        if event["type"] == "http.response.start":
            status = event["status"]
            reason = http.HTTPStatus(status).phrase.encode() if status in set(http.HTTPStatus) else b""
            response = h11.Response(status_code=status, headers=list(event.get("headers", ())), reason=reason)
            return self._h11.send(response) or b""
        body = b"" if self._head_only else event.get("body", b"")
        data = self._h11.send(h11.Data(data=body)) or b""
        return data if event.get("more_body", False) else data + (self._h11.send(h11.EndOfMessage()) or b"")


def _refusal(connection: h11.Connection) -> bytes:
    """The answer to what is not HTTP."""
    data = connection.send(h11.Response(status_code=400, headers=[_PLAIN, _CLOSE], reason=b"Bad Request")) or b""
    data += connection.send(h11.Data(data=b"Invalid HTTP request received.")) or b""
    return data + (connection.send(h11.EndOfMessage()) or b"")


def _scope(request: h11.Request, state: dict[str, Any] | None) -> dict[str, Any]:
    headers = [(bytes(name), bytes(value)) for name, value in request.headers]
    common = make_scope(request.target.decode("ascii"), headers, "http", None, None if state is None else {**state})
    version = request.http_version.decode("ascii")
    return {"type": "http", "method": request.method.decode("ascii"), "http_version": version, **common}


def _wants_websocket(request: h11.Request) -> bool:
    fields = {bytes(name): bytes(value).lower() for name, value in request.headers}
    tokens = [token.strip() for token in fields.get(b"connection", b"").split(b",")]
    return fields.get(b"upgrade") == b"websocket" and b"upgrade" in tokens
