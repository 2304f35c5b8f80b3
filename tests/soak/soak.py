"""The run itself: clients in a loop, faults beside them, samples of what the processes hold, and the account."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count, islice

import msgspec

from tests.soak.clients import Caller, Seen
from tests.soak.control import NUMBERS
from tests.soak.faults import Window, inject
from tests.soak.gateway import LIMITS, WORKERS
from tests.soak.judge import judge
from tests.soak.ledger import Entry
from tests.soak.plans import Plan, draw
from tests.soak.processes import log_findings, log_lines
from tests.soak.report import Report
from tests.soak.service import Script
from tests.soak.stage import Stage, Watched, staged

Progress = Callable[[str], None]

_SAMPLE_S = 2.0
_TOLD_S = 10.0
_SETTLED_S = 30.0
"""So long after a client's end its servicer has ended too, if it ever does."""
_WARM_NUMBER = 1_000_000_000
_LAST_NUMBER = 2_000_000_000
_FINDINGS = 50
"""Enough to stop."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line says; see there.

    Attributes:
        faults: of single calls: ``send()`` fails, a client sends garbage, half-closes, stalls, trickles.
        outages: faults that hit all calls at once.
        bare: the bare client makes the calls of the channel too, in a process of its own.
        warm_calls: made before anything counts.
        longest_pause_s: of a client.
    """

    minutes: float = 10.0
    calls: int | None = None
    first: int = 1
    back_ends: tuple[str, ...] = ("in-process",)
    faults: bool = False
    outages: bool = False
    bare: bool = False
    stack: str = "httptools"
    clients: int = 32
    seed: int = 1
    warm_calls: int = 400
    longest_pause_s: float = 2.5


@dataclass
class Soak:
    """The state of one run."""

    options: Options
    report: Report
    stage: Stage
    settled: list[tuple[int, str]] = field(default_factory=list)
    unsettled: list[tuple[Plan, Seen]] = field(default_factory=list)

    async def work(self, numbers: Iterator[int], until: float) -> None:
        """One client: call after call."""
        callers = {name: Caller(each.process.address) for name, each in self.stage.gateways.items()}
        options, loop = self.options, asyncio.get_running_loop()
        for number in numbers:
            if loop.time() >= until or len(self.report.findings) >= _FINDINGS:
                break
            plan = draw(
                options.seed,
                number,
                back_ends=options.back_ends,
                faults=options.faults,
                longest_pause_s=options.longest_pause_s,
            )
            await self.stage.shadow(plan)
            seen = await callers[plan.back_end].call(plan)
            self.stage.gateways[plan.back_end].calls += 1
            self.unsettled.append((plan, seen))
        for caller in callers.values():
            caller.close()

    def settle(self, *, before: float) -> None:
        """Judge the calls that ended before some time."""
        self.stage.ledger.update()
        waiting: list[tuple[Plan, Seen]] = []
        for plan, seen in self.unsettled:
            if seen.ended > before:
                waiting.append((plan, seen))
                continue
            entry = self.stage.ledger.entries.get(plan.number, Entry())
            self.report.note(plan, seen, entry)
            if plan.back_end == "channel":
                self.settled.append((plan.number, plan.kind))
            for wrong in judge(plan, seen, entry, excused=self._excused(plan, seen)):
                shown = msgspec.json.encode(msgspec.structs.replace(plan, pads=plan.pads[:9], bad=plan.bad[:40]))
                self.report.findings.append(
                    f"call {plan.number}: {wrong}\n    {shown.decode()}\n    {entry}\n    {seen.story}"
                )
        self.unsettled = waiting

    def _excused(self, plan: Plan, seen: Seen) -> list[str]:
        windows: list[Window] = [] if self.stage.upstream is None else self.stage.upstream.windows
        hit = plan.back_end == "channel" and any(seen.began <= end and seen.ended >= start for start, end in windows)
        return ["UNAVAILABLE"] if hit else []

    async def sample(self, began: float) -> None:
        """Note what the processes hold, until cancelled."""
        while True:
            for each in self.stage.watched:
                await each.sample(asyncio.get_running_loop().time() - began)
            await asyncio.sleep(_SAMPLE_S)

    async def tell(self, began: float, progress: Progress) -> None:
        """Settle, and say how it goes, until cancelled."""
        while True:
            await asyncio.sleep(_TOLD_S)
            now = asyncio.get_running_loop().time()
            self.settle(before=now - _SETTLED_S)
            calls = self.report.calls + len(self.unsettled)
            findings = len(self.report.findings)
            held = " ".join(map(_brief, self.stage.watched))
            progress(f"{now - began:6.0f} s {calls:8} calls {findings} findings {held}")

    async def warm(self) -> None:
        """Let pools fill and channels connect, so that what is held afterwards is what an idle gateway holds."""
        waiting = Script(pause_s=0.5)
        numbers = iter(range(_WARM_NUMBER, _LAST_NUMBER))
        plans = [
            Plan(
                number=next(numbers),
                theme="fine",
                back_end=back_end,
                service="Sync",
                kind="Unary",
                door="json",
                pads=[1],
                script=waiting,
            )
            for back_end in self.options.back_ends
            for _ in range(WORKERS)
        ]
        seen = await asyncio.gather(*map(self._alone, plans))
        self.unsettled += zip(plans, seen, strict=True)
        numbers = islice(numbers, self.options.warm_calls)
        await asyncio.gather(*(self.work(numbers, float("inf")) for _ in range(self.options.clients)))

    async def reconnect(self) -> None:
        """Let each channel connect again, if the last fault has cut it off."""
        for place, service in enumerate(("Async", "Sync") if self.stage.upstream else ()):
            plan = Plan(
                number=_LAST_NUMBER + place,
                theme="fine",
                back_end="channel",
                service=service,
                kind="Unary",
                door="json",
                pads=[1],
            )
            while (seen := await self._alone(plan)).outcome == "UNAVAILABLE":
                await asyncio.sleep(0.5)
            self.unsettled.append((plan, seen))

    def compare(self) -> None:
        """Hold the calls of the bare client against the gateway's, by what the servicers saw."""
        if self.stage.bare is not None:
            entries, none = self.stage.ledger.entries, Entry()
            for number, kind in self.settled:
                self.report.note_mix(kind, entries.get(number, none), entries.get(number + NUMBERS, none))

    async def _alone(self, plan: Plan) -> Seen:
        caller = Caller(self.stage.gateways[plan.back_end].process.address)
        await self.stage.shadow(plan)
        try:
            return await caller.call(plan)
        finally:
            caller.close()


