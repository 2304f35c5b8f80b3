"""Starts doors, and the server behind them, and knows whose processor time is their cost."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tests.bench.doors.accounting import tree
from tests.bench.doors.load_http import Load
from tests.processes import UVICORN, Started, started

SERVERS = "tests.bench.doors.servers."
UVICORN_OPTIONS = (
    *("--http", "httptools", "--loop", "uvloop", "--ws", "websockets-sansio", "--no-access-log"),
    *("--timeout-keep-alive", "600", "--ws-ping-interval", "600"),  # connections wait for their turn
)


MakeLoad = Callable[[str], Load]


@dataclass(frozen=True)
class Contender:
    """One door.

    Attributes:
        name: for ``--only``.
        what: for people.
        module: under ``servers``: an ASGI application, or a program.
        rows: makes the load of each row that this door can do, from the door's address.
        needs: the package that must be installed for it.
        asgi: it is an application for uvicorn; else a program of its own.
        upstream: it needs the ``grpc.aio`` server behind it.
    """

    name: str
    what: str
    module: str
    rows: Mapping[str, MakeLoad]
    needs: str = "asgi_grpc"
    asgi: bool = True
    upstream: bool = False

    @property
    def installed(self) -> bool:
        """Whether it can take part here."""
        return importlib.util.find_spec(self.needs) is not None


@dataclass(frozen=True)
class Running:
    """A door that answers.

    Attributes:
        address: its host and port.
        program: its own process, with all that it printed.
        pids: its processes.
        behind: those of the server behind it; their time is a part of its cost.
    """

    contender: Contender
    address: str
    program: Started
    pids: list[int]
    behind: list[int]


@contextmanager
def running(contender: Contender) -> Iterator[Running]:
    """Start a door, and the server behind it; end both afterwards."""
    with ExitStack() as stack:
        behind: list[int] = []
        env = {}
        if contender.upstream:
            server = stack.enter_context(started(sys.executable, "-m", SERVERS + "grpc_server"))
            env["BENCH_UPSTREAM"] = server.address
            behind = tree(server.pid)
        module = SERVERS + contender.module
        if contender.asgi:
            command = (sys.executable, "-m", "uvicorn", f"{module}:app", "--port", "0", *UVICORN_OPTIONS)
            door = stack.enter_context(started(*command, ready=UVICORN, env=env))
        else:
            door = stack.enter_context(started(sys.executable, "-m", module, env=env))
        yield Running(contender, door.address, door, tree(door.pid), behind)
