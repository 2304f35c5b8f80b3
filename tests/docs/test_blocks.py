"""What the pages say to paste works when pasted, and prints what they say that it prints."""

from __future__ import annotations

import io
import shutil
import subprocess
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from tests.docs.pages import Block, blocks


def named(*languages: str) -> list[object]:
    """Blocks as the parameters of a test."""
    return [pytest.param(block, id=block.name) for block in blocks(*languages)]


@pytest.mark.skipif(shutil.which("curl") is None, reason="the pages use curl")
@pytest.mark.skipif(shutil.which("bash") is None, reason="the pages use a POSIX shell")
@pytest.mark.parametrize("block", named("sh"))
def test_pasted_commands_work(block: Block, demo: str, checkout: Path, shell_env: dict[str, str]) -> None:
    if block.output is None:  # nothing says that the commands fail
        (checkout / ".curlrc").write_text("no-progress-meter\nfail-with-body\n")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.code.replace("localhost:8000", demo)],
        cwd=checkout,
        env=shell_env,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert block.output is None or done.stdout.replace(demo, "localhost:8000").rstrip() == block.output.rstrip()


@pytest.mark.parametrize("block", named("python"))
def test_python_runs(
    block: Block, request: pytest.FixtureRequest, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(checkout)
    code = block.code
    if "localhost:8000" in code:
        code = code.replace("localhost:8000", request.getfixturevalue("demo"))
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(compile(code, block.name, "exec"), {"__name__": "docs"})
    assert block.output is None or printed.getvalue().rstrip() == block.output.rstrip()


@pytest.mark.parametrize("block", named("py"))
def test_python_that_needs_more_than_the_demo_is_at_least_python(block: Block) -> None:
    compile(block.code, block.name, "exec")


def test_there_is_no_output_without_a_block_that_prints_it() -> None:
    printing = [block for block in blocks("sh", "python") if block.output is not None]
    assert len(blocks("text")) == len(printing)
