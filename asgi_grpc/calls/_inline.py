"""The short way of a unary call: the servicer runs in the task that waits for its reply.

It saves a task, a future and two turns of the loop, a quarter of what a small call costs here. ``ServicerCall`` is the
long way, for all other calls; the behaviour suite runs both.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

from google.protobuf.message import Message

from asgi_grpc.calls._context import AsyncContext
from asgi_grpc.calls._handlers import Handler
from asgi_grpc.calls._outbox import Outbox
from asgi_grpc.calls._servicer import ServicerCall


class InlineCall(ServicerCall):
    """A unary call of an async servicer, without a deadline. See ``Call``.

    A servicer that does not end when it is cancelled keeps its caller waiting; nobody else waits then, since only a
    vanished client or the shutdown end such a call from outside.
    """

    _own_cancels = 0
    _cancels_before = 0

    @property
    def is_abandoned(self) -> bool:
        """See ``Serving``."""
        return self._task is not None and self._task.cancelling() > self._cancels_before + self._own_cancels

    async def replies(self) -> AsyncGenerator[list[Message], None]:
        """See ``Call.replies``."""
        yield [await self.only_reply()]

    async def only_reply(self) -> Message:
        """See ``Call``."""
        pull = self._requests
        del self._requests  # it is of whoever holds us: such a circle waits for the garbage collector
        self._input_ended = True
        self.items.extend(await pull())
        self._place.note(self, ended=False)
        task = asyncio.current_task(self._loop)
        assert task is not None
        self._task = task
        self._cancels_before = task.cancelling()
        try:
            await self._serve()
            if self._own_cancels:
                await self._take_back(task)
        finally:
            self._place.note(self, ended=True)
        return self._outcome()

    async def _run(self, handler: Handler) -> None:
        """The servicer. Nobody waits for news of its reply: all of us are one task."""
        outbox = self.outbox = Outbox(handler.own, _no_news)
        request = self.items.popleft() if self.items else await self.first()
        reply = await handler.behaviour(request, AsyncContext(self, self._loop))
        self._replied()
        if self.state.is_ok:
            outbox.put(reply)

    def _outcome(self) -> Message:
        """The reply, or why there is none."""
        if self.is_abandoned:  # the servicer's end is not the end of that
            raise asyncio.CancelledError
        self._check_end()
        assert self.outbox is not None
        return self._only(self.outbox.take())

    def wake(self) -> None:
        """See ``Serving``. Another task of the servicer's may have aborted the call."""
        if self.state.aborted is not None and asyncio.current_task(self._loop) is not self._task:
            self._cancel()

    def _cancel(self) -> None:
        self._own_cancels += self.state.active and self._task is not None
        super()._cancel()

    async def _take_back(self, task: asyncio.Task[None]) -> None:
        """The task goes on: it is not cancelled any more, nor will it be by what we asked for."""
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0)
        while self._own_cancels:
            self._own_cancels -= 1
            task.uncancel()


def _no_news() -> None:
    """Nobody is told."""
