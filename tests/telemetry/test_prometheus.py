"""Prometheus metrics."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from asgi_grpc import Code
from asgi_grpc.telemetry import CallRecord, PrometheusMetrics
from tests.processes import ROOT
from tests.telemetry.records import ended, record

NAMES = {
    "asgi_grpc_started_total": "counter",
    "asgi_grpc_handled_total": "counter",
    "asgi_grpc_msg_received_total": "counter",
    "asgi_grpc_msg_sent_total": "counter",
    "asgi_grpc_received_bytes_total": "counter",
    "asgi_grpc_sent_bytes_total": "counter",
    "asgi_grpc_handling_seconds": "histogram",
    "asgi_grpc_first_message_seconds": "histogram",
    "asgi_grpc_stream_seconds": "histogram",
    "asgi_grpc_open_calls": "gauge",
    "asgi_grpc_read_ahead_bytes": "gauge",
    "asgi_grpc_queued_calls": "gauge",
}


def samples(metrics: PrometheusMetrics, *, buckets: bool = False) -> dict[str, float]:
    """What a scrape finds, by name and labels as they are written; without buckets and times of creation."""
    text = metrics.page("")[1].decode()
    found: dict[str, float] = {}
    for line in text.splitlines():
        name, _, value = line.rpartition(" ")
        if line.startswith("asgi_grpc_") and "_created" not in name and (buckets or "_bucket" not in name):
            found[name.removeprefix("asgi_grpc_")] = float(value)
    return found


def serve(metrics: PrometheusMetrics, call: CallRecord, *, messages_in: int = 0, messages_out: int = 0) -> None:
    """Tell a whole call."""
    metrics.started(call)
    metrics.received(call, messages_in, 10 * messages_in)
    metrics.sent(call, messages_out, 20 * messages_out)
    metrics.ended(call)


def test_a_stream_that_has_ended() -> None:
    metrics = PrometheusMetrics(CollectorRegistry())
    serve(metrics, ended("SayHelloBidiStream", transport="websocket"), messages_in=2, messages_out=3)
    labels = (
        'grpc_method="SayHelloBidiStream",grpc_service="helloworld.Greeter",grpc_type="bidi_stream",'
        'transport="websocket"'
    )
    assert samples(metrics) == {
        f"started_total{{{labels}}}": 1,
        f'handled_total{{grpc_code="OK",{labels}}}': 1,
        f"msg_received_total{{{labels}}}": 2,
        f"msg_sent_total{{{labels}}}": 3,
        f"received_bytes_total{{{labels}}}": 20,
        f"sent_bytes_total{{{labels}}}": 60,
        f"handling_seconds_count{{{labels}}}": 1,
        f"handling_seconds_sum{{{labels}}}": 2.5,
        f"first_message_seconds_count{{{labels}}}": 1,
        f"first_message_seconds_sum{{{labels}}}": 1,
        f"stream_seconds_count{{{labels}}}": 1,
        f"stream_seconds_sum{{{labels}}}": 2.5,
        f"open_calls{{{labels}}}": 0,
        "read_ahead_bytes": 0,
        "queued_calls": 0,
    }


def test_a_unary_call_is_no_stream() -> None:
    metrics = PrometheusMetrics(CollectorRegistry())
    serve(metrics, ended())
    assert [name for name in samples(metrics) if name.startswith(("stream", "first"))] == []


def test_a_stream_without_a_reply_has_no_first_message() -> None:
    metrics = PrometheusMetrics(CollectorRegistry())
    call = ended("SayHelloServerStream")
    call.first_sent_at = None
    serve(metrics, call)
    counts = {name.partition("{")[0]: value for name, value in samples(metrics).items()}
    assert (counts["first_message_seconds_count"], counts["stream_seconds_count"]) == (0, 1)


def test_errors_are_counted_by_code() -> None:
    metrics = PrometheusMetrics(CollectorRegistry())
    for code in (Code.OK, Code.NOT_FOUND, Code.NOT_FOUND, Code.CANCELLED):
        serve(metrics, ended(code=code))
    handled = {name: value for name, value in samples(metrics).items() if name.startswith("handled")}
    rest = 'grpc_method="SayHello",grpc_service="helloworld.Greeter",grpc_type="unary",transport="http"'
    assert handled == {
        f'handled_total{{grpc_code="OK",{rest}}}': 1,
        f'handled_total{{grpc_code="NOT_FOUND",{rest}}}': 2,
        f'handled_total{{grpc_code="CANCELLED",{rest}}}': 1,
    }


def test_a_call_that_runs_is_seen_at_a_scrape() -> None:
    metrics = PrometheusMetrics(CollectorRegistry())
    call = record("SayHelloServerStream", transport="sse")
    call.hold(lambda: 4096)
    metrics.watch_queue(lambda: 3)
    metrics.watch_queue(lambda: 4)
    metrics.started(call)
    metrics.sent(call, 5, 100)
    counts = {name.partition("{")[0]: value for name, value in samples(metrics).items()}
    assert [counts[name] for name in ("open_calls", "msg_sent_total", "read_ahead_bytes", "queued_calls")] == [
        *(1, 5, 4096, 7)
    ]
    assert [name for name in counts if name.startswith("handl")] == ["handling_seconds_count", "handling_seconds_sum"]


def test_several_on_one_registry_count_together() -> None:
    registry = CollectorRegistry()
    for _ in range(2):
        serve(PrometheusMetrics(registry), ended())
    counts = {name.partition("{")[0]: value for name, value in samples(PrometheusMetrics(registry)).items()}
    assert counts["started_total"] == 2


def test_the_page_is_what_prometheus_reads() -> None:
    metrics = PrometheusMetrics(CollectorRegistry(), buckets_s=[0.1, 5])
    serve(metrics, ended("SayHelloServerStream"))
    media_type, body = metrics.page("text/plain")
    families = list(text_string_to_metric_families(body.decode()))
    found = {family.name: family.type for family in families if not family.name.endswith("_created")}
    assert media_type.startswith("text/plain; version=")
    assert found == {name.removesuffix("_total"): kind for name, kind in NAMES.items()}
    assert {sample.name for family in families if family.type == "counter" for sample in family.samples} == {
        name for name in NAMES if name.endswith("_total")
    }
    bounds = [
        name.split('le="')[1].split('"')[0] for name in samples(metrics, buckets=True) if "handling_seconds_b" in name
    ]
    assert bounds == ["0.1", "5.0", "+Inf"]
    assert metrics.page("application/openmetrics-text; version=1.0.0")[0].startswith("application/openmetrics-text")


def test_a_scrape_of_another_thread_meets_calls_that_come_and_go() -> None:
    metrics = PrometheusMetrics(CollectorRegistry())
    scraped: list[dict[str, float]] = []
    stop = threading.Event()

    def scrape() -> None:
        while not stop.is_set():
            scraped.append(samples(metrics))

    thread = threading.Thread(target=scrape)
    thread.start()
    while len(scraped) < 20:
        call = ended()
        call.hold(lambda: 1)
        serve(metrics, call)
    stop.set()
    thread.join()
    assert samples(metrics)["read_ahead_bytes"] == 0


TWO_PROCESSES = """
import sys
from tests.telemetry.records import ended, record
from asgi_grpc.telemetry import PrometheusMetrics
metrics = PrometheusMetrics()
metrics.started(call := ended())
metrics.ended(call)
metrics.started(record())
if sys.argv[1] == "look":
    print(metrics.page("")[1].decode())
else:
    print("ready", flush=True)
    sys.stdin.read()
"""


def test_several_processes_count_together_where_they_share_a_directory(tmp_path: Path) -> None:
    env = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", TWO_PROCESSES]
    with subprocess.Popen(
        [*command, "wait"], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout is not None
        assert first.stdin is not None
        assert first.stdout.readline() == "ready\n"
        page = subprocess.run([*command, "look"], env=env, capture_output=True, check=True, text=True).stdout
        first.stdin.close()
    assert first.returncode == 0
    labels = '{grpc_method="SayHello",grpc_service="helloworld.Greeter",grpc_type="unary",transport="http"}'
    lines = sorted(line for line in page.splitlines() if line.startswith(("asgi_grpc_started_total", "asgi_grpc_open")))
    assert lines == [f"asgi_grpc_open_calls{labels} 2.0", f"asgi_grpc_started_total{labels} 4.0"]
    assert [file.name for file in tmp_path.iterdir() if "livesum" in file.name] == []
