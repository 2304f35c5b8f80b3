from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from asgi_grpc import Schema
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
    "arguments",
    [
        pytest.param(["--descriptor-set", GREETER_SET], id="descriptor-set"),
        pytest.param(["--descriptor-set", GREETER_SET, "--services-json", SERVICES_JSON], id="services-json"),
        pytest.param([], id="reflection"),
        pytest.param(["--workers", "2"], id="reflection-and-workers"),
    ],
)
def test_the_gateway_serves_and_ends_by_a_signal(greeter: str, arguments: list[str]) -> None:
    with started(*serve(greeter, "--port", "0", *arguments), ready=UVICORN) as gateway:
        assert say_hello(gateway.address) == ANSWER
        status = gateway.stop(number=signal.SIGINT)
        assert "Traceback" not in gateway.stderr + gateway.stdout
    assert status == 0


def test_a_gateway_that_cannot_be_wired_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "localhost:1", "--descriptor-set", GREETER_SET, "--dialect", "klingon"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "klingon" in err


class Recorder:
    """Stands in for uvicorn's ``run``."""

    def __init__(self) -> None:
        self.application: object = None
        self.settings: dict[str, object] = {}
        self.made: object = None

    def run(self, application: object, **settings: object) -> None:
        self.application = application
        self.settings = settings
        if isinstance(application, str):
            self.made = create()


@pytest.fixture
def uvicorn(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    monkeypatch.setattr(_serve, "uvicorn", recorder)
    return recorder


def test_one_worker_gets_the_application_itself(uvicorn: Recorder) -> None:
    assert main(["serve", "h:1", "--descriptor-set", GREETER_SET, "--http", "h11", "--ws", "wsproto"]) == 0
    assert not isinstance(uvicorn.application, str)
    assert uvicorn.settings == {
        "host": "127.0.0.1", "port": 8000, "http": "h11", "ws": "wsproto", "lifespan": "on",
        "timeout_graceful_shutdown": 20,
    }  # fmt: skip


def test_more_workers_get_a_factory_and_their_options(uvicorn: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert main(["serve", "h:1", "--descriptor-set", GREETER_SET, "--workers", "3"]) == 0
    assert uvicorn.application == "asgi_grpc.cli.application:create"
    assert (uvicorn.settings["factory"], uvicorn.settings["workers"]) == (True, 3)
    assert uvicorn.made is not None


def test_workers_share_what_reflection_said_once(uvicorn: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    schema = Schema.from_descriptor_set(GREETER_SET)

    async def from_reflection(target: str) -> Schema:
        return schema

    monkeypatch.setattr(Schema, "from_reflection", from_reflection)
    assert main(["serve", "h:1", "--workers", "2"]) == 0
    assert uvicorn.made is not None


def test_the_serialized_schema_has_every_import_once() -> None:
    schema = Schema.from_descriptor_set(GREETER_SET)
    copied = FileDescriptorSet.FromString(_serve._serialized(schema))
    names = [file.name for file in copied.file]
    assert len(names) == len(set(names))
    assert {"greeter.proto", "google/api/http.proto", "google/protobuf/descriptor.proto"} <= set(names)
    assert list(Schema.from_descriptor_set(copied.SerializeToString()).services) == ["helloworld.Greeter"]