async def soak(options: Options, *, progress: Progress = lambda _: None) -> Report:
    """Run, and account for every call.

    Args:
        options: of the run.
        progress: gets a line every ten seconds.
    """
    title = f"soak --seed {options.seed} --back-end {'+'.join(options.back_ends)} --stack {options.stack}"
    title += f" --clients {options.clients}{' --faults' if options.faults else ''}"
    report = Report(title)
    progress(title)
    async with staged(options.back_ends, options.stack, report, bare=options.bare) as stage:
        run = Soak(options, report, stage)
        await run.warm()
        for each in stage.watched:
            each.series.idle = await each.quiet(None)
        await _calls(run, progress)
        await run.reconnect()
        for each in stage.watched:
            each.series.final = await each.quiet(each.series.idle)
        run.settle(before=float("inf"))
        run.compare()
        report.close()
        for each in stage.watched:
            status = await each.process.stop()
            report.log += log_lines(each.process.log)
            report.findings[:0] = log_findings(each.process.log, each.name)
            if status not in (0, -signal.SIGTERM):  # uvicorn ends by the signal that it was sent
                report.findings.append(f"{each.name}: its process ended with status {status}")
    return report


async def _calls(run: Soak, progress: Progress) -> None:
    """The calls that count, with samples and faults beside them."""
    options, loop = run.options, asyncio.get_running_loop()
    began = loop.time()
    last = None if options.calls is None else options.first + options.calls
    numbers = iter(count(options.first) if last is None else range(options.first, last))
    beside = [asyncio.create_task(run.sample(began)), asyncio.create_task(run.tell(began, progress))]
    if options.outages:
        rng = random.Random(options.seed)
        faults = inject(
            rng,
            gateways=[each.process.address for each in run.stage.gateways.values()],
            upstream=run.stage.upstream,
            ledger=run.stage.ledger,
            done=run.report.faults,
            progress=progress,
        )
        beside.append(asyncio.create_task(faults))
    workers = [run.work(numbers, began + 60 * options.minutes) for _ in range(options.clients)]
    try:
        await asyncio.gather(*workers)
    finally:
        for task in beside:
            task.cancel()
        ended = await asyncio.gather(*beside, return_exceptions=True)
    for failed in ended:
        if not isinstance(failed, asyncio.CancelledError):
            run.report.findings.append(f"the soak itself failed: {failed!r}")


def _brief(watched: Watched) -> str:
    if not watched.series.samples:
        return ""
    held = watched.series.samples[-1].held
    return (
        f"| {watched.name}: running {held.running} tasks {held.tasks} messages {held.messages} "
        f"rss {held.rss_kib / 1024:.1f} heap {held.heap_kib / 1024:.1f} MiB"
    )


assert LIMITS.idle_timeout_s is not None
assert LIMITS.idle_timeout_s + 5 < _SETTLED_S
