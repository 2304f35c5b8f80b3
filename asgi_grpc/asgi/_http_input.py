"""What an HTTP client sends: the chunks of a body, inflated if need be, to frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from asgi_grpc.asgi._bodies import PieceFramer
from asgi_grpc.asgi._inbox import Inbox
from asgi_grpc.asgi._negotiation import Framer
from asgi_grpc.asgi._requests import Input, to_input
from asgi_grpc.framing import Broken, Event, Inflater, in_pieces


class BodyInput:
    """Cuts a body as it comes.

    Args:
        inbox: gives the chunks of the body; none at its end.
        framer: cuts its bytes.
        inflater: stands in front of the framer where the body is compressed. It inflates no more than is asked for.
    """

    def __init__(self, inbox: Inbox, framer: Framer, inflater: Inflater | None) -> None:
        self._inbox = inbox
        self._framer = framer
        self._inflater = inflater
        self._pieces: Iterator[bytes | Broken] = iter(())

    async def next(self) -> Input:
        """The next piece of the input; not to be called after its end or an error."""
        while (piece := next(self._pieces, None)) is None:
            chunk = b"".join(await self._inbox.read())
            if not chunk:
                return to_input(self._close())
            self._pieces = self._inflate(chunk)
        return to_input([piece] if isinstance(piece, Broken) else self._framer.feed(piece))

    def _inflate(self, chunk: bytes) -> Iterator[bytes | Broken]:
        """A chunk's bytes, a piece at a time; or what is wrong with them."""
        for piece in (chunk,) if self._inflater is None else self._inflater.feed(chunk):
            if isinstance(piece, Broken) or isinstance(self._framer, PieceFramer):  # that one cuts the pieces itself
                yield piece
            else:
                yield from in_pieces(piece)

    async def whole(self) -> Input:
        """All of the input at once, for a body that is one frame; to be called instead of ``next``."""
        while chunks := await self._inbox.read():
            for chunk in chunks:
                for piece in (chunk,) if self._inflater is None else self._inflater.feed(chunk):
                    if events := [piece] if isinstance(piece, Broken) else self._framer.feed(piece):
                        return to_input(events)
        return to_input(self._close())

    def _close(self) -> Sequence[Event]:
        """The end of the compressed data first, then that of the frames in it."""
        damage = [] if self._inflater is None else self._inflater.close()
        return damage if damage and isinstance(damage[0], Broken) else self._framer.close()
