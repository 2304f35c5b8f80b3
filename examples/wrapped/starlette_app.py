"""A Starlette site with routes and a lifespan of its own, wrapped as a whole: ``uvicorn starlette_app:app``."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from asgi_grpc import GrpcMiddleware, Schema

HERE = Path(__file__).parent
GREETER = HERE.parent / "greeter"


@asynccontextmanager
async def lifespan(site: Starlette) -> AsyncIterator[None]:
    """The site's own start and end; the wrapping leaves them to it."""
    site.state.visits = 0
    yield


async def page(request: Request) -> FileResponse:
    """A page that greets over a WebSocket. Same origin as the gateway, so the gateway lets it."""
    request.app.state.visits += 1
    return FileResponse(HERE / "page.html")


async def visits(request: Request) -> JSONResponse:
    """How often the page was asked for."""
    return JSONResponse({"visits": request.app.state.visits})


async def echo(websocket: WebSocket) -> None:
    """The site's own WebSocket."""
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(text)


site = Starlette(
    routes=[Route("/", page), Route("/visits", visits), WebSocketRoute("/echo", echo)],
    lifespan=lifespan,
)

app = GrpcMiddleware(
    site,
    schema=Schema.from_services_json(GREETER / "services.json", descriptors=GREETER / "greeter.binpb"),
    upstream=os.environ.get("GREETER_TARGET", "localhost:50051"),
)
