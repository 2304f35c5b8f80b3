"""``asgi-grpc demo``: both example services and a gateway in front of them, until Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import uvicorn

from asgi_grpc.asgi import Application, GrpcMiddleware
from asgi_grpc.calls import Backend, ServicerBackend
from asgi_grpc.cli._demo_text import PROBES, demo_text
from asgi_grpc.cli._examples import DemoError, Example, examples_folder, start
from asgi_grpc.cli._in_process import ExampleServicers
from asgi_grpc.cli._loopback import PortTaken, bind_loopback
from asgi_grpc.client import ClientError, HttpConnection
from asgi_grpc.errors import ConfigurationError
from asgi_grpc.limits import Limits
from asgi_grpc.schema import Schema

_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
_DRAIN_S = 4  # longer than the examples take to end their calls, so that the gateway never has to cancel one
_PROBE_S = 30.0
_PROBE_BYTES = 1 << 20


def run_demo(port: int, *, in_process: bool = False) -> int:
    """Serve until SIGINT, SIGTERM or SIGHUP.

    Args:
        port: 0 picks a free one.
        in_process: run the services in this process, as servicers, instead of in processes of their own.

    Returns:
        The exit status: 0 after a signal; 1 where the port is taken, or a part does not start or ends by itself, with
        a line on standard error. No process is left behind in any case.
    """
    try:
        sockets = bind_loopback(port)
        try:
            asyncio.run(_until_signal(Demo(sockets, in_process=in_process)))
        finally:
            for sock in sockets:
                sock.close()
    except (PortTaken, DemoError, ConfigurationError) as exc:
        print(f"asgi-grpc: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass  # where the loop has no signal handlers, this is how Ctrl-C ends it
    return 0


class Demo:
    """The services, the gateway, and their end.

    Args:
        sockets: where the gateway listens, all on one port.
        in_process: there are no processes but this one.
    """

    def __init__(self, sockets: list[socket.socket], *, in_process: bool) -> None:
        self._sockets = sockets
        self._servicers = ExampleServicers() if in_process else None
        self._port: int = sockets[0].getsockname()[1]
        self._examples: list[Example] = []
        self._server: _Server | None = None
        self._parts: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        """Start everything, say what to try, and wait for the first part that ends by itself.

        Raises:
            DemoError: always, unless it is cancelled. Everything has ended then.
        """
        try:
            for name in () if self._servicers else ("greeter", "streaming"):
                self._examples.append(await start(name))
            await asyncio.gather(*(example.wait_ready() for example in self._examples))
            self._server = _Server(self._config())
            waits = [self._serve(self._server), self._announce(), *(example.wait_ended() for example in self._examples)]
            self._parts = [asyncio.create_task(wait) for wait in waits]
            done, _ = await asyncio.wait(self._parts, return_when=asyncio.FIRST_COMPLETED)
            await done.pop()
        finally:
            await self._end()

    async def _end(self) -> None:
        """End the services while the gateway drains: calls that are still running end with a failure record."""
        if self._server is not None:
            self._server.should_exit = True
        for part in self._parts[1:]:
            part.cancel()
        await asyncio.gather(*(example.end() for example in self._examples))
        if self._servicers is not None:
            await self._servicers.close()
        await asyncio.gather(*self._parts, return_exceptions=True)

    def _config(self) -> uvicorn.Config:
        places = self._servicers.backends if self._servicers else [example.address for example in self._examples]
        return uvicorn.Config(
            demo_application(*places),
            http="h11",  # the most patient parser: it also reads clients that send both lengths of a body
            ws_ping_timeout=Limits().idle_timeout_s,  # as serve has it
            lifespan="on",
            log_level="warning",
            timeout_graceful_shutdown=_DRAIN_S,
        )

    async def _serve(self, server: _Server) -> None:
        try:
            await server.serve(self._sockets)
        except SystemExit as exc:  # uvicorn's way to say that it has logged why
            raise DemoError("the gateway did not start") from exc
        raise DemoError("the gateway ended")

    async def _announce(self) -> None:
        """Say what to try as soon as both services answer through the gateway."""
        for path in PROBES:
            await _probe(f"http://localhost:{self._port}{path}")
        print(demo_text(self._port), flush=True)
        await asyncio.Event().wait()


class _Server(uvicorn.Server):
    """Leaves the signals to us: uvicorn would raise them again after its own end."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def demo_application(greeter: str | Backend, streaming: str | Backend) -> Application:
    """Both examples behind one application.

    Args:
        greeter: the Greeter's target, e.g. ``"127.0.0.1:50051"``, or what calls it.
        streaming: the StreamingService's.

    Raises:
        DemoError, ConfigurationError: the examples are not there, or are damaged.
    """
    folder = examples_folder()
    inner = GrpcMiddleware(schema=_schema(folder, "streaming", streaming), upstream=streaming)
    return GrpcMiddleware(
        inner,
        schema=_schema(folder, "greeter", greeter),
        upstream=greeter,
        half_close_after_idle_s=1.0,  # there are clients of the Greeter that never say that they are done
    )


def _schema(folder: Path, name: str, place: str | Backend) -> Schema:
    """An example's services; with the classes that its servicers use, where they are in this process."""
    if isinstance(place, ServicerBackend):
        return place.schema
    return Schema.from_descriptor_set(folder / name / f"{name}.binpb")


async def _until_signal(demo: Demo) -> None:
    """Run until it raises, or until a signal comes."""
    stop = asyncio.Event()
    with suppress(NotImplementedError):
        for number in _SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    running = asyncio.create_task(demo.run())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def _probe(url: str) -> None:
    """One call that succeeds.

    Raises:
        DemoError: it does not.
    """
    try:
        async with asyncio.timeout(_PROBE_S), await HttpConnection.open(url) as connection:
            await connection.send_head("GET", body=False)
            head = await connection.read_head()
            await connection.read_body(max_bytes=_PROBE_BYTES)
    except (ClientError, TimeoutError) as exc:
        raise DemoError(f"{url} does not answer") from exc
    if head.status != 200:
        raise DemoError(f"{url} answers with HTTP status {head.status}")
