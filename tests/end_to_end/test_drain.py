"""SIGTERM while 200 calls run: each client gets a proper end, and what a service has acknowledged is not lost.

Calls of all kinds run over HTTP and WebSocket. Half of them end by themselves in the time that is granted.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle, islice, product
from pathlib import Path
from typing import Any, Protocol

import pytest

from asgi_grpc.client import ClientError, HandshakeError, HttpConnection, WebSocket
from tests.end_to_end.drained import FINISH_S, PACE_S
from tests.processes import ROOT, UVICORN, Started, started

COUNT = 200
KINDS = {"unary": "", "down": "ServerStream", "up": "ClientStream", "bidi": "BidiStream"}
GREETER_SET = ROOT / "examples" / "greeter" / "greeter.binpb"
MODULES = {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "examples" / "greeter")])}
DRAINED = (sys.executable, "-m", "tests.end_to_end.drained")


class Peer(Protocol):
    """A call's other side."""

    async def send(self, name: str) -> None:
        """A request."""
        ...

    async def end(self) -> None:
        """No more requests."""
        ...

    async def receive(self) -> tuple[str, str]:
        """The next record: ``response`` and its text, ``complete``, or ``error`` and how it ended."""
        ...


class HttpPeer:
    """A call over HTTP, in NDJSON where it streams."""

    def __init__(self, connection: HttpConnection) -> None:
        self._connection = connection
        self._records: list[tuple[str, str]] = []
        self._rest = b""
        self._begun = False
        self._streams = True

    async def send(self, name: str) -> None:
        """See ``Peer``."""
        await self._connection.send_chunk(json.dumps({"name": name}).encode() + b"\n")

    async def end(self) -> None:
        """See ``Peer``."""
        await self._connection.end()

    async def receive(self) -> tuple[str, str]:
        """See ``Peer``. A stream that fails must have its proper end, behind which nothing comes."""
        if not self._begun:
            self._begun = True
            head = await self._connection.read_head()
            if head.header("content-type") == "application/json":
                document = json.loads(await self._connection.read_body(max_bytes=1 << 20))
                if head.status != 200:
                    return "error", f"{document['status']} {head.status}"
                self._streams = False
                self._records.append(("complete", ""))
                return "response", document["data"].get("message", "")
            assert head.header("content-type") == "application/x-ndjson", head
        while not self._records:
            *lines, self._rest = (self._rest + await self._connection.read_chunk()).split(b"\n")
            self._records += [_record(json.loads(line)) for line in lines]
        record = self._records.pop(0)
        if record[0] != "response" and self._streams:
            assert await self._connection.read_chunk() == b""
        return record


