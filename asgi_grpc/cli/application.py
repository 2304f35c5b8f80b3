"""The application that ``asgi-grpc serve`` runs, made from options: by itself, and again in each worker process."""

from __future__ import annotations

import logging
import os
import signal
import sys

import msgspec

from asgi_grpc.asgi import Application, GrpcMiddleware
from asgi_grpc.calls import Backend, Preset
from asgi_grpc.cli._upstream_tls import UpstreamTls, channel_credentials, tls_context
from asgi_grpc.errors import ConfigurationError
from asgi_grpc.limits import Limits
from asgi_grpc.schema import Schema
from asgi_grpc.telemetry import AccessLog, Observer

VARIABLE = "ASGI_GRPC_SERVE"
"""The environment variable that carries the options to the workers, as JSON."""


class SchemaOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Where the schema comes from.

    Attributes:
        target: the gRPC server that is asked where no file is given.
        tls: of the channel to it; None: it is not encrypted.
        descriptor_sets: files of ``protoc --include_imports --descriptor_set_out``, or of ``buf build``.
        protos: ``.proto`` files.
        services_json: a file of HTTP rules; its messages are in the descriptor sets.
        services: full names of those to serve; none: all.
    """

    target: str | None = None
    tls: UpstreamTls | None = None
    descriptor_sets: tuple[str, ...] = ()
    protos: tuple[str, ...] = ()
    services_json: str | None = None
    services: tuple[str, ...] = ()


class GatewayOptions(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway in front of one target; the attributes are those of ``GrpcMiddleware``.

    Attributes:
        tls: of the channel; None: it is not encrypted.
        http2: calls go over HTTP/2 connections of our own, and not through a channel.
        access_log: a line for each call on standard output.
        otel: spans, by the SDK that is set up in this process.
    """

    target: str
    schema: SchemaOptions
    tls: UpstreamTls | None = None
    http2: bool = False
    limits: Limits = Limits()
    dialect: str = "envelope"
    metadata: Preset = "default"
    origins: tuple[str, ...] = ()
    half_close_after_idle_s: float | None = None
    openapi_path: str | None = None
    access_log: bool = False
    metrics_path: str | None = None
    otel: bool = False
    health_path: str | None = None


async def read_schema(options: SchemaOptions) -> Schema:
    """Read the schema from its files, or by reflection where there are none.

    Raises:
        ConfigurationError: it can't be read, or has not the services asked for.
    """
    schema = _read_files(options)
    if schema is None:
        if options.target is None:
            raise ConfigurationError(
                "there is no schema: give --descriptor-set, --proto, or a server that has reflection"
            )
        schema = await Schema.from_reflection(options.target, credentials=channel_credentials(options.tls))
    return schema.only(options.services) if options.services else schema


def build(options: GatewayOptions, schema: Schema) -> GrpcMiddleware:
    """Wire the gateway.

    Raises:
        ConfigurationError: as ``GrpcMiddleware``.
    """
    return GrpcMiddleware(
        schema=schema,
        upstream=_http2_backend(options) if options.http2 else options.target,
        credentials=None if options.http2 else channel_credentials(options.tls),
        limits=options.limits,
        dialect=options.dialect,
        metadata=options.metadata,
        origins="*" if "*" in options.origins else options.origins,
        half_close_after_idle_s=options.half_close_after_idle_s,
        openapi_path=options.openapi_path,
        observers=_observers(options),
        metrics_path=options.metrics_path,
        health_path=options.health_path,
        drain_signals=(signal.SIGTERM, signal.SIGINT),
    )


def _http2_backend(options: GatewayOptions) -> Backend:
    from asgi_grpc.http2 import Http2Backend  # noqa: PLC0415 - it imports what few users install

    return Http2Backend(
        options.target,
        tls=None if options.tls is None else tls_context(options.tls),
        max_message_bytes=options.limits.max_message_bytes,
    )


def _observers(options: GatewayOptions) -> list[Observer]:
    """Who is told of calls. The log comes last, and so is written first: while its span is still current."""
    found: list[Observer] = []
    if options.otel:
        from asgi_grpc.telemetry import OpenTelemetry  # noqa: PLC0415 - it imports what few users install

        spans = OpenTelemetry()
        if not spans.is_set_up:
            raise ConfigurationError(
                "--otel: no OpenTelemetry SDK is set up in this process: "
                "run `opentelemetry-instrument asgi-grpc serve ...`, or serve an application of your own"
            )
        found.append(spans)
    if options.access_log:
        _print_access_log()
        found.append(AccessLog())
    return found


def _print_access_log() -> None:
    """Let the lines appear, as uvicorn's own do; who has set up the logger already keeps it as it is."""
    log = logging.getLogger("asgi_grpc.access")
    if not log.handlers:
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        log.propagate = False


def create() -> Application:
    """The factory that workers call: the options come from the environment, and name at least one file.

    Raises:
        ConfigurationError: the variable is missing, or what it says can't be wired.
    """
    try:
        options = msgspec.json.decode(os.environ[VARIABLE], type=GatewayOptions)
    except (KeyError, msgspec.DecodeError) as exc:
        raise ConfigurationError(f"expected the options of `asgi-grpc serve` in {VARIABLE}") from exc
    schema = _read_files(options.schema)
    if schema is None:
        raise ConfigurationError(f"{VARIABLE} names no file with a schema")
    return build(options, schema.only(options.schema.services) if options.schema.services else schema)


def _read_files(options: SchemaOptions) -> Schema | None:
    """The schema of all files; None if there are none."""
    schemas: list[Schema] = []
    if options.services_json is not None:
        if not options.descriptor_sets:
            raise ConfigurationError("--services-json names messages: give their --descriptor-set too")
        schemas.append(Schema.from_services_json(options.services_json, descriptors=options.descriptor_sets))
    elif options.descriptor_sets:
        schemas.append(Schema.from_descriptor_set(*options.descriptor_sets))
    if options.protos:
        schemas.append(Schema.from_protos(*options.protos))
    return Schema.merge(*schemas) if schemas else None
