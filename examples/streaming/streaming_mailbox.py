"""Bounded queues between those who say something and those who listen.

Who speaks never waits for who listens: a listener that falls too far behind gets what was in its mailbox, and then
``RESOURCE_EXHAUSTED``. So one slow reader neither stalls a room nor fills the memory, and nothing is lost in silence.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, Self, TypeVar

import grpc
from streaming_calls import Refused

if TYPE_CHECKING:
    from streaming_calls import Context

T = TypeVar("T")

MAILBOX_MESSAGES = 256


class Mailbox(Generic[T]):
    """What waits for one listener, in order; to be iterated by one task."""

    def __init__(self, capacity: int = MAILBOX_MESSAGES) -> None:
        self._capacity = capacity
        self._items: deque[T] = deque()
        self._news = asyncio.Event()
        self._closed = False
        self._overflowed = False

    def put(self, item: T) -> None:
        """Add an item, at once; after ``close()`` or an overflow it is dropped."""
        if self._closed:
            return
        if len(self._items) < self._capacity:
            self._items.append(item)
        else:
            self._closed = self._overflowed = True
        self._news.set()

    def close(self) -> None:
        """Nothing more will come; what is in it stays."""
        self._closed = True
        self._news.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        """Wait for the next item. To be cancelled at any time: no item is lost by it.

        Raises:
            Refused: RESOURCE_EXHAUSTED, once all is read that was put in before the overflow.
        """
        while not self._items:
            if self._overflowed:
                problem = f"the reader is too slow: more than {self._capacity} messages were waiting for it"
                raise Refused(grpc.StatusCode.RESOURCE_EXHAUSTED, problem)
            if self._closed:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        return self._items.popleft()


class Group(Generic[T]):
    """Listeners who hear the same."""

    def __init__(self) -> None:
        self._mailboxes: list[Mailbox[T]] = []

    def __len__(self) -> int:
        return len(self._mailboxes)

    @contextmanager
    def joined(self) -> Iterator[Mailbox[T]]:
        """Be one of them within a ``with`` block."""
        mailbox: Mailbox[T] = Mailbox()
        self._mailboxes.append(mailbox)
        try:
            yield mailbox
        finally:
            self._mailboxes.remove(mailbox)
            mailbox.close()

    def tell(self, item: T, *, but: Mailbox[T] | None = None) -> None:
        """Put an item into every mailbox but one."""
        for mailbox in self._mailboxes:
            if mailbox is not but:
                mailbox.put(item)


async def converse(
    context: Context, first: T, others: AsyncIterator[T], hear: Callable[[T], None], mailbox: Mailbox[T]
) -> None:
    """Hear a client's input, and write what comes into its mailbox, at the same time; the end of the input ends both.

    Args:
        first: input that was read before.
        hear: gets one input; may raise ``Refused``, which is raised here once the mailbox is written.
    """

    async def listen() -> None:
        try:
            hear(first)
            async for item in others:
                hear(item)
        finally:
            mailbox.close()

    listening = asyncio.create_task(listen())
    try:
        async for item in mailbox:
            await context.write(item)
        await listening
    finally:
        listening.cancel()
        await asyncio.wait([listening])
        if not listening.cancelled():
            listening.exception()  # raised above already, or another error was