class SocketPeer:
    """A call over WebSocket."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def send(self, name: str) -> None:
        """See ``Peer``."""
        await self._socket.send_text(json.dumps({"name": name}))

    async def end(self) -> None:
        """See ``Peer``."""
        await self._socket.send_text("")

    async def receive(self) -> tuple[str, str]:
        """See ``Peer``. Behind the last record comes the close."""
        text = await self._socket.receive()
        if text is None:
            return "error", f"no record {self._socket.close_code}"
        kind, what = _record(json.loads(text))
        if kind != "response":
            assert await self._socket.receive() is None
            what = f"{what} {self._socket.close_code}".strip()
        return kind, what


def _record(document: Any) -> tuple[str, str]:
    kind = document["type"]
    return kind, document["data"]["message"] if kind == "response" else document.get("code", "")


@dataclass
class Plan:
    """One call, and what came of it.

    Attributes:
        name: its own.
        kind: of the method.
        door: ``http`` or ``ws``.
        how: ``finishing`` or ``endless``.
        replies: that came.
        end: that was said.
    """

    name: str
    kind: str
    door: str
    how: str
    replies: list[str] = field(default_factory=list)
    end: str = ""


def plans(count: int, hows: tuple[str, ...] = ("finishing", "endless")) -> list[Plan]:
    """Calls of all kinds, mixed."""
    mixed = islice(cycle(product(KINDS, ("http", "ws"), hows)), count)
    return [Plan(f"call-{number}", *what) for number, what in enumerate(mixed)]


@asynccontextmanager
async def peer(address: str, kind: str, door: str) -> AsyncIterator[Peer]:
    """A call that begins."""
    path = f"{address}/helloworld.Greeter/SayHello{KINDS[kind]}"
    if door == "ws":
        async with await WebSocket.connect(f"ws://{path}") as socket:
            yield SocketPeer(socket)
        return
    async with await HttpConnection.open(f"http://{path}") as connection:
        await connection.send_head("POST", headers=[("Content-Type", "application/json")])
        yield HttpPeer(connection)


async def run(plan: Plan, address: str, finish: asyncio.Event) -> None:
    """Run a call to its end."""
    async with peer(address, plan.kind, plan.door) as other:
        name = plan.name if plan.kind in ("up", "bidi") else f"{plan.name} {plan.how}"
        await other.send(name)
        over = asyncio.create_task(_collect(plan, other))
        if plan.kind in ("up", "bidi"):
            await _go_on(plan, other, over, finish)
        elif plan.door == "http":
            await other.end()
        await over


async def _collect(plan: Plan, other: Peer) -> None:
    """Take the records to the last."""
    while True:
        kind, what = await other.receive()
        if kind != "response":
            plan.end = f"{kind} {what}".strip()
            return
        plan.replies.append(what)


async def _go_on(plan: Plan, other: Peer, over: asyncio.Task[None], finish: asyncio.Event) -> None:
    """Send until it is time to finish, one request for each reply; or for ever."""
    sent = 1
    with suppress(ClientError):  # the end may come at any moment; what was answered before can still be read
        while not over.done():
            if finish.is_set() and plan.how == "finishing":
                await other.end()
                return
            if plan.kind == "up" or len(plan.replies) == sent:
                await other.send(plan.name)
                sent += 1
            await asyncio.sleep(PACE_S)


async def ask(address: str, name: str) -> tuple[str, str]:
    """A unary call of its own."""
    async with peer(address, "unary", "http") as other:
        await other.send(name)
        await other.end()
        return await other.receive()


async def all_running(address: str, count: int) -> None:
    """Wait until so many calls have reached the service."""
    while (await ask(address, "running"))[1] != str(count):
        await asyncio.sleep(PACE_S)


async def drained(address: str, gateway: Started, wanted: list[Plan]) -> tuple[str, int]:
    """Run the calls, end the gateway under them, and try one more of each door meanwhile.

    Returns:
        What a new call was told, and a new WebSocket.
    """
    finish = asyncio.Event()
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for plan in wanted:
            group.create_task(run(plan, address, finish))
        await all_running(address, len(wanted))
        await ask(address, "finish")
        os.kill(gateway.pid, signal.SIGTERM)
        while (told := await ask(address, "running"))[0] == "response":
            pass  # the signal is on its way
        with pytest.raises(HandshakeError) as refused:
            await WebSocket.connect(f"ws://{address}/helloworld.Greeter/SayHello")
        await asyncio.sleep(FINISH_S / 2)
        finish.set()
    return told[1], refused.value.status


def ends(plan: Plan) -> str:
    """The end that a call must have."""
    if plan.how == "finishing":
        return "complete" if plan.door == "http" else "complete 1000"
    if plan.door == "ws":
        return "error UNAVAILABLE 1012"
    return "error UNAVAILABLE" if plan.kind in ("down", "bidi") else "error UNAVAILABLE 503"


def check(wanted: list[Plan], ledger: dict[str, tuple[int, str]]) -> None:
    """Every call had its end, every reply came in its order, and none was lost of those that had been acknowledged."""
    assert {plan.name: plan.end for plan in wanted} == {plan.name: ends(plan) for plan in wanted}
    assert ledger.keys() == {plan.name for plan in wanted}
    under_way = sum(sent - len(plan.replies) for plan in wanted for sent, _ in [ledger[plan.name]])
    print(f"{sum(len(plan.replies) for plan in wanted)} replies came, {under_way} of endless streams were on their way")
    for plan in wanted:
        sent, end = ledger[plan.name]
        assert plan.replies == [f"{plan.name} {number}" for number in range(len(plan.replies))], plan
        assert len(plan.replies) <= sent, plan
        if plan.how == "finishing":
            assert (len(plan.replies), end) == (sent, "returned"), plan
            assert plan.replies, plan
        elif plan.kind == "bidi":  # the client waits for each reply: one may have been on its way
            assert sent - len(plan.replies) <= 1, plan


def ledger_of(program: Started) -> dict[str, tuple[int, str]]:
    """What the service has noted."""
    found: dict[str, tuple[int, str]] = json.loads(program.wait_for(r"^ledger (.*)$")[1])
    return found


@contextmanager
def uvicorn(factory: str, *options: str) -> Iterator[Started]:
    """An application of ``drained.py`` under uvicorn."""
    command = (sys.executable, "-m", "uvicorn", "--factory", f"tests.end_to_end.drained:{factory}", "--port", "0")
    with started(*command, *options, ready=UVICORN, env=MODULES, cwd=Path(ROOT)) as program:
        yield program


@pytest.mark.parametrize("way", [(), ("--upstream-http2",)], ids=["channel", "http2"])
def test_the_command_drains_200_calls_of_another_server(way: tuple[str, ...]) -> None:
    wanted = plans(COUNT)
    with started(*DRAINED, env=MODULES, cwd=ROOT) as server:
        command: tuple[str | Path, ...] = (
            *(*DRAINED, "serve", server.address, "--descriptor-set", GREETER_SET, "--port", "0"),
            *way,
        )
        with started(*command, ready=UVICORN, env=MODULES, cwd=ROOT) as gateway:
            told = asyncio.run(drained(gateway.address, gateway, wanted))
            status = gateway.stop()
        server.stop()
        ledger = ledger_of(server)
    assert told == ("UNAVAILABLE 503", 503)
    assert status == -signal.SIGTERM  # uvicorn raises the signal again, when all is done
    assert "Traceback" not in gateway.stderr
    check(wanted, ledger)


def test_the_middleware_drains_200_calls_in_its_own_process() -> None:
    wanted = plans(COUNT)
    with uvicorn("signals") as gateway:
        told = asyncio.run(drained(gateway.address, gateway, wanted))
        status = gateway.stop()
        ledger = ledger_of(gateway)
    assert told == ("UNAVAILABLE 503", 503)
    assert status == -signal.SIGTERM
    assert "Traceback" not in gateway.stderr
    check(wanted, ledger)
    assert {end for _, end in ledger.values()} == {"returned", "cancelled"}


def test_streams_that_uvicorn_cancels_are_told_before_they_are_cut() -> None:
    wanted = plans(40, ("endless",))

    async def cancelled(gateway: Started) -> None:
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            for plan in wanted:
                group.create_task(run(plan, gateway.address, asyncio.Event()))
            await all_running(gateway.address, len(wanted))
            os.kill(gateway.pid, signal.SIGTERM)

    with uvicorn("plain", "--timeout-graceful-shutdown", "1") as gateway:
        asyncio.run(cancelled(gateway))
        status = gateway.stop()
        ledger = ledger_of(gateway)
    told = {plan.name: ends(plan) if plan.door == "http" else "error no record 1012" for plan in wanted}
    assert {plan.name: plan.end for plan in wanted} == told
    assert status == -signal.SIGTERM
    assert {end for _, end in ledger.values()} == {"cancelled"}


def test_workers_that_hear_twice_of_the_same_end_drain_to_their_own() -> None:
    """systemd tells all processes of a service, a terminal all of a group; the supervisor tells its workers again."""

    async def listening(address: str) -> None:
        while True:  # the supervisor says that it runs before a worker listens
            with suppress(ClientError):
                await ask(address, "running")
                return
            await asyncio.sleep(PACE_S)

    async def ended(gateway: Started) -> list[tuple[str, str]]:
        async with asyncio.timeout(30):
            await listening(gateway.address)
        async with asyncio.timeout(30), peer(gateway.address, "bidi", "ws") as other:
            await other.send("call-0")
            first = await other.receive()
            parent = Path(f"/proc/{gateway.pid}/task/{gateway.pid}/children")
            for pid in [gateway.pid, *map(int, parent.read_text().split())]:
                os.kill(pid, signal.SIGTERM)
            return [first, await other.receive()]

    with started(*DRAINED, env=MODULES, cwd=ROOT) as server:
        command = ("serve", server.address, "--descriptor-set", GREETER_SET, "--port", "0", "--workers", "2")
        options = ("--limit", "drain-timeout-s=1.5")
        with started(sys.executable, "-m", "asgi_grpc", *command, *options, ready=UVICORN, cwd=ROOT) as gateway:
            records = asyncio.run(ended(gateway))
            status = gateway.stop()
    assert records == [("response", "call-0 0"), ("error", "UNAVAILABLE 1012")]
    assert (status, "Traceback" in gateway.stderr) == (0, False)
