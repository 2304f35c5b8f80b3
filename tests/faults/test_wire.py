"""Faults of the wire, over real sockets and under uvicorn's stacks: the scripted clients of the matrix are right."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial

import pytest
import uvicorn

from asgi_grpc import Code
from asgi_grpc.asgi import Application, _response
from tests.faults.backs import opened
from tests.faults.cells import WAYS, Back, Way
from tests.faults.faults import (
    CANCELLED,
    RETURNED,
    Fault,
    at,
    both,
    failed,
    fine,
    listening,
    seen,
    sockets,
    unheard,
)
from tests.faults.of_clients import GARBAGE
from tests.faults.of_others import held
from tests.faults.running import nothing_left, our_tasks, run_cells, wanted
from tests.faults.scenes import AMID, PLACES, Scene, Stage
from tests.faults.service import Book
from tests.faults.speaking import PATIENCE_S
from tests.faults.wire_clients import WireClient

STACKS = {"httptools": ("httptools", "websockets-sansio"), "h11": ("h11", "wsproto")}


def faults() -> Iterator[Fault]:
    """What can happen to a connection."""

    async def reset(scene: Scene) -> None:
        assert isinstance(scene.client, WireClient)
        scene.client.reset()

    async def half_close(scene: Scene) -> None:
        assert isinstance(scene.client, WireClient)
        await scene.client.half_close()

    async def trickle(scene: Scene) -> None:
        assert isinstance(scene.client, WireClient)
        await scene.client.trickle(scene.client.document("reply a"))
        if scene.way.kind.sends_many:
            await scene.client.trickle(scene.client.document("reply b"))
        await scene.client.end()

    async def binary(scene: Scene) -> None:
        assert isinstance(scene.client, WireClient)
        await scene.client.send_bytes(b"\x00")

    async def garbage(scene: Scene) -> None:
        await scene.client.ask("reply a")
        await scene.served(1)
        await scene.client.send(GARBAGE)

    for place in PLACES:
        yield Fault(
            name=f"reset-{place.name}", play=held(place, reset), answer=unheard, seen=seen(CANCELLED), exists=at(place)
        )
        yield Fault(
            name=f"half-close-{place.name}",
            play=held(place, half_close),
            answer=unheard,
            seen=seen(CANCELLED),
            exists=at(place),
        )
    yield Fault(
        name="single-bytes",
        play=trickle,
        answer=lambda way: fine(*("a", "b") if way.kind.sends_many else ("a",))(way),
        seen=seen(RETURNED),
    )
    yield Fault(
        name="binary-message",
        play=held(AMID, binary),
        answer=failed(Code.INVALID_ARGUMENT, AMID.replies, close=1003),
        seen=seen(CANCELLED),
        exists=both(at(AMID), sockets),
    )
    yield Fault(
        name="garbage-in-mid-stream",
        play=garbage,
        answer=failed(Code.INVALID_ARGUMENT, ("a",)),
        seen=listening,
        exists=lambda way, _: way.kind.sends_many,
    )


class Server(uvicorn.Server):
    """uvicorn beside the test, on its loop. Signals are the test's own."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield


@asynccontextmanager
async def listening_on(app: Application, stack: str) -> AsyncIterator[int]:
    """A server: its port."""
    http, ws = STACKS[stack]
    config = uvicorn.Config(app, port=0, http=http, ws=ws, lifespan="off", log_config=None)
    server = Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.002)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await task


def ways(fault: Fault, back: Back) -> list[Way]:
    """The cells of a fault before a back end."""
    return [way for way in WAYS if fault.exists(way, back)]


CASES = [(fault, back, stack) for fault in faults() for back in Back for stack in STACKS]


@pytest.mark.parametrize(
    ("fault", "back", "stack"), CASES, ids=[f"{fault}-{back.value}-{stack}" for fault, back, stack in CASES]
)
async def test_a_fault_of_the_wire_is_what_the_matrix_makes_of_it(
    fault: Fault, back: Back, stack: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_response, "EARLY_HEADERS_S", PATIENCE_S)
    cells = ways(fault, back)
    book = Book()
    async with opened(back, book) as (app, wire), listening_on(app, stack) as port:
        tasks = our_tasks()
        stage = Stage(app, book, wire, asyncio.Barrier(len(cells)))
        found = await run_cells(fault, back, stage, cells, partial(WireClient, port))
        await nothing_left(stage, tasks)
    assert found == wanted(fault, back, cells)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_the_wire_has_its_cells() -> None:
    count = sum(len(ways(fault, back)) for fault, back, _ in CASES)
    print(f"{len(list(faults()))} faults of the wire, {count} cells")
    assert count >= 700
