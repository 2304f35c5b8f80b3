"""sonora's gRPC-Web application with the service in the same process."""

from __future__ import annotations

from sonora.asgi import grpcASGI

from tests.bench.doors.bench_pb2_grpc import add_BenchServicer_to_server
from tests.bench.doors.servicer import Bench

app = grpcASGI()
add_BenchServicer_to_server(Bench(), app)
