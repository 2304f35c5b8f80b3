"""What a soak found: calls by outcome, counts of both sides, what the gateway held over time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tests.soak.clients import Seen
from tests.soak.growth import Series, Verdict, mix_lines, mix_verdict, verdicts
from tests.soak.ledger import Entry
from tests.soak.plans import Plan


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
        processes: what each of them held.
        mixes: calls through the channel by kind and by what a servicer saw, the gateway's and the bare client's.
        log: lines of the gateways' logs.
    """

    title: str
    findings: list[str] = field(default_factory=list)
    outcomes: dict[tuple[str, str, str], Counter[str]] = field(default_factory=dict)
    themes: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    processes: dict[str, Series] = field(default_factory=dict)
    mixes: tuple[Counter[str], Counter[str]] = field(default_factory=lambda: (Counter(), Counter()))
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
        """Compare the end with the beginning, and the gateway with the bare client."""
        self.findings += [str(verdict) for verdict in self.verdicts() if verdict.held is False]

    def verdicts(self) -> list[Verdict]:
        """What is claimed of all that was held, and whether it is true."""
        ours, bare = self.mixes
        return [*verdicts(self.processes), *([mix_verdict(ours, bare)] if bare else [])]

    def note_mix(self, kind: str, ours: Entry, bare: Entry) -> None:
        """Count one call that both have made."""
        for counted, entry in zip(self.mixes, (ours, bare), strict=True):
            counted[f"{kind} {_told_end(entry)}"] += 1

    def table(self) -> str:
        """All of it as text."""
        lines = [self.title, "", f"{'back end':11}{'kind':7}{'door':9}{'calls':>7}  outcomes"]
        for place, outcomes in sorted(self.outcomes.items()):
            told = ", ".join(f"{name} {number}" for name, number in outcomes.most_common())
            lines.append(f"{place[0]:11}{place[1]:7}{place[2]:9}{sum(outcomes.values()):7}  {told}")
        lines += ["", "themes: " + _told(self.themes), "faults: " + (_told(self.faults) or "none"), ""]
        lines += [f"{name:36}{number:10}" for name, number in self.counts.items()]
        for name, series in self.processes.items():
            lines += ["", *series.lines(name)]
        lines += ["", *(mix_lines(*self.mixes) if self.mixes[1] else []), "", *map(str, self.verdicts())]
        lines += ["", "the gateways' logs:", *(f"{number:7} {line}" for line, number in self.log.most_common())]
        lines += ["", f"{len(self.findings)} findings", *self.findings[:100]]
        return "\n".join(lines)


def _told_end(entry: Entry) -> str:
    if not entry.starts:
        return "never began"
    if not entry.ends:
        return "was killed" if entry.killed else "never ended"
    return entry.how if entry.how in ("OK", "cancelled") else "failed"


def _told(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in counts.most_common())
