"""The one protocol between the doors in front and the doors behind.

Requests are pulled, replies are iterated; both move in lists. Nothing here knows of HTTP or JSON.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

from google.protobuf.message import Message

from asgi_grpc.errors import Trailers
from asgi_grpc.schema import Method

Requests = Callable[[], Awaitable[list[Message]]]
"""Pull the next request messages: at least one, or an empty list at the end of the input (half-close).

It may raise ``RequestError``: then the call is cancelled and its iteration raises that error. It is never called again
after the end or an error, and never by two tasks at once.
"""


class Call(Protocol):
    """One gRPC exchange, already started.

    Iterate it for the replies: ``async for messages in call`` yields non-empty lists in order. The iteration ends
    normally only after status OK. It raises ``CallError`` with what the service said, or the ``RequestError`` that the
    request source raised. After it ended, whichever way, nothing of the call runs any more.
    """

    @property
    def trailers(self) -> Trailers:
        """Trailing metadata without the status's own keys; empty until the iteration ended with OK."""
        ...

    async def initial_metadata(self) -> Trailers:
        """Wait for the service's header metadata; empty if the call failed before it sent any."""
        ...

    def __aiter__(self) -> AsyncIterator[list[Message]]:
        """Iterate the replies, once."""
        ...

    def cancel(self) -> None:
        """End the call now, from our side. The iteration then raises ``CallError`` with CANCELLED. Idempotent."""
        ...


class Backend(Protocol):
    """Where methods live."""

    async def open(self) -> None:
        """Get ready to start calls. Idempotent."""
        ...

    def start(
        self, method: Method, requests: Requests, *, metadata: Trailers = (), deadline_s: float | None = None
    ) -> Call:
        """Start a call; it makes progress on its own from here on.

        Args:
            method: of which kind it is decides how often ``requests`` is pulled.
            requests: where the request messages come from.
            metadata: of the request, keys lower-case and legal.
            deadline_s: seconds from now; then the call ends with DEADLINE_EXCEEDED.
        """
        ...

    async def close(self) -> None:
        """Let go of connections. Idempotent; running calls end with CANCELLED or UNAVAILABLE."""
        ...
