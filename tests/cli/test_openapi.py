from __future__ import annotations

import json
import subprocess
import sys

import pytest

from asgi_grpc.cli import main
from tests.cli.test_application import GREETER_PROTO, GREETER_SET
from tests.processes import ROOT


def test_the_document_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--descriptor-set", GREETER_SET, "--dialect", "bare", "--title", "Hello", "--api-version", "2"]
    assert main(["openapi", *arguments]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["info"] == {"title": "Hello", "version": "2"}
    assert document["components"]["responses"]["failure"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/call-failure"
    }
    assert sorted(document["components"]["schemas"]["call-failure"]["properties"]) == ["code", "details", "message"]


def test_comments_of_a_proto_file_are_descriptions(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["openapi", "--proto", GREETER_PROTO]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["info"] == {"title": "helloworld.Greeter", "version": "1.0.0"}
    assert document["paths"]["/v1/helloworld/{name}"]["get"]["summary"] == "Greets one person"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "there is no schema"),
        (["--descriptor-set", GREETER_SET, "--dialect", "klingon"], "there is no dialect 'klingon'"),
    ],
)
def test_what_cannot_be_served_is_one_line(arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["openapi", *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.startswith(f"asgi-grpc: {text}"), err.count("\n")) == ("", True, 1)


def test_nobody_has_to_read_it() -> None:
    command = [sys.executable, "-m", "asgi_grpc", "openapi", "--descriptor-set", GREETER_SET]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 1
