"""The demo, as a reader of the pages has it running."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import ROOT, started


@pytest.fixture(scope="package")
def demo() -> Iterator[str]:
    """Where the demo is, e.g. ``"localhost:40123"``."""
    ready = r"at http://(localhost:\d+)$"
    with started(sys.executable, "-m", "asgi_grpc", "demo", "--port", "0", ready=ready, cwd=ROOT) as running:
        yield running.address


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder that looks like the top of a checkout, and may be written to."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    shutil.copy(ROOT / "README.md", tmp_path)
    (tmp_path / ".curlrc").write_text("no-progress-meter\n")
    return tmp_path


@pytest.fixture
def shell_env(checkout: Path) -> dict[str, str]:
    """The variables of a shell in which the package is installed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "CURL_HOME": str(checkout), "PYTHONIOENCODING": "utf-8"}
