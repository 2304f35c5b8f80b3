"""The StreamingService for everything that speaks HTTP or WebSocket: ``uvicorn streaming_gateway:app``."""

from __future__ import annotations

import os

import streaming_pb2

from asgi_grpc import GrpcMiddleware, Schema

app = GrpcMiddleware(
    schema=Schema.from_modules(streaming_pb2),
    upstream=os.environ.get("STREAMING_TARGET", "localhost:50052"),
)
