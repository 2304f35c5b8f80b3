"""``asgi-grpc serve``: a gateway under uvicorn."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import uvicorn
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from asgi_grpc.cli.application import VARIABLE, GatewayOptions, SchemaOptions, build, read_schema
from asgi_grpc.errors import ConfigurationError
from asgi_grpc.limits import Limits
from asgi_grpc.schema import Schema

HTTP_CHOICES = ("auto", "h11", "httptools", "zttp")
WS_CHOICES = ("auto", "websockets", "websockets-sansio", "wsproto")


@dataclass(frozen=True, kw_only=True)
class ServerOptions:
    """How uvicorn serves; the attributes are its own options."""

    host: str
    port: int
    workers: int
    http: str
    ws: str


def run_serve(options: GatewayOptions, server: ServerOptions) -> int:
    """Serve until SIGINT or SIGTERM. Returns the exit status: 2 where the gateway can't be wired."""
    settings = {
        "host": server.host,
        "port": server.port,
        "http": server.http,
        "ws": server.ws,
        "lifespan": "on",
        "timeout_graceful_shutdown": int(Limits().drain_timeout_s),
    }
    try:
        schema = asyncio.run(read_schema(options.schema))
        application = build(options, schema)  # here too, so that its faults are one line and not one for each worker
    except ConfigurationError as exc:
        print(f"asgi-grpc: {exc}", file=sys.stderr)
        return 2
    if server.workers == 1:
        uvicorn.run(application, **settings)  # type: ignore[arg-type]  # the settings are of several types
        return 0
    with _in_environment(options, schema):
        factory = "asgi_grpc.cli.application:create"
        uvicorn.run(factory, factory=True, workers=server.workers, **settings)  # type: ignore[arg-type]
    return 0


@contextmanager
def _in_environment(options: GatewayOptions, schema: Schema) -> Iterator[None]:
    """Hand the options to the workers; a schema that came by reflection as a file, so that all serve the same."""
    with tempfile.TemporaryDirectory(prefix="asgi-grpc-") as folder:
        source = options.schema
        if not source.descriptor_sets and not source.protos:
            file = Path(folder, "reflected.binpb")
            file.write_bytes(_serialized(schema))
            options = msgspec.structs.replace(
                options, schema=SchemaOptions(descriptor_sets=(str(file),), services=tuple(schema.services))
            )
        os.environ[VARIABLE] = msgspec.json.encode(options).decode()
        try:
            yield
        finally:
            del os.environ[VARIABLE]


def _serialized(schema: Schema) -> bytes:
    """The schema's files and all that they import, as a descriptor set."""
    files: dict[str, FileDescriptor] = {}
    waiting = list(schema.files)
    while waiting:
        file = waiting.pop()
        if file.name not in files:
            files[file.name] = file
            waiting += file.dependencies
    found = FileDescriptorSet()
    for file in files.values():
        file.CopyToProto(found.file.add())
    return found.SerializeToString()
