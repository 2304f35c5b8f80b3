"""Our gateway with the service in the same process."""

from __future__ import annotations

from asgi_grpc import GrpcMiddleware, Servicers
from tests.bench.doors.bench_pb2_grpc import add_BenchServicer_to_server
from tests.bench.doors.servicer import Bench

registry = Servicers()
add_BenchServicer_to_server(Bench(), registry)
app = GrpcMiddleware(servicers=registry)
