"""Real servers on loopback: both examples' services, and a gateway under each of uvicorn's protocol stacks."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.processes import GREETER, ROOT, STREAMING, UVICORN, Started, python, started

GATEWAY = Path(__file__).parent / "gateway.py"
STACKS = {
    "h11+wsproto": ("h11", "wsproto"),
    "httptools+websockets-sansio": ("httptools", "websockets-sansio"),
    "zttp": ("zttp", "websockets-sansio"),
}


@dataclass
class Stack:
    """One gateway and the services behind it.

    Attributes:
        gateway: the process under test.
        greeter: serves helloworld.Greeter.
        streaming: serves streaming.v1.StreamingService.
    """

    gateway: Started
    greeter: Started
    streaming: Started

    @property
    def http(self) -> str:
        """Where the gateway is, for HTTP."""
        return f"http://{self.gateway.address}"

    @property
    def ws(self) -> str:
        """Where the gateway is, for WebSocket."""
        return f"ws://{self.gateway.address}"


@contextmanager
def run_gateway(greeter: str, streaming: str, http: str, ws: str, **env: str) -> Iterator[Started]:
    """A gateway in front of two targets."""
    command = (
        sys.executable,
        "-m",
        "uvicorn",
        "tests.end_to_end.gateway:app",
        "--port",
        "0",
        "--http",
        http,
        "--ws",
        ws,
    )
    targets = {"GREETER_TARGET": greeter, "STREAMING_TARGET": streaming}
    with started(*command, ready=UVICORN, env={**targets, **env}, cwd=ROOT) as gateway:
        yield gateway


@contextmanager
def run_stack(http: str, ws: str, **env: str) -> Iterator[Stack]:
    """Both services and a gateway."""
    with (
        started(*python(GREETER, "--port", "0")) as greeter,
        started(*python(STREAMING, "--port", "0", "--verbose")) as streaming,
        run_gateway(greeter.address, streaming.address, http, ws, **env) as gateway,
    ):
        yield Stack(gateway, greeter, streaming)


@pytest.fixture(scope="session", params=STACKS.values(), ids=list(STACKS))
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """One after the other, every stack; shared by the tests, which leave it as they found it."""
    with run_stack(*request.param) as running:
        yield running


@pytest.fixture(scope="session")
def one_stack() -> Iterator[Stack]:
    """A single stack, for what does not depend on it or takes long."""
    with run_stack("httptools", "websockets-sansio") as running:
        yield running
