"""A backend that does what a test says, where ``ChannelBackend`` would ask a server; end_to_end/ proves it right."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from pathlib import Path
from typing import Any

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from asgi_grpc import GrpcMiddleware, Schema
from asgi_grpc.calls import Requests
from asgi_grpc.errors import Metadata
from asgi_grpc.schema import Method

GREETER = Schema.from_descriptor_set(Path(__file__).parents[2] / "examples" / "greeter" / "greeter.binpb")
HELLO, DOWN, UP, BIDI = (
    f"/helloworld.Greeter/{name}"
    for name in ("SayHello", "SayHelloServerStream", "SayHelloClientStream", "SayHelloBidiStream")
)


class FakeCall:
    """One call, played by a handler. See ``asgi_grpc.calls.Call``."""

    def __init__(self, backend: FakeBackend, method: Method, requests: Requests, deadline_s: float | None) -> None:
        self.initial_metadata: Metadata = ()
        self.trailers: Metadata = ()
        self.method = method
        self.deadline_s = deadline_s
        self.taken = 0
        self._backend = backend
        self._requests = requests

    def reply(self, text: str) -> Message:
        """A reply with this message."""
        return GetMessageClass(self.method.output)(message=text)

    async def requests(self) -> AsyncIterator[Message]:
        """The requests, as they come."""
        while messages := await self._requests():
            for message in messages:
                self._backend.requests.append(message)
                yield message
            if not self.method.client_streaming:
                return

    async def names(self) -> AsyncIterator[str]:
        """The names asked for, as they come."""
        async for message in self.requests():
            self._backend.names.append(message.name)  # type: ignore[attr-defined]  # a class made at run time
            yield self._backend.names[-1]

    async def replies(self) -> AsyncGenerator[list[Message], None]:
        """See ``Call.replies``."""
        try:
            async for messages in self._backend.handler(self):
                yield messages
        except asyncio.CancelledError:
            self._backend.cancelled.set()
            raise


Handler = Callable[[FakeCall], AsyncIterator[list[Message]]]


class FakeBackend:
    """See ``asgi_grpc.calls.Backend``.

    Attributes:
        requests: all of them.
        names: of all requests, where they were asked for.
        metadata: of the last call.
        calls: all of them.
        cancelled: set when a call is cancelled.
        log: what was opened and closed.
    """

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.requests: list[Message] = []
        self.names: list[str] = []
        self.metadata: Metadata = ()
        self.calls: list[FakeCall] = []
        self.cancelled = asyncio.Event()
        self.log: list[str] = []

    async def open(self) -> None:
        self.log.append("open")

    def start(
        self, method: Method, requests: Requests, *, metadata: Metadata = (), deadline_s: float | None = None
    ) -> FakeCall:
        self.metadata = metadata
        self.calls.append(FakeCall(self, method, requests, deadline_s))
        return self.calls[-1]

    async def close(self) -> None:
        self.log.append("close")


async def greet(call: FakeCall) -> AsyncIterator[list[Message]]:
    """What the Greeter does, in short: one reply to each request, or one to all."""
    if call.method.kind in ("unary", "client_streaming"):
        names = [name async for name in call.names()]
        yield [call.reply("Hello " + ", ".join(names))]
    else:
        async for name in call.names():
            yield [call.reply(f"Hello {name}")]


def gateway(handler: Handler = greet, app: Any = None, **options: Any) -> tuple[GrpcMiddleware, FakeBackend]:
    """The Greeter's methods, played by a handler."""
    backend = FakeBackend(handler)
    return GrpcMiddleware(app, schema=GREETER, upstream=backend, **options), backend
