"""gRPC server reflection: a running server's services to file descriptors.

Source: grpc/reflection/v1/reflection.proto; v1alpha is the same under another name.
"""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, Protocol

import grpc
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.message import DecodeError

from asgi_grpc.errors import ConfigurationError

_NAMES = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")
# A write that meets the answer "no such method" may come back from grpcio as an INTERNAL of its own.
_NOT_THERE = (grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.INTERNAL)
_CHANNEL_OPTIONS = [("grpc.max_receive_message_length", 64 << 20)]  # one answer holds a file and all its imports


class _Stream(Protocol):
    """A reflection stream: one answer for each question."""

    async def write(self, request: Any) -> None: ...
    async def read(self) -> Any: ...


async def reflect(
    target: str | grpc.aio.Channel, *, credentials: grpc.ChannelCredentials | None, timeout_s: float
) -> tuple[dict[str, FileDescriptorProto], list[str]]:
    """Ask a server for its services and all files that they need.

    Args:
        target: of a server, or a channel, which stays open.
        credentials: for a target; None: it is a server without TLS.
        timeout_s: for the whole exchange.

    Returns:
        The files by name, and the full names of the services, reflection's own left out.

    Raises:
        ConfigurationError: grpcio-reflection is not installed, the server can't be reached, has no reflection, or
            does not say everything.
    """
    try:
        messages = importlib.import_module("grpc_reflection.v1alpha.reflection_pb2")
    except ImportError as exc:
        raise ConfigurationError(
            "asking a server for its schema needs grpcio-reflection: install asgi_grpc[reflection]"
        ) from exc
    where = f"the server at {target}" if isinstance(target, str) else "the server"
    async with _channel(target, credentials) as channel:
        for name in _NAMES:
            method = channel.stream_stream(
                f"/{name}/ServerReflectionInfo",
                request_serializer=messages.ServerReflectionRequest.SerializeToString,
                response_deserializer=messages.ServerReflectionResponse.FromString,
            )
            stream = method(timeout=timeout_s)
            try:
                return await _Inquiry(stream, messages.ServerReflectionRequest, where).run()
            except grpc.aio.AioRpcError as exc:
                if exc.code() not in _NOT_THERE:
                    raise ConfigurationError(
                        f"{where} can't be asked for its schema: {exc.code().name}: {exc.details()}"
                    ) from exc
            finally:
                stream.cancel()
    raise ConfigurationError(f"{where} has no server reflection: switch it on there, or give a descriptor set")


@asynccontextmanager
async def _channel(
    target: str | grpc.aio.Channel, credentials: grpc.ChannelCredentials | None
) -> AsyncIterator[grpc.aio.Channel]:
    """A channel of our own, or the one that was given."""
    if not isinstance(target, str):
        yield target
    elif credentials is not None:
        async with grpc.aio.secure_channel(target, credentials, options=_CHANNEL_OPTIONS) as channel:
            yield channel
    else:
        async with grpc.aio.insecure_channel(target, options=_CHANNEL_OPTIONS) as channel:
            yield channel


class _Inquiry:
    """Questions and answers on one stream."""

    def __init__(self, stream: _Stream, request: Any, where: str) -> None:
        self._stream = stream
        self._request = request
        self._where = where
        self._files: dict[str, FileDescriptorProto] = {}

    async def run(self) -> tuple[dict[str, FileDescriptorProto], list[str]]:
        """Ask until nothing is missing."""
        answer = await self._ask("list_services", "*")
        services = [service.name for service in answer.list_services_response.service if service.name not in _NAMES]
        for service in services:
            self._keep(await self._ask("file_containing_symbol", service))
        while missing := self._missing():
            for name in missing:
                self._keep(await self._ask("file_by_filename", name))
                if name not in self._files:
                    raise ConfigurationError(f"{self._where} was asked for the file {name}, but sent others")
        return self._files, services

    async def _ask(self, what: str, text: str) -> Any:
        """One question."""
        await self._stream.write(self._request(**{what: text}))
        answer = await self._stream.read()
        if answer is grpc.aio.EOF:
            raise ConfigurationError(f"{self._where} ended its reflection before it had answered all")
        if answer.HasField("error_response"):
            raise ConfigurationError(
                f"{self._where} does not know {text}, which it needs: {answer.error_response.error_message}"
            )
        return answer

    def _keep(self, answer: Any) -> None:
        """Keep the files of an answer, the first of each name."""
        for data in answer.file_descriptor_response.file_descriptor_proto:
            try:
                file = FileDescriptorProto.FromString(data)
            except DecodeError as exc:
                raise ConfigurationError(f"{self._where} sent a file that is no FileDescriptorProto") from exc
            self._files.setdefault(file.name, file)

    def _missing(self) -> Iterable[str]:
        """Imports that no answer has brought."""
        wanted = [name for file in self._files.values() for name in file.dependency]
        return [name for name in dict.fromkeys(wanted) if name not in self._files]
