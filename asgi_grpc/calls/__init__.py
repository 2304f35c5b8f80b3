"""Calls: one gRPC exchange, wherever the method lives."""

from __future__ import annotations

from asgi_grpc.calls._backend import ServicerBackend
from asgi_grpc.calls._call import Backend, Call, Requests
from asgi_grpc.calls._channel import ChannelBackend, ChannelOptions, Credentials, Upstream
from asgi_grpc.calls._metadata import (
    MetadataRule,
    Preset,
    from_grpc,
    metadata_rule,
    parse_timeout,
    request_metadata,
    response_headers,
    status_details,
    to_text,
)
from asgi_grpc.calls._peer import connection
from asgi_grpc.calls._registry import Servicers

__all__ = [
    "Backend",
    "Call",
    "ChannelBackend",
    "ChannelOptions",
    "Credentials",
    "MetadataRule",
    "Preset",
    "Requests",
    "ServicerBackend",
    "Servicers",
    "Upstream",
    "connection",
    "from_grpc",
    "metadata_rule",
    "parse_timeout",
    "request_metadata",
    "response_headers",
    "status_details",
    "to_text",
]
