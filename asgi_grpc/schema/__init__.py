"""Services with their HTTP rules, and the sources that they come from."""

from __future__ import annotations

from asgi_grpc.schema._nouns import Binding, Method, Service
from asgi_grpc.schema._schema import Schema

__all__ = ["Binding", "Method", "Schema", "Service"]
