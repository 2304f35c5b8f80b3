"""What a soak found: calls by outcome, counts of both sides, what the gateway held over time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tests.soak.clients import Seen
from tests.soak.gateway import Holdings
from tests.soak.ledger import Entry
from tests.soak.plans import Plan

GROWTH_KIB = 16 << 10
"""Growth of resident memory over the second half of a soak that is more than noise."""

GRPCIO_KIB = 0.75
"""What grpcio loses, at most, with a call through a channel that is cancelled or finds no server: grpc/grpc#43360."""

ENOUGH_S = 240.0
"""A shorter soak says nothing of growth: allocators are still filling their pools."""


@dataclass
class Report:
    """The result.

    Attributes:
        title: the options of the run.
        findings: what was wrong; empty is good.
        outcomes: calls by back end, kind and door, then outcome.
        themes: calls by theme.
        faults: injected, by name.
        counts: of the servicers' side.
        samples: seconds since the start, and what the gateway held.
        idle: what it held before the first call, once warm.
        final: what it held after the last one.
        log: lines of the gateway's log.
    """

    title: str
    findings: list[str] = field(default_factory=list)
    outcomes: dict[tuple[str, str, str], Counter[str]] = field(default_factory=dict)
    themes: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    samples: list[tuple[float, Holdings]] = field(default_factory=list)
    idle: Holdings | None = None
    final: Holdings | None = None
    log: Counter[str] = field(default_factory=Counter)

    @property
    def calls(self) -> int:
        """All of them."""
        return sum(self.themes.values())

    def note(self, plan: Plan, seen: Seen, entry: Entry) -> None:
        """Count one call."""
        cell = self.outcomes.setdefault((plan.back_end, plan.kind, plan.door), Counter())
        cell[seen.outcome.partition(":")[0]] += 1
        self.themes[plan.theme] += 1
        self.counts["calls that a client made"] += 1
        self.counts["calls that a servicer started"] += entry.starts
        self.counts["calls that a servicer ended"] += entry.ends
        self.counts["calls whose servicer was killed"] += entry.killed and not entry.ends
        self.counts["requests that a servicer read"] += entry.count
        self.counts["replies that a servicer wrote"] += entry.replies
        self.counts["replies that a client read"] += len(seen.replies)
        if seen.outcome == "OK":
            self.counts["calls that a client saw succeed"] += 1
            self.counts["calls that both sides saw succeed"] += entry.how == "OK"

    def close(self) -> None:
        """Compare the end with the beginning."""
        assert self.idle is not None
        assert self.final is not None
        for name in ("running", "tasks", "threads", "files", "messages", "objects", "pending"):
            before, after = getattr(self.idle, name), getattr(self.final, name)
            if before != after and name == "objects":
                changed = {kind for kind in {*before, *after} if before.get(kind) != after.get(kind)}
                before, after = ({kind: held.get(kind, 0) for kind in sorted(changed)} for held in (before, after))
            if before != after:
                self.findings.append(f"{name}: {before} before the first call, {after} after the last")
        slope, seconds = self.slope()
        if seconds >= ENOUGH_S / 2 and slope * seconds > GROWTH_KIB + self.lost_by_grpcio_kib / 2:
            self.findings.append(f"memory grows by {slope * 60:.0f} KiB a minute in the second half")

    @property
    def lost_by_grpcio_kib(self) -> float:
        """At most so much of the growth is not ours."""
        failed = [
            sum(outcomes.values()) - outcomes["OK"]
            for place, outcomes in self.outcomes.items()
            if place[0] == "channel"
        ]
        return GRPCIO_KIB * sum(failed)

    def slope(self) -> tuple[float, float]:
        """KiB of resident memory a second in the second half of the run, by least squares; and its length."""
        points = [(at, float(held.rss_kib)) for at, held in self.samples[len(self.samples) // 2 :]]
        if len(points) < 3:
            return 0.0, 0.0
        middle_at, middle = (sum(column) / len(points) for column in zip(*points, strict=True))
        spread = sum((at - middle_at) ** 2 for at, _ in points)
        return sum((at - middle_at) * (kib - middle) for at, kib in points) / spread, points[-1][0] - points[0][0]

    def table(self) -> str:
        """All of it as text."""
        lines = [self.title, "", f"{'back end':11}{'kind':7}{'door':9}{'calls':>7}  outcomes"]
        for place, outcomes in sorted(self.outcomes.items()):
            told = ", ".join(f"{name} {number}" for name, number in outcomes.most_common())
            lines.append(f"{place[0]:11}{place[1]:7}{place[2]:9}{sum(outcomes.values()):7}  {told}")
        lines += ["", "themes: " + _told(self.themes), "faults: " + (_told(self.faults) or "none"), ""]
        lines += [f"{name:36}{number:10}" for name, number in self.counts.items()]
        lines += ["", *self._held()]
        lines += ["", "the gateway's log:", *(f"{number:7} {line}" for line, number in self.log.most_common())]
        lines += ["", f"{len(self.findings)} findings", *self.findings[:100]]
        return "\n".join(lines)

    def _held(self) -> list[str]:
        """The leak figures."""
        if self.idle is None or self.final is None:
            return []
        names = ["running", "tasks", "threads", "os_threads", "files", "messages", "rss_kib", "heap_kib"]
        lines = [f"{'held by the gateway':20}{'idle':>9}{'median':>9}{'peak':>9}{'after':>9}"]
        for name in names:
            values = sorted(getattr(held, name) for _, held in self.samples) or [0]
            figures = [getattr(self.idle, name), values[len(values) // 2], values[-1], getattr(self.final, name)]
            lines.append(f"{name:20}" + "".join(f"{figure:9}" for figure in figures))
        slope, seconds = self.slope()
        quarters = [self.samples[len(self.samples) * part // 4 - 1][1].rss_kib for part in range(1, 5)]
        lines.append(f"rss_kib at the end of each quarter: {quarters}")
        lines.append(f"rss slope of the second half: {slope * 60:+.1f} KiB a minute over {seconds:.0f} s")
        lines.append(f"of its growth at most {self.lost_by_grpcio_kib:.0f} KiB is what grpcio is known to lose")
        for when, held in (("before", self.idle), ("after", self.final)):
            lines.append(f"{when}: {sum(held.objects.values())} objects of {len(held.objects)} types; {held.pending}")
        return lines


def _told(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in counts.most_common())
