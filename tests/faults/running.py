"""Runs the cells of one fault before one back end, all at the same time, beside a call that must not notice."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from asgi_grpc import Code
from asgi_grpc.telemetry import CallRecord, Observer
from tests.faults.cells import Back, Door, Kind, Way
from tests.faults.faults import Ends, Fault
from tests.faults.scenes import Scene, Stage, until
from tests.faults.speaking import Answer, Headers, Speaker

Connect = Callable[[Way, str, Headers], Speaker]
"""Makes a client, of a way, a cell's name and more headers."""


class Witness(Observer):
    """Is told by the gateway itself of each start and end, and keeps the codes by cell."""

    def __init__(self) -> None:
        self.started_calls: Counter[str] = Counter()
        self.codes: dict[str, list[Code | None]] = defaultdict(list)

    def started(self, call: CallRecord) -> None:
        """See ``Observer``."""
        self.started_calls[_cell(call)] += 1

    def ended(self, call: CallRecord) -> None:
        """See ``Observer``."""
        self.codes[_cell(call)].append(call.code)

    def told(self, cells: Sequence[Way]) -> dict[Way, tuple[int, list[Code | None]]]:
        """How often each cell's call started, and how it ended each time."""
        return {way: (self.started_calls[str(way)], self.codes[str(way)]) for way in cells}


def _cell(call: CallRecord) -> str:
    return str(dict(call.scope["headers"])[b"grpc-metadata-cell"].decode())


def code_of(answer: Answer) -> Code:
    """What an observer is told of an answer."""
    if answer.end:
        return Code.OK if answer.end == "complete" else Code[answer.end]
    return Code.CANCELLED if answer.status is None else Code.UNAVAILABLE


BESIDE = Way(Kind.BIDI, Door.NDJSON)


async def run_cells(fault: Fault, back: Back, stage: Stage, cells: Sequence[Way], connect: Connect) -> dict[Way, Any]:
    """Run them.

    Returns:
        What the client got, and what the servicer saw: all that it may, if it is among that; or an exception.
    """
    async with _spared(fault, stage, connect):
        results = await asyncio.gather(
            *[_run(fault, back, stage, way, connect) for way in cells], return_exceptions=True
        )
    for task, result in stage.background:
        assert await task == result
    return dict(zip(cells, results, strict=True))


def due(fault: Fault, cells: Sequence[Way]) -> dict[Way, tuple[int, list[Code]]]:
    """What a witness must tell: one start, and one end, which is the one that the client was told."""
    return {way: (1, [code_of(fault.answer(way))]) for way in cells}


def wanted(fault: Fault, back: Back, cells: Sequence[Way]) -> dict[Way, tuple[Answer, Ends]]:
    """What must come of them."""
    return {way: (fault.answer(way), fault.seen(way, back)) for way in cells}


async def nothing_left(stage: Stage, tasks: set[asyncio.Task[Any]]) -> None:
    """Wait until nothing runs any more that did not before."""
    await until(lambda: len(stage.app._gateway.running) == 0)
    await until(lambda: our_tasks() <= tasks)


def our_tasks() -> set[asyncio.Task[Any]]:
    """All tasks but those of wires, and those in which grpcio's server waits for calls: they are renewed."""
    others = ("Wire.", "AioServer._request_")
    return {task for task in asyncio.all_tasks() if not any(name in repr(task) for name in others)}


@asynccontextmanager
async def _spared(fault: Fault, stage: Stage, connect: Connect) -> AsyncIterator[None]:
    """A call beside, which goes on whatever happens to the others."""
    if not fault.spares:
        yield
        return
    async with connect(BESIDE, "beside", []) as client:
        await client.ask("reply here; hold; reply still here")
        await client.replied(1)
        yield
        stage.book.release()
        await client.end()
        assert await client.answer() == Answer(200, ("here", "still here"), "complete")
    await until(lambda: [note.end for note in stage.book.of("beside")] == ["returned"])


async def _run(fault: Fault, back: Back, stage: Stage, way: Way, connect: Connect) -> tuple[Answer, Any]:
    """One cell."""
    name, may_be = str(way), fault.seen(way, back)
    try:
        async with connect(way, name, list(fault.headers)) as client:
            await fault.play(Scene(stage, way, name, client))
            answer = await client.answer()
        notes = stage.book.of(name)
        await until(lambda: all(note.end for note in notes))
    except BaseException:
        await stage.barrier.abort()
        raise
    ends = tuple(note.end for note in notes)
    return answer, may_be if ends in may_be else ends
