"""A service whose calls end when they are told to: behind a gateway, in it, and in one that hears of no signals.

``python -m tests.end_to_end.drained`` is the gRPC server, with ``serve ARGUMENTS`` it is ``asgi-grpc serve`` with a
short drain; ``signals`` and ``plain`` are applications for uvicorn. Each prints its ledger when it ends.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import grpc.aio
from greeter_pb2 import HelloReply
from greeter_pb2_grpc import GreeterServicer, add_GreeterServicer_to_server

from asgi_grpc import GrpcMiddleware, Limits, Servicers
from asgi_grpc.cli import main as command_line

DRAIN_S = 4.0
PACE_S = 0.1
FINISH_S = 0.5
"""After the word ``finish`` calls go on for so long: the signal comes in between."""


class Ledger(GreeterServicer):
    """A request's name is a call's own name and ``finishing`` or ``endless``.

    Attributes:
        calls: by name: how many replies were sent, and how it ended.
    """

    def __init__(self) -> None:
        self.calls: dict[str, tuple[int, str]] = {}
        self._finish = asyncio.Event()

    def show(self) -> None:
        """Print the ledger."""
        print("ledger", json.dumps(self.calls), flush=True)

    async def SayHello(self, request: Any, _context: Any) -> HelloReply:  # noqa: N802 - gRPC's name
        """``running`` tells how many calls have begun; ``finish`` lets calls end soon; the others wait for that."""
        match request.name.split():
            case ["running"]:
                return HelloReply(message=str(len(self.calls)))
            case ["finish"]:
                asyncio.get_running_loop().call_later(FINISH_S, self._finish.set)
                return HelloReply()
            case [name, how]:
                with self._call(name):
                    await self._until(how)
                    return HelloReply(message=self._reply(name))
        raise ValueError(request.name)

    async def SayHelloServerStream(self, request: Any, _context: Any) -> AsyncIterator[HelloReply]:  # noqa: N802
        """Replies until it is told to end."""
        name, how = request.name.split()
        with self._call(name):
            while how == "endless" or not self._finish.is_set():
                yield HelloReply(message=self._reply(name))
                await asyncio.sleep(PACE_S)

    async def SayHelloClientStream(self, requests: Any, _context: Any) -> HelloReply:  # noqa: N802
        """Replies at the end of the input."""
        name = (await anext(aiter(requests))).name
        with self._call(name):
            async for _ in requests:
                pass
            return HelloReply(message=self._reply(name))

    async def SayHelloBidiStream(self, requests: Any, _context: Any) -> AsyncIterator[HelloReply]:  # noqa: N802
        """Replies to each request."""
        name = (await anext(aiter(requests))).name
        with self._call(name):
            yield HelloReply(message=self._reply(name))
            async for _ in requests:
                yield HelloReply(message=self._reply(name))

    def _reply(self, name: str) -> str:
        """The text of the next reply, which counts as sent."""
        count, end = self.calls[name]
        self.calls[name] = (count + 1, end)
        return f"{name} {count}"

    async def _until(self, how: str) -> None:
        await (self._finish.wait() if how == "finishing" else asyncio.Event().wait())

    @contextmanager
    def _call(self, name: str) -> Iterator[None]:
        self.calls[name] = (0, "")
        end = "cancelled"
        try:
            yield
            end = "returned"
        finally:
            self.calls[name] = (self.calls[name][0], end)


async def serve() -> None:
    """The gRPC server, until SIGTERM."""
    ledger = Ledger()
    server = grpc.aio.server()
    add_GreeterServicer_to_server(ledger, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    print(f"listening on 127.0.0.1:{port}", flush=True)
    await over.wait()
    await server.stop(None)
    ledger.show()


def application(**options: Any) -> GrpcMiddleware:
    """The service in the gateway's own process."""
    ledger = Ledger()

    async def inner(_scope: Any, receive: Any, send: Any) -> None:
        """The lifespan; it hears of the shutdown behind the drain."""
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        ledger.show()
        await send({"type": "lifespan.shutdown.complete"})

    registry = Servicers()
    add_GreeterServicer_to_server(ledger, registry)
    return GrpcMiddleware(inner, servicers=registry, limits=Limits(drain_timeout_s=DRAIN_S), **options)


def signals() -> GrpcMiddleware:
    """Drains before uvicorn hears of the signal."""
    return application(drain_signals=[signal.SIGTERM])


def plain() -> GrpcMiddleware:
    """Is told by uvicorn, at the very end."""
    return application()


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        defaults = Limits.__init__.__kwdefaults__
        assert defaults is not None
        defaults["drain_timeout_s"] = DRAIN_S  # the command line has no option for it
        sys.exit(command_line(sys.argv[1:]))
    asyncio.run(serve())
