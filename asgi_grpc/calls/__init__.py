"""Calls: one gRPC exchange, wherever the method lives."""

from __future__ import annotations

from asgi_grpc.calls._call import Backend, Call, Requests
from asgi_grpc.calls._channel import ChannelBackend, ChannelOptions, Credentials, Upstream
from asgi_grpc.calls._metadata import (
    MetadataRule,
    Preset,
    metadata_rule,
    parse_timeout,
    request_metadata,
    response_headers,
    to_text,
)

__all__ = [
    "Backend",
    "Call",
    "ChannelBackend",
    "ChannelOptions",
    "Credentials",
    "MetadataRule",
    "Preset",
    "Requests",
    "Upstream",
    "metadata_rule",
    "parse_timeout",
    "request_metadata",
    "response_headers",
    "to_text",
]
