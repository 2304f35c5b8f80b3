"""One HTTP/2 stream, seen from the client: what has arrived of it, and how much may be sent.

The connection puts in, one call takes out. What is kept is bounded by the window that the service was given: it grows
only by what was taken.

Source: RFC 9113, sections 5.1, 5.2 and 8.1.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from asgi_grpc.http2._errors import ErrorCode, Http2StreamError
from asgi_grpc.http2._headers import Fields


class Stream:
    """One request and its answer.

    Args:
        number: of the stream.
        receive_window: bytes that the service may send before something was taken.
        give_back: tells the service that so many bytes were taken.

    Attributes:
        head: the first fields of the answer; None before they are there.
        trailers: the last fields, where the answer has ended with some. An answer without a body has only these.
        has_ended: the service has said all.
        half_closed: we have said all.
        credit: bytes that the service takes, beside what it takes of each stream; below 0 after some were sent.
        writing: done when what is sent has left, or need not leave any more; None: nothing is on its way.
    """

    def __init__(self, number: int, *, receive_window: int, give_back: Callable[[int, int], None]) -> None:
        self.number = number
        self.head: Fields | None = None
        self.trailers: Fields = ()
        self.has_ended = False
        self.half_closed = False
        self.credit = 0
        self.writing: asyncio.Future[None] | None = None
        self._receive_window = receive_window
        self._full_window = receive_window
        self._give_back = give_back
        self._chunks: list[bytes] = []
        self._failure: Exception | None = None
        self._reading: asyncio.Future[None] | None = None

    @property
    def is_over(self) -> bool:
        """Whether there is no more sense in sending."""
        return self.has_ended or self._failure is not None

    async def answered(self) -> None:
        """Wait for the head, or for trailers without one.

        Raises:
            Exception: what ``fail()`` was given.
        """
        while self.head is None and not self.is_over:
            await self._wait()
        if self.head is None and self._failure is not None:
            raise self._failure

    async def chunk(self) -> bytes:
        """What has come of the body, at least a byte; nothing where the answer has ended.

        Raises:
            Exception: what ``fail()`` was given.
        """
        while not self._chunks:
            if self._failure is not None:
                raise self._failure
            if self.has_ended:
                return b""
            await self._wait()
        taken = b"".join(self._chunks)
        self._chunks.clear()
        self._give_back_taken()
        return taken

    def put_fields(self, fields: Fields, *, end: bool) -> None:
        """Fields have come.

        Raises:
            Http2StreamError: trailers that are not the end, or fields behind it.
        """
        if self._failure is not None:
            return
        self._check_open()
        if end:
            self.trailers = fields
            self.has_ended = True
        elif self.head is None:
            if dict(fields).get(b":status", b"").startswith(b"1"):
                return  # RFC 9110, section 15.2: only a foretaste
            self.head = fields
        else:
            raise Http2StreamError(ErrorCode.PROTOCOL_ERROR, "fields in the middle of an answer")
        self._wake()

    def put_data(self, payload: bytes, *, cost: int, end: bool) -> None:
        """A piece of the body has come.

        Args:
            payload: without padding.
            cost: bytes of the window that it used, with padding.
            end: the answer ends here, without trailers.

        Raises:
            Http2StreamError: there was no room for it, or the answer has not begun, or has ended.
        """
        self._receive_window -= cost
        if self._receive_window < 0:
            raise Http2StreamError(ErrorCode.FLOW_CONTROL_ERROR, "more than the window allows")
        if self._failure is not None:
            return
        self._check_open()
        if self.head is None:
            raise Http2StreamError(ErrorCode.PROTOCOL_ERROR, "a body before the head")
        if payload:
            self._chunks.append(payload)
        elif not self._chunks:
            self._give_back_taken()  # only padding: nobody will take it
        if end:
            self.has_ended = True
        if payload or end:
            self._wake()

    def put_failure(self, failure: Exception) -> None:
        """The service or the connection has ended it: whoever reads gets this behind what has come."""
        if not self.is_over:
            self._failure = failure
            self._wake()

    def fail(self, failure: Exception) -> None:
        """We end it: whoever reads gets this now, and what was not taken is lost. An answer that has ended stays."""
        if not self.is_over:
            self._chunks.clear()
            self.put_failure(failure)

    def let_writer_go(self) -> None:
        """What is sent has left, or need not leave any more."""
        if self.writing is not None and not self.writing.done():
            self.writing.set_result(None)

    def _give_back_taken(self) -> None:
        """Give the window back where nothing is left to take; not by the byte: a frame costs more than it carries."""
        taken = self._full_window - self._receive_window
        if not self.is_over and taken >= max(self._full_window // 2, 1):
            self._give_back(self.number, taken)
            self._receive_window = self._full_window

    def _check_open(self) -> None:
        if self.has_ended:
            raise Http2StreamError(ErrorCode.STREAM_CLOSED, "more behind the end of an answer")

    def _wake(self) -> None:
        if self._reading is not None and not self._reading.done():
            self._reading.set_result(None)
        if self.is_over:
            self.let_writer_go()

    async def _wait(self) -> None:
        self._reading = asyncio.get_running_loop().create_future()
        try:
            await self._reading
        finally:
            self._reading = None
