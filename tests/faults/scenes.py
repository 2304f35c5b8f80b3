"""A scene: one cell of the matrix while it is played; and the places in a call at which faults happen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from asgi_grpc import GrpcMiddleware
from tests.faults.backs import Wire
from tests.faults.cells import Way
from tests.faults.service import Book
from tests.faults.speaking import PATIENCE_S, Speaker

Step = Callable[["Scene", str], Awaitable[None]]


@dataclass
class Stage:
    """What the cells of one fault before one back end share: they are played at the same time.

    Attributes:
        app: the gateway.
        book: what its servicer saw.
        wire: to the server, where there is one.
        barrier: of all cells.
        background: tasks that they began, and what those have to return.
    """

    app: GrpcMiddleware
    book: Book
    wire: Wire | None
    barrier: asyncio.Barrier
    background: list[tuple[asyncio.Task[Any], Any]] = field(default_factory=list)

    def begin(self, work: Coroutine[Any, Any, Any], result: Any) -> None:
        """Run something beside the cells."""
        self.background.append((asyncio.create_task(work), result))


@dataclass
class Scene:
    """One cell."""

    stage: Stage
    way: Way
    name: str
    client: Speaker

    async def served(self, count: int) -> None:
        """So many requests were served, and the replies came."""
        await self.client.replied(count)
        await self._reach(lambda: sum(len(note.programs) for note in self.stage.book.of(self.name)) >= count)

    async def holding(self) -> None:
        """The servicer waits."""
        await self._reach(lambda: any(note.held for note in self.stage.book.of(self.name)))

    async def first(self) -> bool:
        """Wait until all cells are here; one of them is to act."""
        return await self.stage.barrier.wait() == 0

    async def _reach(self, condition: Callable[[], bool]) -> None:
        await until(lambda: condition() or self.client.over)
        if not condition():
            raise TooLateError(self.name)


class TooLateError(Exception):
    """The call ended before it came to its place: on a busy machine its time may be over by then."""


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what happens in another thread, or behind a socket."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.002)


async def before(scene: Scene, program: str) -> None:
    """Before the first reply; the input of methods that take a stream goes on."""
    await scene.client.ask(program)


async def amid(scene: Scene, program: str) -> None:
    """Behind the first message of the stream, whichever side it is of; the input goes on."""
    if scene.way.kind.sends_many:
        await scene.client.ask("reply a")
        await scene.served(1)
        await scene.client.ask(program)
    else:
        await scene.client.ask(f"reply a; {program}")
        await scene.client.replied(1)


async def at_the_end(scene: Scene, program: str) -> None:
    """Behind the last reply and the end of the input, before the status."""
    await scene.client.ask(f"reply a; reply b; later {program}")
    if scene.way.kind.sends_many:
        await scene.client.end()
    await scene.client.replied(2)


@dataclass(frozen=True)
class Place:
    """Where in a call something happens.

    Attributes:
        name: for people.
        run: gets there, and lets the servicer do something there.
        replies: of a stream that came before.
        streams_only: methods without a stream have no such place.
    """

    name: str
    run: Step
    replies: tuple[str, ...]
    streams_only: bool = False


BEFORE = Place("before-the-first-message", before, ())
AMID = Place("in-mid-stream", amid, ("a",), streams_only=True)
AT_THE_END = Place("at-the-end", at_the_end, ("a", "b"))
PLACES = [BEFORE, AMID, AT_THE_END]
