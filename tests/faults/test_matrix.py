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
from functools import partial
from typing import Any

import pytest

from asgi_grpc import GrpcMiddleware
from asgi_grpc.asgi import _response
from asgi_grpc.http2 import _backend
from tests.faults.backs import Wire, nowhere, opened, upstream
from tests.faults.cells import WAYS, Back, Way
from tests.faults.clients import Client
from tests.faults.faults import Fault
from tests.faults.of_clients import goings, nonsense, slowness
from tests.faults.of_others import servers, servicers, times, upstreams
from tests.faults.running import Witness, due, nothing_left, our_tasks, run_cells, wanted
from tests.faults.scenes import Stage, TooLateError, until
from tests.faults.service import Book
from tests.faults.speaking import PATIENCE_S

FAULTS = [fault for source in (servicers, times, upstreams, servers, goings, slowness, nonsense) for fault in source()]


def ways(fault: Fault, back: Back) -> list[Way]:
    """The cells of a fault before a back end."""
    return [way for way in WAYS if fault.exists(way, back)]


MATRIX = [(fault, back) for fault in FAULTS for back in Back if ways(fault, back)]


@pytest.fixture(autouse=True)
def _patient_heads(monkeypatch: pytest.MonkeyPatch) -> None:
    """An early failure has its status however busy the machine is."""
    monkeypatch.setattr(_response, "EARLY_HEADERS_S", PATIENCE_S)


@pytest.fixture(autouse=True)
def _brief_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    """An attempt to connect, which outlives the calls that waited for it, is over before the test is."""
    monkeypatch.setattr(_backend, "_CONNECT_TIMEOUT_S", 4.0)


@asynccontextmanager
async def gateway(
    fault: Fault, back: Back, book: Book, **options: Any
) -> AsyncIterator[tuple[GrpcMiddleware, Wire | None]]:
    """What the fault's upstream is."""
    match fault.upstream:
        case "greeter":
            async with opened(back, book, limits=fault.limits, **options) as (app, wire):
                yield app, wire
        case "nowhere":
            async with nowhere() as port, upstream(back, port, limits=fault.limits, **options) as app:
                yield app, None
        case kind:
            async with (
                Wire(broken=kind == "broken").listening() as port,
                upstream(back, port, limits=fault.limits, **options) as app,
            ):
                yield app, None


async def run(fault: Fault, back: Back, *, watched: bool = False) -> Witness:
    """Run a fault's cells, with more time if that was over too early; they must end as they have to."""
    for patient in (fault, fault.slowed()):
        witness = Witness()
        found = await run_once(patient, back, observers=[witness] if watched else [])
        if not any(isinstance(result, TooLateError) for result in found.values()):
            break
    assert found == wanted(fault, back, ways(fault, back))
    return witness


async def run_once(fault: Fault, back: Back, **options: Any) -> dict[Way, Any]:
    """Run a fault's cells; what came of them."""
    cells = ways(fault, back)
    book = Book()
    async with gateway(fault, back, book, **options) as (app, wire):
        tasks = our_tasks()
        stage = Stage(app, book, wire, asyncio.Barrier(len(cells)))
        found = await run_cells(fault, back, stage, cells, partial(Client, app))
        await nothing_left(stage, tasks)
    return found


@pytest.mark.parametrize(("fault", "back"), MATRIX, ids=[f"{fault}-{back.value}" for fault, back in MATRIX])
async def test_a_fault_ends_each_call_in_its_way_and_leaves_nothing(
    fault: Fault, back: Back, caplog: pytest.LogCaptureFixture
) -> None:
    threads = set(threading.enumerate())
    await run(fault, back)
    await until(lambda: {thread for thread in threading.enumerate() if "asgi_grpc" in thread.name} <= threads)
    errors = Counter(record.name for record in caplog.records if record.levelno >= logging.ERROR)
    assert errors == ({fault.errors[back]: len(ways(fault, back))} if back in fault.errors else {})


@pytest.mark.parametrize("fault", [fault for fault, back in MATRIX if back is Back.ASYNC], ids=str)
async def test_an_observer_is_told_of_one_start_and_one_end_which_is_the_client_s(fault: Fault) -> None:
    witness = await run(fault, Back.ASYNC, watched=True)
    cells = ways(fault, Back.ASYNC)
    assert witness.told(cells) == due(fault, cells)


def test_the_matrix_has_its_size() -> None:
    cells = Counter({back: sum(len(ways(fault, back)) for fault in FAULTS) for back in Back})
    print(f"{len(FAULTS)} faults, {cells.total()} cells: { ({back.value: count for back, count in cells.items()}) }")
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert cells.total() >= 2000
