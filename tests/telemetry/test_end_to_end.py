"""Every end of a call, counted once: a real uvicorn, a real scrape, real log lines; both back ends."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, closing
from typing import Any, cast

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from asgi_grpc.client import WebSocket
from tests.asgi.fakes import BIDI, DOWN, HELLO, UP
from tests.processes import ROOT, UVICORN, Started, started

FAIL, HANG, ADA = (json.dumps({"name": name}).encode() for name in ("fail", "hang", "Ada"))
JSON = {"content-type": "application/json"}


class Gateway:
    """The process, and what it says of itself."""

    def __init__(self, process: Started) -> None:
        self.process = process
        self.client = httpx.Client(base_url=f"http://{process.address}", timeout=10)

    def post(self, path: str, body: bytes, **headers: str) -> httpx.Response:
        return self.client.post(path, content=body, headers={**JSON, **headers})

    def samples(self) -> Counter[tuple[str, str, str]]:
        """What a scrape finds: by name, method or nothing, and code or transport."""
        found: Counter[tuple[str, str, str]] = Counter()
        page = self.client.get("/metrics")
        assert page.status_code == 200, self.process.stderr
        for family in text_string_to_metric_families(page.text):
            for name, labels, value, *_ in family.samples:
                if name.startswith("asgi_grpc_") and "le" not in labels and not name.endswith("_created"):
                    last = labels.get("grpc_code", labels.get("transport", ""))
                    found[name, labels.get("grpc_method", ""), last] += int(value)
        return found

    def handled(self) -> Counter[tuple[str, str]]:
        return Counter({key[1:]: n for key, n in self.samples().items() if key[0] == "asgi_grpc_handled_total"})

    def lines(self) -> Counter[tuple[str, str]]:
        """The same from the access log."""
        lines = [json.loads(line) for line in self.process.stdout.splitlines() if line.startswith("{")]
        return Counter((line["method"].rpartition(".")[2], line["code"]) for line in lines)


@pytest.fixture(params=["in process", "by channel"])
def gateway(request: pytest.FixtureRequest) -> Iterator[Gateway]:
    """A gateway of its own for each test: numbers begin at nothing."""
    command = (sys.executable, "-m", "uvicorn", "tests.telemetry.gateway:app", "--port", "0", "--no-access-log")
    path = {"PYTHONPATH": f"{ROOT}:{ROOT / 'examples' / 'greeter'}"}
    if request.param == "in process":
        with started(*command, ready=UVICORN, cwd=ROOT, env=path) as process:
            running = Gateway(process)
            with running.client:
                yield running
    else:
        with (
            started(sys.executable, "-m", "tests.telemetry.service", cwd=ROOT, env=path) as service,
            started(*command, ready=UVICORN, cwd=ROOT, env={**path, "TARGET": service.address}) as process,
        ):
            running = Gateway(process)
            with running.client:
                yield running


def until(condition: Callable[[], bool]) -> None:
    """Wait for what another process does; nothing tells when it has."""
    give_up = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.01)


async def hanging(gateway: Gateway, stack: AsyncExitStack) -> WebSocket:
    """A call that runs, for as long as the client likes."""
    socket = await stack.enter_async_context(await WebSocket.connect(f"ws://{gateway.process.address}{BIDI}"))
    await socket.send_text(HANG.decode())
    assert await socket.receive() is not None
    return socket


async def test_every_end_is_counted_once(gateway: Gateway) -> None:
    expected = Counter({("SayHello", "OK"): 2})
    assert [gateway.post(HELLO, ADA).status_code for _ in range(2)] == [200, 200]
    assert [gateway.client.get(path).status_code for path in ("/nothing", HELLO)] == [404, 405]
    expected["SayHello", "INVALID_ARGUMENT"] += 1
    assert gateway.post(HELLO, b"nonsense").status_code == 400
    expected["SayHello", "ABORTED"] += 1
    assert gateway.post(HELLO, FAIL).status_code == 409
    expected["SayHelloServerStream", "ABORTED"] += 1
    assert '"code":"ABORTED"' in gateway.post(DOWN, FAIL).text
    expected["SayHelloServerStream", "OK"] += 1
    assert "event: complete" in gateway.post(DOWN, ADA, accept="text/event-stream").text
    expected["SayHelloClientStream", "OK"] += 1
    assert gateway.post(UP, ADA * 5).status_code == 200
    expected["SayHello", "DEADLINE_EXCEEDED"] += 1
    assert gateway.post(HELLO, HANG, **{"grpc-timeout": "50m"}).status_code == 504
    expected["SayHelloServerStream", "CANCELLED"] += 1
    with (
        gateway.client.stream("POST", DOWN, content=HANG, headers=JSON) as response,
        closing(cast(Any, response.iter_bytes())) as received,  # a generator, whatever its type says
    ):
        assert b"hang" in next(received)
    until(lambda: gateway.handled() == expected)
    async with AsyncExitStack() as stack:
        sockets = [await hanging(gateway, stack) for _ in range(3)]
        samples = gateway.samples()
        assert samples["asgi_grpc_open_calls", "SayHelloBidiStream", "websocket"] == 3
        assert samples["asgi_grpc_msg_sent_total", "SayHelloBidiStream", "websocket"] == 3
        expected["SayHello", "UNAVAILABLE"] += 1
        assert gateway.post(HELLO, ADA).status_code == 503
        expected["SayHelloBidiStream", "CANCELLED"] += 3
        for socket in sockets:
            socket.abort()
        until(lambda: gateway.handled() == expected)
    assert gateway.client.get("/healthz").json() == {"status": "SERVING"}
    samples = gateway.samples()
    assert gateway.handled() == expected
    assert gateway.lines() == expected
    counts = Counter({key[1:]: n for key, n in samples.items() if key[0] == "asgi_grpc_started_total"})
    assert counts == {
        ("SayHello", "http"): 6,
        ("SayHelloServerStream", "http"): 2,
        ("SayHelloServerStream", "sse"): 1,
        ("SayHelloClientStream", "http"): 1,
        ("SayHelloBidiStream", "websocket"): 3,
    }
    for name in ("open_calls", "handling_seconds_count"):
        found = {key[1:]: n for key, n in samples.items() if key[0] == f"asgi_grpc_{name}"}
        assert found == {key: 0 if name == "open_calls" else n for key, n in counts.items()}
    assert samples["asgi_grpc_msg_received_total", "SayHelloClientStream", "http"] == 5
    assert samples["asgi_grpc_received_bytes_total", "SayHelloClientStream", "http"] == len(ADA) * 5
    assert samples["asgi_grpc_first_message_seconds_count", "SayHelloBidiStream", "websocket"] == 3


async def test_the_log_has_each_call_with_its_counts_those_that_a_drain_ends_too(gateway: Gateway) -> None:
    answer = gateway.post(UP, ADA * 3)
    async with AsyncExitStack() as stack:
        sockets = [await hanging(gateway, stack) for _ in range(2)]
        gateway.process.stop()
        ends = [json.loads(await socket.receive() or "") for socket in sockets]
    assert [end["code"] for end in ends] == ["UNAVAILABLE", "UNAVAILABLE"]
    first, *drained = [json.loads(line) for line in gateway.process.stdout.splitlines() if line.startswith("{")]
    assert first == {
        "method": "helloworld.Greeter.SayHelloClientStream",
        "transport": "http",
        "code": "OK",
        "messages_received": 3,
        "messages_sent": 1,
        "bytes_received": 3 * len(ADA),
        "bytes_sent": len(answer.content),
    }
    text = json.dumps({"type": "response", "data": {"message": "hang"}}, separators=(",", ":"))
    end = {
        "method": "helloworld.Greeter.SayHelloBidiStream",
        "transport": "websocket",
        "code": "UNAVAILABLE",
        "messages_received": 1,
        "messages_sent": 1,
        "bytes_received": len(HANG),
        "bytes_sent": len(text) + len(json.dumps(ends[0], separators=(",", ":"))),
    }
    assert drained == [end, end]
