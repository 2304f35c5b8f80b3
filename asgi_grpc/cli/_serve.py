"""``asgi-grpc serve``: a gateway under uvicorn."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from asgi_grpc.cli.application import VARIABLE, GatewayOptions, SchemaOptions, build, read_schema
from asgi_grpc.errors import ConfigurationError
from asgi_grpc.schema import Schema

METRICS_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable by which prometheus-client lets several processes count together."""

HTTP_CHOICES = ("auto", "h11", "httptools", "zttp")
WS_CHOICES = ("auto", "websockets", "websockets-sansio", "wsproto")

_GRACE_S = 2
"""uvicorn hears of the end behind the drain: what is left then are connections whose clients read nothing."""

_WS_MAX_SIZE = 16 << 20  # of uvicorn: of one WebSocket message


@dataclass(frozen=True, kw_only=True)
class ServerOptions:
    """How uvicorn serves; the attributes are its own options."""

    host: str
    port: int
    workers: int
    http: str
    ws: str


def run_serve(options: GatewayOptions, server: ServerOptions) -> int:
    """Serve until SIGINT or SIGTERM.

    Returns:
        The exit status: 2 where the gateway can't be wired, with one line on standard error.

    Raises:
        SystemExit: 3, uvicorn can't serve; it has logged why.
    """
    settings = {
        "host": server.host,
        "port": server.port,
        "http": server.http,
        "ws": server.ws,
        "ws_per_message_deflate": _can_bound_inflation(server.ws),
        "ws_ping_timeout": options.limits.idle_timeout_s,  # 20 s would cut off who waits behind a slow service
        "lifespan": "on",
        "timeout_graceful_shutdown": _GRACE_S,
    }
    if options.limits.max_message_bytes > _WS_MAX_SIZE:
        settings["ws_max_size"] = options.limits.max_message_bytes
    if options.access_log:
        settings["access_log"] = False
    try:
        if server.workers == 1:
            _serve_here(options, settings)
        else:
            _serve_in_workers(options, settings, server.workers)
    except ConfigurationError as exc:
        print(f"asgi-grpc: {exc}", file=sys.stderr)
        return 2
    return 0


def _can_bound_inflation(ws: str) -> bool:
    """Whether an implementation of uvicorn's looks at the size of a message before it has inflated it.

    wsproto inflates all that was read at once: 64 KiB from the network took 190 MiB. "auto" is wsproto where websockets
    is not installed.
    """
    return ws != "wsproto" and find_spec("websockets") is not None


def _serve_here(options: GatewayOptions, settings: dict[str, Any]) -> None:
    """Serve in this process. The schema is read on the server's own loop: grpcio's events can't follow to another."""

    async def serve() -> None:
        schema = await read_schema(options.schema)
        application = build(options, schema)
        _say_what(options, schema)
        await uvicorn.Server(uvicorn.Config(application, **settings)).serve()

    loop_factory = uvicorn.Config("", **settings).get_loop_factory()
    with asyncio.Runner(loop_factory=loop_factory) as runner, suppress(KeyboardInterrupt):
        runner.run(serve())  # after its end uvicorn raises once more the SIGINT that ended it


def _serve_in_workers(options: GatewayOptions, settings: dict[str, Any], workers: int) -> None:
    """Serve in processes of their own. All is read here too, so that a fault is one line and not one for each."""
    schema = asyncio.run(read_schema(options.schema))
    build(options, schema)
    _say_what(options, schema)
    with _in_environment(options, schema):
        uvicorn.run("asgi_grpc.cli.application:create", factory=True, workers=workers, **settings)


def _say_what(options: GatewayOptions, schema: Schema) -> None:
    """Tell people what was found, and where."""
    source = options.schema
    files = [*source.descriptor_sets, *source.protos, *([source.services_json] if source.services_json else [])]
    methods = sum(len(service.methods) for service in schema.services.values())
    print(
        f"asgi-grpc: serving {', '.join(schema.services)} ({methods} methods) of {options.target}, "
        f"by {', '.join(files) or 'its reflection'}",
        file=sys.stderr,
        flush=True,
    )


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
        variables = {VARIABLE: msgspec.json.encode(options).decode()}
        if options.metrics_path is not None and METRICS_DIRECTORY not in os.environ:
            variables[METRICS_DIRECTORY] = folder
        os.environ.update(variables)
        try:
            yield
        finally:
            for name in variables:
                del os.environ[name]


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
