"""asgi_grpc: gRPC methods, reachable from anything that speaks HTTP or WebSocket."""

from __future__ import annotations

from asgi_grpc.asgi import GrpcMiddleware
from asgi_grpc.calls import Servicers
from asgi_grpc.errors import (
    AsgiGrpcError,
    CallError,
    Code,
    ConfigurationError,
    DecodeError,
    FramingError,
    MethodNotAllowed,
    NoSuchRoute,
    RequestError,
    UsageError,
)
from asgi_grpc.limits import Limits
from asgi_grpc.schema import Schema

__all__ = [
    "AsgiGrpcError",
    "CallError",
    "Code",
    "ConfigurationError",
    "DecodeError",
    "FramingError",
    "GrpcMiddleware",
    "Limits",
    "MethodNotAllowed",
    "NoSuchRoute",
    "RequestError",
    "Schema",
    "Servicers",
    "UsageError",
]
