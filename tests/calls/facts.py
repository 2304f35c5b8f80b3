"""What a fact of grpcio's public tests needs: handlers behind two ends, and the whole outcome of a call of them.

A fact is what a test of grpc/grpc (``src/python/grpcio_tests``) shows: what is called, and what must come out. Each is
told anew here, and runs at a real server as well as in this process, so that grpcio itself proves it. The ids of the
tests name their sources: ``pytest tests/calls -k facts --collect-only -q``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.wrappers_pb2 import StringValue

from asgi_grpc.calls import ServicerBackend, Servicers
from asgi_grpc.errors import CallError, Code, Metadata
from asgi_grpc.schema import Method
from tests.calls.servers import BIDI, DOWN, ECHO, ENDS, UNARY, UP, remote, source

AIO = (ENDS[0], ENDS[2], ENDS[4])
SYNC = (ENDS[1], ENDS[3], ENDS[5])

_MAKE = {
    UNARY: grpc.unary_unary_rpc_method_handler,
    DOWN: grpc.unary_stream_rpc_method_handler,
    UP: grpc.stream_unary_rpc_method_handler,
    BIDI: grpc.stream_stream_rpc_method_handler,
}
_NAMES = {"unary": UNARY, "down": DOWN, "up": UP, "bidi": BIDI}


def fact(of: str, *, ends: Sequence[str] = AIO) -> pytest.MarkDecorator:
    """Run a test at three ends, as ``name``; ``of`` is the test that it is a fact of."""
    return pytest.mark.parametrize("name", [pytest.param(end, id=f"{of} @ {end}") for end in ends])


def sync_fact(of: str) -> pytest.MarkDecorator:
    """The same for sync handlers."""
    return fact(of, ends=SYNC)


def text(value: str) -> StringValue:
    return StringValue(value=value)


@dataclass
class Outcome:
    """All that a caller is told of a call."""

    replies: list[str] = field(default_factory=list)
    code: Code = Code.OK
    message: str = ""
    initial: Metadata = ()
    trailers: Metadata = ()

    @property
    def status(self) -> tuple[list[str], Code]:
        """What a caller is told where the words may differ."""
        return self.replies, self.code


async def outcome_of(call: Any) -> Outcome:
    """Run a call to its end."""
    outcome = Outcome()
    try:
        async with aclosing(call.replies()) as replies:
            async for messages in replies:
                outcome.replies += [message.value for message in messages]
        outcome.trailers = tuple(call.trailers)
    except CallError as exc:
        outcome.code, outcome.message, outcome.trailers = exc.code, exc.message, tuple(exc.trailers)
    outcome.initial = tuple(call.initial_metadata)
    return outcome


@dataclass
class Served:
    """Handlers that can be called.

    Attributes:
        backend: by which they are reached.
        stop: ends the server, or what stands for it, without grace.
        server: took the registrations.
    """

    backend: Any
    server: Any
    stop: Callable[[], Awaitable[None]]

    async def __call__(self, kind: Method, *batches: Any, **options: Any) -> Outcome:
        """Call the handler of a kind with batches of texts; None: the input stays open."""
        return await outcome_of(self.backend.start(kind, source(*batches), **options))


def method_handler(kind: Method, behaviour: Any) -> Any:
    """A handler of texts, as generated code makes it."""
    return _MAKE[kind](
        behaviour,
        request_deserializer=StringValue.FromString,
        response_serializer=StringValue.SerializeToString,
    )


def method_handlers(**behaviours: Any) -> dict[str, Any]:
    """Handlers by simple method name, from behaviours by the kind's short name."""
    return {
        _NAMES[name].full_name.rpartition(".")[2]: method_handler(_NAMES[name], behaviour)
        for name, behaviour in behaviours.items()
    }


@asynccontextmanager
async def serving(
    name: str,
    *,
    interceptors: Sequence[Any] = (),
    generic: Sequence[grpc.GenericRpcHandler] = (),
    registered: dict[str, Any] | None = None,
    max_calls: int | None = None,
    **behaviours: Any,
) -> AsyncIterator[Served]:
    """Serve behaviours, each for its kind, at one of the ends.

    Args:
        name: of the end.
        interceptors: of the server.
        generic: handlers that find methods themselves, before those of the behaviours.
        registered: handlers by simple method name, registered in the newer way.
        max_calls: threads, and calls at a time.
        behaviours: functions by ``unary``, ``down``, ``up``, ``bidi``.
    """
    added = list(generic)
    if behaviours:
        added.append(grpc.method_handlers_generic_handler("test.Echo", method_handlers(**behaviours)))
    if name.endswith("in-process"):
        limits: dict[str, Any] = {} if max_calls is None else {"max_workers": max_calls, "max_queue": 0}
        server: Any = Servicers(interceptors=interceptors, **limits)
    elif name in AIO:
        server = grpc.aio.server(interceptors=interceptors)
    else:
        pool = ThreadPoolExecutor(max_calls or 8)
        server = grpc.server(pool, interceptors=list(interceptors), maximum_concurrent_rpcs=max_calls)
    server.add_generic_rpc_handlers(tuple(added))
    if registered is not None:
        server.add_registered_method_handlers("test.Echo", registered)
    if isinstance(server, Servicers):
        backend: Any = ServicerBackend(server, ECHO)
        stop = backend.close
    else:
        backend, stop = await _started(name, server)
    try:
        yield Served(backend, server, stop)
    finally:
        await backend.close()
        await stop()


async def _started(name: str, server: Any) -> tuple[Any, Callable[[], Awaitable[None]]]:
    port = server.add_insecure_port("127.0.0.1:0")
    if isinstance(server, grpc.aio.Server):
        await server.start()
    else:
        server.start()
    backend = remote(name, port)
    await backend.open()

    async def stop() -> None:
        stopped = server.stop(None)
        if isinstance(server, grpc.aio.Server):
            await stopped
        else:
            stopped.wait()

    return backend, stop
