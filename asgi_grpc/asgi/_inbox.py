"""What a client sends: taken when the call wants more, and watched for a client that goes away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from asgi_grpc.asgi._ending import ClientGone
from asgi_grpc.asgi._probe import is_broken
from asgi_grpc.asgi._types import Event, Receive
from asgi_grpc.errors import RequestError

PROBE_AFTER_S = 0.05
"""While nothing is read, the connection itself is asked so often whether the client is still there."""

PROBE_AFTER_BYTES = 128 << 10
"""While much is read, the same: what the client sent before it reset the connection may be megabytes."""

_ITEM_BYTES = 64
"""What each item takes besides its bytes: a hundred thousand short ones take more than a quarter of a MiB."""

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
        self._held = 0  # with what stands round each item
        self._unprobed = 0  # bytes that came since the connection was asked
        self.ended = False
        self._watcher: _Watcher | None = None

    @property
    def held_bytes(self) -> int:
        """What was taken from the client and not read yet."""
        return self._held - len(self._items) * _ITEM_BYTES

    async def read(self) -> list[bytes]:
        """What came since, at least one item; an empty list at the end of the input.

        Raises:
            ClientGone: the input will never be complete.
            RequestError: the client sent what it may not.
        """
        while not self._items and not self.ended:
            if self._watcher is None:
                self.take(await self._receive())
            else:
                await self._watcher.wait_for_news()
        items = self.read_now()
        if self._watcher is not None:
            self._watcher.room.set()
        return items

    def read_now(self) -> list[bytes]:
        """What is there already."""
        items, self._items = self._items, []
        self._held = 0
        return items

    def watch(self) -> None:
        """See a disconnect from now on."""
        self._watcher = watcher = _Watcher(asyncio.get_running_loop())
        watcher.task = watcher.loop.create_task(self._watch(watcher))

    async def stop(self) -> None:
        """End the watching."""
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            task = watcher.task
            del watcher.task  # whose traceback leads here
            task.cancel()
            await asyncio.wait({task})

    async def _watch(self, watcher: _Watcher) -> None:
        receive = self._receive
        try:
            while True:
                self.take(await receive())
                if watcher.reader is not None:
                    watcher.tell()
                if self._held > self._read_ahead_bytes:
                    await self._wait_for_room(watcher)
        except (ClientGone, RequestError) as exc:
            self._on_end(exc)

    async def _wait_for_room(self, watcher: _Watcher) -> None:
        """Read nothing until the call has read on.

        Raises:
            ClientGone: it will not be needed.
        """
        while self._held > self._read_ahead_bytes:
            watcher.room.clear()
            try:
                async with asyncio.timeout(PROBE_AFTER_S):
                    await watcher.room.wait()
            except TimeoutError:
                if is_broken(self._receive):
                    raise ClientGone from None

    def take(self, event: Event) -> None:
        """Keep what an event brought, until it is read.

        Raises:
            ClientGone, RequestError: as ``Open`` says.
        """
        item, last = self._opener(event)
        if item is not None:
            size = len(item) + _ITEM_BYTES
            self._items.append(item)
            self._held += size
            self._unprobed += size
            self._on_event()
            if self._unprobed > PROBE_AFTER_BYTES:
                self._unprobed = 0
                if is_broken(self._receive, by_reset=True):
                    raise ClientGone
        if last:
            self.ended = True


class _Watcher:
    """The task that reads ahead, and what it is told."""

    task: asyncio.Task[None]

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.reader: asyncio.Future[None] | None = None  # waits for something to read
        self.room = asyncio.Event()  # there is room for more

    async def wait_for_news(self) -> None:
        """Wait until something came."""
        self.reader = self.loop.create_future()
        try:
            await self.reader
        finally:
            self.reader = None

    def tell(self) -> None:
        """Something came."""
        if self.reader is not None and not self.reader.done():
            self.reader.set_result(None)
