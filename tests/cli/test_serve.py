from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
import uvicorn
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from asgi_grpc import GrpcMiddleware, Schema
from asgi_grpc.cli import _serve, main
from asgi_grpc.cli.application import VARIABLE, create
from tests.cli.test_application import GREETER_SET, SERVICES_JSON
from tests.processes import GREETER, UVICORN, python, started


@pytest.fixture(scope="module")
def greeter() -> Iterator[str]:
    """The Greeter's target."""
    with started(*python(GREETER, "--port", "0")) as server:
        yield server.address


def say_hello(address: str) -> object:
    """One unary call; uvicorn says that it listens a moment before its workers do."""
    command = ["curl", "-s", "--retry", "20", "--retry-connrefused", "--retry-delay", "1",
               f"http://{address}/v1/helloworld/Ada"]  # fmt: skip
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def serve(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "asgi_grpc", "serve", *arguments)


ANSWER = {"code": 0, "message": "success", "data": {"message": "Hello, Ada!", "language": "en"}}


@pytest.mark.parametrize(
    ("ws", "installed", "deflate"), [("auto", True, True), ("auto", False, False), ("wsproto", True, False)]
)
def test_messages_are_compressed_only_where_inflation_is_bounded(
    monkeypatch: pytest.MonkeyPatch, ws: str, installed: bool, deflate: bool
) -> None:
    monkeypatch.setattr(_serve, "find_spec", lambda name: object() if installed else None)
    assert _serve._can_bound_inflation(ws) is deflate


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["--descriptor-set", GREETER_SET], id="descriptor-set"),
        pytest.param(["--descriptor-set", GREETER_SET, "--services-json", SERVICES_JSON], id="services-json"),
        pytest.param([], id="reflection"),
        pytest.param(["--workers", "2"], id="reflection-and-workers"),
        pytest.param(["--openapi-path", "/openapi.json"], id="reflection-and-openapi"),
    ],
)
def test_the_gateway_serves_and_ends_by_a_signal(greeter: str, arguments: list[str]) -> None:
    with started(*serve(greeter, "--port", "0", *arguments), ready=UVICORN) as gateway:
        assert say_hello(gateway.address) == ANSWER
        source = GREETER_SET if "--descriptor-set" in arguments else "its reflection"
        found = f"asgi-grpc: serving helloworld.Greeter (4 methods) of {greeter}, by {source}"
        assert found in gateway.stderr
        status = gateway.stop(number=signal.SIGINT)
        assert "Traceback" not in gateway.stderr + gateway.stdout
    assert status == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_gateway_that_cannot_be_wired_is_one_line(workers: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--descriptor-set", GREETER_SET, "--dialect", "klingon", "--workers", workers]
    assert main(["serve", "localhost:1", *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "klingon" in err


@pytest.mark.parametrize("interrupted", [False, True])
def test_one_worker_serves_in_this_process(interrupted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[uvicorn.Config] = []

    async def serve(self: uvicorn.Server) -> None:
        served.append(self.config)
        if interrupted:
            raise KeyboardInterrupt

    monkeypatch.setattr(uvicorn.Server, "serve", serve)
    assert main(["serve", "h:1", "--descriptor-set", GREETER_SET, "--http", "h11", "--ws", "wsproto"]) == 0
    (config,) = served
    assert isinstance(config.app, GrpcMiddleware)
    assert (config.host, config.port, config.http, config.ws) == ("127.0.0.1", 8000, "h11", "wsproto")
    assert (config.lifespan, config.timeout_graceful_shutdown) == ("on", 2)


class Recorder:
    """Stands in for uvicorn's ``run``, and does what a worker does."""

    def __init__(self) -> None:
        self.settings: dict[str, object] = {}
        self.made: object = None

    def __call__(self, application: str, **settings: object) -> None:
        assert application == "asgi_grpc.cli.application:create"
        self.settings = settings
        self.made = create()


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    monkeypatch.delenv(VARIABLE, raising=False)
    recorder = Recorder()
    monkeypatch.setattr(uvicorn, "run", recorder)
    return recorder


def test_more_workers_get_a_factory_and_their_options(recorder: Recorder) -> None:
    assert main(["serve", "h:1", "--descriptor-set", GREETER_SET, "--workers", "3", "--host", "::1"]) == 0
    assert recorder.settings == {
        "factory": True, "workers": 3, "host": "::1", "port": 8000, "http": "auto", "ws": "auto", "lifespan": "on",
        "timeout_graceful_shutdown": 2, "ws_per_message_deflate": True, "ws_ping_timeout": 300.0,
    }  # fmt: skip
    assert isinstance(recorder.made, GrpcMiddleware)
    assert VARIABLE not in os.environ


def test_workers_share_what_reflection_said_once(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    schema = Schema.from_descriptor_set(GREETER_SET)

    async def from_reflection(target: str, *, credentials: object) -> Schema:
        return schema

    monkeypatch.setattr(Schema, "from_reflection", from_reflection)
    assert main(["serve", "h:1", "--workers", "2"]) == 0
    assert isinstance(recorder.made, GrpcMiddleware)


def test_the_serialized_schema_has_every_import_once() -> None:
    schema = Schema.from_descriptor_set(GREETER_SET)
    copied = FileDescriptorSet.FromString(_serve._serialized(schema))
    names = [file.name for file in copied.file]
    assert len(names) == len(set(names))
    assert {"greeter.proto", "google/api/http.proto", "google/protobuf/descriptor.proto"} <= set(names)
    assert list(Schema.from_descriptor_set(copied.SerializeToString()).services) == ["helloworld.Greeter"]
