"""Applications of four frameworks, wrapped: each keeps its routes, its lifespan, its WebSockets and its CORS."""

from __future__ import annotations

import sys
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from types import ModuleType
from typing import Any

import pytest
from fastapi import FastAPI, WebSocket
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute

from asgi_grpc import GrpcMiddleware
from asgi_grpc.testing import WebSocketExchange
from tests.asgi.fakes import GREETER, FakeBackend, gateway, greet
from tests.asgi.test_http import ask
from tests.asgi.test_middleware import run_lifespan
from tests.asgi.test_websocket import ADA, talk

ORIGIN = "https://app.example"
PREFLIGHT = [(b"origin", ORIGIN.encode()), (b"access-control-request-method", b"POST")]
CORS: dict[str, Any] = {"allow_origins": [ORIGIN], "allow_methods": ["POST"]}
ALLOWED = (b"access-control-allow-origin", ORIGIN.encode())


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[None]:
    app.state.log = ["up"]
    yield
    app.state.log.append("down")


def fastapi_app() -> FastAPI:
    app = FastAPI(lifespan=lifespan)
    app.add_middleware(CORSMiddleware, **CORS)

    @app.get("/own")
    async def own() -> dict[str, str]:
        return {"own": "route"}

    @app.websocket("/own-socket")
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text((await websocket.receive_text()).upper())
        await websocket.close()

    return app


def starlette_app() -> Starlette:
    async def own(_request: Request) -> JSONResponse:
        return JSONResponse({"own": "route"})

    async def socket(websocket: Any) -> None:
        await websocket.accept()
        await websocket.send_text((await websocket.receive_text()).upper())
        await websocket.close()

    return Starlette(
        routes=[Route("/own", own), WebSocketRoute("/own-socket", socket)],
        middleware=[Middleware(CORSMiddleware, **CORS)],
        lifespan=lifespan,
    )


def quart_app() -> Any:
    quart = pytest.importorskip("quart", reason="Quart is not installed: pip install quart")
    app = quart.Quart(__name__)
    app.log = []

    async def up() -> None:
        app.log.append("up")

    async def down() -> None:
        app.log.append("down")

    async def own() -> dict[str, str]:
        return {"own": "route"}

    async def socket() -> None:
        await quart.websocket.send((await quart.websocket.receive()).upper())

    app.before_serving(up)
    app.after_serving(down)
    app.get("/own")(own)
    app.websocket("/own-socket")(socket)
    return app


@pytest.fixture
def django_app() -> Iterator[Any]:
    """Django has no WebSockets and no lifespan of its own."""
    django = pytest.importorskip("django", reason="Django is not installed: pip install django")
    conf, asgi, http, urls = (pytest.importorskip(f"django.{name}") for name in ("conf", "core.asgi", "http", "urls"))

    async def own(_request: Any) -> Any:
        return http.JsonResponse({"own": "route"})

    table = ModuleType("tests_urls_of_django")
    table.urlpatterns = [urls.path("own", own)]  # type: ignore[attr-defined]  # what a urlconf is
    sys.modules[table.__name__] = table
    if not conf.settings.configured:
        conf.settings.configure(ROOT_URLCONF=table.__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="not one", USE_TZ=True)
        django.setup(set_prefix=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Django's own, of Pythons that are younger than it
        yield asgi.get_asgi_application()


MAKERS = [
    pytest.param(fastapi_app, id="fastapi"),
    pytest.param(starlette_app, id="starlette"),
    pytest.param(quart_app, id="quart"),
]


async def check_http(wrapped: Any) -> None:
    """Our routes are ours, and all others the application's."""
    app, backend = gateway(app=wrapped)
    x = await ask(app, "/v1/helloworld/Ada", b"", method="GET")
    assert (x.status, backend.names) == (200, ["Ada"])
    host = [(b"host", b"testserver")]
    own = await ask(app, "/own", b"", method="GET", headers=host)
    assert (own.status, own.body.replace(b" ", b"").strip()) == (200, b'{"own":"route"}')
    for path in ("/nowhere", "/v1/helloworld/a/b"):
        assert (await ask(app, path, b"", method="GET", headers=host)).body == (
            await ask(wrapped, path, b"", method="GET", headers=host)
        ).body


@pytest.mark.parametrize("make", MAKERS)
async def test_routes(make: Any) -> None:
    await check_http(make())


async def test_routes_of_django(django_app: Any) -> None:
    await check_http(django_app)


@pytest.mark.parametrize("make", MAKERS)
async def test_websockets(make: Any) -> None:
    app, _ = gateway(app=make())
    assert (await talk(app, "/v1/helloworld/bidi-stream", ADA, "")).texts[-1] == '{"type":"complete"}'
    async with WebSocketExchange(app, path="/own-socket", headers=[(b"host", b"testserver")]) as x:
        await x.send_text("hello")
        while not x.texts:
            await x.receive()
        assert x.texts == ["HELLO"]


@pytest.mark.parametrize("make", MAKERS)
async def test_lifespan(make: Any) -> None:
    wrapped = make()
    app, backend = gateway(app=wrapped)
    told = await run_lifespan(app, backend)
    assert told == ["open", "lifespan.startup.complete", "lifespan.shutdown.complete", "close"]
    assert (wrapped.log if hasattr(wrapped, "log") else wrapped.state.log) == ["up", "down"]


async def test_lifespan_of_django(django_app: Any) -> None:
    app, backend = gateway(app=django_app)
    told = await run_lifespan(app, backend)
    assert told == ["open", "lifespan.startup.complete", "lifespan.shutdown.complete", "close"]


@pytest.mark.parametrize("make", MAKERS[:2])
async def test_preflights_reach_the_applications_own_cors(make: Any) -> None:
    app, _ = gateway(app=make())
    for path in ("/own", "/v1/helloworld"):
        x = await ask(app, path, b"", method="OPTIONS", headers=PREFLIGHT)
        assert (x.status, ALLOWED in x.headers) == (200, True)


async def test_cors_round_us_is_for_all_routes() -> None:
    app = CORSMiddleware(gateway(app=starlette_app())[0], **CORS)
    for path, verb in (("/own", "GET"), ("/v1/helloworld/Ada", "GET"), ("/v1/helloworld", "OPTIONS")):
        x = await ask(app, path, b"", method=verb, headers=PREFLIGHT)
        assert (x.status, ALLOWED in x.headers) == (200, True)


async def test_as_a_middleware_of_starlette_and_seen_from_one_round_it() -> None:
    seen: list[str] = []

    class Logging:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await self.app(scope, receive, send)
            seen.append(scope.get("asgi_grpc.route", "none"))

    app = fastapi_app()
    app.add_middleware(GrpcMiddleware, schema=GREETER, upstream=FakeBackend(greet))
    app.add_middleware(Logging)  # the last one added is the outermost
    assert (await ask(app, "/v1/helloworld/Ada", b"", method="GET")).status == 200
    assert (await ask(app, "/own", b"", method="GET")).status == 200
    assert seen == ["/v1/helloworld/{name}", "none"]
