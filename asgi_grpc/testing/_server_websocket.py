"""The WebSocket half of the server in memory: whole messages for the application, frames for the client.

A message is read when the one before it has been received; until then the client's bytes stay in the lane. Pings and
closes between them are answered while there is nothing to receive, as uvicorn does.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

import h11
from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)
from wsproto.events import Message as Data
from wsproto.extensions import PerMessageDeflate
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from asgi_grpc.testing._exchange import Application, Message
from asgi_grpc.testing._lanes import Lane
from asgi_grpc.testing._order import DENIAL, WebSocketOrder
from asgi_grpc.testing._report import Report

_MAX_MESSAGE_BYTES = 16 << 20  # uvicorn's default, too
_PLAIN = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close"), (b"content-length", b"21")]


class _ClientGoneError(OSError):
    """What ``send`` raises behind a disconnect, as ASGI 2.4 allows."""


class WebSocketServer:
    """Serve one WebSocket, from the handshake to the end of its connection.

    Args:
        app: any ASGI application.
        incoming: the client's bytes.
        outgoing: ours.
        report: where the application's faults go.
    """

    def __init__(self, app: Application, incoming: Lane, outgoing: Lane, *, report: Report) -> None:
        self._app = app
        self._incoming = incoming
        self._outgoing = outgoing
        self._report = report
        self._protocol = WSConnection(ConnectionType.SERVER)
        self._order = WebSocketOrder(may_deny=True)
        self._early = b""  # what the client sent behind the handshake, before it was accepted
        self._inbox: deque[Message] = deque([{"type": "websocket.connect"}])
        self._parts: list[str | bytes] = []  # of the message that is coming in
        self._parts_bytes = 0
        self._disconnection: Message | None = None
        self._accepted = False
        self._gone = False  # the client
        self._changed = asyncio.Event()

    async def serve(self, request: h11.Request, trailing: bytes, common: dict[str, Any]) -> None:
        """Serve until the end.

        Args:
            request: the handshake.
            trailing: what was read behind it.
            common: the scope of the request over HTTP.
        """
        wire = h11.Connection(h11.CLIENT).send(request) or b""
        try:
            self._protocol.receive_data(wire)
        except RemoteProtocolError as exc:
            await self._write(exc.event_hint or RejectConnection())
            return
        self._early = trailing
        (asked,) = self._protocol.events()
        assert isinstance(asked, Request)  # what else could a handshake be?
        scope = {
            **{key: value for key, value in common.items() if key != "method"},
            "type": "websocket",
            "scheme": "ws",
            "subprotocols": list(asked.subprotocols),
            "extensions": {DENIAL: {}},
        }
        pump = asyncio.create_task(self._pump())
        try:
            await self._run(scope)
            if self._protocol.state is ConnectionState.LOCAL_CLOSING:
                await pump  # for the client's answer to our close, or its end
        finally:
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)
        if pump.done() and not pump.cancelled():
            pump.result()

    async def _run(self, scope: dict[str, Any]) -> None:
        try:
            await self._app(scope, self._receive, self._send)
        except _ClientGoneError:
            return
        except Exception as exc:  # noqa: BLE001 - raised again where the test ends
            self._report.errors.append(exc)
        if self._order.asked and not self._gone:
            await self._write(RejectConnection(status_code=500, headers=list(_PLAIN), has_body=True))
            await self._write(RejectData(data=b"Internal Server Error"))

    async def _receive(self) -> Message:
        while not self._inbox:
            if self._disconnection is not None:
                return dict(self._disconnection)
            self._changed.clear()
            await self._changed.wait()
        event = self._inbox.popleft()
        self._changed.set()
        return event

    async def _send(self, event: Message) -> None:
        if self._gone:
            raise _ClientGoneError("the client has disconnected")
        problem = self._order.check(event)
        if problem:
            self._report.violations.append(problem)
            raise RuntimeError(problem)
        for out in _translate(event, denied=not self._accepted):
            await self._write(out)
        if event["type"] == "websocket.accept":
            self._accepted = True
            self._changed.set()
        if self._order.closed and self._disconnection is None:
            code = event.get("code", 1000) if self._accepted else 1006
            self._disconnect(code, event.get("reason") or "")

    async def _write(self, event: Event) -> None:
        try:
            data = self._protocol.send(event)
        except LocalProtocolError as exc:  # the client was faster with its close, or the event makes no sense
            if self._disconnection is not None:
                raise _ClientGoneError("the client has closed") from exc
            raise RuntimeError(str(exc)) from exc
        try:
            await self._outgoing.put(data)
        except ConnectionResetError as exc:
            self._lose()
            raise _ClientGoneError("the client has disconnected") from exc

    async def _pump(self) -> None:
        """Read what the client sends, one message ahead of the application."""
        while not self._gone:
            while self._accepted and self._inbox and not self._order.closed:
                self._changed.clear()
                await self._changed.wait()
            try:
                data = self._early or await self._incoming.take()
            except ConnectionResetError:
                data = b""
            self._early = b""
            if not data:
                self._lose()
                break
            while not self._accepted:  # what comes before the accept waits for it
                self._changed.clear()
                await self._changed.wait()
            try:
                self._protocol.receive_data(data)
                for event in self._protocol.events():
                    await self._take(event)
            except (_ClientGoneError, LocalProtocolError):
                self._lose()

    async def _take(self, event: Event) -> None:
        """Take in what the client sent."""
        if isinstance(event, TextMessage | BytesMessage):
            await self._take_part(event)
        elif isinstance(event, Ping):
            await self._write(event.response())
        elif isinstance(event, CloseConnection):
            if self._protocol.state is ConnectionState.REMOTE_CLOSING:
                await self._write(event.response())
            elif self._protocol.state is ConnectionState.OPEN:  # wsproto's way to report a frame that it can't read
                await self._write(CloseConnection(code=event.code, reason=event.reason))
            self._disconnect(int(event.code), event.reason or "")
            self._gone = True

    async def _take_part(self, part: TextMessage | BytesMessage) -> None:
        if self._order.closed:
            return  # nobody will receive it
        self._parts.append(part.data if isinstance(part.data, str) else bytes(part.data))
        self._parts_bytes += len(part.data)
        if self._parts_bytes > _MAX_MESSAGE_BYTES:
            await self._write(CloseConnection(code=1009, reason="the message is too large"))
            self._disconnect(1009, "")
            self._gone = True
        elif part.message_finished:
            text = isinstance(part, TextMessage)
            whole: Any = ("" if text else b"").join(self._parts)  # type: ignore[arg-type]  # wsproto never mixes them
            self._parts, self._parts_bytes = [], 0
            self._inbox.append({"type": "websocket.receive", "text" if text else "bytes": whole})
            self._changed.set()

    def _lose(self) -> None:
        """The connection has ended without a close."""
        self._gone = True
        if self._disconnection is None:
            self._disconnect(1005 if self._accepted else 1006, "")

    def _disconnect(self, code: int, reason: str) -> None:
        self._disconnection = self._disconnection or {"type": "websocket.disconnect", "code": code, "reason": reason}
        self._changed.set()


def _translate(event: Message, *, denied: bool) -> list[Event]:
    """What wsproto has to send for an event of the application."""
    match event["type"]:
        case "websocket.accept":
            headers = list(event.get("headers", ()))
            subprotocol = event.get("subprotocol")
            return [AcceptConnection(subprotocol, [PerMessageDeflate()], headers)]
        case "websocket.send":
            data = event.get("bytes")
            return [Data(data=event["text"] if data is None else data)]
        case "websocket.http.response.start":
            return [
                RejectConnection(status_code=event["status"], headers=list(event.get("headers", ())), has_body=True)
            ]
        case "websocket.http.response.body":
            return [RejectData(data=event.get("body", b""), body_finished=not event.get("more_body", False))]
        case _:
            if denied:
                return [RejectConnection(status_code=403)]
            return [CloseConnection(code=event.get("code", 1000), reason=event.get("reason") or "")]
