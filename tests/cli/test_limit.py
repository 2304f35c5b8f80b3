from __future__ import annotations

import argparse
import json
from dataclasses import fields

import httpx
import msgspec
import pytest
import uvicorn

from asgi_grpc import GrpcMiddleware
from asgi_grpc.cli import main
from asgi_grpc.cli._limit import LIMIT_NAMES, read_limit
from asgi_grpc.cli.application import GatewayOptions, SchemaOptions
from asgi_grpc.limits import Limits
from tests.cli.test_application import GREETER_SET
from tests.cli.test_serve import greeter, serve  # noqa: F401 - a fixture
from tests.processes import UVICORN, started

SIZE = "expected a size above 0 such as 65536, 64KiB or 4MiB"
TIME = "expected a time above 0 such as 30, 30s, 500ms or 5m"


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("max-message-bytes=65536", "max_message_bytes", 65536),
        ("max-message-bytes=100B", "max_message_bytes", 100),
        ("max-message-bytes=64KiB", "max_message_bytes", 64 << 10),
        ("max_message_bytes=4MiB", "max_message_bytes", 4 << 20),
        ("read-ahead-bytes=1GiB", "read_ahead_bytes", 1 << 30),
        ("idle-timeout-s=30", "idle_timeout_s", 30.0),
        ("idle-timeout-s=30s", "idle_timeout_s", 30.0),
        ("idle-timeout-s=1.5m", "idle_timeout_s", 90.0),
        ("max-deadline-s=500ms", "max_deadline_s", 0.5),
        ("default-deadline-s=2h", "default_deadline_s", 7200.0),
        ("idle-timeout-s=none", "idle_timeout_s", None),
        ("max-streams=7", "max_streams", 7),
        ("max-depth=20", "max_depth", 20),
    ],
)
def test_sizes_times_and_numbers_are_read(text: str, name: str, value: object) -> None:
    assert read_limit(text) == (name, value)


def test_every_limit_has_its_name_and_takes_its_own_default() -> None:
    assert tuple(field.name.replace("_", "-") for field in fields(Limits)) == LIMIT_NAMES
    texts = [f"{field.name}={'none' if field.default is None else field.default}" for field in fields(Limits)]
    assert Limits(**dict(map(read_limit, texts))) == Limits()  # type: ignore[arg-type]  # each fits its field


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("max-message-bytes=4MB", f"max-message-bytes: {SIZE}; got '4MB'"),
        ("max-message-bytes=0", f"max-message-bytes: {SIZE}; got '0'"),
        ("max-message-bytes=none", f"max-message-bytes: {SIZE}; got 'none'"),
        ("idle-timeout-s=soon", f"idle-timeout-s: {TIME}, or none; got 'soon'"),
        ("idle-timeout-s=1e3", f"idle-timeout-s: {TIME}, or none; got '1e3'"),
        ("idle-timeout-s=" + "9" * 400, f"idle-timeout-s: {TIME}, or none; got '999"),
        ("drain-timeout-s=none", f"drain-timeout-s: {TIME}; got 'none'"),
        ("max-streams=-1", "max-streams: expected a whole number above 0; got '-1'"),
        ("max-streams=٣", "max-streams: expected a whole number above 0; got '٣'"),
        ("max-streams", f"expected NAME=VALUE, NAME one of {', '.join(LIMIT_NAMES)}; got 'max-streams'"),
        ("max-stream=1", f"expected NAME=VALUE, NAME one of {', '.join(LIMIT_NAMES)}; got 'max-stream=1'"),
    ],
)
def test_what_is_no_limit_is_refused_in_words_that_help(text: str, problem: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        read_limit(text)
    assert str(caught.value).startswith(problem)


def test_a_wrong_limit_is_a_wrong_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["serve", "h:1", "--limit", "max-depth=deep"])
    assert caught.value.code == 2
    assert "argument --limit: max-depth: expected a whole number above 0" in capsys.readouterr().err


def test_limits_reach_workers_as_they_are() -> None:
    limits = Limits(max_message_bytes=5, idle_timeout_s=None, max_deadline_s=0.5)
    options = GatewayOptions(target="h:1", schema=SchemaOptions(), limits=limits)
    assert msgspec.json.decode(msgspec.json.encode(options), type=GatewayOptions) == options


@pytest.mark.parametrize(
    ("limits", "settings"),
    [
        ([], (20.0, 16 << 20)),
        (["--limit", "drain-timeout-s=2.5", "--limit", "max-message-bytes=32MiB"], (2.5, 32 << 20)),
    ],
)
def test_the_server_does_not_refuse_what_the_gateway_takes_and_the_drain_has_its_time(
    monkeypatch: pytest.MonkeyPatch, limits: list[str], settings: tuple[float, int]
) -> None:
    served: list[tuple[float, int]] = []

    async def serve_nothing(self: uvicorn.Server) -> None:
        app = self.config.app
        assert isinstance(app, GrpcMiddleware)
        served.append((app._gateway.limits.drain_timeout_s, self.config.ws_max_size))

    monkeypatch.setattr(uvicorn.Server, "serve", serve_nothing)
    assert main(["serve", "h:1", "--descriptor-set", GREETER_SET, *limits]) == 0
    assert served == [settings]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_limits_are_in_effect(greeter: str, workers: str) -> None:  # noqa: F811 - the fixture
    limits = ["--limit", "max-message-bytes=64B", "--limit", "max-message-bytes=1KiB", "--limit", "max-depth=2"]
    with started(*serve(greeter, "--port", "0", "--workers", workers, *limits), ready=UVICORN) as gateway:
        gateway.wait_for("startup complete", timeout_s=30)
        with httpx.Client(base_url=f"http://{gateway.address}", timeout=10) as client:
            answers = [
                client.post("/v1/helloworld", content=json.dumps({"name": name}).encode())
                for name in ["a" * 1000, "a" * 1020, [["a"]]]
            ]
    assert [(answer.status_code, answer.json()["message"]) for answer in answers] == [
        (200, "success"),
        (413, "the message is larger than the limit"),
        (400, "helloworld.HelloRequest: expected a string, got an array at $.name"),
    ]
