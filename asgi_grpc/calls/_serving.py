"""What the parts of this room need of each other, as types only: so none of them imports who uses it."""

from __future__ import annotations

from collections import deque
from typing import Any, Protocol

import grpc
import grpc.aio

from asgi_grpc.calls._handlers import Handler
from asgi_grpc.calls._outbox import Outbox
from asgi_grpc.calls._state import CallState


class Serving(Protocol):
    """What a context needs of its call."""

    state: CallState

    @property
    def is_abandoned(self) -> bool:
        """Whether the task that waits for the call is being cancelled."""
        ...

    async def read(self) -> Any:
        """The next request, or ``grpc.aio.EOF``."""
        ...

    async def write(self, reply: Any) -> None:
        """Send a reply; waits while too many are on their way."""
        ...

    def wake(self) -> None:
        """Let the caller see that something has changed. To be called on the loop."""
        ...

    def end(self, reason: Exception) -> None:
        """End the call, with what its caller is told."""
        ...


class Feeding(Serving, Protocol):
    """What a servicer in a thread needs of its call besides.

    Attributes:
        items: requests that have come and were not read.
    """

    items: deque[Any]

    async def fill(self) -> bool:
        """Get more requests; False at the end of the input.

        Raises:
            CallError: one can't be read.
        """
        ...

    async def first(self) -> Any:
        """The only request.

        Raises:
            CallError: there is none, or it can't be read.
        """
        ...

    def prepare(self, handler: Handler, outbox: Outbox) -> None:
        """Get ready for a handler, which replies by this outbox."""
        ...


class Registered(Protocol):
    """What the way to a handler needs of the registry."""

    @property
    def sorted_interceptors(self) -> tuple[tuple[grpc.aio.ServerInterceptor, ...], tuple[grpc.ServerInterceptor, ...]]:
        """The async ones and the sync ones."""
        ...

    def find(self, details: Any) -> grpc.RpcMethodHandler[Any, Any] | None:
        """The handler of a call."""
        ...

    def is_fixed(self, path: str) -> bool:
        """Whether every call of a path finds the same handler."""
        ...
