"""Start programs for tests, wait until they are ready, and end exactly those.

For servers that print one line when they are ready. Example::

    with started(sys.executable, "examples/greeter/greeter_server.py", "--port", "0") as server:
        channel = grpc.insecure_channel(server.address)

    with started(sys.executable, "-m", "uvicorn", "greeter_gateway:app", "--port", "0", ready=UVICORN) as gateway:
        httpx.get(f"http://{gateway.address}/v1/helloworld/Ada")
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parent.parent
GREETER = ROOT / "examples" / "greeter" / "greeter_server.py"
STREAMING = ROOT / "examples" / "streaming" / "streaming_server.py"

LISTENING = r"^listening on (\S+)"
UVICORN = r"Uvicorn running on https?://(\S+)"


class Started:
    """A running program, with everything that it has printed.

    Attributes:
        address: what the ready line's group caught, e.g. ``"127.0.0.1:50051"``.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.address = ""
        self._process = process
        self._news = threading.Condition()
        self._texts = {"stdout": "", "stderr": ""}
        self._open = len(self._texts)
        self._readers = [
            threading.Thread(target=self._read, args=(name, pipe), daemon=True)
            for name, pipe in (("stdout", process.stdout), ("stderr", process.stderr))
            if pipe
        ]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        """The process's number, e.g. to read its memory from ``/proc``."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit status; None while the program runs."""
        return self._process.poll()

    @property
    def stdout(self) -> str:
        """What the program printed so far."""
        return self._texts["stdout"]

    @property
    def stderr(self) -> str:
        """What the program complained of so far."""
        return self._texts["stderr"]

    def wait_for(self, pattern: str, *, timeout_s: float = 10.0) -> re.Match[str]:
        """Wait until ``pattern`` is found in what the program printed on either stream.

        It is a pattern of ``re``, and ``^`` is a line's start.
        From a coroutine: ``await asyncio.to_thread(server.wait_for, "Chat cancelled")``.

        Raises:
            AssertionError: not within ``timeout_s``, or the program ended without it; with all that it printed.
        """
        wanted = re.compile(pattern, re.MULTILINE)
        until = time.monotonic() + timeout_s
        with self._news:
            while True:
                for text in self._texts.values():
                    if found := wanted.search(text):
                        return found
                left = until - time.monotonic()
                if left <= 0 or not self._open:
                    why = f"not within {timeout_s} s" if self._open else f"it ended with {self._process.wait()}"
                    raise AssertionError(f"{pattern!r} was not printed: {why}\n{self.stdout}{self.stderr}")
                self._news.wait(left)

    def kill(self) -> None:
        """End the program at once, as a crash would, and wait until it is gone."""
        self._process.kill()
        self._process.wait()

    def stop(self, *, number: int = signal.SIGTERM, timeout_s: float = 10.0) -> int:
        """Ask the program to end, and return its exit status; it is killed if it does not within ``timeout_s``."""
        if self._process.poll() is None:
            self._process.send_signal(number)
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
        for reader in self._readers:
            reader.join(timeout_s)
        return self._process.wait()

    def _read(self, name: str, pipe: IO[str]) -> None:
        """Collect one stream until its end."""
        with pipe:
            for line in pipe:
                with self._news:
                    self._texts[name] += line
                    self._news.notify_all()
        with self._news:
            self._open -= 1
            self._news.notify_all()


@contextmanager
def started(
    *command: str | Path,
    ready: str = LISTENING,
    env: Mapping[str, str] | None = None,
    cwd: str | Path | None = None,
    timeout_s: float = 30.0,
) -> Iterator[Started]:
    """Start a program, wait until it is ready, and end it afterwards.

    Args:
        command: the program and its arguments.
        ready: pattern of the line, on either stream, that says so; its first group, if any, becomes ``address``.
        env: variables added to ours; Python's output is unbuffered in any case.
        cwd: the folder to run in.
        timeout_s: how long it may take to get ready.

    Raises:
        AssertionError: it did not get ready; the text has what it printed.
    """
    process = subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
        cwd=cwd,
    )
    program = Started(process)
    try:
        found = program.wait_for(ready, timeout_s=timeout_s)
        program.address = found[1] if found.re.groups else ""
        yield program
    finally:
        program.stop()


def python(script: str | Path, *arguments: str) -> tuple[str, ...]:
    """The command that runs a script with this interpreter, every warning shown."""
    return (sys.executable, "-W", "always", str(script), *arguments)
