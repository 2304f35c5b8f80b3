"""Bytes that a process loses with a call, by kind of method and by end: the middleware's beside a bare client's.

``python -m tests.soak.lost`` prints the table. Each cell is many equal calls through a channel in one process, between
two looks at what C code holds and at what Python's allocator has given out, each after a collection.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from asgi_grpc import GrpcMiddleware
from tests.soak.control import Control
from tests.soak.gateway import LIMITS, RECONNECT
from tests.soak.holdings import Holder, Holdings
from tests.soak.plans import KINDS, Plan
from tests.soak.processes import Child, child, free_ports
from tests.soak.service import SCHEMA, Script
from tests.soak.wire import body_pieces

ENDS = {
    "ok": "the service ends it with OK",
    "status": "the service ends it with ABORTED",
    "deadline": "its deadline passes while the service waits",
    "left": "its client leaves while the service waits",
    "early": "its client leaves before the service can answer",
    "busy": "its client leaves while messages flow",
    "bad": "a request in its middle is refused",
    "reset": "the connection is reset while the service waits",
    "refused": "nobody listens",
}
ROOT = Path(__file__).parents[2]
CONCURRENT = 64
Call = Callable[[Plan], Awaitable[str]]


class Cell(msgspec.Struct):
    """What one end of one kind costs.

    Attributes:
        kind: of method.
        end: of ``ENDS``.
        calls: measured.
        outcomes: that the caller saw.
        heap: bytes of C code's, for each call.
        blocks: of Python's allocator, for each call.
        resident: bytes of resident memory for each call, once holes were given back.
    """

    kind: str
    end: str
    calls: int
    outcomes: dict[str, int]
    heap: float
    blocks: float
    resident: float


def plan_of(kind: str, end: str, number: int) -> Plan:
    """One such call."""
    hangs = end in ("deadline", "left", "early", "reset")
    streams_up = kind in ("Up", "Bidi")
    pads, replies = ([2000] * 1000, 1000) if end == "busy" else ([40, 40, 40], 3)
    return Plan(
        number=number,
        theme="fine",
        back_end="channel",
        service="Async",
        kind=kind,
        door="ndjson" if kind in ("Down", "Bidi") else "json",
        pads=pads if streams_up else [40],
        script=Script(replies=replies, pad=pads[0], end="hang" if hangs else "ABORTED" if end == "status" else "OK"),
        timeout="50m" if end == "deadline" else "",
        leave="reset" if end in ("left", "early", "busy") else "",
        leave_s={"left": 0.05, "busy": 0.5, "early": 0.0005}.get(end, 0.0),
        bad=b"{" if end == "bad" else b"",
        bad_at=3 if end == "bad" else 0,
    )


class Middleware:
    """Calls the middleware as an ASGI server would, without a socket."""

    def __init__(self, target: str, options: list[tuple[str, Any]]) -> None:
        self._app = GrpcMiddleware(
            None, schema=SCHEMA, upstream=target, limits=LIMITS, channel_options=[*RECONNECT, *options]
        )

    async def call(self, plan: Plan) -> str:
        """One request, which its client leaves when the plan says so: the HTTP status, or ``"left"``."""
        headers = [
            (b"grpc-metadata-soak-id", b"%d" % plan.number),
            (b"grpc-metadata-soak-script", msgspec.json.encode(plan.script)),
            (b"content-type", b"application/x-ndjson"),
            (b"host", b"127.0.0.1:8000"),
            (b"accept", b"application/json" if plan.door == "json" else b"application/x-ndjson"),
        ]
        if plan.timeout:
            headers.append((b"grpc-timeout", plan.timeout.encode()))
        path = f"/soak.{plan.service}/{plan.kind}"
        scope: Any = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": headers,
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
        }
        events: list[Any] = [{"type": "http.request", "body": b"".join(body_pieces(plan)), "more_body": False}]
        seen = "left"
        left = asyncio.Event()

        async def receive() -> Any:
            if events:
                return events.pop()
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(event: Any) -> None:
            nonlocal seen
            if event["type"] == "http.response.start":
                seen = str(event["status"])

        if plan.leave:
            asyncio.get_running_loop().call_later(plan.leave_s, left.set)
        await self._app(scope, receive, send)
        return seen


async def measure(call: Call, kind: str, end: str, calls: int, relay: Child) -> Cell:
    """One cell."""
    outcomes: dict[str, int] = {}
    idle = len(asyncio.all_tasks())
    numbers = iter(range(1, 1 << 60))

    async def one() -> None:
        seen = await call(plan_of(kind, end, next(numbers)))
        outcomes[seen] = outcomes.get(seen, 0) + 1

    async def several(wanted: int) -> None:
        left = wanted

        async def worker() -> None:
            nonlocal left
            while left > 0:
                left -= 1
                await one()

        await asyncio.gather(*(worker() for _ in range(CONCURRENT)))

    async def resets(wanted: int) -> None:
        for _ in range(0, wanted, CONCURRENT):
            running = asyncio.gather(*(one() for _ in range(CONCURRENT)))
            await asyncio.sleep(0.2)
            await relay.tell("reset")
            await relay.tell("pass")
            await running

    make = resets if end == "reset" else several
    calls = max(CONCURRENT, calls // 8) if end == "reset" else calls
    if end == "refused":
        await relay.tell("refuse")
        await asyncio.sleep(0.3)
    await make(max(CONCURRENT, calls // 5))
    before = await _held(idle)
    outcomes.clear()
    await make(calls)
    after = await _held(idle)
    if end == "refused":
        await relay.tell("pass")
    if end in ("reset", "refused"):
        while await call(plan_of("Unary", "ok", 1)) not in ("OK", "200"):
            await asyncio.sleep(0.2)
    made = sum(outcomes.values())
    return Cell(
        kind,
        end,
        made,
        outcomes,
        (after.heap_kib - before.heap_kib) * 1024 / made,
        (after.blocks - before.blocks) / made,
        (after.trimmed_kib - before.trimmed_kib) * 1024 / made,
    )


async def _held(idle: int) -> Holdings:
    while len(asyncio.all_tasks()) > idle:  # what was cancelled ends
        await asyncio.sleep(0.1)
    await asyncio.sleep(0.5)
    return Holder().holdings(0, objects=True)


@asynccontextmanager
async def _wired() -> AsyncIterator[tuple[str, Child]]:
    """The real server behind the wire that can be cut: the target, and the wire."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "ledger").touch()
        aio, sync, wire, unused = free_ports(4)
        async with (
            child(folder, "server", folder / "ledger", aio, sync),
            child(folder, "relay", wire, aio, unused, sync) as relay,
        ):
            yield f"127.0.0.1:{wire}", relay


