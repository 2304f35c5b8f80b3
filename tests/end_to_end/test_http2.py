"""The same doors over cleartext HTTP/2, which uvicorn speaks through zttp."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import httpx
import pytest

from tests.end_to_end.conftest import Stack
from tests.end_to_end.test_doors import BIDI, COMPLETE, HELLO, NDJSON, UP, records, response
from tests.processes import ROOT, UVICORN, started


@pytest.fixture(scope="module")
def client(one_stack: Stack) -> Iterator[httpx.Client]:
    """A client that speaks HTTP/2 from the first byte, to a gateway in front of the running services."""
    command = (
        sys.executable,
        "-m",
        "uvicorn",
        "tests.end_to_end.gateway:app",
        "--port",
        "0",
        "--http",
        "zttp",
        "--http2",
    )
    env = {"GREETER_TARGET": one_stack.greeter.address, "STREAMING_TARGET": one_stack.streaming.address}
    with (
        started(*command, ready=UVICORN, env=env, cwd=ROOT) as gateway,
        httpx.Client(base_url=f"http://{gateway.address}", http1=False, http2=True) as client,
    ):
        yield client


def test_unary(client: httpx.Client) -> None:
    answer = client.post(HELLO, json={"name": "Ada"})
    assert answer.http_version == "HTTP/2"
    assert answer.json()["data"]["message"] == "Hello, Ada!"


def test_a_stream_of_replies(client: httpx.Client) -> None:
    found = records(client.get("/v1/helloworld/Ada/stream").text)
    assert (found[0], found[-1]) == (response("Hello, Ada!"), COMPLETE)


def test_a_stream_of_requests(client: httpx.Client) -> None:
    answer = client.post(UP, content=iter([b'{"name":"A', b'da"}\n{"name":"Bob"}']), headers=NDJSON)
    assert answer.json()["data"]["message"] == "Hello to all: Ada, Bob!"


def test_both_at_once(client: httpx.Client) -> None:
    found = records(client.post(BIDI, content=b'{"name":"Ada"}\n{"name":"Bob"}\n', headers=NDJSON).text)
    assert found == [response("Hello, Ada!"), response("Hello, Bob!"), COMPLETE]


def test_a_failure_in_mid_stream(client: httpx.Client) -> None:
    with client.stream("POST", BIDI, content=b'{"name":"Ada"}\n{"name":5}\n', headers=NDJSON) as answer:
        last = [json.loads(line) for line in answer.iter_lines()][-1]
    assert (last.get("code"), answer.status_code) in {("INVALID_ARGUMENT", 200), (400, 400)}
