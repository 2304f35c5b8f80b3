"""The same over HTTP/2 connections of our own."""

from __future__ import annotations

import os

from asgi_grpc import GrpcMiddleware, Schema
from asgi_grpc.http2 import Http2Backend
from tests.bench.doors import bench_pb2

app = GrpcMiddleware(schema=Schema.from_modules(bench_pb2), upstream=Http2Backend(os.environ["BENCH_UPSTREAM"]))
