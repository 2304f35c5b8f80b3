"""The one protocol between the doors in front and the doors behind.

Requests are pulled, replies are iterated; both move in lists. Nothing here knows of HTTP or JSON.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Protocol, runtime_checkable

from google.protobuf.message import Message

from asgi_grpc.errors import Metadata
from asgi_grpc.schema import Method

Requests = Callable[[], Awaitable[list[Message]]]
"""Pull the next request messages: at least one, or an empty list at the end of the input (half-close).

Methods that take a single message pull once and get exactly that message. It may raise ``RequestError``: then the call
is cancelled and its iteration raises that error. It is never called again after the end or an error, and never by two
tasks at once.
"""


class Call(Protocol):
    """One gRPC exchange.

    A call may have three more members, which are asked for where they are there. ``async def only_reply(self) ->
    Message`` stands in for ``replies`` where the method gives one reply, and may cost less. ``taken: int`` grows while
    the service takes requests that were pulled before: by it the idle timeout knows a slow service from a silent one.
    ``def leave(self) -> bool`` ends a call that waits for its service without a cancellation of the task that iterates
    its replies, and tells whether it could: the iteration then fails soon.
    """

    @property
    def initial_metadata(self) -> Metadata:
        """The service's header metadata; empty until it arrived, which is before the first reply."""
        ...

    @property
    def trailers(self) -> Metadata:
        """Trailing metadata without the status's own keys; empty until the replies ended with OK."""
        ...

    def replies(self) -> AsyncGenerator[list[Message], None]:
        """Run the call and iterate its replies: non-empty lists, in order. To be called once.

        The iteration ends normally only after status OK. Closing it early (``contextlib.aclosing``) or cancelling the
        task that iterates it cancels the call. After it ended, whichever way, nothing of the call runs any more.

        Raises:
            CallError: what the service said; DEADLINE_EXCEEDED and UNAVAILABLE also when no service said it.
            RequestError: what the request source raised.
        """
        ...


@runtime_checkable
class Backend(Protocol):
    """Where methods live. Bring your own by giving one as ``upstream``."""

    async def open(self) -> None:
        """Get ready to start calls. Idempotent."""
        ...

    def start(
        self, method: Method, requests: Requests, *, metadata: Metadata = (), deadline_s: float | None = None
    ) -> Call:
        """Make a call; it starts when its replies are iterated.

        Args:
            method: its kind decides how often ``requests`` is pulled.
            requests: where the request messages come from.
            metadata: of the request, keys lower-case and legal.
            deadline_s: seconds from now; then the call ends with DEADLINE_EXCEEDED.
        """
        ...

    async def close(self) -> None:
        """Let go of connections. Idempotent; running calls end with CANCELLED or UNAVAILABLE."""
        ...
