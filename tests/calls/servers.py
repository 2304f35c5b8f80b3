"""One service behind six ends: two real gRPC servers, each through a channel and over HTTP/2 of our own, and servicers.

A request's text is a little program, e.g. ``"details lost; code NOT_FOUND; reply a"``; both kinds run it.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
from google.protobuf import descriptor_pool
from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import StringValue
from google.rpc import error_details_pb2, status_pb2

from asgi_grpc.calls import ChannelBackend, ServicerBackend, Servicers
from asgi_grpc.http2 import Http2Backend
from asgi_grpc.schema import Method, Schema, Service

ENDS = [
    *("aio-server", "sync-server", "async-in-process", "sync-in-process"),
    *("aio-server-over-http2", "sync-server-over-http2"),
]
IN_PROCESS = ENDS[2:4]


def method(name: str, *, client: bool, server: bool) -> Method:
    return Method(
        full_name=f"test.Echo.{name}",
        path=f"/test.Echo/{name}",
        input=StringValue.DESCRIPTOR,
        output=StringValue.DESCRIPTOR,
        client_streaming=client,
        server_streaming=server,
        bindings=(),
    )


UNARY = method("Unary", client=False, server=False)
DOWN = method("Down", client=False, server=True)
UP = method("Up", client=True, server=False)
BIDI = method("Bidi", client=True, server=True)
KINDS = [UNARY, DOWN, UP, BIDI]
ECHO = Schema([Service(full_name="test.Echo", methods=tuple(KINDS))], pool=descriptor_pool.Default(), files=[])


@dataclass
class Seen:
    """What a servicer saw, from whichever thread."""

    programs: list[str] = field(default_factory=list)
    notes: list[Any] = field(default_factory=list)
    cancelled: threading.Event = field(default_factory=threading.Event)
    called_back: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def has(self, program: str) -> Callable[[], bool]:
        return lambda: program in self.programs


class Oops(grpc.RpcError):
    """An ``RpcError`` without a status."""


def rich() -> tuple[tuple[str, str | bytes], ...]:
    details = status_pb2.Status(code=5)
    details.details.add().Pack(error_details_pb2.ErrorInfo(reason="gone"))
    return (("grpc-status-details-bin", details.SerializeToString()), ("why", "lost"))


class RichStatus(grpc.Status):
    code = grpc.StatusCode.DATA_LOSS
    details = "rich"
    trailing_metadata = rich()


def steps(program: str) -> list[tuple[str, str]]:
    return [(step.strip().partition(" ")[0], step.strip().partition(" ")[2]) for step in program.split(";")]


class Echo:
    """What both kinds of servicer have in common."""

    def __init__(self, seen: Seen) -> None:
        self.seen = seen

    def simple(self, verb: str, rest: str, context: Any) -> None:
        """The steps that are the same in both."""
        match verb:
            case "code":
                context.set_code(grpc.StatusCode[rest])
            case "code-number":
                context.set_code(int(rest))
            case "details":
                context.set_details(rest)
            case "trailing":
                context.set_trailing_metadata((("goodbye", "ho"), ("raw-bin", b"\x00\xff")))
            case "rich-trailing":
                context.set_trailing_metadata(rich())
            case "bad-trailing":
                context.set_trailing_metadata(7)
            case "raise":
                raise ValueError(rest)
            case "rpc-error":
                raise Oops
            case "metadata":
                self.seen.notes.append([(m.key, m.value) for m in context.invocation_metadata()])
            case "time":
                self.seen.notes.append(context.time_remaining())
            case "compress":
                context.set_compression(grpc.Compression.Gzip)
                context.disable_next_message_compression()
            case "who":
                self.seen.notes.append((context.peer(), context.peer_identities(), context.peer_identity_key()))
            case "note":
                self.seen.notes.append(context.code())


class AsyncEcho(Echo):
    """Coroutines and async generators."""

    async def unary(self, request: StringValue, context: Any) -> StringValue:
        reply = StringValue(value=request.value)
        async for text in self.run(request.value, context):
            reply = StringValue(value=text)
        return reply

    async def down(self, request: StringValue, context: Any) -> AsyncIterator[StringValue]:
        async for text in self.run(request.value, context):
            yield StringValue(value=text)

    async def up(self, requests: AsyncIterator[StringValue], context: Any) -> StringValue:
        texts = []
        async for request in requests:
            texts += [text async for text in self.run(request.value, context)]
        return StringValue(value=",".join(texts))

    async def bidi(self, requests: AsyncIterator[StringValue], context: Any) -> AsyncIterator[StringValue]:
        async for request in requests:
            async for text in self.run(request.value, context):
                yield StringValue(value=text)

    async def run(self, program: str, context: Any) -> AsyncIterator[str]:
        self.seen.programs.append(program)
        for verb, rest in steps(program):
            match verb:
                case "reply":
                    yield rest
                case "initial":
                    await context.send_initial_metadata((("greeting", "hi"), ("raw-bin", b"\x01")))
                case "abort":
                    code, _, text = rest.partition(" ")
                    await context.abort(grpc.StatusCode[code], text)
                case "abort-rich":
                    await context.abort(grpc.StatusCode.NOT_FOUND, "no such text", rich())
                case "abort-status":
                    await context.abort_with_status(RichStatus())
                case "suppress":
                    try:
                        await context.abort(grpc.StatusCode.ABORTED, "suppressed")
                    except Exception:  # noqa: BLE001 - as careless servicers do
                        self.seen.notes.append("suppressed")
                case "callback":
                    context.add_done_callback(lambda _: self.seen.called_back.set())
                case "hang":
                    try:
                        await asyncio.Event().wait()
                    except asyncio.CancelledError:
                        self.seen.cancelled.set()
                        raise
                case _:
                    self.simple(verb, rest, context)


class SyncEcho(Echo):
    """Functions and generators."""

    def unary(self, request: StringValue, context: Any) -> StringValue:
        reply = StringValue(value=request.value)
        for text in self.run(request.value, context):
            reply = StringValue(value=text)
        return reply

    def down(self, request: StringValue, context: Any) -> Iterator[StringValue]:
        for text in self.run(request.value, context):
            yield StringValue(value=text)

    def up(self, requests: Iterator[StringValue], context: Any) -> StringValue:
        texts: list[str] = []
        try:
            for request in requests:
                texts += self.run(request.value, context)
        except grpc.RpcError:
            self.seen.ended.set()
            raise
        return StringValue(value=",".join(texts))

    def bidi(self, requests: Iterator[StringValue], context: Any) -> Iterator[StringValue]:
        for request in requests:
            for text in self.run(request.value, context):
                yield StringValue(value=text)

    def run(self, program: str, context: Any) -> Iterator[str]:
        self.seen.programs.append(program)
        for verb, rest in steps(program):
            match verb:
                case "reply":
                    yield rest
                case "initial":
                    context.send_initial_metadata((("greeting", "hi"), ("raw-bin", b"\x01")))
                case "abort":
                    code, _, text = rest.partition(" ")
                    context.abort(grpc.StatusCode[code], text)
                case "abort-rich":
                    context.set_trailing_metadata(rich())
                    context.abort(grpc.StatusCode.NOT_FOUND, "no such text")
                case "abort-status":
                    context.abort_with_status(RichStatus())
                case "suppress":
                    try:
                        context.abort(grpc.StatusCode.ABORTED, "suppressed")
                    except Exception:  # noqa: BLE001 - as careless servicers do
                        self.seen.notes.append("suppressed")
                case "callback":
                    context.add_callback(self.seen.called_back.set)
                case "hang":
                    while context.is_active():
                        time.sleep(0.002)
                    self.seen.cancelled.set()
                case _:
                    self.simple(verb, rest, context)


def handlers(echo: Any) -> Any:
    convert: dict[str, Any] = {
        "request_deserializer": StringValue.FromString,
        "response_serializer": StringValue.SerializeToString,
    }
    return grpc.method_handlers_generic_handler(
        "test.Echo",
        {
            "Unary": grpc.unary_unary_rpc_method_handler(echo.unary, **convert),
            "Down": grpc.unary_stream_rpc_method_handler(echo.down, **convert),
            "Up": grpc.stream_unary_rpc_method_handler(echo.up, **convert),
            "Bidi": grpc.stream_stream_rpc_method_handler(echo.bidi, **convert),
        },
    )


def remote(name: str, port: int) -> ChannelBackend | Http2Backend:
    """The way to a server that an end's name tells."""
    target = f"127.0.0.1:{port}"
    return Http2Backend(target) if name.endswith("over-http2") else ChannelBackend(target)


