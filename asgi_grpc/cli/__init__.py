"""The command line: ``asgi-grpc``, and ``python -m asgi_grpc``."""

from __future__ import annotations

from asgi_grpc.cli._arguments import main

__all__ = ["main"]
