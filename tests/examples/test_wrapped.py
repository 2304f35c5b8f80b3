"""Applications that were wrapped keep their own routes, WebSockets and lifespan."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import httpx
import pytest

from asgi_grpc.client import HandshakeError, WebSocket
from tests.processes import GREETER, ROOT, UVICORN, Started, python, started

WRAPPED = ROOT / "examples" / "wrapped"
HELLO = {"code": 0, "message": "success", "data": {"message": "Hello, Ada!", "language": "en"}}


@pytest.fixture(scope="module")
def greeter() -> Iterator[Started]:
    with started(*python(GREETER, "--port", "0")) as running:
        yield running


def serving(module: str, greeter: Started) -> Iterator[str]:
    """The address of an application under uvicorn, which must not complain."""
    command = (sys.executable, "-m", "uvicorn", "--app-dir", WRAPPED, f"{module}:app", "--port", "0")
    with started(*command, ready=UVICORN, env={"GREETER_TARGET": greeter.address}) as running:
        yield running.address
    assert "Traceback" not in running.stderr


@pytest.fixture(scope="module")
def fastapi_app(greeter: Started) -> Iterator[str]:
    yield from serving("fastapi_app", greeter)


@pytest.fixture(scope="module")
def starlette_app(greeter: Started) -> Iterator[str]:
    yield from serving("starlette_app", greeter)


@pytest.mark.parametrize("name", ["fastapi_app", "starlette_app"])
async def test_the_greeter_is_there(name: str, request: pytest.FixtureRequest) -> None:
    address = request.getfixturevalue(name)
    async with httpx.AsyncClient(base_url=f"http://{address}") as client:
        assert (await client.get("/v1/helloworld/Ada")).json() == HELLO
        assert (await client.post("/v1/helloworld", json={"name": "Ada"})).json() == HELLO
        names = b'{"name":"Ada"}\n{"name":"Bob"}\n'
        answer = (await client.post("/v1/helloworld/client-stream", content=names)).json()
        assert answer["data"]["message"] == "Hello to all: Ada, Bob!"
    async with await WebSocket.connect(f"ws://{address}/v1/helloworld/bidi-stream") as websocket:
        await websocket.send_text('{"name":"Ada"}')
        assert await websocket.receive() == '{"type":"response","data":{"message":"Hello, Ada!","language":"en"}}'
        await websocket.send_text("")
        assert await websocket.receive() == '{"type":"complete"}'


async def test_fastapi_keeps_its_routes_and_its_documentation(fastapi_app: str) -> None:
    async with httpx.AsyncClient(base_url=f"http://{fastapi_app}") as client:
        assert len((await client.get("/items")).json()) == 2
        assert list((await client.get("/openapi.json")).json()["paths"]) == ["/items"]
        assert (await client.get("/nowhere")).json() == {"detail": "Not Found"}
        assert (await client.delete("/items")).status_code == 405


async def test_starlette_keeps_its_page_its_websocket_and_its_lifespan(starlette_app: str) -> None:
    async with httpx.AsyncClient(base_url=f"http://{starlette_app}") as client:
        page = await client.get("/")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert (await client.get("/visits")).json() == {"visits": 1}
        assert (await client.get("/nowhere")).text == "Not Found"
    async with await WebSocket.connect(f"ws://{starlette_app}/echo") as websocket:
        await websocket.send_text("hello")
        assert await websocket.receive() == "hello"


async def test_the_page_may_greet_but_no_stranger(starlette_app: str) -> None:
    url = f"ws://{starlette_app}/v1/helloworld/bidi-stream"
    async with await WebSocket.connect(url, headers=[("Origin", f"http://{starlette_app}")]) as websocket:
        await websocket.send_text("")
        assert await websocket.receive() == '{"type":"complete"}'
    with pytest.raises(HandshakeError) as refused:
        await WebSocket.connect(url, headers=[("Origin", "http://evil.example")])
    assert refused.value.status == 403
