"""Calls over a connection of our own: messages out and in, a status at the end.

Messages move in lists, as they were pulled and as they came: one list is one write.

Source: gRPC over HTTP2.
"""

from __future__ import annotations

import asyncio
import logging
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import cast

from google.protobuf.message import DecodeError as WireError
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from asgi_grpc.calls import Requests, from_grpc
from asgi_grpc.errors import CallError, Code, Metadata, RequestError
from asgi_grpc.framing import Broken, Event, Fault, Frame, PrefixedFramer
from asgi_grpc.http2._connection import Connection
from asgi_grpc.http2._errors import StreamRefused
from asgi_grpc.http2._headers import RequestHeaders, http_problem, read_metadata, read_status
from asgi_grpc.http2._stream import Stream
from asgi_grpc.schema import Method

_PREFIX = struct.Struct(">BI")
_MOST_MESSAGES = 1024  # in one list: a small message is some twenty times as large as its bytes

_log = logging.getLogger("asgi_grpc.error")


class Http2Call:
    """One call. See ``asgi_grpc.calls.Call``.

    Args:
        connect: gives a connection that has room.
        headers: makes the request's fields.
        method: what is called.
        requests: where the request messages come from.
        metadata: of the request.
        deadline_s: seconds from now.
        max_message_bytes: longest reply accepted.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[Connection]],
        headers: RequestHeaders,
        method: Method,
        requests: Requests,
        *,
        metadata: Metadata,
        deadline_s: float | None,
        max_message_bytes: int,
    ) -> None:
        self._connect = connect
        self._headers = headers
        self._method = method
        self._requests = requests
        self._metadata = metadata
        self._deadline = None if deadline_s is None else asyncio.get_running_loop().time() + deadline_s
        self._max_message_bytes = max_message_bytes
        self._read_reply = cast(Callable[[bytes], Message], GetMessageClass(method.output).FromString)
        self.initial_metadata: Metadata = ()
        self.trailers: Metadata = ()
        self.taken: int = 0

    async def replies(self) -> AsyncGenerator[list[Message], None]:
        """Run the call and iterate its replies. See ``Call.replies``."""
        body = None if self._method.client_streaming else await self._whole_body()
        for may_repeat in (body is not None, False):
            try:
                async with aclosing(self._attempt(body)) as replies:
                    async for messages in replies:
                        yield messages
                return
            except StreamRefused as exc:
                if not may_repeat:
                    raise CallError(Code.UNAVAILABLE, "the upstream service takes no more calls") from exc

    async def _attempt(self, body: bytes | None) -> AsyncGenerator[list[Message], None]:
        """Make the call once.

        Args:
            body: the only request; None: requests are pulled and written while replies are read.

        Raises:
            StreamRefused: the service has not begun with it.
        """
        connection = await self._connection()
        stream = connection.open(self._headers.of(self._method.path, self._metadata, self._remaining_s()), body)
        alarm = writer = None
        try:
            if self._deadline is not None:
                alarm = asyncio.get_running_loop().call_at(self._deadline, stream.fail, _deadline_exceeded())
            if body is None:
                writer = asyncio.create_task(self._write(connection, stream))
            elif not stream.half_closed:
                await connection.send(stream, body, end=True)
            await self._read_head(stream)
            received = self._received(stream)
            if self._method.server_streaming:
                async with aclosing(received):
                    async for replies in received:
                        yield replies
            else:
                found = [reply async for replies in received for reply in replies]
                if len(found) != 1:
                    raise CallError(Code.INTERNAL, f"the service sent {len(found)} replies where one is due")
                yield found
        finally:
            if alarm is not None:
                alarm.cancel()
            connection.close_stream(stream)
            if writer is not None:
                writer.cancel()
                await asyncio.wait({writer})

    async def _received(self, stream: Stream) -> AsyncGenerator[list[Message], None]:
        """The replies as they come, then the status. A service that fails may do so within a message."""
        framer = PrefixedFramer(max_frame_bytes=self._max_message_bytes, flags=(0,))
        while chunk := await stream.chunk():
            events = framer.feed(chunk)
            for begin in range(0, len(events), _MOST_MESSAGES):
                replies, failure = self._messages(events[begin : begin + _MOST_MESSAGES])
                if replies:
                    yield replies
                if failure is not None:
                    raise failure
            self._check(events)
        self._read_end(stream)
        self._check(framer.close())

    async def _whole_body(self) -> bytes:
        """The single request of a method that takes one; a body that comes too slowly meets the deadline."""
        try:
            async with asyncio.timeout_at(self._deadline):
                return _packed(await self._requests())
        except TimeoutError as exc:
            raise CallError(Code.DEADLINE_EXCEEDED, "the request was not complete before the deadline") from exc

    async def _connection(self) -> Connection:
        """A connection with room; to make one takes until the deadline at most."""
        try:
            async with asyncio.timeout_at(self._deadline):
                return await self._connect()
        except TimeoutError as exc:
            raise _deadline_exceeded() from exc

    def _remaining_s(self) -> float | None:
        """Seconds until the deadline.

        Raises:
            CallError: it has passed.
        """
        if self._deadline is None:
            return None
        remaining = self._deadline - asyncio.get_running_loop().time()
        if remaining <= 0:
            raise _deadline_exceeded()
        return remaining

    async def _write(self, connection: Connection, stream: Stream) -> None:
        """Write the requests as they come, then half-close. How the call ended is for the replies to say."""
        try:
            while not stream.is_over and (messages := await self._requests()):
                await connection.send(stream, _packed(messages))
                self.taken += len(messages)
            await connection.send(stream, b"", end=True)
        except RequestError as exc:
            stream.fail(exc)
        except Exception:  # noqa: BLE001 - whatever it is, it must end the call, and be seen
            extra = {"method": self._method.full_name}
            _log.exception("reading requests of %s failed", self._method.full_name, extra=extra)
            stream.fail(RequestError("internal error", code=Code.INTERNAL))

    async def _read_head(self, stream: Stream) -> None:
        """Wait for the head of the answer."""
        await stream.answered()
        if stream.head is None:
            return
        if (problem := http_problem(stream.head)) is not None:
            raise problem
        self.initial_metadata = from_grpc(read_metadata(stream.head))

    def _read_end(self, stream: Stream) -> None:
        """Read the status."""
        pairs = read_metadata(stream.trailers)
        says_nothing = stream.head is None and not any(key == "grpc-status" for key, _ in pairs)
        failure = (http_problem(stream.trailers) if says_nothing else None) or read_status(pairs)
        if failure is not None:
            raise failure
        self.trailers = from_grpc(pairs)

    def _messages(self, events: list[Event]) -> tuple[list[Message], CallError | None]:
        """The replies among events; where one can't be read, those before it, and what is wrong with it."""
        replies: list[Message] = []
        try:
            replies.extend(self._read_reply(event.data) for event in events if isinstance(event, Frame))
        except WireError as exc:  # what was read before stays in the list
            failure = CallError(Code.INTERNAL, f"the service's reply is not a {self._method.output.full_name}")
            failure.__cause__ = exc
            return replies, failure
        return replies, None

    def _check(self, events: list[Event]) -> None:
        """Say what is wrong with the messages as they came."""
        if not events or not isinstance(broken := events[-1], Broken):
            return
        if broken.fault is Fault.FRAME_TOO_LARGE:
            raise CallError(
                Code.RESOURCE_EXHAUSTED, f"the service's reply is larger than {self._max_message_bytes} bytes"
            )
        raise CallError(Code.INTERNAL, f"the service's answer is damaged: {broken.fault.value}")


def _packed(messages: list[Message]) -> bytes:
    """Messages as gRPC sends them: each behind its length."""
    parts: list[bytes] = []
    for message in messages:
        data = message.SerializeToString()
        parts += (_PREFIX.pack(0, len(data)), data)
    return b"".join(parts)


def _deadline_exceeded() -> CallError:
    return CallError(Code.DEADLINE_EXCEEDED, "Deadline Exceeded")
