"""Dialects: how a message, a success and a failure are spelled on the wire."""

from __future__ import annotations

from asgi_grpc.dialects._dialect import Dialect, Failure
from asgi_grpc.dialects._envelope import EnvelopeDialect
from asgi_grpc.dialects._names import find_dialect
from asgi_grpc.dialects._plain import BareDialect, GrpcGatewayDialect

__all__ = ["BareDialect", "Dialect", "EnvelopeDialect", "Failure", "GrpcGatewayDialect", "find_dialect"]
