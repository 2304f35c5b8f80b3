"""Memory of the gateway under pressure: its peak over the idle size, for each kind of pressure and each back end.

Run it alone: ``python tests/bench/pressure.py [--bytes 1073741824] [--stack NAMES] [--back NAMES] [--row TEXT]``.
Each row has a gateway of its own, under uvicorn in its own process; a channel leads to a ``grpc.aio`` server in
another. Clients and servicers are slow in bursts, with pauses in which everything fills that can. The size is the
resident memory that Linux tells, so what the kernel holds in sockets is not in it.
"""

from __future__ import annotations

import argparse
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

from tests.bench.pressing.memory import KNOWN, MIB, Memory
from tests.bench.pressing.rows import BACKS, NO_RETRIES, ROWS, Pressed, up
from tests.processes import ROOT, UVICORN, started

STACKS = {
    "httptools": ("httptools", "websockets-sansio", "uvloop"),
    "h11": ("h11", "wsproto", "asyncio"),
}
PACKAGES = ("uvicorn", "uvloop", "httptools", "websockets", "h11", "wsproto", "grpcio", "msgspec", "protobuf")


@contextmanager
def service() -> Iterator[str]:
    """The server behind channels; its target."""
    with started(sys.executable, "-m", "tests.bench.pressing.service", cwd=ROOT) as server:
        yield server.address


@contextmanager
def gateway(stack: str, back: str, target: str, total: int) -> Iterator[Pressed]:
    """A fresh gateway that has served a few calls."""
    http, ws, loop = STACKS[stack]
    command = (
        *(sys.executable, "-m", "uvicorn", "tests.bench.pressing.gateway:app", "--port", "0", "--no-access-log"),
        *("--http", http, "--ws", ws, "--loop", loop, "--ws-ping-interval", "600"),  # the clients here answer no pings
    )
    env = {"PRESSURE_BACK": back, "PRESSURE_TARGET": target}
    with started(*command, ready=UVICORN, env=env, cwd=ROOT, timeout_s=60) as running:
        memory = Memory(running.pid)
        up(60)(Pressed(running.address, memory, back, 1 << 18, pause_s=0.0))
        memory.rest()
        yield Pressed(running.address, memory, back, total)


def main() -> bool:
    """Print the table; whether all rows stay within their bounds."""
    parser = argparse.ArgumentParser(prog="python tests/bench/pressure.py")
    parser.add_argument("--bytes", type=int, default=32 * MIB, help="that each row moves: %(default)s")
    parser.add_argument("--stack", default="httptools", help=f"with commas between, of {', '.join(STACKS)}")
    parser.add_argument("--back", default=",".join([*BACKS, NO_RETRIES]), help="with commas between: %(default)s")
    parser.add_argument("--row", default="", help="only rows with this in their names")
    options = parser.parse_args()
    if not KNOWN:
        parser.error("memory is read as Linux has it")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192) if hard > 0 else 8192, hard))
    print(", ".join(f"{name} {version(name)}" for name in PACKAGES))
    good = True
    with service() as target:
        for stack in options.stack.split(","):
            print(
                f"\n{'uvicorn: ' + ' + '.join(STACKS[stack]):44} {'back':10} {'idle':>7}  {'peak over idle':>14}  bound"
            )
            for name, row in ROWS.items():
                for back in row.backs:
                    if back not in options.back.split(",") or options.row not in name:
                        continue
                    with gateway(stack, back, target, options.bytes) as pressed:
                        said = row.press(pressed)
                        grown = pressed.memory.growth()
                    fits = grown <= row.most
                    good &= fits or back in row.theirs
                    verdict = "ok" if fits else row.theirs.get(back, "OVER")
                    print(
                        f"{name:44} {back:10} {pressed.memory.idle / MIB:5.0f} M  {grown / MIB:10.1f} MiB"
                        f"   {row.most / MIB:3.0f} MiB {verdict:8} {said}",
                        flush=True,
                    )
    return good


if __name__ == "__main__":
    sys.exit(not main())
