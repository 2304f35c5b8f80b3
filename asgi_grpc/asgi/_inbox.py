"""What a client sends: taken when the call wants more, and watched for a client that goes away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from asgi_grpc.asgi._ending import ClientGone
from asgi_grpc.asgi._types import Event, Receive
from asgi_grpc.errors import RequestError

Open = Callable[[Event], tuple[bytes | None, bool]]
"""From an ASGI event to its bytes (None: it brought none) and whether it was the last.

Raises:
    ClientGone: the event says so.
    RequestError: the client may not send this.
"""


class Inbox:
    """Reads the events of one connection.

    Until ``watch`` is called, ``read`` itself awaits ``receive()``. From then on a task of the inbox's own keeps one
    ``receive()`` pending, because only there a disconnect shows, and reads ahead up to a bound.

    Args:
        receive: of the ASGI connection.
        opener: what an event holds.
        read_ahead_bytes: kept at most, give or take one event.
        on_end: called once with the reason why nothing can be read any more: ``ClientGone`` or ``RequestError``.
        on_event: called when the client sent something.

    Attributes:
        ended: nothing comes any more, but for what was not read yet. To be set where the request's head says so.
    """

    def __init__(
        self,
        receive: Receive,
        opener: Open,
        *,
        read_ahead_bytes: int,
        on_end: Callable[[Exception], None],
        on_event: Callable[[], None],
    ) -> None:
        self._receive = receive
        self._opener = opener
        self._read_ahead_bytes = read_ahead_bytes
        self._on_end = on_end
        self._on_event = on_event
        self._items: list[bytes] = []
        self._held = 0
        self.ended = False
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._watcher: asyncio.Task[None] | None = None

    async def read(self) -> list[bytes]:
        """What came since, at least one item; an empty list at the end of the input.

        Raises:
            ClientGone: the input will never be complete.
            RequestError: the client sent what it may not.
        """
        while not self._items and not self.ended:
            if self._watcher is None:
                await self._take()
            else:
                self._news.clear()
                await self._news.wait()
        items, self._items = self._items, []
        self._held = 0
        self._room.set()
        return items

    def watch(self) -> None:
        """See a disconnect from now on."""
        self._watcher = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """End the watching."""
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.wait({self._watcher})

    async def _watch(self) -> None:
        try:
            while True:
                await self._take()
                self._news.set()
                while self._held > self._read_ahead_bytes:
                    self._room.clear()
                    await self._room.wait()
        except (ClientGone, RequestError) as exc:
            self._on_end(exc)

    async def _take(self) -> None:
        """One ``receive()``."""
        item, last = self._opener(await self._receive())
        if item is not None:
            self._items.append(item)
            self._held += len(item)
            self._on_event()
        self.ended |= last
