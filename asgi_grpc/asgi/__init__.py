"""The doors in front: HTTP and WebSocket connections, as ASGI hands them over."""

from __future__ import annotations

from asgi_grpc.asgi._middleware import GrpcMiddleware
from asgi_grpc.asgi._types import Application, Receive, Scope, Send

__all__ = ["Application", "GrpcMiddleware", "Receive", "Scope", "Send"]
