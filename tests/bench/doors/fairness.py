"""How long a unary call takes beside streams at full speed in the same process.

A server's ``send()`` and ``receive()`` need not suspend, so whoever loops over them may keep the loop to itself.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from math import nan
from statistics import median

from tests.bench.doors.accounting import processor_s
from tests.bench.doors.load_http import answer_of, connect
from tests.bench.doors.starting import Contender, Running, running
from tests.bench.doors.table import say
from tests.bench.doors.wire import SERVICE, item, request
from tests.processes import started

SECONDS = 2.0
STREAMS = {"in-process": (1, 4), "connectrpc": (1,)}
FORMS = {"in-process": "ndjson", "connectrpc": "connect"}


@dataclass(frozen=True)
class Beside:
    """Unary calls, one after the other, beside some streams.

    Attributes:
        latencies_ms: of every call that was answered.
        busy_ms: the server's processor time meanwhile: on a machine with nothing else to do it would be the latency.
        stuck: the last call was not answered within ``SECONDS``.
    """

    contender: Contender
    streams: int
    direction: str
    latencies_ms: list[float]
    busy_ms: list[float]
    stuck: bool

    @property
    def median_ms(self) -> float:
        """Infinite if nothing was answered."""
        return median(self.latencies_ms) if self.latencies_ms else float("inf")

    @property
    def worst_ms(self) -> float:
        """Infinite if a call was not answered."""
        return float("inf") if self.stuck else max(self.latencies_ms)


def ask(door: Running) -> tuple[list[float], list[float], bool]:
    """Call for some time; see ``Beside`` for what is returned."""
    latencies: list[float] = []
    busy: list[float] = []
    asked = request(SERVICE + "Echo", item(0))
    until = time.perf_counter() + SECONDS
    with connect(door.address) as connection:
        connection.settimeout(SECONDS)
        while (begin := time.perf_counter()) < until:
            spent = processor_s(door.pids)
            try:
                connection.sendall(asked)
                answer = answer_of(connection)
            except TimeoutError:
                return latencies, busy, True
            latencies.append((time.perf_counter() - begin) * 1e3)
            busy.append((processor_s(door.pids) - spent) * 1e3)
            assert answer.startswith(b"HTTP/1.1 200"), answer
    return latencies, busy, False


def fairness(contenders: list[Contender]) -> Iterator[Beside]:
    """Measure each case, with a server of its own."""
    for contender in contenders:
        if contender.name not in STREAMS:
            continue
        cases = [(0, "none"), *((count, way) for count in STREAMS[contender.name] for way in ("up", "down"))]
        for streams, direction in cases:
            say(f"fairness: {contender.name} beside {streams} {direction}")
            with ExitStack() as stack:
                door = stack.enter_context(running(contender))
                found = ask(door)  # warm
                for _ in range(streams):
                    command = (sys.executable, "-m", "tests.bench.doors.flood", door.address, direction)
                    stack.enter_context(started(*command, FORMS[contender.name], ready=r"^flooding"))
                yield Beside(contender, streams, direction, *(ask(door) if streams else found))


def show_fairness(found: list[Beside]) -> None:
    """Print what was found."""
    print(f"\n{'a unary call beside streams at full speed, ms':46}", end="")
    print(f"{'median':>10}{'worst':>10}{'server busy, median':>22}{'worst':>9}{'calls':>8}")
    for case in found:
        name = f"  {case.contender.what}, {case.streams} {case.direction if case.streams else ''}"
        middle, busy = (median(each or [nan]) for each in (case.latencies_ms, case.busy_ms))
        worst = max(case.busy_ms, default=nan)
        print(f"{name:46}{middle:10.2f}{case.worst_ms:10.2f}{busy:22.2f}{worst:9.2f}{len(case.busy_ms):8}")
