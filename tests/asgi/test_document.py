"""The OpenAPI document at a path of the middleware."""

from __future__ import annotations

import json
from typing import Any

import pytest

from asgi_grpc import ConfigurationError
from asgi_grpc.asgi import _middleware
from asgi_grpc.testing import HttpExchange
from tests.asgi.fakes import gateway

PATH = "/openapi.json"


async def get(app: Any, path: str = PATH, *, method: str = "GET", root_path: str = "") -> HttpExchange:
    x = HttpExchange(app, method=method, path=path)
    x.scope["root_path"] = root_path
    async with x:
        await x.send_body(more=False)
        await x.ended()
    return x


async def test_the_document_is_served() -> None:
    app, _ = gateway(openapi_path=PATH)
    x = await get(app)
    document = json.loads(x.body)
    assert (x.status, dict(x.headers)) == (
        200,
        {b"content-type": b"application/json", b"content-length": b"%d" % len(x.body)},
    )
    assert (document["openapi"], document["info"]["title"]) == ("3.1.0", "helloworld.Greeter")
    assert "servers" not in document


async def test_head_gets_the_head() -> None:
    app, _ = gateway(openapi_path=PATH)
    whole, head = await get(app), await get(app, method="HEAD")
    assert (head.status, head.headers, head.body) == (200, whole.headers, b"")


async def test_it_is_made_once_when_first_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []

    def make(*_routes: object, servers: object, **_options: object) -> dict[str, object]:
        made.append(servers)
        return {}

    monkeypatch.setattr(_middleware, "openapi_document", make)
    app, _ = gateway(openapi_path=PATH)
    assert made == []
    await get(app)
    await get(app)
    assert made == [[]]


async def test_below_a_prefix_the_prefix_is_the_server() -> None:
    app, _ = gateway(openapi_path=PATH)
    x = await get(app, f"/a%20b{PATH}", root_path="/a b/")
    assert json.loads(x.body)["servers"] == [{"url": "/a%20b"}]


async def test_it_comes_before_every_binding() -> None:
    app, backend = gateway(openapi_path="/v1/helloworld/openapi.json")
    x = await get(app, "/v1/helloworld/openapi.json")
    assert (json.loads(x.body)["openapi"], backend.names) == ("3.1.0", [])


@pytest.mark.parametrize(("path", "method", "status"), [("/openapi", "GET", 404), (PATH, "POST", 404)])
async def test_other_requests_go_on(path: str, method: str, status: int) -> None:
    app, _ = gateway(openapi_path=PATH)
    assert (await get(app, path, method=method)).status == status


async def test_without_the_option_it_is_not_there() -> None:
    app, _ = gateway()
    assert (await get(app)).status == 404


async def test_a_client_that_is_gone_is_no_accident() -> None:
    app, _ = gateway(openapi_path=PATH)

    async def gone(*_event: Any) -> Any:
        raise OSError

    await app({"type": "http", "method": "GET", "path": PATH, "headers": []}, gone, gone)


def test_a_path_begins_with_a_slash() -> None:
    with pytest.raises(ConfigurationError, match="openapi_path: expected a path that begins with '/', got 'x'"):
        gateway(openapi_path="x")
