"""The clients as the origin document prints them, unchanged, against ``examples/greeter`` at http://localhost:8000."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from asgi_grpc.client import WebSocket
from tests.end_to_end.conftest import STACKS
from tests.processes import GREETER, UVICORN, python, started

CLIENTS = Path(__file__).parent / "origin"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module", autouse=True, params=STACKS.values(), ids=list(STACKS))
def http_parser(request: pytest.FixtureRequest) -> Iterator[str]:
    """The example as its README starts it, under each stack: the printed clients know one address only."""
    http, ws = request.param
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", 8000))
        except OSError:
            pytest.skip("port 8000, which the printed clients call, is taken")
    command = (sys.executable, "-m", "uvicorn", "greeter_gateway:app", "--port", "8000", "--http", http, "--ws", ws)
    with (
        started(*python(GREETER, "--port", "0")) as service,
        started(*command, ready=UVICORN, env={"GREETER_TARGET": service.address}, cwd=GREETER.parent),
    ):
        yield http


def run_client(module: str, function: str) -> str:
    """What a printed coroutine prints."""
    done = subprocess.run(
        [sys.executable, "-c", f"import asyncio, {module}; asyncio.run({module}.{function}())"],
        env={**os.environ, "PYTHONPATH": str(CLIENTS), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_python_websocket_client() -> None:
    printed = run_client("websocket_client", "client_streaming_websocket").splitlines()
    assert printed == [
        "发送: Alice",
        "发送: Bob",
        "发送: Charlie",
        "收到响应: Hello to all: Alice, Bob, Charlie!",
        "传输完成",
    ]


def test_the_python_httpx_client(http_parser: str) -> None:
    if http_parser != "h11":
        pytest.skip("it sends Content-Length beside Transfer-Encoding; only h11 reads that (RFC 9112, section 6.3)")
    printed = run_client("httpx_client", "client_streaming_http").splitlines()
    assert printed == ["响应: Hello to all: Alice, Bob, Charlie!"]


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium; Debian's package is called chromium")
async def test_the_javascript_client_in_a_browser() -> None:
    script = (CLIENTS / "browser_client.js").read_text()
    with tempfile.TemporaryDirectory() as profile:
        command = (str(CHROMIUM), *QUIET, f"--user-data-dir={profile}", "--remote-debugging-port=0", "about:blank")
        with started(*command, ready=r"DevTools listening on (ws://\S+)", timeout_s=60) as browser:
            printed = await asyncio.wait_for(console_of(browser.address, "http://localhost:8000/", script, 2), 60)
    assert printed == [["收到响应:", "Hello to all: Alice, Bob, Charlie!"], ["传输完成"]]


async def console_of(devtools: str, page: str, script: str, lines: int) -> list[list[Any]]:
    """Run a script in a page, and collect what it writes to the console. Source: the Chrome DevTools Protocol."""
    async with await WebSocket.connect(devtools) as session:
        sent = 0

        async def call(method: str, page_session: str | None = None, **parameters: Any) -> dict[str, Any]:
            nonlocal sent
            sent += 1
            call = {"id": sent, "method": method, "params": parameters}
            await session.send_text(json.dumps(call | ({"sessionId": page_session} if page_session else {})))
            while True:
                message: dict[str, Any] = json.loads(str(await session.receive()))
                if message.get("id") == sent:
                    assert "error" not in message, message
                    return dict(message["result"])
                events.append(message)

        events: list[dict[str, Any]] = []
        target = await call("Target.createTarget", url=page)
        attached = await call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        tab = str(attached["sessionId"])
        await call("Runtime.enable", tab)
        for _ in range(200):
            ready = await call("Runtime.evaluate", tab, expression="document.readyState + ' ' + location.origin")
            if ready["result"]["value"] == "complete http://localhost:8000":
                break
            await asyncio.sleep(0.05)
        await call("Runtime.evaluate", tab, expression=script)
        while True:
            found = [
                [argument.get("value") for argument in event["params"]["args"]]
                for event in events
                if event.get("method") == "Runtime.consoleAPICalled"
            ]
            if len(found) >= lines:
                return found
            events.append(json.loads(str(await session.receive())))
