"""Measures the rows, prints the table."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

from tests.bench.doors.accounting import own_processor_s, processor_s
from tests.bench.doors.load_http import Load
from tests.bench.doors.starting import Contender, Running, running

WARM_UP_S = 0.5
ROUND_S = 0.6


@dataclass(frozen=True)
class Reading:
    """One repetition: microseconds for each unit of work.

    Attributes:
        server_us: processor time of all server processes.
        door_us: the door's own part of it, without the server behind.
        load_us: processor time of the load generator.
        wall_us: time passed.
    """

    server_us: float
    door_us: float
    load_us: float
    wall_us: float


@dataclass(frozen=True)
class Cell:
    """One row of one contender."""

    contender: Contender
    readings: list[Reading]

    @property
    def server_us(self) -> float:
        """The median."""
        return median(reading.server_us for reading in self.readings)

    @property
    def door_us(self) -> float:
        """The median."""
        return median(reading.door_us for reading in self.readings)

    @property
    def load_us(self) -> float:
        """The median."""
        return median(reading.load_us for reading in self.readings)

    @property
    def wall_us(self) -> float:
        """The median."""
        return median(reading.wall_us for reading in self.readings)

    @property
    def least_wall_us(self) -> float:
        """The best round: whatever else the machine does only adds to it."""
        return min(reading.wall_us for reading in self.readings)

    @property
    def spread(self) -> tuple[float, float]:
        """The least and the most of processor time."""
        times = [reading.server_us for reading in self.readings]
        return min(times), max(times)


def read(load: Load, door: Running, seconds: float) -> Reading:
    """Run the load for a while."""
    begun = [processor_s(door.pids), processor_s(door.behind), own_processor_s(), time.perf_counter()]
    units = load.run(seconds)
    ended = [processor_s(door.pids), processor_s(door.behind), own_processor_s(), time.perf_counter()]
    own, behind, loading, wall = ((late - early) / units * 1e6 for early, late in zip(begun, ended, strict=True))
    return Reading(own + behind, own, loading, wall)


def measure(row: str, contenders: list[Contender], rounds: int) -> list[Cell]:
    """All contenders of a row, in turn, so that whatever else the machine does meets them alike."""
    with ExitStack() as stack:
        doors, loads = [], []
        for contender in contenders:
            say(f"{row}: starting {contender.name}")
            door = stack.enter_context(running(contender))
            load = contender.rows[row](door.address)
            stack.callback(load.close)
            load.run(WARM_UP_S)
            doors.append(door)
            loads.append(load)
        readings: list[list[Reading]] = [[] for _ in doors]
        for number in range(rounds):
            for load, door, found in zip(loads, doors, readings, strict=True):
                say(f"{row}: round {number + 1} of {rounds}, {door.contender.name}")
                found.append(read(load, door, ROUND_S))
    return [Cell(door.contender, found) for door, found in zip(doors, readings, strict=True)]


def say(text: str) -> None:
    """Progress, for whoever waits."""
    print(f"\r{text:78}", end="", file=sys.stderr, flush=True)


UNITS = {
    "unary": "unary, a call",
    "up": "NDJSON up, a message",
    "down": "NDJSON down, a message",
    "ws-up": "WebSocket up, a message",
    "ws-down": "WebSocket down, a message",
    "ws-ping-pong": "WebSocket ping-pong, a round trip",
}


def show(row: str, cells: list[Cell]) -> None:
    """One row of the table, a line for each contender; the first one is 1."""
    say("\r")
    first = cells[0]
    print(f"\n{UNITS[row]:32}{'processor, us':>15}{'least':>9}{'most':>9}{'x ' + first.contender.name:>13}", end="")
    print(f"{'gateway, us':>14}{'passed, us':>13}{'load, us':>11}")
    for cell in cells:
        least, most = cell.spread
        print(f"  {cell.contender.what:30}{cell.server_us:15.2f}{least:9.2f}{most:9.2f}", end="")
        print(f"{cell.server_us / first.server_us:13.2f}{cell.door_us:14.2f}{cell.wall_us:13.2f}{cell.load_us:11.2f}")
