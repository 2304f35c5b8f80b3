"""Replies on their way from a servicer to whoever iterates them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf.message import Message

_MESSAGES = 256
_BYTES = 64 << 10


class Outbox:
    """Holds what a servicer has sent, up to a bound: 256 messages, or 64 KiB of them.

    Args:
        own: makes a reply ours, as the type that is expected.
        news: called when there is something to take.
    """

    def __init__(self, own: Callable[[Any], Message], news: Callable[[], object]) -> None:
        self._own = own
        self._news = news
        self._held: list[Message] = []
        self._bytes = 0
        self._taken: asyncio.Event | None = None

    def __bool__(self) -> bool:
        return bool(self._held)

    @property
    def full(self) -> bool:
        """Whether the servicer has to wait."""
        return len(self._held) >= _MESSAGES or self._bytes >= _BYTES

    def put(self, reply: Any) -> bool:
        """Add a reply; the servicer may change it afterwards.

        Returns:
            Whether the servicer has to wait: see ``room``.

        Raises:
            TypeError: it is not the method's reply.
        """
        message = self._own(reply)
        self._bytes += message.ByteSize()
        held = self._held
        held.append(message)
        if len(held) == 1:
            self._news()
        return len(held) >= _MESSAGES or self._bytes >= _BYTES  # what ``full`` says, without a call for each reply

    async def room(self) -> None:
        """Wait until there is room."""
        while self.full:
            if self._taken is None:
                self._taken = asyncio.Event()
            self._taken.clear()
            await self._taken.wait()

    def take(self) -> list[Message]:
        """All that there is."""
        held, self._held, self._bytes = self._held, [], 0
        if self._taken is not None:
            self._taken.set()
        return held


class ThreadOutbox(Outbox):
    """The same, filled by one worker thread and emptied on the loop.

    Args:
        own: as above.
        news: called on the loop.
        loop: the loop.
    """

    def __init__(self, own: Callable[[Any], Message], news: Callable[[], None], loop: asyncio.AbstractEventLoop):
        super().__init__(own, lambda: loop.call_soon_threadsafe(news))
        self._changed = threading.Condition()
        self._open = True

    def put(self, reply: Any) -> bool:
        """Wait until there is room, and add a reply.

        Returns:
            Whether it was the last for which there is room.

        Raises:
            TypeError: it is not the method's reply.
            grpc.RpcError: the call has ended.
        """
        with self._changed:
            while self.full and self._open:
                self._changed.wait()
            if not self._open:
                raise grpc.RpcError
            return super().put(reply)

    def take(self) -> list[Message]:
        """All that there is."""
        with self._changed:
            self._changed.notify()
            return super().take()

    def close(self) -> None:
        """Let nobody wait any more."""
        with self._changed:
            self._open = False
            self._changed.notify_all()
