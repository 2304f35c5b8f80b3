"""What the clients need of a connection."""

from __future__ import annotations

from typing import Protocol


class Transport(Protocol):
    """A connection that carries bytes both ways, over a socket or not. One task may send while another receives."""

    async def send(self, data: bytes) -> None:
        """Send bytes; returns when they are taken, which is the backpressure. Sends of two tasks never mix.

        Raises:
            ConnectionLostError: the connection is gone, on either side.
        """

    def post(self, data: bytes) -> None:
        """Send a few bytes without waiting, before whatever is sent next.

        Raises:
            ConnectionLostError: as ``send``.
        """

    async def receive(self) -> bytes:
        """What came, at least a byte; empty at the end of the peer's direction.

        Raises:
            ConnectionLostError: the connection was reset, or aborted by another task of ours.
        """

    async def send_eof(self) -> None:
        """End our direction; the other one stays open.

        Raises:
            ConnectionLostError: as ``send``.
        """

    def close(self) -> None:
        """End the connection properly; what was sent still arrives. Twice is once."""

    def abort(self) -> None:
        """Reset the connection: the peer sees an error, not an end. Twice is once."""
