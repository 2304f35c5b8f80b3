"""What the processes of a soak held over time, and whether that is growth."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.soak.holdings import Holdings

NOISE_KIB = 4 << 10
"""Of resident memory over the second half of a soak: so much the pages of an allocator wander that loses nothing."""

ENOUGH_S = 240.0
"""A shorter soak says nothing of growth: allocators are still filling their pools."""

MIX = 0.03
"""Of all calls: in so many the two sides may have ended otherwise, for their own timing."""

GATEWAYS = ("in-process", "channel")
BARE = "bare"

_TOLD = ["running", "tasks", "threads", "os_threads", "files", "messages"]
_MEMORY = ["rss_kib", "trimmed_kib", "heap_kib", "holes_kib", "blocks", "live"]


class Sample(NamedTuple):
    """One look at a process.

    Attributes:
        at: seconds since the start.
        calls: that had been made through it.
        held: what it held.
    """

    at: float
    calls: int
    held: Holdings


class Slope(NamedTuple):
    """Growth over the second half of a soak, by least squares.

    Attributes:
        a_call: bytes for each call.
        a_minute: KiB.
        calls: in that half.
        seconds: its length.
    """

    a_call: float = 0.0
    a_minute: float = 0.0
    calls: int = 0
    seconds: float = 0.0


@dataclass
class Series:
    """One process: a gateway, or the bare client beside it.

    Attributes:
        samples: while it was called.
        idle: what it held before the first call, once warm.
        final: what it held after the last one.
    """

    samples: list[Sample] = field(default_factory=list)
    idle: Holdings | None = None
    final: Holdings | None = None

    def slope(self, name: str) -> Slope:
        """How fast a figure of the holdings grows."""
        half = self.samples[len(self.samples) // 2 :]
        if len(half) < 3:
            return Slope()
        values = [float(getattr(sample.held, name)) for sample in half]
        calls, seconds = half[-1].calls - half[0].calls, half[-1].at - half[0].at
        a_call = _slope([float(sample.calls) for sample in half], values) * 1024
        return Slope(a_call, _slope([sample.at for sample in half], values) * 60, calls, seconds)

    def left(self) -> list[str]:
        """What it holds after the last call that it did not hold before the first, memory aside."""
        assert self.idle is not None
        assert self.final is not None
        found = []
        for name in ("running", "tasks", "threads", "files", "messages", "objects", "pending"):
            before, after = getattr(self.idle, name), getattr(self.final, name)
            if before != after and name == "objects":
                changed = {kind for kind in {*before, *after} if before.get(kind) != after.get(kind)}
                before, after = ({kind: held.get(kind, 0) for kind in sorted(changed)} for held in (before, after))
            if before != after:
                found.append(f"{name}: {before} before the first call, {after} after the last")
        return found

    def lines(self, name: str) -> list[str]:
        """The figures."""
        if self.idle is None or self.final is None:
            return []
        lines = [f"{'held by ' + name:20}{'idle':>9}{'median':>9}{'peak':>9}{'after':>9}"]
        for figure in [*_TOLD, *_MEMORY]:
            values = sorted(getattr(sample.held, figure) for sample in self.samples) or [0]
            figures = [getattr(self.idle, figure), values[len(values) // 2], values[-1], getattr(self.final, figure)]
            lines.append(f"{figure:20}" + "".join(f"{value:9}" for value in figures))
        if self.samples:
            quarters = [self.samples[len(self.samples) * part // 4 - 1].held.rss_kib for part in range(1, 5)]
            lines.append(f"rss_kib at the end of each quarter: {quarters}")
        for figure in ("rss_kib", "heap_kib", "blocks"):
            told = self.slope(figure)
            a_call = told.a_call / 1024 if figure == "blocks" else told.a_call
            unit = "blocks" if figure == "blocks" else "bytes"
            lines.append(
                f"{figure} in the second half: {a_call:+.1f} {unit} a call, {told.a_minute:+.1f} a minute "
                f"({told.calls} calls in {told.seconds:.0f} s)"
            )
        for when, held in (("before", self.idle), ("after", self.final)):
            lines.append(f"{when}: {sum(held.objects.values())} objects of {len(held.objects)} types; {held.pending}")
        return lines


class Verdict(NamedTuple):
    """One claim, and whether it was held.

    Attributes:
        claim: with its figures.
        held: it is true; None: the soak was too short to say.
    """

    claim: str
    held: bool | None

    def __str__(self) -> str:
        told = "too short to say" if self.held is None else "held" if self.held else "MISSED"
        return f"{told:7} {self.claim}"


def verdicts(processes: dict[str, Series]) -> list[Verdict]:
    """Whether anything grew.

    In process nothing may; a gateway through a channel may lose with each call what a bare client of the same calls
    loses, and no more.
    """
    found = []
    for name in GATEWAYS:
        series = processes.get(name)
        if series is None or series.idle is None or series.final is None:
            continue
        left = series.left()
        found.append(Verdict(f"{name}: what an idle gateway holds is the same before and after {left or ''}", not left))
        slope = series.slope("rss_kib")
        bare = processes[BARE].slope("rss_kib").a_call if BARE in processes else 0.0
        allowed = bare if name == "channel" else 0.0
        grown = (slope.a_call - max(0.0, allowed)) * slope.calls / 1024
        claim = f"{name}: {slope.a_call:+.0f} bytes of resident memory a call over {slope.calls} calls"
        if name == "channel" and BARE in processes:
            claim += f", a bare client {bare:+.0f}"
        claim += f"; {grown:+.0f} KiB more than that in {slope.seconds:.0f} s, {NOISE_KIB} KiB are noise"
        found.append(Verdict(claim, grown <= NOISE_KIB if slope.seconds >= ENOUGH_S / 2 else None))
    return found


def mix_verdict(ours: Counter[str], bare: Counter[str]) -> Verdict:
    """Whether the bare client made the same calls, as the servicers saw them."""
    made = max(ours.total(), 1)
    other = sum(abs(ours[cell] - bare[cell]) for cell in {*ours, *bare}) / 2
    claim = f"the bare client made the same mix of calls: {other:.0f} of {made} ended otherwise, {MIX:.0%} may"
    return Verdict(claim, other <= MIX * made + 5)


def mix_lines(ours: Counter[str], bare: Counter[str]) -> list[str]:
    """Calls by how the servicers saw them end."""
    lines = [f"{'calls, by what their servicers saw':40}{'gateway':>9}{'bare':>9}"]
    lines += [f"{cell:40}{ours[cell]:9}{bare[cell]:9}" for cell in sorted({*ours, *bare})]
    return lines


def _slope(places: list[float], values: list[float]) -> float:
    middle_at, middle = sum(places) / len(places), sum(values) / len(values)
    spread = sum((at - middle_at) ** 2 for at in places)
    if not spread:
        return 0.0
    return sum((at - middle_at) * (value - middle) for at, value in zip(places, values, strict=True)) / spread
