"""The gateway under pressure: ``PRESSURE_BACK`` names a back end, ``PRESSURE_TARGET`` a ``grpc.aio`` server."""

from __future__ import annotations

import os

from asgi_grpc import GrpcMiddleware, Limits, Schema, Servicers
from asgi_grpc.http2 import Http2Backend
from tests.bench.doors import bench_pb2
from tests.bench.doors.bench_pb2_grpc import add_BenchServicer_to_server
from tests.bench.pressing.service import AsyncPressed, SyncPressed

LIMITS = Limits(max_streams=1100)


def make(back: str) -> GrpcMiddleware:
    """A gateway with its service behind it."""
    if back not in ("async", "sync"):
        target = os.environ["PRESSURE_TARGET"]
        retries = [("grpc.enable_retries", 0)] if back == "no-retries" else []
        upstream = Http2Backend(target) if back == "http2" else target
        schema = Schema.from_modules(bench_pb2)
        return GrpcMiddleware(schema=schema, upstream=upstream, limits=LIMITS, channel_options=retries)
    registry = Servicers(max_workers=256)
    add_BenchServicer_to_server(AsyncPressed() if back == "async" else SyncPressed(), registry)
    return GrpcMiddleware(servicers=registry, limits=LIMITS)


app = make(os.environ["PRESSURE_BACK"])
