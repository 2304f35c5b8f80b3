"""A gateway that is observed in every way: of a target in the environment, or with the Greeter in its own process."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys

from asgi_grpc import GrpcMiddleware, Limits, Servicers
from asgi_grpc.telemetry import AccessLog
from tests.asgi.fakes import GREETER
from tests.telemetry.service import register


class JsonLines(logging.Formatter):
    """What tests can read back."""

    def format(self, record: logging.LogRecord) -> str:
        names = ("method", "transport", "code", "messages_received", "messages_sent", "bytes_received", "bytes_sent")
        return json.dumps({name: getattr(record, name) for name in names})


handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(JsonLines())
logging.getLogger("asgi_grpc.access").addHandler(handler)
logging.getLogger("asgi_grpc.access").setLevel(logging.INFO)

if target := os.environ.get("TARGET"):
    where = {"schema": GREETER, "upstream": target}
else:
    servicers = Servicers()
    register(servicers)
    where = {"servicers": servicers, "services": ["helloworld.Greeter"]}

app = GrpcMiddleware(
    **where,  # type: ignore[arg-type]  # one of two ways
    limits=Limits(max_streams=3, drain_timeout_s=0.2),
    observers=[AccessLog()],
    metrics_path="/metrics",
    health_path="/healthz",
    drain_signals=[signal.SIGTERM],
)
