"""The Greeter for everything that speaks HTTP or WebSocket: ``uvicorn greeter_gateway:app``."""

from __future__ import annotations

import os

import greeter_pb2

from asgi_grpc import GrpcMiddleware, Schema

app = GrpcMiddleware(
    schema=Schema.from_modules(greeter_pb2),
    upstream=os.environ.get("GREETER_TARGET", "localhost:50051"),
    # Simple WebSocket clients send all their names and wait, without ever saying that they are done.
    half_close_after_idle_s=1.0,
)
