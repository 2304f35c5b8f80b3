"""A connection in memory: two lanes of bytes, and the client's end of both.

A lane keeps the cuts: each piece that is put in is taken out by itself, so a test decides what the other side reads at
once. It holds a bounded number of bytes, and who puts in more waits until they are taken.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial

from asgi_grpc.client import ConnectionLostError


class Lane:
    """One direction of a connection.

    Args:
        most_bytes: held at most, and the longest piece; longer ones are cut.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._pieces: deque[bytes] = deque()
        self._held_bytes = 0
        self._ended = False  # no more is put in
        self._broken = False  # the writer has reset the connection
        self._refusing = False  # the reader is gone
        self._changed = asyncio.Event()
        self._one_writer = asyncio.Lock()

    async def put(self, data: bytes) -> None:
        """Put bytes in; returns when all of them found room. Puts of two tasks never mix.

        Raises:
            ConnectionResetError: the reader is gone, or the writer's own side has ended the lane.
        """
        async with self._one_writer:
            for at in range(0, len(data), self._most_bytes):
                piece = data[at : at + self._most_bytes]
                await self.wait(partial(self._has_room, len(piece)))
                self.post(piece)

    def post(self, data: bytes) -> None:
        """Put bytes in without waiting for room. Raises as ``put``."""
        if self._shut:
            raise ConnectionResetError("the other side is gone")
        if data:
            self._pieces.append(data)
            self._held_bytes += len(data)
            self.wake()

    async def take(self, otherwise: Callable[[], bool] = lambda: False) -> bytes | None:
        """The next piece, empty at the end; None if ``otherwise`` came true before there was one.

        Raises:
            ConnectionResetError: the writer has reset the connection.
        """
        await self.wait(lambda: bool(self._pieces) or self._ended or self._broken or otherwise())
        if self._broken:
            raise ConnectionResetError("the other side has reset the connection")
        if self._pieces:
            piece = self._pieces.popleft()
            self._held_bytes -= len(piece)
            self.wake()
            return piece
        return b"" if self._ended else None

    def end(self) -> None:
        """Nothing more is put in; what is in the lane can still be taken."""
        self._ended = True
        self.wake()

    def reset(self) -> None:
        """Lose what is in the lane: the reader gets an error."""
        self._broken = True
        self._pieces.clear()
        self.wake()

    def refuse(self) -> None:
        """Nothing more is taken out: the writer gets an error."""
        self._refusing = True
        self.wake()

    @property
    def broken(self) -> bool:
        """True once the writer has reset the connection."""
        return self._broken

    def wake(self) -> None:
        """Let every waiting task look again."""
        self._changed.set()

    async def wait(self, settled: Callable[[], bool]) -> None:
        """Wait until something is so; it is asked at every change."""
        while not settled():
            self._changed.clear()
            await self._changed.wait()

    def _has_room(self, size: int) -> bool:
        return self._shut or self._held_bytes + size <= self._most_bytes

    @property
    def _shut(self) -> bool:
        return self._refusing or self._ended or self._broken


class MemoryTransport:
    """The client's end: an ``asgi_grpc.client.Transport``.

    Args:
        outgoing: to the server.
        incoming: from it.
    """

    def __init__(self, outgoing: Lane, incoming: Lane) -> None:
        self._outgoing = outgoing
        self._incoming = incoming
        self._closed = False

    async def send(self, data: bytes) -> None:
        """See ``Transport``."""
        try:
            await self._outgoing.put(data)
        except ConnectionResetError as exc:
            raise ConnectionLostError("nothing can be sent: the connection was ended") from exc

    def post(self, data: bytes) -> None:
        """See ``Transport``."""
        try:
            self._outgoing.post(data)
        except ConnectionResetError as exc:
            raise ConnectionLostError("nothing can be sent: the connection was ended") from exc

    async def receive(self) -> bytes:
        """See ``Transport``."""
        piece = None if self._closed else await self._incoming.take(lambda: self._closed)
        return _there(piece)

    async def send_eof(self) -> None:
        """See ``Transport``."""
        self._outgoing.end()

    def close(self) -> None:
        """See ``Transport``."""
        self._outgoing.end()
        self._leave()

    def abort(self) -> None:
        """See ``Transport``."""
        if not self._closed:
            self._outgoing.reset()
        self._leave()

    def _leave(self) -> None:
        self._closed = True
        self._incoming.refuse()


def _there(piece: bytes | None) -> bytes:
    """What came; None: our side was closed."""
    if piece is None:
        raise ConnectionLostError("the connection was lost: closed on our side")
    return piece
