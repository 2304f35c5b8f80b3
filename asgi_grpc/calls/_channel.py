"""Calls through a ``grpc.aio`` channel: messages out and in, a status at the end.

Every kind uses grpcio's own multi-callable for it. A stream of requests is written by one task, which lives as long as
the replies are iterated; the kinds with a single request need no task.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from typing import Any
from weakref import WeakSet

import grpc
import grpc.aio
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from asgi_grpc.calls._call import Requests
from asgi_grpc.calls._metadata import from_grpc, status_details
from asgi_grpc.errors import CallError, Code, ConfigurationError, Metadata, RequestError
from asgi_grpc.schema import Method

_log = logging.getLogger("asgi_grpc.error")

# What grpcio says when no service answered names addresses and errno texts: those are for our log, not for the peer.
_NO_CONNECTION = (
    "failed to connect",
    "name resolution",
    "dns resolution",
    "connections to all backends",
    "empty address",
)
_LOST_CONNECTION = ("ipv4:", "ipv6:", "unix:", "recvmsg:", "sendmsg:", "socket closed", "connection reset", "goaway")

_OVERWRITTEN = "Internal error from Core"
_TOO_LATE = "Deadline Exceeded"
_TRUE_END_S = 5.0
_LATE_END_S = 0.5  # where the deadline has passed, which is a reason by itself

ChannelOptions = Sequence[tuple[str, Any]]
"""Channel arguments, by the names that grpcio documents."""

Credentials = grpc.ChannelCredentials

Upstream = str | grpc.aio.Channel
"""A gRPC target such as ``"localhost:50051"`` or ``"dns:///greeter:50051"``, or a ready channel."""


class ChannelBackend:
    """Methods behind a gRPC channel.

    Args:
        upstream: a target, for a channel that is made at ``open()``; or a ready channel, which is used and never
            closed. It must have been made on the event loop that serves.
        credentials: of the channel made here, e.g. ``grpc.ssl_channel_credentials()``; None: it is insecure.
        options: of the channel made here.
    """

    def __init__(
        self, upstream: Upstream, *, credentials: Credentials | None = None, options: ChannelOptions = ()
    ) -> None:
        self._target = upstream if isinstance(upstream, str) else None
        self._channel = None if isinstance(upstream, str) else upstream
        self._credentials = credentials
        self._options = options
        self._callables: dict[Method, Any] = {}
        self._calls: WeakSet[ChannelCall] = WeakSet()
        self._open = False

    async def open(self) -> None:
        """Make the channel, on the running loop; grpcio connects with the first call.

        Raises:
            ConfigurationError: a ready channel belongs to another event loop, on which its calls would wait for ever.
        """
        if self._open:
            return
        if self._target is not None and self._credentials is not None:
            self._channel = grpc.aio.secure_channel(self._target, self._credentials, options=self._options)
        elif self._target is not None:
            self._channel = grpc.aio.insecure_channel(self._target, options=self._options)
        elif getattr(self._channel, "_loop", None) not in (None, asyncio.get_running_loop()):
            raise ConfigurationError(
                "the upstream channel was made before the server's event loop ran: "
                "give its target instead, and credentials where it needs some"
            )
        self._open = True

    def start(
        self, method: Method, requests: Requests, *, metadata: Metadata = (), deadline_s: float | None = None
    ) -> ChannelCall:
        """Make a call. See ``Backend.start``."""
        call = ChannelCall(self._callable(method), method, requests, metadata, deadline_s)
        self._calls.add(call)
        return call

    async def close(self) -> None:
        """Close the channel that ``open()`` made; its calls end, which grpcio before 1.84 does not see to."""
        if self._target is not None and self._channel is not None:
            channel, self._channel, self._open = self._channel, None, False
            self._callables.clear()
            for call in list(self._calls):
                call.end()
            await channel.close()

    def _callable(self, method: Method) -> Any:  # grpcio's four multi-callables have no common type
        """The method's multi-callable, made once."""
        found = self._callables.get(method)
        if found is None:
            assert self._channel is not None, "open() comes first"
            make = {
                "unary": self._channel.unary_unary,
                "server_streaming": self._channel.unary_stream,
                "client_streaming": self._channel.stream_unary,
                "bidirectional": self._channel.stream_stream,
            }[method.kind]
            found = self._callables[method] = make(
                method.path,
                request_serializer=GetMessageClass(method.input).SerializeToString,
                response_deserializer=GetMessageClass(method.output).FromString,
            )
        return found


