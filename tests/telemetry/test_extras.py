"""Packages that only some users want are imported for them only."""

from __future__ import annotations

import subprocess
import sys

import pytest

from asgi_grpc import ConfigurationError, telemetry


@pytest.mark.parametrize(
    ("name", "file", "text"),
    [
        (
            "PrometheusMetrics",
            "_prometheus",
            "PrometheusMetrics needs prometheus-client: pip install 'asgi_grpc[metrics]'",
        ),
        ("OpenTelemetry", "_otel", "OpenTelemetry needs opentelemetry-api: pip install 'asgi_grpc[otel]'"),
    ],
)
def test_a_missing_package_is_told_with_its_remedy(
    name: str, file: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, f"asgi_grpc.telemetry.{file}", None)
    with pytest.raises(ConfigurationError) as caught:
        getattr(telemetry, name)
    assert str(caught.value) == text


def test_other_names_are_missing_as_anywhere() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Datadog'"):
        telemetry.Datadog  # noqa: B018 - looking is the test


def test_nothing_is_imported_that_nobody_asked_for() -> None:
    code = (
        "import sys, asgi_grpc, asgi_grpc.telemetry, asgi_grpc.cli\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'prometheus_client', 'opentelemetry'}))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout == "[]\n"
