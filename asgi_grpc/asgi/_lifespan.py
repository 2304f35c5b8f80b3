"""Start-up and shutdown, ours round those of the wrapped application."""

from __future__ import annotations

import logging
from typing import Protocol

from asgi_grpc.asgi._types import Application, Event, Receive, Scope, Send

_log = logging.getLogger("asgi_grpc.error")


class Stage(Protocol):
    """What starts before the application, and stops after it."""

    async def start(self) -> None:
        """Get ready to serve."""
        ...

    async def stop(self) -> None:
        """Serve no more: the server is about to end. Called before the application hears of it."""
        ...

    async def close(self) -> None:
        """Let go of everything."""
        ...


async def run_lifespan(app: Application | None, stage: Stage, scope: Scope, receive: Receive, send: Send) -> None:
    """Start a stage before the application starts, and close it after the application has shut down.

    An application that refuses the scope without having received an event has no lifespan of its own, as ASGI has it
    (Django, for one): then the server is answered for it.

    Args:
        app: the wrapped application; None: we answer the server ourselves.
        stage: ours.
        scope: of type ``lifespan``.
        receive: of the server.
        send: of the server.
    """

    begun = app is None

    async def receive_opened() -> Event:
        nonlocal begun
        begun = True
        event = await receive()
        if event["type"] == "lifespan.startup":
            await stage.start()
        else:
            await stage.stop()
        return event

    try:
        await (app or _answer)(scope, receive_opened, send)
    except Exception as exc:
        if begun:
            raise
        _log.info("the wrapped application has no lifespan: %s", exc)
        await _answer(scope, receive_opened, send)
    finally:
        await stage.close()


async def _answer(_scope: Scope, receive: Receive, send: Send) -> None:
    """The lifespan of no application."""
    while True:
        event = await receive()
        await send({"type": f"{event['type']}.complete"})
        if event["type"] == "lifespan.shutdown":
            return
