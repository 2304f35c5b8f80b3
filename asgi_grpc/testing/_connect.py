"""The byte-level clients, straight into an ASGI application: no socket, no port, no server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from asgi_grpc.client import ConnectionLostError, Headers, HttpConnection, WebSocket
from asgi_grpc.testing._exchange import Application
from asgi_grpc.testing._lanes import Lane, MemoryTransport
from asgi_grpc.testing._report import Report
from asgi_grpc.testing._server import Server

_LANE_BYTES = 64 << 10


@asynccontextmanager
async def connect_http(
    app: Application,
    target: str = "/",
    *,
    state: dict[str, Any] | None = None,
    lane_bytes: int = _LANE_BYTES,
    patience_s: float = 10.0,
) -> AsyncIterator[HttpConnection]:
    """Open an HTTP/1.1 connection that leads straight into an application.

    ::

        async with connect_http(app, "/echo") as connection:
            await connection.send_raw(b"POST /echo HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 4\\r\\n\\r\\nab")
            await connection.send_raw(b"cd")  # the application receives "ab", then "cd"
            head = await connection.read_head()

    Each send is one read on the other side, so that the cuts are the test's; nothing sleeps, and nothing is random. A
    connection may carry several requests, as over a socket. The client's half-close is a disconnect, as under uvicorn.
    Leaving the block closes the connection and waits for the application's end.

    Args:
        app: any ASGI application; its lifespan is not run.
        target: path and query that ``send_head`` asks for by itself.
        state: of the lifespan.
        lane_bytes: held for each direction, at most; who sends more waits. The longest piece, too.
        patience_s: how long the block's end waits for the application.

    Raises:
        TimeoutError: at the block's end, the application does not end.
        AssertionError: at the block's end, it sent what ASGI does not allow.
        Exception: at the block's end, or instead of a ``ConnectionLostError`` that leaves it: whatever the application
            raised first.
    """
    report = Report()
    up, down = Lane(lane_bytes), Lane(lane_bytes)
    serving = asyncio.create_task(Server(app, up, down, state=state, report=report).serve())
    connection = HttpConnection.over(MemoryTransport(up, down), f"http://testserver{target}")
    try:
        async with connection:
            yield connection
        async with asyncio.timeout(patience_s):
            await serving
    except ConnectionLostError as exc:
        if report.errors:  # which is why it was lost
            raise report.errors[0] from exc
        raise
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
    report.check()


@asynccontextmanager
async def connect_websocket(
    app: Application,
    target: str = "/",
    *,
    subprotocols: Sequence[str] = (),
    headers: Headers = (),
    max_message_bytes: int = 64 << 20,
    state: dict[str, Any] | None = None,
    lane_bytes: int = _LANE_BYTES,
    patience_s: float = 10.0,
) -> AsyncIterator[WebSocket]:
    """Open a WebSocket that leads straight into an application.

    ::

        async with connect_websocket(app, "/chat", subprotocols=["v1"]) as socket:
            await socket.send_fragment("hel", last=False)
            await socket.ping()
            await socket.send_fragment("lo", last=True)
            print(await socket.receive())

    The application gets whole messages of up to 16 MiB, one ahead at most.

    Args:
        app: as for ``connect_http``.
        target: path and query.
        subprotocols: offered, the preferred one first.
        headers: sent beside those of the handshake.
        max_message_bytes: as for ``WebSocket.connect``.
        state: as for ``connect_http``.
        lane_bytes: as for ``connect_http``.
        patience_s: as for ``connect_http``.

    Raises:
        HandshakeError: the application refused, by a close before the accept (status 403) or a denial response.
        Exception: as ``connect_http``.
    """
    async with connect_http(app, target, state=state, lane_bytes=lane_bytes, patience_s=patience_s) as connection:
        socket = await WebSocket.over(
            connection, subprotocols=subprotocols, headers=headers, max_message_bytes=max_message_bytes
        )
        async with socket:
            yield socket
