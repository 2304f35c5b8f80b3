"""``asgi-grpc serve`` with its calls observed: log lines, metrics of all workers, spans, health."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from asgi_grpc import ConfigurationError, Schema
from asgi_grpc.cli import main
from asgi_grpc.cli._serve import METRICS_DIRECTORY
from asgi_grpc.cli.application import GatewayOptions, SchemaOptions, build
from tests.cli.test_application import GREETER_SET
from tests.cli.test_serve import greeter, serve  # noqa: F401 - a fixture
from tests.processes import ROOT, UVICORN, started

LINE = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} 127\.0\.0\.1:\d+ http helloworld\.Greeter\.SayHello OK in ")

WITH_SDK = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
trace.set_tracer_provider(TracerProvider())
trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))
import sys
from asgi_grpc.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def access_logger() -> Iterator[logging.Logger]:
    """The logger, as a new process has it."""
    log = logging.getLogger("asgi_grpc.access")
    before = log.handlers, log.level, log.propagate
    log.handlers, log.propagate = [], True
    yield log
    log.handlers, log.level, log.propagate = before


def options(**given: Any) -> tuple[GatewayOptions, Schema]:
    source = SchemaOptions(descriptor_sets=(GREETER_SET,))
    return GatewayOptions(target="h:1", schema=source, **given), Schema.from_descriptor_set(GREETER_SET)


def hello(client: httpx.Client) -> None:
    """One call, over a connection of its own: the next worker may get the next one."""
    assert client.get("/v1/helloworld/Ada", headers={"connection": "close"}).status_code == 200


def test_calls_of_all_workers_are_counted_and_logged(greeter: str) -> None:  # noqa: F811 - the fixture
    flags = ["--access-log", "--metrics-path", "/metrics", "--health-path", "/healthz", "--workers", "2"]
    command = serve(greeter, "--port", "0", *flags)
    with started(*command, ready=UVICORN) as gateway:
        gateway.wait_for(r"startup complete[\s\S]*startup complete", timeout_s=60)
        with httpx.Client(base_url=f"http://{gateway.address}", timeout=10) as client:
            for _ in range(8):
                hello(client)
            pages = [client.get("/metrics", headers={"connection": "close"}).text for _ in range(8)]
            health = client.get("/healthz")
        gateway.stop()
    counted = {line.rpartition(" ")[2] for page in pages for line in page.splitlines() if "handled_total{" in line}
    assert counted == {"8.0"}
    assert (health.status_code, health.json()) == (200, {"status": "UNIMPLEMENTED"})
    assert len([line for line in gateway.stdout.splitlines() if LINE.match(line)]) == 8
    assert "GET /" not in gateway.stdout + gateway.stderr


def test_spans_are_made_by_the_sdk_that_is_set_up(greeter: str) -> None:  # noqa: F811 - the fixture
    command = (sys.executable, "-c", WITH_SDK, "serve", greeter, "--port", "0", "--otel")
    with started(*command, ready=UVICORN, cwd=ROOT) as gateway:
        with httpx.Client(base_url=f"http://{gateway.address}", timeout=10) as client:
            hello(client)
        gateway.wait_for(r"^}$")
        text = gateway.stdout
    span = json.loads(text[text.index("{") :])
    assert (span["name"], span["kind"], span["attributes"]["rpc.response.status_code"]) == (
        *("helloworld.Greeter/SayHello", "SpanKind.SERVER", "OK"),
    )


def test_spans_without_an_sdk_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "h:1", "--descriptor-set", GREETER_SET, "--otel"]) == 2
    assert capsys.readouterr().err.startswith("asgi-grpc: --otel: no OpenTelemetry SDK is set up in this process: ")


def test_spans_come_before_the_log(monkeypatch: pytest.MonkeyPatch, access_logger: logging.Logger) -> None:
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: TracerProvider(shutdown_on_exit=False))
    made: list[Any] = []
    monkeypatch.setattr("asgi_grpc.cli.application.GrpcMiddleware", lambda **given: made.append(given["observers"]))
    build(*options(otel=True, access_log=True))
    assert [[type(each).__name__ for each in observers] for observers in made] == [["OpenTelemetry", "AccessLog"]]


def test_the_access_log_goes_to_standard_output_once(access_logger: logging.Logger) -> None:
    for _ in range(2):
        build(*options(access_log=True))
    (handler,) = access_logger.handlers
    assert isinstance(handler, logging.StreamHandler)
    assert (handler.stream, access_logger.level, access_logger.propagate) == (sys.stdout, logging.INFO, False)


def test_a_logger_that_is_set_up_stays_so(access_logger: logging.Logger) -> None:
    mine = logging.NullHandler()
    access_logger.addHandler(mine)
    build(*options(access_log=True))
    assert (access_logger.handlers, access_logger.propagate) == ([mine], True)


def test_nothing_is_observed_by_default(access_logger: logging.Logger) -> None:
    assert build(*options())._gateway.observers is None
    assert access_logger.handlers == []


def test_workers_get_a_directory_for_their_metrics(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[str] = []
    monkeypatch.setenv(METRICS_DIRECTORY, str(tmp_path))  # and so it is as it was afterwards
    monkeypatch.setattr(uvicorn, "run", lambda *_, **__: seen.append(os.environ[METRICS_DIRECTORY]))
    arguments = ["serve", "h:1", "--descriptor-set", GREETER_SET, "--workers", "2", "--metrics-path", "/metrics"]
    assert main(arguments) == 0
    assert os.environ.pop(METRICS_DIRECTORY) == str(tmp_path)
    assert main(arguments) == 0
    assert METRICS_DIRECTORY not in os.environ
    assert seen[0] == str(tmp_path)
    assert (seen[1] != str(tmp_path), Path(seen[1]).exists()) == (True, False)


def test_a_wrong_path_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "h:1", "--descriptor-set", GREETER_SET, "--health-path", "healthz"]) == 2
    assert capsys.readouterr().err == "asgi-grpc: health_path: expected a path that begins with '/', got 'healthz'\n"
    with pytest.raises(ConfigurationError):
        build(*options(metrics_path="metrics"))
