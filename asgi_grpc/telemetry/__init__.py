"""Seeing it: one record for each call, and observers that make log lines, metrics and spans of it.

``PrometheusMetrics`` and ``OpenTelemetry`` need the extras ``metrics`` and ``otel``; their packages are imported when
they are asked for, and not before.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from asgi_grpc.errors import ConfigurationError
from asgi_grpc.telemetry._access_log import AccessLog
from asgi_grpc.telemetry._call import CallRecord, Transport
from asgi_grpc.telemetry._observer import Observer, Observers

if TYPE_CHECKING:
    from asgi_grpc.telemetry._otel import OpenTelemetry
    from asgi_grpc.telemetry._prometheus import PrometheusMetrics

__all__ = [
    "AccessLog",
    "CallRecord",
    "Observer",
    "Observers",
    "OpenTelemetry",
    "PrometheusMetrics",
    "Transport",
]

_EXTRAS = {
    "PrometheusMetrics": ("_prometheus", "prometheus-client", "metrics"),
    "OpenTelemetry": ("_otel", "opentelemetry-api", "otel"),
}  # the file of each that stands on a package, that package, and our extra for it


def __getattr__(name: str) -> Any:
    if name not in _EXTRAS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    file, package, extra = _EXTRAS[name]
    try:
        return getattr(import_module(f"{__name__}.{file}"), name)
    except ImportError as exc:
        raise ConfigurationError(f"{name} needs {package}: pip install 'asgi_grpc[{extra}]'") from exc
