"""One StreamingService process for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
import streaming_pb2_grpc

from tests.processes import STREAMING, Started, python, started


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server's folder for files."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="session")
def server(store: Path) -> Iterator[Started]:
    """The server; at the end, it must have had no accident."""
    command = python(STREAMING, "--port", "0", "--verbose", "--store", str(store), "--max-file-bytes", str(1 << 22))
    with started(*command) as running:
        yield running
    assert running.returncode == 0
    for accident in ("Traceback", "Warning", " failed: "):
        assert accident not in running.stderr


@pytest.fixture(scope="session")
def stub(server: Started) -> Iterator[streaming_pb2_grpc.StreamingServiceStub]:
    """The server's methods, as grpcio has them."""
    with grpc.insecure_channel(server.address) as channel:
        yield streaming_pb2_grpc.StreamingServiceStub(channel)
