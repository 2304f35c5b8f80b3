"""The processes of a soak: the gateway, the real servers, and the wire between them."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.processes import ROOT

_ENTRY = re.compile(r"^(?=(?:WARNING|ERROR|CRITICAL|INFO):? )", re.MULTILINE)
_FAULTS = ("Traceback (most recent call last)", "never awaited", "Exception ignored", "never retrieved", "Error on ")
_PLANNED = "PlannedError"


class Child:
    """A process of ours, ended by its number and by nothing else.

    Attributes:
        address: what it said that it listens on.
    """

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log
        self._asking = asyncio.Lock()
        self.address = ""

    @classmethod
    async def start(cls, folder: Path, name: str, *arguments: object) -> Child:
        """Start ``tests.soak.NAME`` and wait until it listens."""
        log = folder / f"{name}-{len(list(folder.iterdir()))}.log"
        with log.open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", f"tests.soak.{name}", *map(str, arguments)),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
        child = cls(process, log)
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode()
        if not line.startswith("listening on "):
            raise AssertionError(f"{name} did not start: {line}\n{child.log}")
        child.address = line.split()[-1]
        return child

    @property
    def log(self) -> str:
        """What it wrote on its standard error."""
        return self._log.read_text(errors="replace")

    def send(self, number: int) -> None:
        """Send it a signal, if it still runs."""
        if self._process.returncode is None:
            self._process.send_signal(number)

    async def tell(self, line: str) -> None:
        """Write a line to its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        await self._process.stdin.drain()

    async def ask(self, line: str) -> str:
        """Write a line to its standard input, read one from its standard output."""
        async with self._asking:
            await self.tell(line)
            assert self._process.stdout is not None
            return (await self._process.stdout.readline()).decode()

    async def stop(self, number: int = signal.SIGTERM) -> int:
        """End it, and wait until it is gone: the exit status."""
        self.send(number)
        self.send(signal.SIGCONT)
        try:
            async with asyncio.timeout(20):
                return await self._process.wait()
        except TimeoutError:
            self.send(signal.SIGKILL)
            return await self._process.wait()


@asynccontextmanager
async def child(folder: Path, name: str, *arguments: object) -> AsyncIterator[Child]:
    """A process for as long as the block runs."""
    running = await Child.start(folder, name, *arguments)
    try:
        yield running
    finally:
        await running.stop()


def free_ports(number: int) -> list[int]:
    """Ports of loopback that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def log_lines(log: str) -> Counter[str]:
    """How often each line was logged, numbers and names left out."""
    entries = (entry.splitlines()[0] for entry in _ENTRY.split(log) if entry.strip())
    return Counter(re.sub(r"\d+", "N", line)[:140] for line in entries)


def log_findings(log: str, name: str = "the gateway") -> Iterator[str]:
    """Tracebacks and complaints in a log that no servicer's planned failure explains."""
    for entry in _ENTRY.split(log):
        if any(fault in entry for fault in _FAULTS) and _PLANNED not in entry:
            yield f"{name}'s log: {entry[:3000]}"
