"""Methods behind connections of our own, for streams at wire speed."""

from __future__ import annotations

import asyncio
import logging
import math
import ssl
from importlib.metadata import version

from asgi_grpc.calls import Requests
from asgi_grpc.errors import CallError, Code, ConfigurationError, Metadata
from asgi_grpc.http2._call import Http2Call
from asgi_grpc.http2._connection import Connection
from asgi_grpc.http2._frames import MAX_WINDOW
from asgi_grpc.http2._headers import RequestHeaders
from asgi_grpc.http2._target import Target
from asgi_grpc.schema import Method

_CONNECT_TIMEOUT_S = 20.0  # as grpcio waits
_LEAST_KEEPALIVE_S = 10.0  # gRPC proposal A8: a client that asks more often is a load, not a guest
_IDLE_S = 60.0  # without a call, and twice that at most, until a connection beyond the first is closed
_MOST_CONNECTIONS = 16  # of one back end: a service that takes one stream on each must not get thousands

_log = logging.getLogger("asgi_grpc.error")


class Http2Backend:
    """Methods behind HTTP/2 connections that belong to us, not to grpcio.

    A ``grpc.aio`` channel hands over each message by itself; here all that were read at once travel at once, and cost
    a fraction (``docs/performance.md``). What only the channel has: load balancing, resolvers, retries, compression.

    One connection is used as long as it has room for another stream; it is made with the first call, and made again
    when it is gone. Those that a burst of calls has made besides are closed when they are idle. Put it where an
    upstream is given: ``GrpcMiddleware(schema=..., upstream=Http2Backend("..."))``.

    Args:
        target: ``"host:port"``, ``"dns:///host:port"``, ``"unix:path"`` or ``"unix:///path"``.
        tls: of the connections, e.g. ``ssl.create_default_context()``; None: they are not encrypted. ALPN is set here.
        max_message_bytes: longest reply accepted, as protobuf.
        window_bytes: what the service may send on one stream before something of it was taken: so much is kept of
            each at most, beside one message. Up to 2^31 - 1; a fast network with long ways needs more than 64 KiB.
        keepalive_s: without a byte from the service while there are calls, until it is sent a PING; if nothing comes
            within 20 s then, those calls end with UNAVAILABLE. At least 10, and no less than the service permits: those
            of gRPC permit 300 as they come, and leave a client that asks more often. None: never.

    Raises:
        ConfigurationError: the target is of another form, or the window or the keepalive is out of its range.

    Source: gRPC over HTTP2; gRPC proposal A8 (keepalive); RFC 9113, section 3.3 ("prior knowledge") where there is no
    TLS.
    """

    def __init__(
        self,
        target: str,
        *,
        tls: ssl.SSLContext | None = None,
        max_message_bytes: int = 4 << 20,
        window_bytes: int = 64 << 10,
        keepalive_s: float | None = None,
    ) -> None:
        if not 0 < window_bytes <= MAX_WINDOW:
            raise ConfigurationError(f"window_bytes is 1 to {MAX_WINDOW}, got {window_bytes}")
        if keepalive_s is not None and not _LEAST_KEEPALIVE_S <= keepalive_s < math.inf:
            raise ConfigurationError(f"keepalive_s is at least {_LEAST_KEEPALIVE_S:g}, or None; got {keepalive_s}")
        self._target = Target.parse(target)
        self._tls = tls
        if tls is not None:
            tls.set_alpn_protocols(["h2"])
        self._max_message_bytes = max_message_bytes
        self._window_bytes = window_bytes
        self._keepalive_s = keepalive_s
        scheme = "http" if tls is None else "https"
        self._headers = RequestHeaders(self._target.authority, scheme, f"asgi-grpc/{version('asgi_grpc')}")
        self._connections: list[Connection] = []
        self._connecting: asyncio.Task[None] | None = None
        self._sweep: asyncio.TimerHandle | None = None  # while there is more than one connection

    async def open(self) -> None:
        """Nothing to do: the first call connects."""

    def start(
        self, method: Method, requests: Requests, *, metadata: Metadata = (), deadline_s: float | None = None
    ) -> Http2Call:
        """Make a call. See ``Backend.start``."""
        return Http2Call(
            self._connection,
            self._headers,
            method,
            requests,
            metadata=metadata,
            deadline_s=deadline_s,
            max_message_bytes=self._max_message_bytes,
        )

    async def close(self) -> None:
        """End the connections; running calls end with CANCELLED."""
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait({self._connecting})
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        for connection in [*self._connections]:
            connection.close(_closed())

    async def _connection(self) -> Connection:
        """One that has room for a stream, the oldest first. It is to be used before anything else can run.

        Raises:
            CallError: there is none to be had.
        """
        for _ in range(_MOST_CONNECTIONS + 1):  # others were faster, or the service ended it at once: not for ever
            for connection in self._connections:
                if connection.has_room:
                    return connection
            if len(self._connections) >= _MOST_CONNECTIONS:
                break
            if self._connecting is None:
                self._connecting = asyncio.create_task(self._connect())
                self._connecting.add_done_callback(self._connected)
            connecting = self._connecting
            await asyncio.wait({connecting})  # a call that is cancelled leaves it to the others
            if connecting.cancelled():
                raise _closed()
            failure = connecting.exception()
            if isinstance(failure, CallError):  # an error of its own for each that waited
                raise CallError(failure.code, failure.message) from failure
            connecting.result()
        raise CallError(Code.UNAVAILABLE, "the upstream service takes no more calls at once")

    async def _connect(self) -> None:
        """Make a connection, for whoever waits for one.

        Raises:
            CallError: it can't be made.
        """

        def make() -> Connection:
            return Connection(window_bytes=self._window_bytes, on_end=self._drop, keepalive_s=self._keepalive_s)

        try:
            async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                connection = await self._target.connect(make, self._tls)
                try:
                    await connection.ready
                except asyncio.CancelledError:
                    connection.abort()
                    raise
        except (OSError, TimeoutError) as exc:
            _log.warning("the upstream service can't be reached: %s", str(exc) or type(exc).__name__)
            raise CallError(Code.UNAVAILABLE, "the upstream service can't be reached") from exc
        if not connection.has_room:
            connection.close(_closed())
            raise CallError(Code.UNAVAILABLE, "the upstream service takes no calls")
        self._connections.append(connection)
        self._sweep_later()

    def _connected(self, task: asyncio.Task[None]) -> None:
        """The attempt is over."""
        self._connecting = None
        if not task.cancelled():
            task.exception()  # nobody may wait any more

    def _drop(self, connection: Connection) -> None:
        """A connection takes no more streams."""
        if connection in self._connections:
            self._connections.remove(connection)
        if connection.pings_too_often and connection.keepalive_s is not None and self._keepalive_s is not None:
            self._keepalive_s = max(self._keepalive_s, 2 * connection.keepalive_s)
            _log.warning("the upstream service says too_many_pings: keepalive_s is %g from now on", self._keepalive_s)

    def _sweep_later(self) -> None:
        if self._sweep is None and len(self._connections) > 1:
            self._sweep = asyncio.get_running_loop().call_later(_IDLE_S, self._close_idle)

    def _close_idle(self) -> None:
        """Close connections that a burst has left behind."""
        self._sweep = None
        for connection in self._connections[1:]:
            if connection.was_idle():
                connection.close(_closed())
        self._sweep_later()


def _closed() -> CallError:
    return CallError(Code.CANCELLED, "the channel to the service was closed")
