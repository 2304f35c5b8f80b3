"""Sync servicers: functions and generators in a bounded pool of threads."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, NoReturn, TypeVar

import grpc
import grpc.aio

from asgi_grpc.calls._context import ContextBase
from asgi_grpc.calls._handlers import Handler
from asgi_grpc.calls._outbox import ThreadOutbox
from asgi_grpc.calls._serving import Feeding
from asgi_grpc.errors import CallError, Code

T = TypeVar("T")


class Workers:
    """The threads, and the bound on what they are given.

    Args:
        max_workers: threads at most; each runs one call from its beginning to its end.
        max_queue: calls that wait for one.
    """

    def __init__(self, max_workers: int, max_queue: int) -> None:
        self._max_workers = max_workers
        self._max_calls = max_workers + max_queue
        self._pool: ThreadPoolExecutor | None = None
        self._calls = 0
        self._lock = threading.Lock()

    async def run(self, work: Callable[..., T], *args: Any) -> T:
        """Run something in a thread. Cancelled while it runs, this ends and the thread goes on.

        Raises:
            CallError: RESOURCE_EXHAUSTED, all threads are busy and the queue is full.
        """
        return await asyncio.wrap_future(self.submit(work, *args))

    def submit(self, work: Callable[..., T], *args: Any) -> Future[T]:
        """Give something to the next free thread.

        Raises:
            CallError: as above.
        """
        with self._lock:
            if self._calls >= self._max_calls:
                raise CallError(Code.RESOURCE_EXHAUSTED, "Concurrent RPC limit exceeded!")
            self._calls += 1
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._max_workers, thread_name_prefix="asgi_grpc")
        future = self._pool.submit(work, *args)
        future.add_done_callback(self._ended)
        return future

    @property
    def waiting(self) -> int:
        """How many wait for a thread at this moment."""
        return max(0, self._calls - self._max_workers)

    def close(self) -> None:
        """Start no more; what runs goes on."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)

    def _ended(self, _: Future[Any]) -> None:
        with self._lock:
            self._calls -= 1


async def run_in_thread(call: Feeding, handler: Handler, workers: Workers) -> None:
    """Run a sync servicer, from the call's task; its end is in the state afterwards.

    Raises:
        CallError: RESOURCE_EXHAUSTED, no thread will be free soon.
    """
    run = _Run(call, handler)
    if not handler.request_streaming:
        run.request = await call.first()
    future = workers.submit(contextvars.copy_context().run, run.work)
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    future.add_done_callback(lambda _: _tell(loop, ended.set))

    def note() -> None:
        if (exc := future.exception()) is not None:
            call.state.fail_with(exc)
        else:
            call.state.note_return()

    def leave() -> None:
        call.state.active = False
        run.stop()
        call.state.run_callbacks(in_thread=True)

    try:
        await ended.wait()
        note()
        leave()
    except asyncio.CancelledError:
        leave()
        if not future.cancel():
            await ended.wait()  # for its thread, for as long as the caller waits for us
            note()
        raise


