"""The servers that are attacked, and what they look like afterwards."""

from __future__ import annotations

import itertools
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.hostile.server import STACKS
from tests.hostile.wire import Peer, replies, request
from tests.processes import ROOT, Started, started

_FINE = re.compile(r"WARNING: +(Invalid HTTP request received|Unsupported upgrade request)\.|listening on .*|")
_ALIVE = {"code": 0, "message": "success", "data": {"text": "alive"}}


@dataclass(frozen=True)
class After:
    """What an attack left behind.

    Attributes:
        alive: a plain request is answered.
        errors: what the server printed, but for its warnings of bad requests.
        grown_mib: the most that its memory grew by.
    """

    alive: bool
    errors: list[str]
    grown_mib: float


@dataclass
class Attacked:
    """A server under attack.

    Attributes:
        stack: its HTTP parser.
        address: where it listens.
    """

    stack: str
    process: Started
    _marks: Iterator[int] = field(default_factory=itertools.count)
    _read: int = 0
    _held_kib: int = 0

    @property
    def address(self) -> str:
        return self.process.address

    async def ask(self, data: bytes) -> bytes:
        """All that comes back on a connection of its own."""
        peer = await Peer.connect(self.address)
        try:
            await peer.write(data)
            return await peer.hear_out()
        finally:
            await peer.gone()

    async def look(self) -> After:
        """Wait until no call runs, and see what is left."""
        mark = f"mark-{next(self._marks)};"
        both = request("GET", "/v1/echo/alive", last=False) + request("GET", f"/-/state?{mark}")
        plain, state = replies(await self.ask(both))
        assert state.status == 200, "a call runs on"
        self.process.wait_for(mark)  # it was printed before the answer left
        news = self.process.stderr[self._read :]
        news, self._read = news[: news.index(mark)], self._read + news.index(mark) + len(mark)
        sizes = json.loads(state.body)
        before, self._held_kib = self._held_kib or sizes["now_kib"], sizes["now_kib"]
        return After(
            plain.body == _ALIVE,
            [line for line in news.splitlines() if not _FINE.fullmatch(line)],
            (sizes["peak_kib"] - before) / 1024,
        )


@pytest.fixture(scope="session", params=list(STACKS))
def attacked(request: pytest.FixtureRequest) -> Iterator[Attacked]:
    """One after the other, a server of each kind; the tests leave it as they found it."""
    command = (sys.executable, "-W", "error", "-m", "tests.hostile.server", request.param)
    with started(*command, cwd=ROOT) as process:
        yield Attacked(request.param, process)
