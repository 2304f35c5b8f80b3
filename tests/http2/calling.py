"""A call over a connection whose other end is played."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from google.protobuf.message import Message

from asgi_grpc.errors import Metadata
from asgi_grpc.http2._call import Http2Call
from asgi_grpc.http2._connection import Connection
from asgi_grpc.http2._headers import RequestHeaders
from asgi_grpc.schema import Method
from tests.calls.facts import Outcome, outcome_of
from tests.calls.servers import UNARY, source
from tests.http2.peer import Peer

HEADERS = RequestHeaders("host:1", "http", "us/1")


async def settle() -> None:
    """Let all tasks run until they wait."""
    for _ in range(8):
        await asyncio.sleep(0)


class Call:
    """A call of one method over one connection, which nobody runs yet."""

    def __init__(
        self,
        method: Method = UNARY,
        requests: Callable[[], Awaitable[list[Message]]] | None = None,
        *,
        peer: Peer | None = None,
        metadata: Metadata = (),
        deadline_s: float | None = None,
        window_bytes: int = 1000,
        connect: Callable[[], Awaitable[Connection]] | None = None,
    ) -> None:
        self.peer = peer or Peer(window_bytes=window_bytes)
        self.call = Http2Call(
            connect or self.connect,
            HEADERS,
            method,
            requests or source(["hi"]),
            metadata=metadata,
            deadline_s=deadline_s,
            max_message_bytes=500,
        )

    async def connect(self) -> Connection:
        return self.peer.connection


class Calling(Call):
    """A call that runs.

    Attributes:
        outcome: the whole of it, when it is done.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.outcome: asyncio.Task[Outcome] = asyncio.create_task(outcome_of(self.call))

    async def sent(self) -> list[Any]:
        """What the service has got, as soon as all is quiet."""
        await settle()
        return self.peer.sent()

    async def told(self, *frames: Any) -> Outcome:
        """How it ends after these frames."""
        await settle()
        self.peer.feed(*frames)
        return await self.outcome