@asynccontextmanager
async def end(name: str, *, handler: Any = None, interceptors: Sequence[Any] = ()) -> AsyncIterator[tuple[Seen, Any]]:
    """One of the ends: what its servicer saw, and a backend that reaches it."""
    seen = Seen()
    is_async = name.startswith("a")
    handler = handler or handlers(AsyncEcho(seen) if is_async else SyncEcho(seen))
    if name in IN_PROCESS:
        registry = Servicers(interceptors=interceptors)
        registry.add_generic_rpc_handlers((handler,))
        backend: Any = ServicerBackend(registry, ECHO)
        yield seen, backend
        await backend.close()
        return
    if is_async:
        server: Any = grpc.aio.server(interceptors=interceptors)
    else:
        server = grpc.server(ThreadPoolExecutor(4), interceptors=list(interceptors))
    server.add_generic_rpc_handlers((handler,))
    port = server.add_insecure_port("127.0.0.1:0")
    if is_async:
        await server.start()
    else:
        server.start()
    backend = remote(name, port)
    await backend.open()
    try:
        yield seen, backend
    finally:
        await backend.close()
        if is_async:
            await server.stop(None)
        else:
            server.stop(None).wait()


def source(*batches: list[str] | Exception | None) -> Callable[[], Awaitable[list[Message]]]:
    """A request source: batches of texts, errors raised; then the end. None: nothing more comes."""
    rest = list(batches)

    async def pull() -> list[Message]:
        await asyncio.sleep(0)
        batch = rest.pop(0) if rest else []
        if batch is None:
            await asyncio.Event().wait()
        if isinstance(batch, Exception):
            raise batch
        return [StringValue(value=text) for text in batch or ()]

    return pull


async def texts(call: Any) -> list[str]:
    found: list[str] = []
    async with aclosing(call.replies()) as replies:
        async for messages in replies:
            assert messages
            found += [message.value for message in messages]
    return found


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what happens in another thread, or behind a socket."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.002)
