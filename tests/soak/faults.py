"""Faults that hit every call at once: the service dies, hangs or is out of reach, the event loop is blocked."""

from __future__ import annotations

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

from asgi_grpc.client import HttpConnection
from tests.soak.ledger import LedgerReader
from tests.soak.processes import Child

GRACE_S = 3.0
"""After an upstream fault, until grpcio has connected anew."""

Window = tuple[float, float]


class Upstream:
    """The real servers and the wire to them.

    Attributes:
        windows: times on the loop's clock in which a call through the channel may end with UNAVAILABLE.
    """

    def __init__(self, folder: Path, server: Child, relay: Child, arguments: tuple[object, ...]) -> None:
        self._folder = folder
        self._server = server
        self._relay = relay
        self._arguments = arguments
        self.windows: list[Window] = []

    async def kill(self, seconds: float, ledger: LedgerReader) -> None:
        """The servers die, and come back after a while."""
        began = asyncio.get_running_loop().time()
        self.windows.append((began, float("inf")))
        await self._server.stop(signal.SIGKILL)
        ledger.killed()
        await asyncio.sleep(seconds)
        self._server = await Child.start(self._folder, "server", *self._arguments)
        self._close_window(began)

    async def pause(self, seconds: float) -> None:
        """The servers stand still, and go on: nobody may notice but who has a deadline."""
        self._server.send(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        self._server.send(signal.SIGCONT)

    async def cut(self, word: str, seconds: float) -> None:
        """The wire is reset, refuses, or lets nothing through; then it is as usual."""
        began = asyncio.get_running_loop().time()
        if word != "hang":
            self.windows.append((began, float("inf")))
        await self._relay.tell(word)
        await asyncio.sleep(seconds)
        await self._relay.tell("pass")
        if word != "hang":
            self._close_window(began)

    async def stop(self) -> None:
        """End the servers."""
        await self._server.stop()

    def _close_window(self, began: float) -> None:
        self.windows[-1] = began, asyncio.get_running_loop().time() + GRACE_S


async def inject(
    rng: random.Random,
    *,
    gateways: list[str],
    upstream: Upstream | None,
    ledger: LedgerReader,
    done: Counter[str],
    progress: Callable[[str], None],
) -> None:
    """Inject one fault after the other, until cancelled between two of them."""
    faults: dict[str, Callable[[float], Awaitable[None]]] = {"block": lambda _: block(gateways)}
    if upstream is not None:
        wire = upstream
        faults |= {
            "kill": lambda seconds: wire.kill(seconds, ledger),
            "pause": wire.pause,
            "reset": lambda _: wire.cut("reset", 0.0),
            "refuse": lambda seconds: wire.cut("refuse", seconds),
            "hang": lambda seconds: wire.cut("hang", seconds),
        }
    while True:
        await asyncio.sleep(rng.uniform(2.0, 8.0))
        name, seconds = rng.choice(list(faults)), rng.uniform(0.3, 2.0)
        progress(f"    {name} for {seconds:.1f} s at {asyncio.get_running_loop().time():.3f} s")
        fault = asyncio.ensure_future(faults[name](seconds))
        try:
            await asyncio.shield(fault)
        except asyncio.CancelledError:
            await fault  # what was broken is mended before the end
            raise
        finally:
            done[name] += 1


async def block(gateways: list[str]) -> None:
    """Block each gateway's event loop for a second."""
    await asyncio.gather(*map(_block, gateways))


async def _block(gateway: str) -> None:
    async with await HttpConnection.open(f"http://{gateway}/_soak") as connection:
        await connection.send_head("POST", body=False)
        await connection.read_head()
        await connection.read_body(max_bytes=1 << 20)
