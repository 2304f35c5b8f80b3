"""How long a unary call takes beside streams at full speed in the same process.

A server's ``send()`` and ``receive()`` need not suspend, so whoever loops over them may keep the loop to itself.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

from tests.bench.doors.load_http import answer_of, connect
from tests.bench.doors.starting import Contender, running
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
        stuck: the last call was not answered within ``SECONDS``.
    """

    contender: Contender
    streams: int
    direction: str
    latencies_ms: list[float]
    stuck: bool

    @property
    def median_ms(self) -> float:
        """Infinite if nothing was answered."""
        return median(self.latencies_ms) if self.latencies_ms else float("inf")

    @property
    def worst_ms(self) -> float:
        """Infinite if a call was not answered."""
        return float("inf") if self.stuck else max(self.latencies_ms)


def ask(address: str) -> tuple[list[float], bool]:
    """Call for some time; return how long each call took, and whether the last one was given up."""
    found: list[float] = []
    asked = request(SERVICE + "Echo", item(0))
    until = time.perf_counter() + SECONDS
    with connect(address) as connection:
        connection.settimeout(SECONDS)
        while (begin := time.perf_counter()) < until:
            try:
                connection.sendall(asked)
                answer = answer_of(connection)
            except TimeoutError:
                return found, True
            assert answer.startswith(b"HTTP/1.1 200"), answer
            found.append((time.perf_counter() - begin) * 1e3)
    return found, False


def fairness(contenders: list[Contender]) -> Iterator[Beside]:
    """Measure each case, with a server of its own."""
    for contender in contenders:
        if contender.name not in STREAMS:
            continue
        cases = [(0, "none"), *((count, way) for count in STREAMS[contender.name] for way in ("up", "down"))]
        for streams, direction in cases:
            say(f"fairness: {contender.name} beside {streams} {direction}")
            with ExitStack() as stack:
                address = stack.enter_context(running(contender)).address
                ask_once = ask(address)  # warm
                for _ in range(streams):
                    command = (sys.executable, "-m", "tests.bench.doors.flood", address, direction)
                    stack.enter_context(started(*command, FORMS[contender.name], ready=r"^flooding"))
                found, stuck = ask(address) if streams else ask_once
                yield Beside(contender, streams, direction, found, stuck)


def show_fairness(found: list[Beside]) -> None:
    """Print what was found."""
    print(f"\n{'a unary call beside streams at full speed':46}{'median':>12}{'worst':>12}{'calls':>8}")
    for case in found:
        name = f"  {case.contender.what}, {case.streams} {case.direction if case.streams else ''}"
        worst = f"over {SECONDS:.0f} s" if case.stuck else f"{case.worst_ms:.2f} ms"
        middle = f"{case.median_ms:.2f} ms" if case.latencies_ms else "-"
        print(f"{name:46}{middle:>12}{worst:>12}{len(case.latencies_ms):8}")
