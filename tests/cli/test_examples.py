from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from asgi_grpc.cli import _examples
from asgi_grpc.cli._examples import DemoError, examples_folder, start
from tests.processes import ROOT

LISTENS = "import time; print('hello\\nlistening on 127.0.0.1:1', flush=True); print('more'); time.sleep(60)"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where an example of the test's own can stand."""
    monkeypatch.setattr(_examples, "examples_folder", lambda: tmp_path)
    (tmp_path / "greeter").mkdir()
    return tmp_path


def write(folder: Path, source: str) -> None:
    (folder / "greeter" / "greeter_server.py").write_text(source)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_an_example_says_where_it_listens_and_ends_when_told(folder: Path) -> None:
    write(folder, LISTENS)
    example = await start("greeter")
    await example.wait_ready()
    assert (example.name, example.address) == ("greeter", "127.0.0.1:1")
    ended = asyncio.create_task(example.wait_ended())
    await example.end()
    with pytest.raises(DemoError, match="the greeter example ended with status -15"):
        await ended
    await example.end()


async def test_complaints_are_shown_until_it_is_told_to_end(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    complains = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit('ended'))"
    write(folder, f"{complains}\nprint('watch out', file=sys.stderr, flush=True)\n{LISTENS}")
    example = await start("greeter")
    await example.wait_ready()
    shown = ""
    while not (shown := shown + capsys.readouterr().err):
        await asyncio.sleep(0.001)
    await example.end()
    assert shown + capsys.readouterr().err == "watch out\n"


async def test_an_example_that_ends_before_it_listens_is_named(folder: Path) -> None:
    write(folder, "raise SystemExit(3)")
    example = await start("greeter")
    with pytest.raises(DemoError, match="the greeter example ended with status 3"):
        await example.wait_ready()
    await example.end()


async def test_an_example_that_never_listens_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_examples, "_START_S", 0.05)
    write(folder, "import time; time.sleep(60)")
    example = await start("greeter")
    with pytest.raises(DemoError, match="the greeter example did not start within"):
        await example.wait_ready()
    await example.end()


async def test_an_example_that_does_not_want_to_end_is_ended(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_examples, "_END_S", 0.05)
    deaf = "import os, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); open('pid', 'w').write(str(os.getpid()))"
    write(folder, f"{deaf}\n{LISTENS}")
    monkeypatch.chdir(folder)
    example = await start("greeter")
    await example.wait_ready()
    pid = int((folder / "pid").read_text())
    assert alive(pid)
    await example.end()
    assert not alive(pid)


async def test_an_example_that_cannot_be_started_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(folder / "no-python"))
    with pytest.raises(DemoError, match="the greeter example can't be started: no such file or directory"):
        await start("greeter")


def test_the_examples_of_an_installation_come_before_those_of_a_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert examples_folder() == ROOT / "examples"
    house = tmp_path / "asgi_grpc"
    house.mkdir()
    monkeypatch.setattr(_examples, "_HOUSE", house)
    with pytest.raises(DemoError, match="this installation has no examples"):
        examples_folder()
    for parent in (tmp_path, house):
        script = parent / "examples" / "greeter" / "greeter_server.py"
        script.parent.mkdir(parents=True)
        script.touch()
        assert examples_folder() == parent / "examples"
