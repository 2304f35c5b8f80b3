"""``asgi-grpc demo`` as a newcomer meets it: every printed line is pasted into a shell, or into a browser."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from asgi_grpc.cli import _demo, _examples
from asgi_grpc.cli._demo import run_demo
from asgi_grpc.cli._demo_text import demo_text, own_command
from asgi_grpc.client import HttpConnection, WebSocket
from tests.processes import ROOT, Started, started

READY = "^Ctrl-C ends everything"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def demo(
    *options: str, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> AbstractContextManager[Started]:
    """The demo, ready."""
    command = (sys.executable, "-P", "-W", "always", "-m", "asgi_grpc", "demo", "--port", "0", *options)
    return started(*command, ready=READY, env=env, cwd=cwd)


@pytest.fixture(scope="module")
def running() -> Iterator[Started]:
    with demo() as program:
        yield program


def address_of(program: Started) -> str:
    """Host and port of the gateway."""
    return program.wait_for(r"at http://(localhost:\d+)$")[1]


def commands_of(text: str) -> list[str]:
    """The lines that are for a shell."""
    return [line.strip() for line in text.splitlines() if line.startswith("  ") and "WebSocket(" not in line]


def children_of(pid: int) -> list[int]:
    """The processes that one has started."""
    with subprocess.Popen(["ps", "-o", "pid=", "--ppid", str(pid)], stdout=subprocess.PIPE, text=True) as ps:
        assert ps.stdout is not None
        return [int(line) for line in ps.stdout if int(line) != ps.pid]


def alive(pids: list[int]) -> list[int]:
    """Those of the processes that still run."""
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


COMMANDS = commands_of(demo_text(8000))


@pytest.mark.parametrize("number", range(len(COMMANDS)), ids=[re.sub(r"\W+", "-", line)[-40:] for line in COMMANDS])
def test_every_printed_command_works_when_pasted(number: int, running: Started) -> None:
    command = commands_of(running.stdout)[number]
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    last = done.stdout.strip().splitlines()[-1]
    assert last.startswith(('{"type":"complete"', '{"code":0,"message":"success"', "data: {}")), done.stdout
    if "20000" in command:
        assert '"count":"20000","sum":200010000' in done.stdout


def test_both_spellings_of_localhost_answer(running: Started) -> None:
    port = address_of(running).rpartition(":")[2]
    for host in ("127.0.0.1", "[::1]") if socket.has_ipv6 and has_ipv6_loopback() else ("127.0.0.1",):
        done = subprocess.run(
            ["curl", "-sg", f"http://{host}:{port}/v1/helloworld/Ada"], capture_output=True, text=True, check=False
        )
        assert '"message":"Hello, Ada!"' in done.stdout


def has_ipv6_loopback() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium, into whose console the line could be pasted")
async def test_the_javascript_line_works_when_pasted(running: Started) -> None:
    (line,) = [line.strip() for line in running.stdout.splitlines() if "WebSocket(" in line]
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
                   "--disable-background-networking", "--remote-debugging-port=0", f"--user-data-dir={profile}",
                   f"http://{address_of(running)}/"]  # fmt: skip
        browser = await asyncio.create_subprocess_exec(*command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        try:
            async with asyncio.timeout(60):
                logged = await paste(browser, line)
        finally:
            browser.kill()
            await browser.communicate()
    assert [json.loads(text) for text in logged] == [
        {"type": "response", "data": {"message": "Hello, Ada!", "language": "en"}},
        {"type": "response", "data": {"message": "Hello, Grace!", "language": "en"}},
    ]


async def paste(browser: asyncio.subprocess.Process, line: str) -> list[str]:
    """Run a line in the browser's page, and return the first two lines that it logs."""
    assert browser.stderr is not None
    while not (found := re.search(rb"DevTools listening on ws://([^/]+)/", await browser.stderr.readline())):
        pass
    where = found[1].decode()
    async with await HttpConnection.open(f"http://{where}") as connection:
        await connection.send_head("GET", "/json/list", body=False)
        await connection.read_head()
        targets = json.loads(await connection.read_body(max_bytes=1 << 20))
    (page,) = [target for target in targets if target["type"] == "page"]
    logged: list[str] = []
    async with await WebSocket.connect(page["webSocketDebuggerUrl"]) as devtools:
        await devtools.send_text(json.dumps({"id": 1, "method": "Runtime.enable"}))
        while len(logged) < 2:
            match json.loads(await devtools.receive() or "null"):
                case {
                    "method": "Runtime.executionContextCreated",
                    "params": {"context": {"origin": origin, "id": context}},
                }:
                    if origin.startswith("http://localhost:"):  # before it there is an empty page
                        evaluate = {"expression": line, "contextId": context}
                        await devtools.send_text(
                            json.dumps({"id": 2, "method": "Runtime.evaluate", "params": evaluate})
                        )
                case {"method": "Runtime.consoleAPICalled", "params": {"args": [{"value": value}]}}:
                    logged.append(value)
    return logged


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=["ctrl-c", "term", "hangup"])
def test_a_signal_ends_everything_cleanly(number: int) -> None:
    with demo() as program:
        children = children_of(program.pid)
        assert len(children) == 2
        status = program.stop(number=number)
    assert (status, program.stderr) == (0, "")
    assert alive(children) == []


