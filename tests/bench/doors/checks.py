"""What the figures have to show: each line with its target, what was measured, and whether it held."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from statistics import median

from tests.bench.doors.fairness import Beside
from tests.bench.doors.table import UNITS, Cell
from tests.bench.doors.vanishing import Gone

Row = Mapping[str, Cell]
REMOTE = {"channel": "through a channel", "http2": "over our own HTTP/2"}
STREAMS = ("up", "down", "ws-up", "ws-down")


@dataclass(frozen=True)
class Check:
    """One line.

    Attributes:
        name: what has to be so.
        value: measured.
        target: the bound.
        least: the value must be at least the target; else at most.
        unit: of both.
        note: what else one should know.
        possible: False where something that is not ours makes it unreachable.
    """

    name: str
    value: float
    target: float
    unit: str = ""
    least: bool = False
    note: str = ""
    possible: bool = True

    @property
    def held(self) -> bool:
        """Whether it is so."""
        return self.value >= self.target if self.least else self.value <= self.target


def compared(one: Cell, other: Cell, what: Callable[[float, float], float]) -> float:
    """Two contenders' processor time put together round by round, since they met the same machine; the median."""
    pairs = zip(one.readings, other.readings, strict=True)
    return median(what(mine.server_us, theirs.server_us) for mine, theirs in pairs)


def times(dear: Cell, cheap: Cell) -> float:
    """How many times as much processor time one takes as the other."""
    return compared(dear, cheap, lambda one, other: one / other)


def more(dear: Cell, cheap: Cell) -> float:
    """How many microseconds of processor time one takes more than the other."""
    return compared(dear, cheap, lambda one, other: one - other)


def in_process(rows: Mapping[str, Row]) -> Iterator[Check]:
    """Servicers in this process: against the floor, the channel, and the peer that does the same."""
    if {"echo", "in-process"} <= (unary := rows.get("unary", {})).keys():
        yield Check("unary in process, over a bare echo", more(unary["in-process"], unary["echo"]), 25, "us")
    if {"channel", "in-process"} <= unary.keys():
        part = 1 / times(unary["channel"], unary["in-process"])
        yield Check("unary in process, part of our gateway and a grpc.aio server", part, 0.25)
    for name, target in (("up", 2.0), ("down", 3.0)):
        if "in-process" in (row := rows.get(name, {})):
            yield Check(f"NDJSON {name} in process", row["in-process"].server_us, target, "us")
            if "connectrpc" in row:
                ratio = times(row["connectrpc"], row["in-process"])
                yield Check(f"NDJSON {name} in process, connectrpc takes", ratio, 1.6, "x", least=True)
    if {"echo", "in-process"} <= (row := rows.get("ws-up", {})).keys():
        yield Check("WebSocket up in process, over a bare sink", more(row["in-process"], row["echo"]), 4, "us")
    if {"channel", "in-process"} <= (row := rows.get("ws-ping-pong", {})).keys():
        faster = row["channel"].least_wall_us / row["in-process"].least_wall_us
        yield Check("ping-pong in process, time that passes through a channel", faster, 5, "x", least=True)


def against_hand_written(rows: Mapping[str, Row]) -> Iterator[Check]:
    """What a Python developer writes today."""
    for name, row in rows.items():
        for ours, way in REMOTE.items():
            if {"fastapi", ours} <= row.keys():
                yield Check(f"{UNITS[name]}: {way}, part of FastAPI's", times(row[ours], row["fastapi"]), 1.0)
    for name in STREAMS:
        row = rows.get(name, {})
        for ours, way in REMOTE.items():
            if {"fastapi", ours} <= row.keys():
                yield _three_times(f"{UNITS[name]}: FastAPI takes, of ours {way}", row, ours)
        if {"fastapi", "in-process"} <= row.keys():
            yield _twenty_times(f"{UNITS[name]}: FastAPI takes, of ours in process", row)


def _twenty_times(what: str, row: Row) -> Check:
    """Twenty times as good in process, beside what is left if only the server works: frames, the socket, the loop."""
    note, most = "", inf
    if "echo" in row:
        most = times(row["fastapi"], row["echo"])
        note = f"of a bare application, without messages: {most:.1f} x"
    ratio = times(row["fastapi"], row["in-process"])
    return Check(what, ratio, 20, "x", least=True, note=note, possible=most >= 20)


def _three_times(what: str, row: Row, ours: str) -> Check:
    """Three times as good, where that can be: a gateway that took nothing would still have the service behind it."""
    fastapi, door = row["fastapi"], row[ours]
    if ours == "channel" and "grpc" in row:
        most, limit = times(fastapi, row["grpc"]), "of a bare grpc.aio channel, without a gateway"
    else:
        most, limit = _compared_behind(fastapi, door), "of the service alone, without a gateway"
    note = f"{limit}: {most:.2f} x"
    return Check(what, times(fastapi, door), 3, "x", least=True, note=note, possible=most >= 3)


def _compared_behind(dear: Cell, cheap: Cell) -> float:
    """How many times as much one takes as the service behind the other."""
    pairs = zip(dear.readings, cheap.readings, strict=True)
    return median(one.server_us / (other.server_us - other.door_us) for one, other in pairs)


def in_time(beside: Sequence[Beside], gone: Sequence[Gone]) -> Iterator[Check]:
    """Nobody waits long for a stream at full speed, nor runs on for a client that is gone."""
    for case in beside:
        if case.contender.name == "in-process" and case.streams:
            what = f"unary beside {case.streams} {case.direction}"
            yield Check(f"{what}, median", case.median_ms, 50, "ms")
            yield Check(f"{what}, server busy, worst", max(case.busy_ms, default=inf), 100, "ms")
    for found in gone:
        note = f"time that passed: {found.worst_ms:.1f} ms"
        yield Check(
            f"cancelled after a reset: {found.what}, server busy, worst", found.worst_busy_ms, 100, "ms", note=note
        )


def show_checks(checks: Sequence[Check]) -> None:
    """Print them."""
    if checks:
        print(f"\n{'what has to be so':72}{'measured':>12}{'target':>16}")
    for check in checks:
        target = f"{'>=' if check.least else '<='} {check.target:g} {check.unit}"
        verdict = "held" if check.held else "MISSED" if check.possible else "out of reach"
        note = f"   ({check.note})" if check.note else ""
        print(f"  {check.name:70}{check.value:9.2f} {check.unit:2}{target:>16}   {verdict}{note}")
