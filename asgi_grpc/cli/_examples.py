"""The example services as processes: found, started, and ended whatever happens."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from pathlib import Path

_START_S = 30.0
_END_S = 5.0  # the services give running calls two seconds
_READY = "listening on "
_READ_BYTES = 64 << 10
_HOUSE = Path(__file__).parent.parent


class DemoError(Exception):
    """A part of the demo did not start, or ended; the text says which."""


class Example:
    """A running example service.

    Attributes:
        name: of its folder, e.g. ``"greeter"``.
        address: where it answers, e.g. ``"127.0.0.1:50051"``.
    """

    def __init__(self, name: str, process: Process) -> None:
        self.name = name
        self.address = ""
        self._process = process
        self._ready = asyncio.Event()
        self._ending = False
        self._reader = asyncio.create_task(self._read())
        self._complaints = asyncio.create_task(self._pass_complaints_on())

    async def wait_ready(self) -> None:
        """Wait until it has said where it listens.

        Raises:
            DemoError: it ended, or took more than 30 s.
        """
        ready = asyncio.create_task(self._ready.wait())
        await asyncio.wait({ready, self._reader}, timeout=_START_S, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if self._reader.done():
            await self.wait_ended()
        if not self._ready.is_set():
            raise DemoError(f"the {self.name} example did not start within {_START_S:.0f} s")

    async def wait_ended(self) -> None:
        """Wait until it ends by itself, which it should not.

        Raises:
            DemoError: always.
        """
        status = await self._process.wait()
        await self._complaints
        raise DemoError(f"the {self.name} example ended with status {status}")

    async def end(self) -> None:
        """End it: politely, and after five seconds in any case."""
        self._ending = True
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(_END_S):
                await self._process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        finally:
            self._reader.cancel()
            self._complaints.cancel()

    async def _read(self) -> None:
        """Find the line that says where it listens; drop all that follows, so that the pipe never fills up."""
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            text = line.decode("utf-8", "replace").strip()
            if text.startswith(_READY):
                self.address = text.removeprefix(_READY)
                self._ready.set()
                break
        while await self._process.stdout.read(_READ_BYTES):
            pass

    async def _pass_complaints_on(self) -> None:
        """Show what it says on standard error, until it is told to end: grpcio then logs every call that it cuts."""
        assert self._process.stderr is not None
        while data := await self._process.stderr.read(_READ_BYTES):
            if not self._ending:
                sys.stderr.write(data.decode("utf-8", "replace"))
                sys.stderr.flush()


def examples_folder() -> Path:
    """Where the examples are: in the installed package, or beside it in a checkout.

    Raises:
        DemoError: in neither.
    """
    for folder in (_HOUSE / "examples", _HOUSE.parent / "examples"):
        if (folder / "greeter" / "greeter_server.py").is_file():
            return folder
    raise DemoError("this installation has no examples; install asgi_grpc from a wheel, or run it in a checkout")


async def start(name: str) -> Example:
    """Start an example's server on a free port. It may not be ready yet; whoever calls has to end it.

    Raises:
        DemoError: it can't be started.
    """
    script = examples_folder() / name / f"{name}_server.py"
    try:
        # A session of its own: Ctrl-C in the terminal is for us, and we end it.
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(script), "--port", "0", stdin=DEVNULL, stdout=PIPE, stderr=PIPE, start_new_session=True
        )
    except OSError as exc:
        raise DemoError(f"the {name} example can't be started: {(exc.strerror or str(exc)).lower()}") from exc
    return Example(name, process)