class ChannelCall:
    """One call through a channel. See ``Call``."""

    def __init__(
        self, callable_: Any, method: Method, requests: Requests, metadata: Metadata, deadline_s: float | None
    ) -> None:
        self._callable = callable_
        self._method = method
        self._requests = requests
        self._metadata = metadata
        self._deadline = None if deadline_s is None else asyncio.get_running_loop().time() + deadline_s
        self._grpc: Any = None
        self._refusal: RequestError | None = None
        self._end: grpc.aio.AioRpcError | None = None
        self._ended = asyncio.Event()
        self._waits = False  # for the service, and for nothing else
        self._left = False
        self.initial_metadata: Metadata = ()
        self.taken: int = 0
        self.trailers: Metadata = ()

    async def replies(self) -> AsyncGenerator[list[Message], None]:
        """Run the call and iterate its replies. See ``Call.replies``."""
        writer: asyncio.Task[None] | None = None
        try:
            if self._method.client_streaming:
                self._grpc = self._callable(timeout=self._remaining(), metadata=self._metadata)
                self._grpc.add_done_callback(self._note_end)
                writer = asyncio.create_task(self._write())
            else:
                request = await self._only_request()
                self._grpc = self._callable(request, timeout=self._remaining(), metadata=self._metadata)
            self._waits = True
            self.initial_metadata = from_grpc(await self._grpc.initial_metadata())
            if self._method.server_streaming:
                # Not by read(): after a write that met the end of the call it hands out no reply any more.
                async with aclosing(aiter(self._grpc)) as received:
                    async for reply in received:
                        self._came()
                        yield [self._readable(reply)]
                        self._waits = True
                self._came()
            else:
                reply = await self._grpc
                self._came()
                yield [self._readable(reply)]
            end = self._end
            self.trailers = from_grpc(end.trailing_metadata() if end else await self._grpc.trailing_metadata())
        except (grpc.aio.AioRpcError, asyncio.CancelledError) as exc:
            if isinstance(exc, asyncio.CancelledError) and _is_being_cancelled():
                raise
            self._came()
            if (reason := await self._reason(exc)) is not None:
                try:
                    raise reason from exc
                finally:
                    del reason  # whose traceback leads here
        finally:
            self._waits = False
            if self._grpc is not None:
                _cancel(self._grpc)
            if writer is not None:
                writer.cancel()
                await asyncio.wait({writer})
            self._requests = _ended  # whoever made them may hold this call: nobody waits for a collection then

    def end(self) -> None:
        """End the call, wherever it is; whoever iterates its replies learns so."""
        if self._grpc is not None:
            _cancel(self._grpc)

    def leave(self) -> bool:
        """End the call if its replies are being waited for: they end soon, with CANCELLED.

        To cancel the task that waits would lose what has arrived in between, and the buffer it was read with: ten
        kilobytes of a busy stream. Source: grpc/grpc#43360.
        """
        if self._waits:
            self._left = True
            _cancel(self._grpc)
        return self._waits

    def _came(self) -> None:
        """What was waited for is there; it is nobody's any more if the call was left in the meantime.

        Raises:
            CallError: it was.
        """
        self._waits = False
        if self._left:
            raise CallError(Code.CANCELLED, "nobody waits for replies any more")

    def _remaining(self) -> float | None:
        """Seconds until the deadline.

        Raises:
            CallError: it has passed. grpcio takes zero and less as over, but not always before the service has replied.
        """
        if self._deadline is None:
            return None
        remaining = self._deadline - asyncio.get_running_loop().time()
        if remaining <= 0:
            raise CallError(Code.DEADLINE_EXCEEDED, _TOO_LATE)
        return remaining

    async def _only_request(self) -> Message:
        """The single request of a method that takes one; a body that comes too slowly meets the deadline."""
        try:
            async with asyncio.timeout_at(self._deadline):
                (request,) = await self._requests()
        except TimeoutError as exc:
            raise CallError(Code.DEADLINE_EXCEEDED, "the request was not complete before the deadline") from exc
        return request

    async def _write(self) -> None:
        """Write the requests as they come, then half-close. How the call ended is for the replies to say."""
        call = self._grpc
        try:
            while messages := await self._requests():
                for message in messages:
                    await call.write(message)
                    self.taken += 1
            await call.done_writing()
        except RequestError as exc:
            self._refusal = exc
            _cancel(call)
        except (grpc.aio.AioRpcError, grpc.aio.InternalError, asyncio.InvalidStateError):
            pass  # the call ended before its input did; InternalError: done_writing() met the end
        except Exception:  # noqa: BLE001 - whatever it is, it must end the call, and be seen
            extra = {"method": self._method.full_name}
            _log.exception("reading requests of %s failed", self._method.full_name, extra=extra)
            self._refusal = RequestError("internal error", code=Code.INTERNAL)
            _cancel(call)

    def _note_end(self, call: Any) -> None:
        """Keep the status that the call ended with: a write that meets the end puts an INTERNAL over it.

        It may do so before the status is there; then grpcio tells of the end twice.

        Source: grpc/grpc#36066.
        """
        code, trailers, text = (_now(each) for each in (call.code(), call.trailing_metadata(), call.details()))
        if self._end is None and text != _OVERWRITTEN:
            self._end = grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailers, text)
            self._ended.set()

    async def _true_end(self) -> grpc.aio.AioRpcError | None:
        """The status under an INTERNAL; it is there, or will be soon."""
        is_late = self._deadline is not None and asyncio.get_running_loop().time() >= self._deadline
        with suppress(TimeoutError):
            async with asyncio.timeout(_LATE_END_S if is_late else _TRUE_END_S):
                await self._ended.wait()
        if self._end is None and is_late:  # once in many thousands grpcio never tells
            nothing = grpc.aio.Metadata()
            return grpc.aio.AioRpcError(grpc.StatusCode.DEADLINE_EXCEEDED, nothing, nothing, _TOO_LATE)
        return self._end

    def _readable(self, reply: Message | None) -> Message:
        """A reply; None is what grpcio makes, with a line in its log, of bytes that are not the message."""
        if reply is None:
            raise CallError(Code.INTERNAL, f"the service's reply is not a {self._method.output.full_name}")
        return reply

    async def _reason(self, exc: BaseException) -> CallError | RequestError | None:
        """Why the call failed, in our words; None: it did not, all replies are there."""
        if self._refusal is not None:
            refusal, self._refusal = self._refusal, None  # its traceback leads here
            return refusal
        if not isinstance(exc, grpc.aio.AioRpcError):  # grpcio's CancelledError, and nobody cancelled this task
            return CallError(Code.CANCELLED, "the channel to the service was closed")
        if exc.details() == _OVERWRITTEN and (end := await self._true_end()) is not None:
            if end.code() is not grpc.StatusCode.OK:
                exc = end
            elif self._method.server_streaming:
                self.trailers = from_grpc(end.trailing_metadata())
                return None
        metadata = exc.trailing_metadata()
        trailers, text = from_grpc(metadata), exc.details() or ""
        if exc.code() is grpc.StatusCode.UNAVAILABLE:
            text = self._without_addresses(text)
        return CallError(Code(exc.code().value[0]), text, details=status_details(metadata), trailers=trailers)

    def _without_addresses(self, text: str) -> str:
        """grpcio's own words about a connection, told without its addresses; a service's words as they are."""
        told = {
            _NO_CONNECTION: "the upstream service can't be reached",
            _LOST_CONNECTION: "the upstream connection broke",
        }
        for beginnings, words in told.items():
            if text.lower().startswith(beginnings):
                _log.warning("%s: %s", self._method.full_name, text, extra={"method": self._method.full_name})
                return words
        return text


async def _ended() -> list[Message]:
    """The requests of a call that has ended."""
    return []


def _cancel(call: Any) -> None:
    """Cancel a call and no task of grpcio's: each then sees the end, and frees what it holds.

    ``call.cancel()`` cancels those that wait for Core as well, which lose what Core was given: over a kilobyte with
    each unary call. Calls that interceptors have made have none of their own.

    Source: grpc/grpc#43360.
    """
    core = getattr(call, "_cython_call", None)
    if core is None:
        call.cancel()
    elif not core.done():
        core.cancel("Locally cancelled by application!")


def _is_being_cancelled() -> bool:
    """Whether somebody cancelled the running task itself."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _now(coroutine: Any) -> Any:
    """What a coroutine of a call that has ended returns: it has nothing to wait for."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("the call has not ended")
