"""Start-up and shutdown, ours round those of the wrapped application."""

from __future__ import annotations

from asgi_grpc.asgi._types import Application, Event, Receive, Scope, Send
from asgi_grpc.calls import Backend


async def run_lifespan(app: Application | None, backend: Backend, scope: Scope, receive: Receive, send: Send) -> None:
    """Open the backend before the application starts, and close it after the application has shut down.

    Args:
        app: the wrapped application; None: we answer the server ourselves.
        backend: opened and closed once.
        scope: of type ``lifespan``.
        receive: of the server.
        send: of the server.
    """

    async def receive_opened() -> Event:
        event = await receive()
        if event["type"] == "lifespan.startup":
            await backend.open()
        return event

    try:
        await (app or _answer)(scope, receive_opened, send)
    finally:
        await backend.close()


async def _answer(_scope: Scope, receive: Receive, send: Send) -> None:
    """The lifespan of no application."""
    while True:
        event = await receive()
        await send({"type": f"{event['type']}.complete"})
        if event["type"] == "lifespan.shutdown":
            return