async def run(who: str, calls: int, kinds: list[str], ends: list[str], options: list[tuple[str, Any]]) -> list[Cell]:
    """All cells of one side, in this process."""
    cells = []
    async with _wired() as (target, relay):
        if who == "ours":
            call: Call = Middleware(target, options).call
        else:
            call = Control({"Async": target}, 20.0, options).call
        for end in ends:
            for kind in kinds:
                if kind in ("Up", "Bidi") or (end != "bad" and (end != "busy" or kind == "Down")):
                    cells.append(await measure(call, kind, end, calls, relay))
                    print(who, cells[-1], file=sys.stderr, flush=True)
    return cells


def side(who: str, arguments: list[str]) -> list[Cell]:
    """The same in a process of its own: what else a process does is in its figures too."""
    command = [sys.executable, "-m", "tests.soak.lost", *arguments, "--only", who]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=ROOT).stdout
    return msgspec.json.decode(told, type=list[Cell])


def table(ours: list[Cell], bare: list[Cell]) -> str:
    """Side by side."""
    columns = [f"{figure}, {who}" for figure in ("C", "RSS", "blocks") for who in ("ours", "bare")]
    lines = [f"{'end':10}{'kind':8}{'calls':>7}" + "".join(f"{column:>14}" for column in columns)]
    for a, b in zip(ours, bare, strict=True):
        figures = f"{a.heap:14.0f}{b.heap:14.0f}{a.resident:14.0f}{b.resident:14.0f}{a.blocks:14.2f}{b.blocks:14.2f}"
        lines.append(f"{a.end:10}{a.kind:8}{a.calls:7}{figures}  {a.outcomes} {b.outcomes}")
    return "\n".join(lines)


def main() -> None:
    """Measure in two processes, print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.lost")
    parser.add_argument("--calls", type=int, default=4000, help="for each cell")
    parser.add_argument("--kinds", nargs="*", default=KINDS, choices=KINDS)
    parser.add_argument("--ends", nargs="*", default=list(ENDS), choices=list(ENDS))
    parser.add_argument("--option", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"))
    parser.add_argument("--only", choices=["ours", "bare"], help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.only:
        logging.getLogger("asgi_grpc.error").setLevel(logging.CRITICAL)  # nobody listens: that is meant
        options = [(name, int(value)) for name, value in chosen.option]
        cells = asyncio.run(run(chosen.only, chosen.calls, chosen.kinds, chosen.ends, options))
        print(msgspec.json.encode(cells).decode())
        return
    print(table(*(side(who, sys.argv[1:]) for who in ("ours", "bare"))))


if __name__ == "__main__":
    main()
