"""One client for all doors: it sends programs, and tells what it got as the same few facts."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, NamedTuple, Self

import msgspec

from asgi_grpc.testing import HttpExchange, WebSocketExchange
from tests.faults.cells import Door, Way
from tests.soak.wire import record, records

PATIENCE_S = 30.0
_TYPES = {
    Door.ARRAY: b"application/json",
    Door.SEQ: b"application/json-seq",
    Door.SSE: b"text/event-stream",
}
_NDJSON = b"application/x-ndjson"


class Answer(NamedTuple):
    """What a client got.

    Attributes:
        status: of HTTP; 101 of a WebSocket that was accepted.
        replies: texts.
        end: ``complete``, the code of a failure, or empty: none was said.
        close: the WebSocket's close code.
    """

    status: int | None
    replies: tuple[str, ...] = ()
    end: str = ""
    close: int | None = None


class Client(AbstractAsyncContextManager["Client"]):
    """A call of one way.

    Args:
        app: the gateway.
        way: what is called, and how.
        cell: its name, told to the servicer.
        headers: more of them.
    """

    def __init__(self, app: Any, way: Way, cell: str, headers: list[tuple[bytes, bytes]]) -> None:
        self.way = way
        self.deaf = False  # to what is sent: every send raises
        self.exchange: HttpExchange | WebSocketExchange
        self._app = app
        self._asked = 0
        kind, door = way
        path = f"/helloworld.Greeter/{kind.value}"
        headers = [(b"grpc-metadata-cell", cell.encode()), *headers]
        if door.is_socket:
            protocols = ["asgi-grpc.records.v1"] if door is Door.RECORDS else []
            self.exchange = WebSocketExchange(
                self._serve, path=path, headers=headers, subprotocols=protocols, patience_s=PATIENCE_S
            )
            return
        streamed = _TYPES.get(door, _NDJSON)
        sent = b"application/json" if not kind.sends_many else _NDJSON if door is Door.SSE else streamed
        wanted = streamed if kind.gets_many else b"application/json"
        headers = [(b"content-type", sent), (b"accept", wanted), *headers]
        self.exchange = HttpExchange(self._serve, method="POST", path=path, headers=headers, patience_s=PATIENCE_S)

    async def __aenter__(self) -> Self:
        await self.exchange.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.exchange.__aexit__(kind, error, traceback)

    async def ask(self, program: str) -> None:
        """Send a request; where there is one only, the input has ended then."""
        await self.send(self.document(program))
        if not self.way.kind.sends_many:
            await self.end()

    def document(self, program: str) -> bytes:
        """A request."""
        return msgspec.json.encode({"name": program})

    async def send(self, document: bytes) -> None:
        """Send what ought to be a request, and not the end."""
        if isinstance(self.exchange, WebSocketExchange):
            wrapped = b'{"type":"request","data":%b}' % document if self.way.door is Door.RECORDS else document
            await self.exchange.send_text(wrapped.decode())
        else:
            await self.exchange.send_body(self.framed(document))

    def framed(self, document: bytes) -> bytes:
        """The bytes of one more document of a body."""
        self._asked += 1
        if not self.way.kind.sends_many:
            return document
        match self.way.door:
            case Door.ARRAY:
                return (b"[" if self._asked == 1 else b",") + document
            case Door.SEQ:
                return b"\x1e" + document + b"\n"
            case _:
                return document + b"\n"

    async def end(self) -> None:
        """End the input; over a WebSocket the methods with one request do that themselves."""
        if isinstance(self.exchange, HttpExchange):
            last = b"]" if self.way.kind.sends_many and self.way.door is Door.ARRAY else b""
            await self.exchange.send_body(last, more=False)
        elif self.way.kind.sends_many:
            await self.exchange.send_text('{"type":"end"}' if self.way.door is Door.RECORDS else "")

    async def replied(self, count: int) -> None:
        """Wait for so many replies of a stream; nothing, where only one will come at the end."""
        while self.way.kind.gets_many and self._output().count(b'"message":') < count:
            await self.exchange.receive()

    async def answer(self) -> Answer:
        """Wait for the end."""
        await self.exchange.ended()
        if isinstance(self.exchange, WebSocketExchange):
            return self._of_socket(self.exchange)
        return self._of_http(self.exchange)

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_if_heard(event: Any) -> None:
            if self.deaf:
                raise OSError("the client does not listen")
            await send(event)

        await self._app(scope, receive, send_if_heard)

    def _output(self) -> bytes:
        if isinstance(self.exchange, HttpExchange):
            return self.exchange.body
        return "".join(self.exchange.texts).encode()

    def _of_http(self, exchange: HttpExchange) -> Answer:
        if not exchange.complete:
            return Answer(None)
        kind, door = self.way
        if exchange.status == 200 and kind.gets_many:
            return Answer(200, *_read(records(door.value, exchange.body)))
        document = msgspec.json.decode(exchange.body)
        if exchange.status == 200:
            return Answer(200, (document["data"].get("message", ""),), "complete")
        assert document["code"] == exchange.status
        return Answer(exchange.status, (), document["status"])

    def _of_socket(self, exchange: WebSocketExchange) -> Answer:
        for event in exchange.sent:
            if event["type"] == "websocket.http.response.start":
                return Answer(event["status"])
        if exchange.close_code is None:
            return Answer(None)
        found = [record(msgspec.json.decode(text)) for text in exchange.texts]
        return Answer(101, *_read(found), exchange.close_code)


def _read(found: list[tuple[str, Any]]) -> tuple[tuple[str, ...], str]:
    """The replies, and the end, behind which nothing may come."""
    replies = tuple(data.get("message", "") for kind, data in found if kind == "response")
    ends = [data["code"] if kind == "error" else kind for kind, data in found if kind != "response"]
    assert len(ends) <= 1
    assert not ends or found[-1][0] != "response"
    return replies, ends[0] if ends else ""
