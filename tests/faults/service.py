"""Greeters whose requests are little programs, and a book of how each of their calls ended.

A program is made of steps, e.g. ``"reply a; hold"``. Those behind ``later`` run when the input has ended.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
from greeter_pb2 import HelloReply
from greeter_pb2_grpc import GreeterServicer

BLOCKED_S = 0.3
PIECE = "x" * 1000  # of a flood


@dataclass
class Note:
    """One call, as its servicer saw it.

    Attributes:
        cell: from the call's metadata.
        programs: that were begun.
        held: of them, how many wait.
        end: ``returned``, ``failed`` (by itself) or ``cancelled``; empty while it runs.
    """

    cell: str
    programs: list[str] = field(default_factory=list)
    held: int = 0
    end: str = ""
    later: list[str] = field(default_factory=list)


class Book:
    """All calls of one back end.

    Attributes:
        notes: one for each.
        blocked: the loop has been blocked.
    """

    def __init__(self) -> None:
        self.notes: list[Note] = []
        self.blocked = False
        self._released = asyncio.Event()
        self._thread_released = threading.Event()
        self._loop = asyncio.get_running_loop()

    def of(self, cell: str) -> list[Note]:
        """The calls of a cell."""
        return [note for note in self.notes if note.cell == cell]

    def release(self) -> None:
        """Nobody holds any more."""
        self._released.set()
        self._thread_released.set()

    async def hold(self, note: Note) -> None:
        """Wait for the release."""
        note.held += 1
        await self._released.wait()

    def hold_thread(self, note: Note, is_active: Callable[[], bool]) -> None:
        """The same in a thread, which has to ask whether its call goes on."""
        note.held += 1
        while not self._thread_released.wait(0.002):
            if not is_active():
                raise grpc.RpcError

    def block(self) -> None:
        """Block the loop, once."""
        if not self.blocked:
            self.blocked = True
            time.sleep(BLOCKED_S)

    def block_from_thread(self) -> None:
        """The same from a thread."""
        self._loop.call_soon_threadsafe(self.block)

    @contextmanager
    def call(self, context: Any) -> Iterator[Note]:
        """Note how one ends."""
        (cell,) = (str(pair[1]) for pair in context.invocation_metadata() if pair[0] == "cell")
        note = Note(cell)
        self.notes.append(note)
        try:
            yield note
        except (asyncio.CancelledError, GeneratorExit, grpc.RpcError, grpc.aio.UsageError):
            note.end = "cancelled"
            raise
        except BaseException:
            note.end = "failed"
            raise
        else:
            note.end = "returned"


def steps(note: Note, program: str) -> Iterator[tuple[str, str]]:
    """The steps to take now, verb and rest; those for later are kept."""
    note.programs.append(program)
    for step in program.split("; "):
        verb, _, rest = step.partition(" ")
        if verb == "later":
            note.later.append(rest)
        else:
            yield verb, rest


class AsyncGreeter(GreeterServicer):
    """Coroutines and async generators."""

    def __init__(self, book: Book) -> None:
        self._book = book

    async def SayHello(self, request: Any, context: Any) -> HelloReply:  # noqa: N802 - gRPC's name
        with self._book.call(context) as note:
            found = [text async for text in self._run(note, request.name, context)]
            found += [text async for text in self._last(note, context)]
            return HelloReply(message=",".join(found))

    async def SayHelloServerStream(self, request: Any, context: Any) -> AsyncIterator[HelloReply]:  # noqa: N802
        with self._book.call(context) as note:
            async for text in self._run(note, request.name, context):
                yield HelloReply(message=text)
            async for text in self._last(note, context):
                yield HelloReply(message=text)

    async def SayHelloClientStream(self, requests: Any, context: Any) -> HelloReply:  # noqa: N802
        with self._book.call(context) as note:
            found: list[str] = []
            async for request in requests:
                found += [text async for text in self._run(note, request.name, context)]
            found += [text async for text in self._last(note, context)]
            return HelloReply(message=",".join(found))

    async def SayHelloBidiStream(self, requests: Any, context: Any) -> AsyncIterator[HelloReply]:  # noqa: N802
        with self._book.call(context) as note:
            async for request in requests:
                async for text in self._run(note, request.name, context):
                    yield HelloReply(message=text)
            async for text in self._last(note, context):
                yield HelloReply(message=text)

    async def _last(self, note: Note, context: Any) -> AsyncIterator[str]:
        for program in note.later:
            async for text in self._run(note, program, context):
                yield text

    async def _run(self, note: Note, program: str, context: Any) -> AsyncIterator[str]:
        for verb, rest in steps(note, program):
            match verb:
                case "reply":
                    yield rest
                case "flood":
                    while True:
                        yield PIECE
                case "hold":
                    await self._book.hold(note)
                case "block":
                    self._book.block()
                case "abort":
                    await context.abort(grpc.StatusCode[rest], "enough")
                case "code":
                    context.set_code(grpc.StatusCode[rest])
                case "raise":
                    raise ValueError("secret")
                case _:
                    raise AssertionError(verb)


class SyncGreeter(GreeterServicer):
    """Functions and generators."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def SayHello(self, request: Any, context: Any) -> HelloReply:  # noqa: N802 - gRPC's name
        with self._book.call(context) as note:
            found = [*self._run(note, request.name, context), *self._last(note, context)]
            return HelloReply(message=",".join(found))

    def SayHelloServerStream(self, request: Any, context: Any) -> Iterator[HelloReply]:  # noqa: N802
        with self._book.call(context) as note:
            for text in self._run(note, request.name, context):
                yield HelloReply(message=text)
            for text in self._last(note, context):
                yield HelloReply(message=text)

    def SayHelloClientStream(self, requests: Any, context: Any) -> HelloReply:  # noqa: N802
        with self._book.call(context) as note:
            found = [text for request in requests for text in self._run(note, request.name, context)]
            found += self._last(note, context)
            return HelloReply(message=",".join(found))

    def SayHelloBidiStream(self, requests: Any, context: Any) -> Iterator[HelloReply]:  # noqa: N802
        with self._book.call(context) as note:
            for request in requests:
                for text in self._run(note, request.name, context):
                    yield HelloReply(message=text)
            for text in self._last(note, context):
                yield HelloReply(message=text)

    def _last(self, note: Note, context: Any) -> Iterator[str]:
        for program in note.later:
            yield from self._run(note, program, context)

    def _run(self, note: Note, program: str, context: Any) -> Iterator[str]:
        for verb, rest in steps(note, program):
            match verb:
                case "reply":
                    yield rest
                case "flood":
                    while True:
                        yield PIECE
                case "hold":
                    self._book.hold_thread(note, context.is_active)
                case "block":
                    self._book.block_from_thread()
                case "abort":
                    context.abort(grpc.StatusCode[rest], "enough")
                case "code":
                    context.set_code(grpc.StatusCode[rest])
                case "raise":
                    raise ValueError("secret")
                case _:
                    raise AssertionError(verb)
