"""Every fault, in every kind of call, through every door, before every back end: the right end, and nothing left.

The clients are scripted, the gateway and the servicers are real, and so are the servers and wires behind channels.
``test_wire.py`` shows that a real server and real sockets make the same of it.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from asgi_grpc import GrpcMiddleware
from asgi_grpc.asgi import _response
from tests.faults.backs import Wire, nowhere, opened, upstream
from tests.faults.cells import WAYS, Back, Door, Kind, Way
from tests.faults.clients import PATIENCE_S, Answer, Client
from tests.faults.faults import Fault
from tests.faults.of_clients import goings, nonsense, slowness
from tests.faults.of_others import servers, servicers, times, upstreams
from tests.faults.scenes import Scene, Stage, until
from tests.faults.service import Book

FAULTS = [fault for source in (servicers, times, upstreams, servers, goings, slowness, nonsense) for fault in source()]
BESIDE = Way(Kind.BIDI, Door.NDJSON)


def ways(fault: Fault, back: Back) -> list[Way]:
    """The cells of a fault before a back end."""
    return [way for way in WAYS if fault.exists(way, back)]


MATRIX = [(fault, back) for fault in FAULTS for back in Back if ways(fault, back)]


@pytest.fixture(autouse=True)
def _patient_heads(monkeypatch: pytest.MonkeyPatch) -> None:
    """An early failure has its status however busy the machine is."""
    monkeypatch.setattr(_response, "EARLY_HEADERS_S", PATIENCE_S)


@asynccontextmanager
async def gateway(fault: Fault, back: Back, book: Book) -> AsyncIterator[tuple[GrpcMiddleware, Wire | None]]:
    """What the fault's upstream is."""
    match fault.upstream:
        case "greeter":
            async with opened(back, book, limits=fault.limits) as (app, wire):
                yield app, wire
        case "nowhere":
            async with nowhere() as port, upstream(port, limits=fault.limits) as app:
                yield app, None
        case kind:
            async with (
                Wire(broken=kind == "broken").listening() as port,
                upstream(port, limits=fault.limits) as app,
            ):
                yield app, None


@asynccontextmanager
async def spared(fault: Fault, stage: Stage) -> AsyncIterator[None]:
    """A call beside, which goes on whatever happens to the others."""
    if not fault.spares:
        yield
        return
    async with Client(stage.app, BESIDE, "beside", []) as client:
        await client.ask("reply here; hold; reply still here")
        await client.replied(1)
        yield
        stage.book.release()
        await client.end()
        assert await client.answer() == Answer(200, ("here", "still here"), "complete")
    assert [note.end for note in stage.book.of("beside")] == ["returned"]


async def play(fault: Fault, back: Back, stage: Stage, way: Way) -> tuple[Answer, Any]:
    """One cell: what the client got, and what the servicer noted (all that may be, if it is among that)."""
    name, may_be = str(way), fault.seen(way, back)
    try:
        async with Client(stage.app, way, name, list(fault.headers)) as client:
            await fault.play(Scene(stage, way, name, client))
            answer = await client.answer()
        notes = stage.book.of(name)
        await until(lambda: all(note.end for note in notes))
    except BaseException:
        await stage.barrier.abort()
        raise
    ends = tuple(note.end for note in notes)
    return answer, may_be if ends in may_be else ends


def ours() -> set[asyncio.Task[Any]]:
    """All tasks but those of wires, and those in which grpcio's server waits for calls: they are renewed."""
    others = ("Wire.", "AioServer._request_")
    return {task for task in asyncio.all_tasks() if not any(name in repr(task) for name in others)}


@pytest.mark.parametrize(("fault", "back"), MATRIX, ids=[f"{fault}-{back.value}" for fault, back in MATRIX])
async def test_a_fault_ends_each_call_in_its_way_and_leaves_nothing(
    fault: Fault, back: Back, caplog: pytest.LogCaptureFixture
) -> None:
    cells = ways(fault, back)
    threads = set(threading.enumerate())
    book = Book()
    async with gateway(fault, back, book) as (app, wire):
        tasks = ours()
        stage = Stage(app, book, wire, asyncio.Barrier(len(cells)))
        async with spared(fault, stage):
            results = await asyncio.gather(*[play(fault, back, stage, way) for way in cells], return_exceptions=True)
        for task, result in stage.background:
            assert await task == result
        await until(lambda: len(app._gateway.running) == 0)
        await until(lambda: ours() <= tasks)
    await until(lambda: {thread for thread in threading.enumerate() if "asgi_grpc" in thread.name} <= threads)
    assert dict(zip(cells, results, strict=True)) == {way: (fault.answer(way), fault.seen(way, back)) for way in cells}
    errors = Counter(record.name for record in caplog.records if record.levelno >= logging.ERROR)
    assert errors == ({fault.errors[back]: len(cells)} if back in fault.errors else {})


def test_the_matrix_has_its_size() -> None:
    cells = Counter({back: sum(len(ways(fault, back)) for fault in FAULTS) for back in Back})
    print(f"{len(FAULTS)} faults, {cells.total()} cells: { ({back.value: count for back, count in cells.items()}) }")
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert cells.total() >= 2000
