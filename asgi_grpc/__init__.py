"""asgi_grpc: gRPC methods, reachable from anything that speaks HTTP or WebSocket."""

from __future__ import annotations

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

__all__ = [
    "AsgiGrpcError",
    "CallError",
    "Code",
    "ConfigurationError",
    "DecodeError",
    "FramingError",
    "Limits",
    "MethodNotAllowed",
    "NoSuchRoute",
    "RequestError",
    "UsageError",
]
