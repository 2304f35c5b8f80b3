"""What both servers do alike: start, describe themselves, stop."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import grpc
import pytest
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from tests.processes import GREETER, STREAMING, python, started

BOTH = pytest.mark.parametrize(
    ("script", "service"),
    [(GREETER, "helloworld.Greeter"), (STREAMING, "streaming.v1.StreamingService")],
    ids=["greeter", "streaming"],
)
WITHOUT_REFLECTION = """
import runpy, sys
sys.modules["grpc_reflection"] = None
del sys.argv[0]
runpy.run_path(sys.argv[0], {}, "__main__")
"""


@BOTH
def test_a_port_that_is_taken_is_an_error(script: Path, service: str) -> None:
    with started(*python(script, "--port", "0")) as running:
        port = running.address.rpartition(":")[2]
        with (
            pytest.raises(AssertionError, match=r"(?s)it ended with 1.*Failed to bind"),
            started(sys.executable, script, "--port", port),
        ):
            pytest.fail("two servers on one port")


@BOTH
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_server_cleanly(script: Path, service: str, number: signal.Signals) -> None:
    with started(*python(script, "--port", "0")) as running:
        assert (running.stop(number=number), running.stderr) == (0, "")


@BOTH
def test_the_server_describes_itself(script: Path, service: str) -> None:
    with started(*python(script, "--port", "0")) as running, grpc.insecure_channel(running.address) as channel:
        assert service in ProtoReflectionDescriptorDatabase(channel).get_services()


@BOTH
def test_the_server_needs_no_reflection(script: Path, service: str) -> None:
    with started(sys.executable, "-c", WITHOUT_REFLECTION, script, "--port", "0", cwd=script.parent) as running:
        assert (running.stop(), running.stderr) == (0, "")
