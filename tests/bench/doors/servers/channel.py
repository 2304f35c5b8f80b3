"""Our gateway in front of the ``grpc.aio`` server that ``BENCH_UPSTREAM`` names."""

from __future__ import annotations

import os

from asgi_grpc import GrpcMiddleware, Schema
from tests.bench.doors import bench_pb2

app = GrpcMiddleware(schema=Schema.from_modules(bench_pb2), upstream=os.environ["BENCH_UPSTREAM"])
