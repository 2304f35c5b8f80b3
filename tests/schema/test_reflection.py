"""Schemas from a running server, on loopback."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pool
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.reflection import ReflectionServicer

from asgi_grpc.errors import ConfigurationError
from asgi_grpc.schema import Binding, Schema
from tests.schema.protos import compile_protos, files_of

Request, Response = reflection_pb2.ServerReflectionRequest, reflection_pb2.ServerReflectionResponse
V1, V1ALPHA = "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"
LIBRARY = compile_protos(
    reflected="""
    syntax = "proto3";
    package reflected;
    import "google/api/annotations.proto";
    import "reflected_shelf.proto";
    service Library { rpc Get(Shelf) returns (stream Shelf) { option (google.api.http) = { get: "/shelf" }; } }
    """,
    reflected_shelf="""
    syntax = "proto3";
    package reflected;
    message Shelf { int32 number = 1; }
    service Hidden { rpc Do(Shelf) returns (Shelf); }
    """,
)
Answer = Callable[[Any], Any]


@asynccontextmanager
async def serving(name: str, answer: Answer) -> AsyncIterator[str]:
    """A server that answers reflection's questions under one of its names."""

    async def talk(requests: AsyncIterator[Any], _context: Any) -> AsyncIterator[Any]:
        async for request in requests:
            reply = answer(request)
            if reply is None:
                return
            yield reply

    server = grpc.aio.server()
    handler = grpc.stream_stream_rpc_method_handler(
        talk, request_deserializer=Request.FromString, response_serializer=Response.SerializeToString
    )
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, {"ServerReflectionInfo": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


def piecewise(request: Any) -> Any:
    """A server that sends one file an answer."""
    files = {file.name: file for file in files_of(LIBRARY).file}
    reply = Response()
    if request.list_services:
        for name in ("reflected.Library", V1, V1ALPHA):
            reply.list_services_response.service.add(name=name)
    elif request.file_containing_symbol:
        data = files["reflected.proto"].SerializeToString()
        reply.file_descriptor_response.file_descriptor_proto.append(data)
    else:
        data = files[request.file_by_filename].SerializeToString()
        reply.file_descriptor_response.file_descriptor_proto.append(data)
    return reply


def check(schema: Schema) -> None:
    """Is it the library, whole?"""
    assert [(m.full_name, m.kind, m.bindings[0]) for m in schema.methods] == [
        ("reflected.Library.Get", "server_streaming", Binding(http_method="GET", template="/shelf"))
    ]


@pytest.mark.parametrize("name", [V1, V1ALPHA])
async def test_a_server_is_asked_for_services_and_missing_files(name: str) -> None:
    async with serving(name, piecewise) as target:
        check(await Schema.from_reflection(target))


async def test_a_channel_may_be_given_and_stays_open() -> None:
    async with serving(V1, piecewise) as target, grpc.aio.insecure_channel(target) as channel:
        check(await Schema.from_reflection(channel))
        check(await Schema.from_reflection(channel))


async def test_grpcios_own_reflection_is_understood() -> None:
    pool = descriptor_pool.DescriptorPool()
    for file in files_of(LIBRARY).file:
        pool.Add(file)
    servicer = ReflectionServicer(["reflected.Library", V1ALPHA], pool)

    def ask(request: Any) -> Any:
        return next(iter(servicer.ServerReflectionInfo(iter([request]), None)))

    async with serving(V1ALPHA, ask) as target:
        check(await Schema.from_reflection(target))


async def refused(answer: Answer, name: str = V1) -> str:
    async with serving(name, answer) as target:
        with pytest.raises(ConfigurationError) as caught:
            await Schema.from_reflection(target)
        return str(caught.value).replace(target, "TARGET")


async def test_a_server_without_reflection_says_what_to_do() -> None:
    assert await refused(piecewise, "another.Service") == (
        "the server at TARGET has no server reflection: switch it on there, or give a descriptor set"
    )


async def test_a_server_that_cannot_be_reached() -> None:
    async with serving(V1, piecewise) as target:
        pass
    with pytest.raises(
        ConfigurationError, match=rf"^the server at {target} can't be asked for its schema: UNAVAILABLE: "
    ):
        await Schema.from_reflection(target, timeout_s=5)


async def test_a_server_that_never_answers_is_given_up() -> None:
    def never(request: Any) -> Any:
        raise RuntimeError

    async with serving(V1, never) as target, grpc.aio.insecure_channel(target) as channel:
        with pytest.raises(ConfigurationError, match=r"^the server can't be asked for its schema: UNKNOWN: "):
            await Schema.from_reflection(channel)


@pytest.mark.parametrize(
    ("question", "reply", "problem"),
    [
        ("file_by_filename", {"error_response": {"error_code": 5, "error_message": "no such file"}},
         "does not know google/api/annotations.proto, which it needs: no such file"),
        ("file_by_filename", {"file_descriptor_response": {"file_descriptor_proto": []}},
         "was asked for the file google/api/annotations.proto, but sent others"),
        ("file_containing_symbol", {"file_descriptor_response": {"file_descriptor_proto": [b"\xff"]}},
         "sent a file that is no FileDescriptorProto"),
        ("list_services", None, "ended its reflection before it had answered all"),
        ("file_by_filename", None, "ended its reflection before it had answered all"),
    ],
)  # fmt: skip
async def test_a_server_that_does_not_say_everything(question: str, reply: dict[str, Any] | None, problem: str) -> None:
    def answer(request: Any) -> Any:
        if request.WhichOneof("message_request") == question:
            return None if reply is None else Response(**reply)
        return piecewise(request)

    assert await refused(answer) == f"the server at TARGET {problem}"


async def test_without_grpcio_reflection_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "grpc_reflection.v1alpha.reflection_pb2", None)
    with pytest.raises(ConfigurationError) as caught:
        await Schema.from_reflection("127.0.0.1:1")
    assert str(caught.value) == "asking a server for its schema needs grpcio-reflection: install asgi_grpc[reflection]"
