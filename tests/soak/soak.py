"""The run itself: clients in a loop, faults beside them, samples of what the gateway holds, and the account."""

from __future__ import annotations

import asyncio
import random
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from asgi_grpc.client import HttpConnection
from tests.soak.clients import Caller, Seen
from tests.soak.faults import Upstream, Window, inject
from tests.soak.gateway import LIMITS, WORKERS, Holdings
from tests.soak.judge import judge
from tests.soak.ledger import Entry, LedgerReader
from tests.soak.plans import Plan, draw
from tests.soak.processes import Child, child, free_ports, log_findings, log_lines
from tests.soak.report import Report
from tests.soak.service import Script

Progress = Callable[[str], None]

_SAMPLE_S = 2.0
_TOLD_S = 10.0
_SETTLED_S = 30.0
"""So long after a client's end its servicer has ended too, if it ever does."""
_QUIET_S = 30.0
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
        warm_calls: made before anything counts.
        longest_pause_s: of a client.
    """

    minutes: float = 10.0
    calls: int | None = None
    first: int = 1
    back_ends: tuple[str, ...] = ("in-process",)
    faults: bool = False
    outages: bool = False
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
    ledger: LedgerReader
    gateway: str
    upstream: Upstream | None
    unsettled: list[tuple[Plan, Seen]] = field(default_factory=list)

    async def work(self, numbers: Iterator[int], until: float) -> None:
        """One client: call after call."""
        caller, loop = Caller(self.gateway), asyncio.get_running_loop()
        options = self.options
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
            seen = await caller.call(plan)
            self.unsettled.append((plan, seen))
        caller.close()

    def settle(self, *, before: float) -> None:
        """Judge the calls that ended before some time."""
        self.ledger.update()
        waiting: list[tuple[Plan, Seen]] = []
        for plan, seen in self.unsettled:
            if seen.ended > before:
                waiting.append((plan, seen))
                continue
            entry = self.ledger.entries.get(plan.number, Entry())
            self.report.note(plan, seen, entry)
            for wrong in judge(plan, seen, entry, excused=self._excused(plan, seen)):
                shown = msgspec.json.encode(msgspec.structs.replace(plan, pads=plan.pads[:9], bad=plan.bad[:40]))
                self.report.findings.append(
                    f"call {plan.number}: {wrong}\n    {shown.decode()}\n    {entry}\n    {seen.story}"
                )
        self.unsettled = waiting

    def _excused(self, plan: Plan, seen: Seen) -> list[str]:
        windows: list[Window] = [] if self.upstream is None else self.upstream.windows
        hit = plan.back_end == "channel" and any(seen.began <= end and seen.ended >= start for start, end in windows)
        return ["UNAVAILABLE"] if hit else []

    async def sample(self, began: float) -> None:
        """Note what the gateway holds, until cancelled."""
        while True:
            held = await holdings(self.gateway)
            self.report.samples.append((asyncio.get_running_loop().time() - began, held))
            await asyncio.sleep(_SAMPLE_S)

    async def tell(self, began: float, progress: Progress) -> None:
        """Settle, and say how it goes, until cancelled."""
        while True:
            await asyncio.sleep(_TOLD_S)
            now = asyncio.get_running_loop().time()
            self.settle(before=now - _SETTLED_S)
            held = self.report.samples[-1][1] if self.report.samples else None
            calls = self.report.calls + len(self.unsettled)
            findings = len(self.report.findings)
            progress(f"{now - began:6.0f} s {calls:8} calls {findings} findings {_brief(held)}")

    async def warm(self) -> None:
        """Let pools fill and channels connect, so that what is held afterwards is what an idle gateway holds."""
        waiting = Script(pause_s=0.5)
        plans = [
            Plan(
                number=_WARM_NUMBER + place,
                theme="fine",
                back_end=self.options.back_ends[0],
                service="Sync",
                kind="Unary",
                door="json",
                pads=[1],
                script=waiting,
            )
            for place in range(WORKERS)
        ]
        seen = await asyncio.gather(*map(self._alone, plans))
        self.unsettled += zip(plans, seen, strict=True)
        numbers = iter(range(_WARM_NUMBER + WORKERS, _WARM_NUMBER + WORKERS + self.options.warm_calls))
        await asyncio.gather(*(self.work(numbers, float("inf")) for _ in range(self.options.clients)))

    async def reconnect(self) -> None:
        """Let each channel connect again, if the last fault has cut it off."""
        for place, service in enumerate(("Async", "Sync") if self.upstream else ()):
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

    async def _alone(self, plan: Plan) -> Seen:
        caller = Caller(self.gateway)
        try:
            return await caller.call(plan)
        finally:
            caller.close()

    async def quiet(self, wanted: Holdings | None) -> Holdings:
        """What the gateway holds when nobody calls: once it is what is wanted, or stands still, or time is up."""
        last = await holdings(self.gateway, objects=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(_QUIET_S):
                while not (_like(last, wanted) if wanted else last.running == 0 and await self._still(last)):
                    await asyncio.sleep(0.5)
                    last = await holdings(self.gateway, objects=True)
        return last

    async def _still(self, last: Holdings) -> bool:
        await asyncio.sleep(1.0)
        return _like(last, await holdings(self.gateway, objects=True))


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
    async with _started(options, report) as (run, gateway):
        await run.warm()
        report.idle = await run.quiet(None)
        await _calls(run, progress)
        await run.reconnect()
        report.final = await run.quiet(report.idle)
        run.settle(before=float("inf"))
        report.close()
        status = await gateway.stop()
        report.log = log_lines(gateway.log)
        report.findings[:0] = log_findings(gateway.log)
        if status not in (0, -signal.SIGTERM):  # uvicorn ends by the signal that it was sent
            report.findings.append(f"the gateway ended with status {status}")
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
            gateway=run.gateway,
            upstream=run.upstream,
            ledger=run.ledger,
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


@contextmanager
def _folder(report: Report) -> Iterator[Path]:
    """Where the ledger and the logs are; it stays where something was found."""
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    try:
        yield folder
    except BaseException:
        report.findings.append("the soak itself failed")
        raise
    finally:
        if report.findings:
            report.findings.append(f"ledger and logs: {folder}")
        else:
            shutil.rmtree(folder)


@asynccontextmanager
async def _started(options: Options, report: Report) -> AsyncIterator[tuple[Soak, Child]]:
    """All processes, for as long as the block runs."""
    with _folder(report) as folder:
        ledger = folder / "ledger"
        ledger.touch()
        if "channel" not in options.back_ends:
            async with child(folder, "gateway", options.stack, ledger) as gateway:
                yield Soak(options, report, LedgerReader(ledger), gateway.address, None), gateway
            return
        aio, sync, aio_wire, sync_wire = free_ports(4)
        arguments = (ledger, aio, sync)
        server = await Child.start(folder, "server", *arguments)
        async with child(folder, "relay", aio_wire, aio, sync_wire, sync) as relay:
            upstream = Upstream(folder, server, relay, arguments)
            try:
                targets = [f"127.0.0.1:{sync_wire}", f"127.0.0.1:{aio_wire}"]
                async with child(folder, "gateway", options.stack, ledger, *targets) as gateway:
                    yield Soak(options, report, LedgerReader(ledger), gateway.address, upstream), gateway
            finally:
                await upstream.stop()


async def holdings(address: str, *, objects: bool = False) -> Holdings:
    """Ask the gateway what it holds."""
    async with await HttpConnection.open(f"http://{address}/_soak{'?objects' if objects else ''}") as connection:
        await connection.send_head("GET", body=False)
        await connection.read_head()
        return msgspec.json.decode(await connection.read_body(max_bytes=1 << 20), type=Holdings)


def _like(held: Holdings, wanted: Holdings) -> bool:
    """Whether as much is held, memory and grpcio's own threads aside."""
    unequal: dict[str, Any] = {"rss_kib": 0, "heap_kib": 0, "os_threads": 0}
    return msgspec.structs.replace(held, **unequal) == msgspec.structs.replace(wanted, **unequal)


def _brief(held: Holdings | None) -> str:
    if held is None:
        return ""
    return (
        f"running {held.running} tasks {held.tasks} threads {held.threads} files {held.files} "
        f"messages {held.messages} rss {held.rss_kib / 1024:.1f} MiB"
    )


assert LIMITS.idle_timeout_s is not None
assert LIMITS.idle_timeout_s + 5 < _SETTLED_S
