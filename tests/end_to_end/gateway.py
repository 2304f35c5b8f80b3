"""Both examples behind one gateway, as ``asgi-grpc demo`` serves them; the targets come from the environment."""

from __future__ import annotations

import os
from pathlib import Path

from asgi_grpc import GrpcMiddleware, Schema

EXAMPLES = Path(__file__).parent.parent.parent / "examples"

app = GrpcMiddleware(
    GrpcMiddleware(
        schema=Schema.from_descriptor_set(EXAMPLES / "streaming" / "streaming.binpb"),
        upstream=os.environ["STREAMING_TARGET"],
        dialect=os.environ.get("DIALECT", "envelope"),
    ),
    schema=Schema.from_descriptor_set(EXAMPLES / "greeter" / "greeter.binpb"),
    upstream=os.environ["GREETER_TARGET"],
    dialect=os.environ.get("DIALECT", "envelope"),
    half_close_after_idle_s=0.5,
)
