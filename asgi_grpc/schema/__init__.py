"""Services with their HTTP rules, and the sources that they come from."""

from __future__ import annotations

from asgi_grpc.schema._nouns import Binding, Method, Service

__all__ = ["Binding", "Method", "Service"]
