"""Fixtures of the command line's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.calling import THREE, Runner


@pytest.fixture
def three(tmp_path: Path) -> str:
    file = tmp_path / "three.ndjson"
    file.write_bytes(THREE)
    return str(file)


@pytest.fixture
def call(capsysbinary: pytest.CaptureFixture[bytes]) -> Runner:
    return Runner(capsysbinary)
