"""Calls of servicers in this process: no channel, no serialization, no await for each message."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterable
from contextlib import suppress
from typing import Any, Protocol

import grpc.aio
from google.protobuf.message import Message

from asgi_grpc.calls._call import Requests
from asgi_grpc.calls._context import AsyncContext
from asgi_grpc.calls._handlers import Handler
from asgi_grpc.calls._outbox import Outbox
from asgi_grpc.calls._peer import connection
from asgi_grpc.calls._state import GRPC_CODES, CallState, log
from asgi_grpc.calls._sync import Workers, run_in_thread
from asgi_grpc.errors import CallError, Code, Metadata
from asgi_grpc.schema import Method

_FAREWELL_S = 1.0
"""A servicer whose call has ended gets so long to end; its caller waits for it."""

_TURN = 256
"""Requests after which the loop gets a turn, whether anybody suspended or not."""


class Place(Protocol):
    """What a call needs of where the servicers are."""

    @property
    def workers(self) -> Workers:
        """The threads of sync servicers."""
        ...

    async def find(self, method: Method, state: CallState) -> Handler | None:
        """The handler of a method, as the interceptors leave it."""
        ...

    def note(self, call: Any, *, ended: bool) -> None:
        """Note the start and the end of a call."""
        ...


class ServicerCall:
    """One call of a servicer in this process. See ``Call``.

    Args:
        place: where the servicers are.
        method: that is called.
        requests: where its messages come from.
        metadata: of the request.
        deadline_s: seconds from now; None: there is no deadline.
        handler: of the method; None: it is to be found.
    """

    def __init__(
        self,
        place: Place,
        method: Method,
        requests: Requests,
        *,
        metadata: Metadata,
        deadline_s: float | None,
        handler: Handler | None,
    ) -> None:
        self._place = place
        self._method = method
        self._requests = requests
        self._loop = asyncio.get_running_loop()
        deadline = None if deadline_s is None else self._loop.time() + deadline_s
        self.state: CallState = CallState(method.full_name, metadata, deadline, connection.get())
        self.items: deque[Any] = deque()  # requests that the servicer has not read yet
        self._pulled = 0
        self.outbox: Outbox | None = None
        self._handler = handler
        self._input_ended = False
        self._unreadable: Exception | None = None  # why there are no requests after those in items
        self._since_turn = 0
        self._reader: asyncio.Task[Any] | None = None
        self._task: asyncio.Task[None] | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._verdict: Exception | None = None  # why the call ended, where not the servicer says so
        self._served = False

    @property
    def initial_metadata(self) -> Metadata:
        """See ``Call``."""
        return self.state.initial or ()

    @property
    def trailers(self) -> Metadata:
        """See ``Call``."""
        return self.state.trailing if self._served else ()

    @property
    def is_abandoned(self) -> bool:
        """See ``Serving``. The servicer's task is another one, and its state is set before that is cancelled."""
        return False

    @property
    def taken(self) -> int:
        """See ``Call``."""
        return self._pulled - len(self.items)

    async def replies(self) -> AsyncGenerator[list[Any], None]:
        """Run the servicer and iterate its replies. See ``Call.replies``."""
        deadline = self.state.deadline
        if not self._method.client_streaming:
            await self._only_request()
        if deadline is not None and deadline <= self._loop.time():
            raise _deadline_exceeded()
        self._place.note(self, ended=False)
        timer = None if deadline is None else self._loop.call_at(deadline, self.end, _deadline_exceeded())
        self._task = self._loop.create_task(self._serve())
        unary: list[Message] = []
        try:
            while not await self._wait():
                assert self.outbox is not None
                if self._method.server_streaming:
                    yield self.outbox.take()
                else:
                    unary += self.outbox.take()
            if self.state.aborted is not None:
                await asyncio.wait({self._task}, timeout=_FAREWELL_S)
        finally:
            if timer is not None:
                timer.cancel()
            self._place.note(self, ended=True)
            await self._stop(self._task)
            self.outbox, self._requests = None, _no_requests  # both lead back to us: nobody waits for a collection
        self._check_end()
        if not self._method.server_streaming:
            yield [self._only(unary)]

    def end(self, reason: Exception) -> None:
        """End the call from outside of the servicer. The first reason counts; after its end it means nothing."""
        if self._verdict is None and not self._served:
            self._verdict = reason
            if self.state.code is None:
                told = reason.code if isinstance(reason, CallError) else Code.CANCELLED
                self.state.code = GRPC_CODES[told]
            self._cancel()
            self.wake()

    async def read(self) -> Any:
        """The next request, or ``grpc.aio.EOF``. See ``Serving``."""
        self.state.check_running()
        return self.items.popleft() if self.items or await self.fill() else grpc.aio.EOF

    async def write(self, reply: Any) -> None:
        """Send a reply. See ``Serving``."""
        self.state.check_running()
        assert self.outbox is not None
        self._replied()
        if self.outbox.put(reply):
            await self.outbox.room()

    async def fill(self) -> bool:
        """Get more requests; False at the end of the input.

        Raises:
            grpc.aio.UsageError: somebody else is at it.
            Exception: what the servicer's own deserializer raised; for a sync servicer an INTERNAL of it.
        """
        if self._reader is not None:
            raise grpc.aio.UsageError("only one task may read the requests of a call at a time")
        self._reader = asyncio.current_task(self._loop)
        try:
            if not self._input_ended and self._unreadable is None:
                await self._pull()
        finally:
            self._reader = None
        if self._unreadable is not None and not self.items:
            raise self._unreadable
        return bool(self.items)

    def prepare(self, handler: Handler, outbox: Outbox) -> None:
        """Get ready for a handler: its messages may need bytes in between."""
        self._handler = handler
        self.outbox = outbox
        if handler.read is not None:
            items, self.items = self.items, deque()
            self._deserialize(items)

    def wake(self) -> None:
        """Let ``replies`` look. To be called on the loop."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _wait(self) -> bool:
        """Wait for replies, or for the end: then it is True."""
        while True:
            self._waiter = self._loop.create_future()  # first: a worker thread may have news at any moment
            if self.outbox:
                return False
            if self._served or self._verdict is not None or self.state.aborted is not None:
                return True
            await self._waiter

    async def _only_request(self) -> None:
        """The single request of a method that takes one; a body that comes too slowly meets the deadline."""
        self._input_ended = True
        if self.state.deadline is None:
            self.items.extend(await self._requests())
            return
        try:
            async with asyncio.timeout_at(self.state.deadline):
                self.items.extend(await self._requests())
        except TimeoutError as exc:
            raise _deadline_exceeded() from exc

    async def _pull(self) -> None:
        try:
            batch = await self._requests()
        except Exception as exc:
            self._input_ended = True
            self.end(exc)
            await self._loop.create_future()  # the end of the call cancels us
            raise
        assert self._handler is not None
        self._input_ended = not batch
        if self._handler.read is None:
            self.items.extend(batch)
        else:
            self._deserialize(batch)
        self._pulled += len(batch)
        self._since_turn += len(batch)
        if self._since_turn >= _TURN:
            self._since_turn = 0
            await asyncio.sleep(0)

    def _deserialize(self, batch: Iterable[Any]) -> None:
        """Take requests through a servicer's own deserializer; the first that it refuses is the last."""
        assert self._handler is not None
        assert self._handler.read is not None
        try:
            for request in batch:
                self.items.append(self._handler.read(request))
        except Exception as exc:  # noqa: BLE001 - it is the servicer's
            self._unreadable = exc
            if not self._handler.is_async:
                extra = {"method": self.state.method}
                log.error("%s: a request was not deserialized", self.state.method, exc_info=exc, extra=extra)
                self._unreadable = CallError(Code.INTERNAL, "Exception deserializing request!")

    async def _serve(self) -> None:
        """Run the servicer; its end is in the state afterwards."""
        state = self.state
        try:
            handler = self._handler or await self._place.find(self._method, state)
            if handler is None:
                state.fail(Code.UNIMPLEMENTED, "Method not found!")
            elif handler.is_async:
                await self._run(handler)
                state.note_return()
            else:
                await run_in_thread(self, handler, self._place.workers)
        except asyncio.CancelledError:
            if self._verdict is None and state.active:
                state.fail(Code.CANCELLED, "the service cancelled the call")
        except CallError as exc:
            state.fail(exc.code, exc.message)
        except Exception as exc:  # noqa: BLE001 - a servicer may raise anything
            state.fail_with(exc)
        finally:
            self._served = True
            state.active = False
            if state.aborted is not None:
                state.aborted.__traceback__ = None  # it leads to the servicer, who leads back here
            self.wake()
            state.run_callbacks()

    async def _run(self, handler: Handler) -> None:
        """An async servicer, in the call's own task."""
        outbox = Outbox(handler.own, self.wake)
        self.prepare(handler, outbox)
        context = AsyncContext(self, self._loop)
        request = RequestIterator(self) if handler.request_streaming else await self.first()
        result = handler.behaviour(request, context)
        if not handler.is_generator:
            reply = await result
            self._replied()
            if not handler.response_streaming and self.state.is_ok:
                outbox.put(reply)
            return
        state = self.state
        try:
            async for reply in result:  # what write() does, without a call of anything for each reply
                if not state.active or state.aborted is not None:
                    state.check_running()
                if state.initial is None:
                    state.initial = ()
                if outbox.put(reply):
                    await outbox.room()
        except asyncio.CancelledError as exc:
            await _cancel_generator(result, exc)
            raise
        finally:
            await result.aclose()

    async def first(self) -> Any:
        """The only request, for a servicer that takes one."""
        if not self.items and not await self.fill():
            raise CallError(Code.UNIMPLEMENTED, f"{self._method.full_name} requires exactly one request message")
        return self.items.popleft()

    def _check_end(self) -> None:
        """Raise why the call has failed, if it has; nothing of it stays here, where its traceback leads."""
        if reason := self._verdict or self.state.error():
            self._verdict = None
            try:
                raise reason
            finally:
                del reason

    def _only(self, replies: list[Message]) -> Message:
        """The reply of a method that gives one."""
        if len(replies) != 1:
            raise CallError(Code.INTERNAL, f"expected one reply of {self._method.full_name}, got {len(replies)}")
        return replies[0]

    def _replied(self) -> None:
        if self.state.initial is None:
            self.state.initial = ()

    def _cancel(self) -> None:
        """Cancel the servicer, once: a second time would disturb its cleaning up."""
        if self.state.active and self._task is not None:
            self.state.active = False
            self._task.cancel()

    async def _stop(self, task: asyncio.Task[None]) -> None:
        """Leave nothing behind that runs."""
        if not task.done():
            if self._verdict is None and self.state.code is None and self.state.active:
                self.state.code = GRPC_CODES[Code.CANCELLED]
            self._cancel()
            await asyncio.wait({task}, timeout=_FAREWELL_S)
            if not task.done():
                extra = {"method": self.state.method}
                log.warning("%s: the servicer goes on after the end of its call", self.state.method, extra=extra)
        if self._reader is not None:
            self._reader.cancel()


class RequestIterator:
    """The requests of a stream, for ``async for``. Batches come at once: only an empty one makes it wait."""

    def __init__(self, call: ServicerCall) -> None:
        self._call = call

    def __aiter__(self) -> RequestIterator:
        return self

    async def __anext__(self) -> Any:
        """The next request."""
        call = self._call
        if call.items or await call.fill():
            return call.items.popleft()
        raise StopAsyncIteration


async def _cancel_generator(generator: Any, exc: asyncio.CancelledError) -> None:
    """Let a generator that waits in a ``yield`` see the cancellation there; one that has seen it is exhausted."""
    with suppress(asyncio.CancelledError, StopAsyncIteration):
        await generator.athrow(exc)


async def _no_requests() -> list[Any]:
    return []


def _deadline_exceeded() -> CallError:
    return CallError(Code.DEADLINE_EXCEEDED, "Deadline Exceeded")
