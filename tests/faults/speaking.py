"""What all clients have in common: they send programs, and tell what they got as the same few facts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractAsyncContextManager
from typing import Any, NamedTuple

import msgspec

from tests.faults.cells import Door, Way
from tests.soak.wire import record, records

PATIENCE_S = 30.0
_TYPES = {
    Door.ARRAY: b"application/json",
    Door.SEQ: b"application/json-seq",
    Door.SSE: b"text/event-stream",
}
_NDJSON = b"application/x-ndjson"

Headers = list[tuple[bytes, bytes]]


class Answer(NamedTuple):
    """What a client got.

    Attributes:
        status: of HTTP; 101 of a WebSocket that was accepted; None: no answer, or none that was whole.
        replies: texts.
        end: ``complete``, the code of a failure, or empty: none was said.
        close: the WebSocket's close code.
    """

    status: int | None
    replies: tuple[str, ...] = ()
    end: str = ""
    close: int | None = None


class Speaker(AbstractAsyncContextManager["Speaker"], ABC):
    """A call of one way.

    Args:
        way: what is called, and how.
        cell: its name, told to the servicer.
        headers: of the request, more of them.
    """

    def __init__(self, way: Way, cell: str, headers: Headers) -> None:
        self.way = way
        self._asked = 0
        kind, door = way
        self.path = f"/helloworld.Greeter/{kind.value}"
        self.headers = [(b"grpc-metadata-cell", cell.encode()), *headers]
        self.subprotocols = ["asgi-grpc.records.v1"] if door is Door.RECORDS else []
        if not door.is_socket:
            streamed = _TYPES.get(door, _NDJSON)
            sent = b"application/json" if not kind.sends_many else _NDJSON if door is Door.SSE else streamed
            wanted = streamed if kind.gets_many else b"application/json"
            self.headers += [(b"content-type", sent), (b"accept", wanted)]

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
        if self.way.door.is_socket:
            await self.send_text(self.wrapped(document))
        else:
            await self.send_body(self.framed(document), more=True)

    async def end(self) -> None:
        """End the input; over a WebSocket the methods with one request do that themselves."""
        if not self.way.door.is_socket:
            last = b"]" if self.way.kind.sends_many and self.way.door is Door.ARRAY else b""
            await self.send_body(last, more=False)
        elif self.way.kind.sends_many:
            await self.send_text('{"type":"end"}' if self.way.door is Door.RECORDS else "")

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

    def wrapped(self, document: bytes) -> str:
        """The text message of one more document."""
        return f'{{"type":"request","data":{document.decode()}}}' if self.subprotocols else document.decode()

    async def replied(self, count: int) -> None:
        """Wait for so many replies of a stream, or its end; for nothing, where only one will come at the end."""
        while self.way.kind.gets_many and self.output().count(b'"message":') < count and not self.over:
            await self.more()

    @abstractmethod
    async def send_body(self, body: bytes, *, more: bool) -> None:
        """A piece of a body."""

    @abstractmethod
    async def send_text(self, text: str) -> None:
        """A text message."""

    @abstractmethod
    def output(self) -> bytes:
        """What came so far."""

    @property
    @abstractmethod
    def over(self) -> bool:
        """The answer has ended."""

    @abstractmethod
    async def more(self) -> None:
        """Wait until something comes, or the answer ends."""

    @abstractmethod
    async def answer(self) -> Answer:
        """Wait for the end."""


def http_answer(way: Way, status: int, body: bytes) -> Answer:
    """A whole answer of HTTP."""
    if status == 200 and way.kind.gets_many:
        return Answer(200, *_read(records(way.door.value, body)))
    document = msgspec.json.decode(body)
    if status == 200:
        return Answer(200, (document["data"].get("message", ""),), "complete")
    assert document["code"] == status
    return Answer(status, (), document["status"])


def socket_answer(texts: list[str], close: int) -> Answer:
    """All of a WebSocket."""
    return Answer(101, *_read([record(msgspec.json.decode(text)) for text in texts]), close)


def _read(found: list[tuple[str, Any]]) -> tuple[tuple[str, ...], str]:
    """The replies, and the end, behind which nothing may come."""
    replies = tuple(data.get("message", "") for kind, data in found if kind == "response")
    ends = [data["code"] if kind == "error" else kind for kind, data in found if kind != "response"]
    assert len(ends) <= 1
    assert not ends or found[-1][0] != "response"
    return replies, ends[0] if ends else ""
