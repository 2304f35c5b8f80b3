"""Calls over HTTP/2 connections of our own: a whole batch of messages in one frame.

It needs the extra ``http2``.
"""

from __future__ import annotations

from asgi_grpc.errors import ConfigurationError

try:
    from asgi_grpc.http2._backend import Http2Backend
except ImportError as exc:
    raise ConfigurationError("asgi_grpc.http2 needs hpack: pip install 'asgi_grpc[http2]'") from exc

__all__ = ["Http2Backend"]
