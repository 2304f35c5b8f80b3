"""Both examples behind one gateway, each with its document; the targets come from the environment."""

from __future__ import annotations

import os

from asgi_grpc import GrpcMiddleware, Schema
from tests.processes import GREETER, STREAMING

app = GrpcMiddleware(
    GrpcMiddleware(
        schema=Schema.from_descriptor_set(STREAMING.parent / "streaming.binpb"),
        upstream=os.environ["STREAMING_TARGET"],
        openapi_path="/streaming.json",
    ),
    schema=Schema.from_descriptor_set(GREETER.parent / "greeter.binpb"),
    upstream=os.environ["GREETER_TARGET"],
    openapi_path="/greeter.json",
)
