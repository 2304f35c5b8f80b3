"""The stage of a soak: gateways, the bare client beside them, the real servers, the wire; each looked at as it runs."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from asgi_grpc.client import HttpConnection
from tests.soak.faults import Upstream
from tests.soak.gateway import LIMITS, STACKS
from tests.soak.growth import BARE, Sample, Series
from tests.soak.holdings import Holdings
from tests.soak.ledger import LedgerReader
from tests.soak.plans import Plan
from tests.soak.processes import Child, child, free_ports
from tests.soak.report import Report

_QUIET_S = 30.0


@dataclass
class Watched:
    """A process, and what it held.

    Attributes:
        name: ``"in-process"``, ``"channel"`` or ``"bare"``.
        process: itself.
        series: what it held.
        calls: made through it.
    """

    name: str
    process: Child
    series: Series = field(default_factory=Series)
    calls: int = 0

    async def held(self, *, objects: bool = False) -> Holdings:
        """Ask a gateway over HTTP, the bare client over its pipes."""
        if self.name == BARE:
            return msgspec.json.decode(await self.process.ask("??" if objects else "?"), type=Holdings)
        url = f"http://{self.process.address}/_soak{'?objects' if objects else ''}"
        async with await HttpConnection.open(url) as connection:
            await connection.send_head("GET", body=False)
            await connection.read_head()
            return msgspec.json.decode(await connection.read_body(max_bytes=1 << 20), type=Holdings)

    async def sample(self, at: float) -> None:
        """Look, and note it."""
        calls = self.calls
        self.series.samples.append(Sample(at, calls, await self.held()))

    async def quiet(self, wanted: Holdings | None) -> Holdings:
        """What it holds when nobody calls: once it is what is wanted, or stands still, or time is up."""
        last = await self.held(objects=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(_QUIET_S):
                while not (_like(last, wanted) if wanted else last.running == 0 and await self._still(last)):
                    await asyncio.sleep(0.5)
                    last = await self.held(objects=True)
        return last

    async def _still(self, last: Holdings) -> bool:
        await asyncio.sleep(1.0)
        return _like(last, await self.held(objects=True))


@dataclass
class Stage:
    """All processes of a run.

    Attributes:
        gateways: by back end; each has a process of its own, so that what grows is known to be one's or the other's.
        bare: the bare client, if there is one.
        upstream: the servers behind the channel, if there is one.
        ledger: of what the servicers saw.
    """

    gateways: dict[str, Watched]
    bare: Watched | None
    upstream: Upstream | None
    ledger: LedgerReader

    @property
    def watched(self) -> list[Watched]:
        """Gateways and the bare client."""
        return [*self.gateways.values(), *([self.bare] if self.bare else [])]

    async def shadow(self, plan: Plan) -> None:
        """Have the bare client make the same call, as soon."""
        if self.bare is not None and plan.back_end == "channel":
            self.bare.calls += 1
            short = msgspec.structs.replace(plan, bad=plan.bad[:9])
            await self.bare.process.tell(msgspec.json.encode(short).decode())


@asynccontextmanager
async def staged(back_ends: Sequence[str], stack: str, report: Report, *, bare: bool) -> AsyncIterator[Stage]:
    """All processes, for as long as the block runs.

    Args:
        back_ends: each gets a gateway.
        stack: of the gateways.
        report: gets what they held.
        bare: run the bare client as well.
    """
    with _folder(report) as folder:
        async with AsyncExitStack() as exits:
            ledger = folder / "ledger"
            ledger.touch()
            targets: list[str] = []
            upstream = None
            if "channel" in back_ends:
                aio, sync, aio_wire, sync_wire = free_ports(4)
                arguments = (ledger, aio, sync)
                server = await Child.start(folder, "server", *arguments)
                relay = await exits.enter_async_context(child(folder, "relay", aio_wire, aio, sync_wire, sync))
                upstream = Upstream(folder, server, relay, arguments)
                exits.push_async_callback(upstream.stop)
                targets = [f"127.0.0.1:{sync_wire}", f"127.0.0.1:{aio_wire}"]
            gateways = {}
            for back_end in back_ends:
                named = targets if back_end == "channel" else []
                process = await exits.enter_async_context(child(folder, "gateway", stack, ledger, *named))
                gateways[back_end] = Watched(back_end, process)
            control = None
            if bare and targets:
                loop = STACKS[stack]["loop"]
                process = await exits.enter_async_context(
                    child(folder, "control", loop, LIMITS.idle_timeout_s, *targets)
                )
                control = Watched(BARE, process)
            stage = Stage(gateways, control, upstream, LedgerReader(ledger))
            report.processes = {each.name: each.series for each in stage.watched}
            yield stage


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


_ASIDE: dict[str, Any] = dict.fromkeys(
    ["rss_kib", "heap_kib", "holes_kib", "trimmed_kib", "blocks", "live", "os_threads"], 0
)


def _like(held: Holdings, wanted: Holdings) -> bool:
    """Whether as much is held, memory and grpcio's own threads aside."""
    return msgspec.structs.replace(held, **_ASIDE) == msgspec.structs.replace(wanted, **_ASIDE)
