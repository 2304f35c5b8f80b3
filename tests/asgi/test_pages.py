"""Pages of the gateway itself: metrics, and how pages are found."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from asgi_grpc import ConfigurationError
from asgi_grpc.telemetry import AccessLog, PrometheusMetrics
from asgi_grpc.testing import HttpExchange
from tests.asgi.fakes import HELLO, gateway

STARTED = (
    'asgi_grpc_started_total{grpc_method="SayHello",grpc_service="helloworld.Greeter",grpc_type="unary",'
    'transport="http"} 1.0'
)


async def get(app: Any, path: str, *, method: str = "GET", headers: Any = (), root_path: str = "") -> HttpExchange:
    x = HttpExchange(app, method=method, path=path, headers=list(headers))
    x.scope["root_path"] = root_path
    async with x:
        await x.send_body(more=False)
        await x.ended()
    return x


async def call(app: Any) -> None:
    async with HttpExchange(app, method="POST", path=HELLO) as x:
        await x.send_body(b"{}", more=False)
        await x.ended()


async def test_the_metrics_of_a_given_observer_are_served() -> None:
    app, _ = gateway(observers=[AccessLog(), PrometheusMetrics(CollectorRegistry())], metrics_path="/metrics")
    await call(app)
    x = await get(app, "/metrics")
    assert (x.status, STARTED in x.body.decode().splitlines()) == (200, True)
    assert [(name, value.partition(b";")[0]) for name, value in x.headers] == [
        (b"content-type", b"text/plain"),
        (b"content-length", b"%d" % len(x.body)),
        (b"cache-control", b"no-store"),
    ]


async def test_who_gives_no_observer_gets_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prometheus_client.REGISTRY", CollectorRegistry())
    app, _ = gateway(metrics_path="/metrics")
    await call(app)
    assert STARTED in (await get(app, "/metrics")).body.decode().splitlines()


async def test_open_metrics_are_for_those_who_accept_them() -> None:
    app, _ = gateway(observers=[PrometheusMetrics(CollectorRegistry())], metrics_path="/metrics")
    x = await get(app, "/metrics", headers=[(b"accept", b"application/openmetrics-text; version=1.0.0")])
    assert (dict(x.headers)[b"content-type"].partition(b";")[0], x.body[-6:]) == (
        *(b"application/openmetrics-text", b"# EOF\n"),
    )


async def test_head_gets_the_head_and_a_prefix_is_taken_off() -> None:
    app, _ = gateway(observers=[PrometheusMetrics(CollectorRegistry())], metrics_path="/metrics")
    head = await get(app, "/api/metrics", method="HEAD", root_path="/api")
    assert (head.status, head.body, int(dict(head.headers)[b"content-length"]) > 0) == (200, b"", True)


@pytest.mark.parametrize(("method", "path"), [("POST", "/metrics"), ("GET", "/metrics/"), ("GET", "/")])
async def test_other_requests_are_not_for_a_page(method: str, path: str) -> None:
    app, _ = gateway(observers=[PrometheusMetrics(CollectorRegistry())], metrics_path="/metrics")
    assert (await get(app, path, method=method)).status == 404


async def test_a_client_that_is_gone_ends_it_quietly() -> None:
    app, _ = gateway(observers=[PrometheusMetrics(CollectorRegistry())], metrics_path="/metrics")
    async with HttpExchange(app, method="GET", path="/metrics", broken_pipe=True) as x:
        await x.disconnect()
        await x.ended()
    assert x.sent == []


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"metrics_path": "metrics"}, "metrics_path: expected a path that begins with '/', got 'metrics'"),
        ({"health_path": "healthz"}, "health_path: expected a path that begins with '/', got 'healthz'"),
        ({"metrics_path": "/a/live", "health_path": "/a"}, "health_path: there is another page at '/a/live'"),
    ],
)
def test_a_wrong_path_is_a_fault_of_the_wiring(options: Any, text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        gateway(observers=[PrometheusMetrics(CollectorRegistry())], **options)
    assert str(caught.value) == text


def test_a_missing_package_is_told_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asgi_grpc.telemetry._prometheus", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'asgi_grpc\[metrics\]'"):
        gateway(metrics_path="/metrics")
