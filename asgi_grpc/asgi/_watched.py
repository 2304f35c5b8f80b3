"""One call, counted for those who observe; nothing here is made, called or asked where nobody does."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from google.protobuf.message import Message

from asgi_grpc.asgi._types import Event, Receive, Scope, Send
from asgi_grpc.calls import Requests, ServicerBackend
from asgi_grpc.errors import Code, Metadata
from asgi_grpc.routing import Match
from asgi_grpc.telemetry import CallRecord, Observer, Observers, Transport

Deliver = Callable[[list[Message]], Awaitable[None]]
"""Sends a batch of replies."""


def wire_observers(observers: Sequence[Observer], backend: object) -> Observers:
    """All of them as one; where the methods are servicers of this process, they are told of its queue."""
    found = Observers(observers)
    if isinstance(backend, ServicerBackend):
        found.watch_queue(lambda: backend.workers.waiting)
    return found


class Flow(NamedTuple):
    """What moves through a call.

    Attributes:
        requests: where its messages come from.
        metadata: that goes to the service.
        deliver: sends its replies.
    """

    requests: Requests
    metadata: Metadata
    deliver: Deliver


class WatchedCall:
    """Stands between an exchange, its connection and its call, and counts what passes.

    Args:
        observers: are told.
        match: of the request.
        scope: of the connection.
        receive: of the connection.
        send: of the connection.
    """

    def __init__(self, observers: Observers, match: Match, scope: Scope, receive: Receive, send: Send) -> None:
        route = match.route
        transport: Transport = "websocket" if scope["type"] == "websocket" else "http"
        self._record = CallRecord(route.method, route=route.binding.template, transport=transport, scope=scope)
        self._observers = observers
        self._receive = receive
        self._send = send
        self._is_started = False
        self._untold_in = 0  # bytes that came since the last batch
        self._untold_out = 0

    @property
    def transport(self) -> object:
        """The connection's own, where its ``receive`` has one: ``is_broken`` looks for it here."""
        return getattr(getattr(self._receive, "__self__", None), "transport", None)

    async def receive(self) -> Event:
        """The connection's next event."""
        event = await self._receive()
        size = _size(event)
        self._record.received_bytes += size
        self._untold_in += size
        return event

    async def send(self, event: Event) -> None:
        """Hand an event to the connection."""
        await self._send(event)
        size = _size(event)
        self._record.sent_bytes += size
        self._untold_out += size

    def start(self, transport: Transport, flow: Flow, held: Callable[[], int]) -> Flow:
        """The call is about to start: tell it, and count its messages from now on.

        Args:
            transport: now that the answer's form is known.
            flow: of the call.
            held: tells how much was read from the client and not yet taken.
        """
        record = self._record
        record.transport = transport
        record.hold(held)
        self._tell_start()

        async def requests() -> list[Message]:
            messages = await flow.requests()
            record.received += len(messages)
            self._tell_received(len(messages))
            return messages

        async def deliver(messages: list[Message]) -> None:
            if record.first_sent_at is None:
                record.first_sent_at = time.monotonic()
            await flow.deliver(messages)
            record.sent += len(messages)
            self._tell_sent(len(messages))

        metadata = flow.metadata
        if record.metadata:
            own = [pair for pair in record.metadata.items() if pair[1].isascii() and pair[1].isprintable()]
            metadata = [*(pair for pair in metadata if pair[0] not in record.metadata), *own]
        return Flow(requests, metadata, deliver)

    def note_code(self, code: Code) -> None:
        """The client was told, or is about to be told, how the call ended."""
        self._record.code = code

    def end(self) -> None:
        """The call has ended; nobody was told how if the client was gone."""
        if not self._is_started:
            self._tell_start()
        if self._untold_in:
            self._tell_received(0)
        if self._untold_out:
            self._tell_sent(0)
        record = self._record
        record.hold(None)
        if record.code is None:
            record.code = Code.CANCELLED
        record.ended_at = time.monotonic()
        self._observers.ended(record)

    def _tell_start(self) -> None:
        self._is_started = True
        self._observers.started(self._record)

    def _tell_received(self, messages: int) -> None:
        size, self._untold_in = self._untold_in, 0
        self._observers.received(self._record, messages, size)

    def _tell_sent(self, messages: int) -> None:
        size, self._untold_out = self._untold_out, 0
        self._observers.sent(self._record, messages, size)


def _size(event: Event) -> int:
    """The bytes of a body's piece or of a text message."""
    if body := event.get("body"):
        return len(body)
    text = event.get("text")
    if text is None:
        return 0
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