def test_calls_that_still_run_end_with_a_failure_record() -> None:
    with demo() as program:
        children = children_of(program.pid)
        address = address_of(program)
        calls = [(sys.executable, "-m", "asgi_grpc", "call", f"{scheme}://{address}/v1/users/ann/events")
                 for scheme in ("http", "ws")]  # fmt: skip
        with started(*calls[0], ready="HEARTBEAT") as http, started(*calls[1], ready="HEARTBEAT") as websocket:
            status = program.stop(number=signal.SIGINT)
            assert (http.stop(), websocket.stop()) == (1, 1)
    assert (status, program.stderr) == (0, "")
    assert alive(children) == []
    assert "UNAVAILABLE" in http.stdout


def test_a_taken_port_is_one_line() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        port = sock.getsockname()[1]
        command = [sys.executable, "-m", "asgi_grpc", "demo", "--port", str(port)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"asgi-grpc: port {port} is in use; choose another one with --port\n"


def test_when_a_part_ends_all_of_it_ends() -> None:
    with demo() as program:
        children = children_of(program.pid)
        os.kill(children[0], signal.SIGKILL)
        program.wait_for(r"asgi-grpc: the \w+ example ended with status -9")
        while program.returncode is None:
            time.sleep(0.01)
        assert program.returncode == 1
    assert "Traceback" not in program.stderr
    assert alive(children) == []


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the examples that a test may break."""
    folder = tmp_path / "examples"
    shutil.copytree(ROOT / "examples", folder, ignore=shutil.ignore_patterns("__pycache__"))
    for module in (_demo, _examples):
        monkeypatch.setattr(module, "examples_folder", lambda: folder)
    return folder


def test_a_part_that_does_not_start_leaves_no_process(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (broken / "streaming" / "streaming_server.py").write_text("raise SystemExit(5)")
    before = children_of(os.getpid())
    assert run_demo(0) == 1
    assert capsys.readouterr() == ("", "asgi-grpc: the streaming example ended with status 5\n")
    assert children_of(os.getpid()) == before


def test_a_damaged_schema_is_one_line(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (broken / "greeter" / "greeter.binpb").write_bytes(b"\xff\xff")
    assert run_demo(0) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n"), "greeter.binpb" in err) == ("", 1, True)


def test_a_gateway_that_does_not_start_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fail(self: object, sockets: object) -> None:
        raise SystemExit(3)

    monkeypatch.setattr(_demo._Server, "serve", fail)
    assert run_demo(0) == 1
    assert capsys.readouterr() == ("", "asgi-grpc: the gateway did not start\n")


@pytest.mark.parametrize(
    ("status", "text"), [(503, "answers with HTTP status 503"), (None, "does not answer")], ids=["refuses", "hangs up"]
)
def test_a_service_that_does_not_answer_is_one_line(
    status: int | None, text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def application(scope: dict[str, object], receive: object, send: object) -> None:
        if scope["type"] == "lifespan":
            await receive()  # type: ignore[operator]
            await send({"type": "lifespan.startup.complete"})  # type: ignore[operator]
            await receive()  # type: ignore[operator]
            await send({"type": "lifespan.shutdown.complete"})  # type: ignore[operator]
            return
        await send({"type": "http.response.start", "status": status or 200, "headers": []})  # type: ignore[operator]
        await send({"type": "http.response.body", "more_body": status is None})  # type: ignore[operator]

    monkeypatch.setattr(_demo, "demo_application", lambda greeter, streaming: application)
    assert run_demo(0) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert re.search(rf"asgi-grpc: http://localhost:\d+/v1/helloworld/demo {text}\n$", err)


def test_the_program_is_named_as_it_can_be_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "my bin"
    folder.mkdir()
    monkeypatch.setattr(sys, "executable", str(folder / "python3"))
    monkeypatch.setenv("PATH", "/nowhere")
    assert own_command() == f"'{folder}/python3' -m asgi_grpc"
    script = folder / "asgi-grpc"
    script.touch(mode=0o755)
    assert own_command() == f"'{script}'"
    monkeypatch.setenv("PATH", str(folder))
    assert own_command() == "asgi-grpc"
    assert " asgi-grpc call ws://localhost:1/" in demo_text(1)


def test_an_installed_wheel_has_the_demo(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    built = subprocess.run(
        [*pip, "wheel", str(ROOT), "--no-deps", "-w", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    target = tmp_path / "installed"
    subprocess.run([*pip, "install", "--no-deps", "--target", str(target), str(wheel)], check=True, capture_output=True)
    env = {"PYTHONPATH": str(target)}
    with demo(env=env, cwd=tmp_path) as program:
        script = Path(f"/proc/{children_of(program.pid)[0]}/cmdline").read_bytes().split(b"\0")[1].decode()
        assert script == str(target / "asgi_grpc/examples/greeter/greeter_server.py")
        done = subprocess.run(
            [str(target / "bin" / "asgi-grpc"), "call", f"http://{address_of(program)}/v1/helloworld/Ada"],
            env={**os.environ, **env}, cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode, json.loads(done.stdout)["data"]["message"]) == (0, "Hello, Ada!")
        assert program.stop(number=signal.SIGINT) == 0
