"""Ending a running block from elsewhere, with a reason."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self


class ClientGone(Exception):  # noqa: N818 - an event of the wire, not an error of ours
    """The client went away; nobody is left to answer."""


class HeadSent(ClientGone):
    """The client asked for the head of a stream, and has it: the rest of the stream is for nobody."""


class Ending:
    """A block that others may end: ``end(reason)`` cancels what the block awaits, and the block raises the reason.

    Works as ``asyncio.timeout`` does: a cancellation that came from somebody else stays one. To be entered by the task
    that runs the block; ``end`` is for other tasks and for callbacks.
    """

    def __init__(self) -> None:
        self._task: asyncio.Task[object] | None = None
        self._is_soft = False
        self._cancelling = 0
        self._reason: Exception | None = None

    def __enter__(self) -> Self:
        self._task = asyncio.current_task()
        assert self._task is not None
        self._cancelling = self._task.cancelling()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        task, self._task = self._task, None
        assert task is not None
        reason, self._reason = self._reason, None  # whose traceback leads here
        try:
            if reason is not None and self._is_soft and isinstance(exc, Exception):
                raise reason
            if (
                reason is not None
                and not self._is_soft
                and task.uncancel() <= self._cancelling
                and kind is asyncio.CancelledError
            ):
                raise reason
        finally:
            del reason

    def end(self, reason: Exception, soft: Callable[[], bool] | None = None) -> None:
        """End the block. The first reason counts; after the block it means nothing.

        Args:
            reason: to be raised by the block.
            soft: ends what the block awaits, which then fails, if it can: else the task is cancelled.
        """
        if self._task is not None and self._reason is None:
            self._reason = reason
            self._is_soft = soft is not None and soft()
            if not self._is_soft:
                self._task.cancel()
