"""Calls: one gRPC exchange, wherever the method lives."""

from __future__ import annotations

from asgi_grpc.calls._call import Backend, Call, Requests

__all__ = ["Backend", "Call", "Requests"]
