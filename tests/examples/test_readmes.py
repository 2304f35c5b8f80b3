"""What the examples' pages say to paste works when pasted, from the top of a checkout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.processes import GREETER, ROOT, STREAMING, UVICORN, python, started

EXAMPLES = ROOT / "examples"
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)

ALICE = '{"message":"Hello, Alice!","language":"en"}'
ADA = '{"message":"Hello, Ada!","language":"en"}'
# Of each page, for each block in turn: some of what its commands print.
EXPECTED = {
    "greeter": [
        ['{"code":0,"message":"success","data":{"message":"¡Hola, Ada!","language":"es"}}'],
        [f'{{"code":0,"message":"success","data":{ADA}}}'],
        [f'{{"type":"response","data":{ADA}}}', f"data: {ADA}", "event: complete", '{"type":"complete"}'],
        ['{"type":"response","data":{"message":"Hello to all: Alice, Bob!","language":"en"}}'],
        [f'{{"type":"response","data":{ALICE}}}', '{"type":"complete"}'],
    ],
    "streaming": [
        ['"id":"demo-3"', '"type":"USER_EVENT_TYPE_LOGIN"', "NOTIFICATION_TYPE_HEARTBEAT", '{"type":"complete"}'],
        ['"checksumVerified":true'],
        ['"count":"10000","sum":2497500.0', '"accepted":"1","rejected":"1"'],
        ['"operation":{"position":5,"insert":"!"}', '"standardDeviation":1.0', '{"type":"complete"}'],
    ],
    "wrapped": [
        ['[{"item_id":1,"name":"a pen"},{"item_id":2,"name":"some ink"}]', '{"type":"complete"}'],
    ],
}
BLOCKS = [
    pytest.param(page, script, EXPECTED[page][number], id=f"{page}-{number}")
    for page in EXPECTED
    for number, script in enumerate(BLOCK.findall((EXAMPLES / page / "README.md").read_text()))
]


@pytest.fixture(scope="module")
def addresses() -> Iterator[dict[str, str]]:
    """The gateway of each page."""
    with ExitStack() as stack:
        greeter = stack.enter_context(started(*python(GREETER, "--port", "0"))).address
        streaming = stack.enter_context(started(*python(STREAMING, "--port", "0"))).address
        env = {"GREETER_TARGET": greeter, "STREAMING_TARGET": streaming}
        apps = {"greeter": "greeter_gateway", "streaming": "streaming_gateway", "wrapped": "fastapi_app"}
        found = {}
        for page, module in apps.items():
            command = (sys.executable, "-m", "uvicorn", "--app-dir", EXAMPLES / page, f"{module}:app", "--port", "0")
            found[page] = stack.enter_context(started(*command, ready=UVICORN, env=env, cwd=ROOT)).address
        yield found


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder that looks like the top of a checkout, and may be written to."""
    (tmp_path / "examples").symlink_to(EXAMPLES)
    shutil.copy(ROOT / "README.md", tmp_path)
    (tmp_path / ".curlrc").write_text("fail-with-body\nno-progress-meter\n")
    return tmp_path


def test_every_block_is_expected_to_print_something() -> None:
    assert [block.id for block in BLOCKS] == [
        f"{page}-{n}" for page, every in EXPECTED.items() for n, _ in enumerate(every)
    ]


@pytest.mark.skipif(shutil.which("curl") is None, reason="the pages use curl")
@pytest.mark.skipif(shutil.which("bash") is None, reason="the pages use a POSIX shell")
@pytest.mark.parametrize(("page", "script", "expected"), BLOCKS)
def test_pasted_commands_work(
    addresses: dict[str, str], checkout: Path, page: str, script: str, expected: list[str]
) -> None:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script.replace("localhost:8000", addresses[page])],
        cwd=checkout,
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "CURL_HOME": str(checkout),
        },
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert [text for text in expected if text not in done.stdout] == [], done.stdout