def _tell(loop: asyncio.AbstractEventLoop, news: Callable[[], object]) -> None:
    """Call something on the loop, if there still is one."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(news)


class _Run:
    """One sync servicer at work: half of it on the loop, half in its thread."""

    def __init__(self, call: Feeding, handler: Handler) -> None:
        self._call = call
        self._handler = handler
        self._loop = asyncio.get_running_loop()
        self._outbox = ThreadOutbox(handler.own, call.wake, self._loop)
        self.requests = ThreadRequests(call, self._loop)
        self.request: Any = self.requests
        self.context = SyncContext(call, self._loop)
        call.prepare(handler, self._outbox)

    def work(self) -> None:
        """The servicer, in its thread."""
        state = self._call.state
        result = self._handler.behaviour(self.request, self.context)
        if not self._handler.response_streaming:
            if state.status is Code.OK and state.aborted is None:
                self._outbox.put(result)
            return
        replies = iter(result)
        try:
            for reply in replies:
                state.check_running()
                if state.initial is None:
                    state.initial = ()
                self._outbox.put(reply)
        finally:
            close = getattr(replies, "close", None)
            if close is not None:
                close()

    def stop(self) -> None:
        """Let the thread wait for nothing any more."""
        self._outbox.close()
        self.requests.close()


class ThreadRequests:
    """The requests of a stream, for a blocking ``for``."""

    def __init__(self, call: Feeding, loop: asyncio.AbstractEventLoop) -> None:
        self._call = call
        self._loop = loop
        self._changed = threading.Condition()
        self._fetch: asyncio.Task[None] | None = None
        self._fetching = False
        self._ended = False
        self._open = True

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        """The next request.

        Raises:
            StopIteration: the input is complete.
            grpc.RpcError: the call has ended before its input.
        """
        with self._changed:
            while not self._call.items or self._fetching:
                if not self._open:
                    raise grpc.RpcError
                if self._ended:
                    raise StopIteration
                if not self._fetching:
                    self._fetching = True
                    self._loop.call_soon_threadsafe(self._start)
                self._changed.wait()
            if not self._open:
                raise grpc.RpcError
            return self._call.items.popleft()

    def close(self) -> None:
        """Let nobody wait any more."""
        with self._changed:
            self._open = False
            self._changed.notify_all()
        if self._fetch is not None:
            self._fetch.cancel()

    def _start(self) -> None:
        if self._open:
            self._fetch = self._loop.create_task(self._more())

    async def _more(self) -> None:
        try:
            more = await self._call.fill()
        except CallError as exc:
            more = False
            self._call.end(exc)
        with self._changed:
            self._fetching = False
            self._ended = not more
            self._changed.notify_all()


class SyncContext(ContextBase, grpc.ServicerContext):
    """See ``grpc.ServicerContext``."""

    def send_initial_metadata(self, initial_metadata: Any) -> None:
        """Set the header metadata; it leaves with the answer's head.

        Raises:
            ValueError: it has left already.
            grpc.RpcError: the call has ended.
        """
        if not self._state.active:
            raise grpc.RpcError
        try:
            self._state.send_initial(initial_metadata)
        except grpc.aio.UsageError as exc:
            raise ValueError("Initial metadata no longer allowed!") from exc

    def set_code(self, code: Any) -> None:
        """Set the status code that the call ends with; anything but a ``grpc.StatusCode`` means UNKNOWN."""
        self._state.code = _checked_code(code)

    def abort(self, code: Any, details: str = "", trailing_metadata: Any = ()) -> NoReturn:
        """End the call with this status, and raise."""
        error = self._state.abort(_checked_code(code), details, trailing_metadata)
        _tell(self._loop, self._call.wake)
        raise error

    def abort_with_status(self, status: grpc.Status) -> NoReturn:
        """End the call with this status, and raise."""
        self.abort(status.code, status.details or "", status.trailing_metadata or ())

    def details(self) -> bytes | None:
        """The message that was set, in UTF-8, as grpcio's sync server has it; None: none was."""
        return self._state.details.encode() or None

    def trailing_metadata(self) -> Any:
        """What was set, or None."""
        return super().trailing_metadata() or None

    def time_remaining(self) -> float:
        """Seconds until the deadline; without one, as many as a thread can wait (grpcio's sync server: 292e9 years)."""
        remaining = self._remaining()
        return threading.TIMEOUT_MAX if remaining is None else remaining

    def cancel(self) -> bool:
        """End the call with CANCELLED; False if it has ended."""
        active = self._state.active
        _tell(self._loop, lambda: self._call.end(CallError(Code.CANCELLED, "the service cancelled the call")))
        return active

    def add_callback(self, callback: Callable[[], None]) -> bool:
        """Call something without arguments when the call has ended, on another thread; False if it has."""
        return self._state.add_callback(callback)


def _checked_code(code: Any) -> grpc.StatusCode | None:
    """A code as grpcio's sync server understands it: there numbers are none, and None is OK."""
    return code if code is None or isinstance(code, grpc.StatusCode) else grpc.StatusCode.UNKNOWN
