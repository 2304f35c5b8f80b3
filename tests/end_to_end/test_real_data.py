"""Real amounts of data through the gateway: a metrics file, a large file both ways, two people in a room."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path

import pytest

from asgi_grpc.client import HttpConnection, WebSocket
from asgi_grpc.framing import Frame, JsonFramer
from tests.end_to_end.conftest import STACKS, Stack, run_stack
from tests.end_to_end.test_doors import NDJSON
from tests.processes import started

POINTS = 200_000
FILE_BYTES = 100 << 20
PIECE = 64 << 10
FLAT_BYTES = 32 << 20


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An NDJSON file of metric points, as a collector would write it; values that sum up exactly."""
    path = tmp_path_factory.mktemp("metrics") / "points.ndjson"
    with path.open("w") as file:
        for n in range(POINTS):
            point = {"name": f"metric.{n % 10}", "value": n % 1000 / 4, "labels": {"host": f"h{n % 7}"}}
            file.write(json.dumps(point) + "\n")
    return path


@pytest.fixture(scope="module")
def demo() -> Iterator[str]:
    """The address of ``asgi-grpc demo``."""
    command = (sys.executable, "-m", "asgi_grpc", "demo", "--port", "0")
    with started(*command, ready=r"at http://(localhost:\d+)") as running:
        yield running.address


@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_call_streams_a_file_of_metric_points(demo: str, points: Path, scheme: str) -> None:
    url = f"{scheme}://{demo}/v1/metrics"
    command = [sys.executable, "-m", "asgi_grpc", "call", url, "--data", str(points)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[0])["data"]
    values = [n % 1000 / 4 for n in range(POINTS)]
    assert int(result["count"]) == POINTS
    assert (result["sum"], result["max"]) == (sum(values), max(values))
    by_name = {metric["name"]: metric for metric in result["metrics"]}
    assert len(by_name) == 10
    for k in range(10):
        own = values[k::10]
        assert (int(by_name[f"metric.{k}"]["count"]), by_name[f"metric.{k}"]["sum"]) == (len(own), sum(own))


def peak_bytes(pid: int) -> int:
    """The most memory that a process has had resident."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        pytest.skip("memory is read from /proc, which this system does not have")
    (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) << 10


def pieces() -> Iterator[bytes]:
    """The file, the same each time."""
    source = random.Random(7)
    for _ in range(FILE_BYTES // PIECE):
        yield source.randbytes(PIECE)


@pytest.fixture(params=STACKS.values(), ids=list(STACKS))
def fresh_stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """A gateway that has done nothing yet: its peak is its own."""
    with run_stack(*request.param) as running:
        yield running


async def test_a_large_file_goes_up_and_comes_down(
    fresh_stack: Stack, record_property: Callable[[str, object], None], capsys: pytest.CaptureFixture[str]
) -> None:
    stack = fresh_stack
    digest = hashlib.sha256()
    for piece in pieces():
        digest.update(piece)
    idle = peak_bytes(stack.gateway.pid)

    async with await HttpConnection.open(stack.http + "/v1/files") as up:
        await up.send_head("POST", headers=NDJSON.items())
        metadata = {"filename": "large.bin", "totalSize": str(FILE_BYTES), "checksum": digest.hexdigest()}
        await up.send_chunk(json.dumps({"metadata": metadata}).encode() + b"\n")
        for piece in pieces():
            await up.send_chunk(b'{"chunk":"' + base64.b64encode(piece) + b'"}\n')
        await up.end()
        head = await up.read_head()
        answer = json.loads(await up.read_body(max_bytes=10_000))
    assert (head.status, answer["data"]["checksumVerified"]) == (200, True), answer

    async with await HttpConnection.open(stack.http + answer["data"]["downloadUrl"]) as down:
        await down.send_head("GET", body=False)
        assert (await down.read_head()).status == 200
        original = b"".join(pieces())
        at = 0
        last: Mapping[str, object] = {}
        async for record in _records(down):
            last = record
            chunk = base64.b64decode(record.get("data", {}).get("chunk", ""))
            assert chunk == original[at : at + len(chunk)]
            at += len(chunk)
    assert (at, last) == (FILE_BYTES, {"type": "complete"})
    grown = peak_bytes(stack.gateway.pid) - idle
    record_property("gateway_growth_mib", round(grown / (1 << 20), 1))
    with capsys.disabled():
        print(f"\n  100 MiB up and down: the gateway's peak grew by {grown / (1 << 20):.1f} MiB", end="")
    assert grown < FLAT_BYTES


async def _records(down: HttpConnection) -> AsyncIterator[dict[str, dict[str, str]]]:
    framer = JsonFramer(max_frame_bytes=1 << 20, max_depth=10)
    while chunk := await down.read_chunk():
        for event in framer.feed(chunk):
            assert isinstance(event, Frame)
            yield json.loads(event.data)


async def test_two_people_chat_in_one_room(stack: Stack) -> None:
    url = stack.ws + "/streaming.v1.StreamingService/Chat"

    async def hear(socket: WebSocket) -> tuple[str, str]:
        while True:
            message = json.loads(str(await socket.receive()))["data"]
            if message["type"] == "CHAT_MESSAGE_TYPE_TEXT":
                return message["userId"], message["content"]

    async with await WebSocket.connect(url) as ada, await WebSocket.connect(url) as bob:
        for name, socket in (("ada", ada), ("bob", bob)):
            await socket.send_text(json.dumps({"userId": name, "roomId": "two-people"}))
            welcome = json.loads(str(await socket.receive()))
            assert (welcome["type"], welcome["data"]["userId"]) == ("response", "system")
        for turn in range(20):
            await ada.send_text(json.dumps({"content": f"ping {turn}"}))
            assert await hear(bob) == ("ada", f"ping {turn}")
            await bob.send_text(json.dumps({"content": f"pong {turn}"}))
            assert await hear(ada) == ("bob", f"pong {turn}")
