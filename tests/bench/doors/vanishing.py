"""How long a handler in process runs on after its client has reset the connection."""

from __future__ import annotations

import random
import socket
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import cycle
from math import inf
from statistics import median

from tests.bench.doors.accounting import processor_s
from tests.bench.doors.flood import FOREVER
from tests.bench.doors.load_http import connect, receive
from tests.bench.doors.load_ws import frame, upgraded
from tests.bench.doors.starting import Contender, Running, running
from tests.bench.doors.table import say
from tests.bench.doors.wire import SERVICE, chunked, item, lines, request
from tests.processes import started

SAMPLES = 25
PATIENCE_S = 5.0
BUSY_S = 0.05
ORDER = b'{"count":%d}' % FOREVER
NDJSON = "application/x-ndjson"
WATCHED = Contender("watched", "asgi_grpc in process", "watched", {})


@dataclass(frozen=True)
class Gone:
    """One kind of call whose client goes.

    Attributes:
        what: for people.
        delays: from the reset to the handler's ``CancelledError``, and the server's processor time meanwhile, in
            milliseconds; infinite if it never came.
    """

    what: str
    delays: list[tuple[float, float]]

    @property
    def worst_ms(self) -> float:
        """The longest."""
        return max(delay for delay, _ in self.delays)

    @property
    def worst_busy_ms(self) -> float:
        """The most that the server did before; see ``Beside``."""
        return max(busy for _, busy in self.delays)


def receive_for(connection: socket.socket, seconds: float) -> None:
    """Take what comes for so long."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        receive(connection)


def unary(address: str, busy_s: float) -> socket.socket:
    """A unary call that waits."""
    connection = connect(address)
    connection.sendall(request(SERVICE + "Echo", item(0)))
    time.sleep(busy_s)
    return connection


def down(address: str, busy_s: float) -> socket.socket:
    """A server stream at full speed."""
    connection = connect(address)
    connection.sendall(request(SERVICE + "Down", ORDER, "application/json", f"accept: {NDJSON}"))
    receive_for(connection, busy_s)
    return connection


def up(address: str, busy_s: float) -> socket.socket:
    """A client stream at full speed."""
    connection = connect(address)
    opening, *blocks, _ = chunked(SERVICE + "Up", lines(8192), NDJSON)
    connection.sendall(opening)
    until = time.perf_counter() + busy_s
    for block in cycle(blocks):
        connection.sendall(block)
        if time.perf_counter() > until:
            return connection
    raise AssertionError("a cycle ends")


def idle(address: str, busy_s: float) -> socket.socket:
    """A bidirectional stream that waits for its client."""
    connection = connect(address)
    connection.sendall(b"".join(chunked(SERVICE + "Both", lines(1), NDJSON)[:-1]))
    receive(connection)
    time.sleep(busy_s)
    return connection


def ws_down(address: str, busy_s: float) -> socket.socket:
    """A server stream at full speed over WebSocket."""
    connection = upgraded(address, SERVICE + "Down")
    connection.sendall(frame(ORDER))
    receive_for(connection, busy_s)
    return connection


def ws_idle(address: str, busy_s: float) -> socket.socket:
    """A bidirectional stream over WebSocket that waits for its client."""
    connection = upgraded(address, SERVICE + "Both")
    connection.sendall(frame(item(0)))
    receive(connection)
    time.sleep(busy_s)
    return connection


CALLS = {
    "unary that waits": unary,
    "NDJSON down at full speed": down,
    "NDJSON up at full speed": up,
    "NDJSON both ways, idle": idle,
    "WebSocket down at full speed": ws_down,
    "WebSocket both ways, idle": ws_idle,
}


def reset(connection: socket.socket) -> float:
    """Send RST instead of FIN; return when."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    begin = time.monotonic()
    connection.close()
    return begin


def delays(what: str, door: Running) -> Iterator[tuple[float, float]]:
    """Go away some times, at different moments. See ``Gone``."""
    chance = random.Random(what)
    for _ in range(SAMPLES):
        told = door.program.stdout.count(" .")
        connection = CALLS[what](door.address, BUSY_S * chance.uniform(0.5, 1.5))
        spent = processor_s(door.pids)
        begin = reset(connection)
        while door.program.stdout.count(" .") == told and time.monotonic() < begin + PATIENCE_S:
            time.sleep(0.002)
        news = door.program.stdout.splitlines()[told:]
        if not news:
            yield inf, inf
            continue
        _, at, processor, _ = news[0].split()
        yield (float(at) - begin) * 1e3, (float(processor) - spent) * 1e3


def vanishing() -> Iterator[Gone]:
    """Every kind alone, and the two at full speed beside four other streams."""
    for what in CALLS:
        say(f"vanishing: {what}")
        with running(WATCHED) as door:
            yield Gone(what, list(delays(what, door)))
    for direction in ("up", "down"):
        with ExitStack() as stack:
            say(f"vanishing: {direction}, beside 4 streams")
            door = stack.enter_context(running(WATCHED))
            for _ in range(4):
                command = (sys.executable, "-m", "tests.bench.doors.flood", door.address, direction, "ndjson")
                stack.enter_context(started(*command, ready=r"^flooding"))
            what = f"NDJSON {direction} at full speed"
            yield Gone(what + ", beside 4", list(delays(what, door)))


def show_vanishing(found: list[Gone]) -> None:
    """Print what was found."""
    print(f"\n{'a client resets; until CancelledError, ms':46}", end="")
    print(f"{'median':>10}{'worst':>10}{'server busy, median':>22}{'worst':>9}{'resets':>8}")
    for case in found:
        passed, busy = zip(*case.delays, strict=True)
        print(f"  {case.what:44}{median(passed):10.2f}{max(passed):10.2f}", end="")
        print(f"{median(busy):22.2f}{max(busy):9.2f}{len(busy):8}")
