"""Files become lines and come back, or not at all."""

from __future__ import annotations

import base64
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from streaming_lines import PIECE_BYTES, pack, points, unpack

from tests.processes import ROOT

SCRIPT = ROOT / "examples" / "streaming" / "streaming_lines.py"
END = '{"type":"complete"}'


def download(path: Path) -> list[str]:
    """The lines that a download of the file would have, without the last record."""
    return [f'{{"type":"response","data":{line}}}' for line in pack(path)]


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES, 2 * PIECE_BYTES + 1])
def test_a_file_comes_back(tmp_path: Path, size: int) -> None:
    source, target = tmp_path / "source.bin", tmp_path / "target.bin"
    source.write_bytes(bytes(range(256)) * (size // 256) + bytes(size % 256))
    assert unpack([*download(source), "", END], target) == size
    assert target.read_bytes() == source.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source.bin", "target.bin"]


def test_metadata_comes_first(tmp_path: Path) -> None:
    source = tmp_path / "a.txt"
    source.write_text("hello")
    metadata, chunk = (json.loads(line) for line in pack(source, "ann"))
    assert metadata == {
        "metadata": {
            "filename": "a.txt",
            "totalSize": "5",
            "contentType": "text/plain",
            "checksum": "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
            "userId": "ann",
        }
    }
    assert chunk == {"chunk": base64.b64encode(b"hello").decode()}


def without(lines: list[str], number: int) -> list[str]:
    return [line for at, line in enumerate(lines) if at != number]


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda lines: lines[:-1], "the download was cut off: its last record is missing"),
        (lambda lines: without(lines, 1), "the download is damaged"),
        (lambda lines: without(lines, 0), "the download is damaged"),
        (lambda lines: [*lines[:2], '{"type":"error","error":"gone"}'], "the download failed: gone"),
        (lambda lines: ['{"chunk":""}'], "the download failed: this is no record of a gateway"),
        (lambda lines: [lines[0], lines[1].replace("AA", "AB", 1), *lines[2:]], "the download is damaged"),
    ],
)
def test_a_damaged_download_is_no_file(tmp_path: Path, damage: Any, problem: str) -> None:
    source, target = tmp_path / "source.bin", tmp_path / "target.bin"
    source.write_bytes(bytes(1000))
    with pytest.raises(ValueError, match=problem):
        unpack(damage([*download(source), END]), target)
    assert [path.name for path in tmp_path.iterdir()] == ["source.bin"]


def test_points_are_the_same_every_time() -> None:
    found = [json.loads(line) for line in points(2000)]
    assert found[:2] == [{"name": "cpu", "value": 0.0}, {"name": "memory", "value": 0.5}]
    assert (len(found), math.fsum(point["value"] for point in found)) == (2000, 499_500.0)


def test_the_command_line_complains_in_one_line(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "unpack", str(tmp_path / "target")]
    done = subprocess.run(command, input="[]\n", capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    command = [sys.executable, str(SCRIPT), "pack", str(tmp_path / "missing")]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 1
    assert "No such file" in done.stderr
