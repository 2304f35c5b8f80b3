from __future__ import annotations

import subprocess
import sys

import pytest

from asgi_grpc.cli import _arguments, main
from asgi_grpc.cli._exchange import CallOptions
from asgi_grpc.cli._serve import ServerOptions
from asgi_grpc.cli._upstream_tls import UpstreamTls
from asgi_grpc.cli.application import GatewayOptions, SchemaOptions
from asgi_grpc.limits import Limits

Calls = list[tuple[tuple[object, ...], dict[str, object]]]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """What the commands were called with; each returns 7."""
    found: Calls = []

    def record(*positional: object, **named: object) -> int:
        found.append((positional, named))
        return 7

    for name in ("run_call", "run_demo", "run_openapi", "run_routes", "run_serve"):
        monkeypatch.setattr(_arguments, name, record)
    return found


def test_call_with_everything(calls: Calls) -> None:
    arguments = ["--data", "-", "--header", "A: b: c", "--header", "X-Empty:", "--method", "PUT", "--timeout", "1.5"]
    assert main(["call", "ws://h", *arguments]) == 7
    options = CallOptions(url="ws://h", method="PUT", headers=(("A", "b: c"), ("X-Empty", "")))
    assert calls == [((options,), {"data": "-", "timeout_s": 1.5})]


def test_call_with_nothing(calls: Calls) -> None:
    assert main(["call", "http://h"]) == 7
    assert calls == [((CallOptions(url="http://h"),), {"data": None, "timeout_s": None})]


def test_serve_with_everything(calls: Calls) -> None:
    files = ["--descriptor-set", "a", "--descriptor-set", "b", "--proto", "c", "--services-json", "d"]
    words = ["--service", "e.F", "--dialect", "bare", "--origin", "https://x", "--half-close-after-idle", "0.5"]
    seen = ["--access-log", "--metrics-path", "/m", "--otel", "--health-path", "/h", "--openapi-path", "/o"]
    server = ["--host", "::1", "--port", "1", "--workers", "2", "--http", "h11", "--ws", "wsproto"]
    upstream = ["--upstream-tls", "--upstream-ca", "x", "--upstream-cert", "y", "--upstream-key", "z"]
    limits = ["--limit", "max-streams=3", "--limit", "idle-timeout-s=none", "--metadata", "safe"]
    assert main(["serve", "h:1", *files, *words, *seen, *server, *upstream, *limits]) == 7
    tls = UpstreamTls(ca="x", cert="y", key="z")
    schema = SchemaOptions(
        target="h:1", tls=tls, descriptor_sets=("a", "b"), protos=("c",), services_json="d", services=("e.F",)
    )  # fmt: skip
    gateway = GatewayOptions(
        target="h:1", schema=schema, dialect="bare", origins=("https://x",), half_close_after_idle_s=0.5,
        tls=tls, limits=Limits(max_streams=3, idle_timeout_s=None), metadata="safe",
        access_log=True, metrics_path="/m", otel=True, health_path="/h", openapi_path="/o",
    )  # fmt: skip
    assert calls == [((gateway, ServerOptions(host="::1", port=1, workers=2, http="h11", ws="wsproto")), {})]


@pytest.mark.parametrize(
    ("words", "tls"),
    [([], None), (["--upstream-tls"], UpstreamTls()), (["--upstream-ca", "x"], UpstreamTls(ca="x"))],
)
def test_a_file_for_tls_is_enough(calls: Calls, words: list[str], tls: UpstreamTls | None) -> None:
    assert main(["routes", "h:1", *words]) == 7
    assert calls == [((SchemaOptions(target="h:1", tls=tls),), {"as_json": False})]


def test_serve_with_nothing(calls: Calls) -> None:
    assert main(["serve", "h:1"]) == 7
    gateway = GatewayOptions(target="h:1", schema=SchemaOptions(target="h:1"))
    server = ServerOptions(host="127.0.0.1", port=8000, workers=1, http="auto", ws="auto")
    assert calls == [((gateway, server), {})]


def test_routes_and_demo(calls: Calls) -> None:
    assert [main(["routes", "--proto", "a", "--json"]), main(["routes", "h:1"])] == [7, 7]
    assert [main(["demo"]), main(["demo", "--port", "0", "--in-process"])] == [7, 7]
    assert calls == [
        ((SchemaOptions(protos=("a",)),), {"as_json": True}),
        ((SchemaOptions(target="h:1"),), {"as_json": False}),
        ((8000,), {"in_process": False}),
        ((0,), {"in_process": True}),
    ]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["call"], "the following arguments are required: URL"),
        (["call", "u", "--header", "no colon"], "argument --header: expected 'Name: value'"),
        (["call", "u", "--header", "A: b\r\nc: d"], "argument --header: expected 'Name: value'"),
        (["call", "u", "--timeout", "0"], "argument --timeout: expected a number of seconds above 0, got '0'"),
        (["call", "u", "--timeout", "soon"], "argument --timeout: expected a number of seconds above 0, got 'soon'"),
        (["call", "u", "--timeout", "inf"], "argument --timeout: expected a number of seconds above 0, got 'inf'"),
        (["demo", "--port", "65536"], "argument --port: expected a number from 0 to 65535, got '65536'"),
        (["demo", "--port", "٣"], "argument --port: expected a number from 0 to 65535, got '٣'"),
        (["serve", "t", "--workers", "0"], "argument --workers: expected a whole number above 0, got '0'"),
        (["serve", "t", "--metadata", "all"], "argument --metadata: invalid choice: 'all'"),
        (["serve", "t", "--http", "h3"], "argument --http: invalid choice: 'h3'"),
    ],
)
def test_usage_errors_are_status_2_and_one_line(
    arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert f"error: {text}" in capsys.readouterr().err.splitlines()[-1]


def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ([], ["call"], ["serve"], ["routes"], ["demo"]):
        with pytest.raises(SystemExit) as caught:
            main([*command, "--help"])
        assert caught.value.code == 0
        assert capsys.readouterr().out.startswith(" ".join(["usage: asgi-grpc", *command]))


def test_the_module_is_the_program() -> None:
    command = [sys.executable, "-m", "asgi_grpc", "call", "nowhere"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "asgi-grpc: 'nowhere': expected http://, https://, ws:// or wss:// and a host\n"


def test_openapi_with_everything(calls: Calls) -> None:
    words = ["--dialect", "bare", "--title", "A", "--api-version", "2"]
    assert main(["openapi", "h:1", "--proto", "c", *words]) == 7
    schema = SchemaOptions(target="h:1", protos=("c",))
    assert calls == [((schema,), {"dialect": "bare", "title": "A", "version": "2"})]


def test_openapi_with_nothing(calls: Calls) -> None:
    assert main(["openapi"]) == 7
    assert calls == [((SchemaOptions(),), {"dialect": "envelope", "title": None, "version": "1.0.0"})]
