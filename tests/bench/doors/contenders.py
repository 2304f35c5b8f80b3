"""Who takes part: how each door is started, and which bytes it is asked with."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from tests.bench.doors.accounting import tree
from tests.bench.doors.load_http import Load, UnaryLoad
from tests.bench.doors.wire import SERVICE, item, request
from tests.processes import UVICORN, started

HERE = "tests.bench.doors.servers."
SERVER = ("--http", "httptools", "--loop", "uvloop", "--ws", "websockets-sansio", "--no-access-log")

MakeLoad = Callable[[str], Load]


@dataclass(frozen=True)
class Contender:
    """One door.

    Attributes:
        name: for ``--only``.
        what: for people.
        app: module of the ASGI application under ``servers``.
        upstream: it needs the ``grpc.aio`` server behind it.
        rows: makes the load of each row that this door can do.
    """

    name: str
    what: str
    app: str
    upstream: bool = False
    rows: Mapping[str, MakeLoad] = field(default_factory=dict)


@dataclass(frozen=True)
class Running:
    """A door that answers, and the processes whose time is its cost."""

    contender: Contender
    address: str
    pids: list[int]


@contextmanager
def running(contender: Contender) -> Iterator[Running]:
    """Start a door, and the server behind it; end both afterwards."""
    with ExitStack() as stack:
        pids, env = [], {}
        if contender.upstream:
            server = stack.enter_context(started(sys.executable, "-m", HERE + "grpc_server"))
            env["BENCH_UPSTREAM"] = server.address
            pids += tree(server.pid)
        command = (sys.executable, "-m", "uvicorn", f"{HERE}{contender.app}:app", "--port", "0", *SERVER)
        door = stack.enter_context(started(*command, ready=UVICORN, env=env))
        yield Running(contender, door.address, [*pids, *tree(door.pid)])


def unary(address: str) -> Load:
    """JSON in, JSON out."""
    return UnaryLoad(address, request(SERVICE + "Echo", item(0)), b"a name of 21 letters.")


JSON_ROWS: dict[str, MakeLoad] = {"unary": unary}

CONTENDERS = [
    Contender("echo", "bare ASGI application", "echo", rows=JSON_ROWS),
    Contender("in-process", "asgi_grpc, servicers in process", "in_process", rows=JSON_ROWS),
    Contender("channel", "asgi_grpc, channel to grpc.aio", "channel", upstream=True, rows=JSON_ROWS),
]
