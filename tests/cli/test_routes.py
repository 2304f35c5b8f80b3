from __future__ import annotations

import json
from pathlib import Path

import pytest
from google.api import annotations_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from asgi_grpc.cli import main
from tests.cli.test_application import GREETER_SET

TABLE = """\
METHOD  TEMPLATE                                  BODY  KIND              GRPC METHOD                              SOURCE
GET     /v1/helloworld/{name}                     -     unary             helloworld.Greeter.SayHello              annotation
POST    /v1/helloworld                            *     unary             helloworld.Greeter.SayHello              annotation
POST    /helloworld.Greeter/SayHello              *     unary             helloworld.Greeter.SayHello              default
GET     /v1/helloworld/{name}/stream              -     server_streaming  helloworld.Greeter.SayHelloServerStream  annotation
POST    /v1/helloworld/server-stream              *     server_streaming  helloworld.Greeter.SayHelloServerStream  annotation
POST    /helloworld.Greeter/SayHelloServerStream  *     server_streaming  helloworld.Greeter.SayHelloServerStream  default
POST    /v1/helloworld/client-stream              *     client_streaming  helloworld.Greeter.SayHelloClientStream  annotation
POST    /helloworld.Greeter/SayHelloClientStream  *     client_streaming  helloworld.Greeter.SayHelloClientStream  default
POST    /v1/helloworld/bidi-stream                *     bidirectional     helloworld.Greeter.SayHelloBidiStream    annotation
POST    /helloworld.Greeter/SayHelloBidiStream    *     bidirectional     helloworld.Greeter.SayHelloBidiStream    default
"""  # noqa: E501


def test_the_table_is_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["routes", "--descriptor-set", GREETER_SET]) == 0
    assert capsys.readouterr() == (TABLE, "")


def test_json_has_the_same_rows(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["routes", "--descriptor-set", GREETER_SET, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == len(TABLE.splitlines()) - 1
    assert rows[0] == {
        "http_method": "GET", "template": "/v1/helloworld/{name}", "body": "", "kind": "unary",
        "grpc_method": "helloworld.Greeter.SayHello", "source": "annotation", "shadowed_by": None,
    }  # fmt: skip


def test_a_rule_that_is_never_reached_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = FileDescriptorSet.FromString(Path(GREETER_SET).read_bytes())
    methods = next(file for file in found.file if file.service).service[0].method
    methods[2].options.Extensions[annotations_pb2.http].post = "/a/**/b"
    methods[3].options.Extensions[annotations_pb2.http].post = "/a/*/**"
    file = tmp_path / "shadowed.binpb"
    file.write_bytes(found.SerializeToString())
    assert main(["routes", "--descriptor-set", str(file)]) == 0
    assert capsys.readouterr().err == "asgi-grpc: POST /a/**/b is never reached: POST /a/*/** takes its paths\n"
    assert main(["routes", "--descriptor-set", str(file), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["template"] for row in rows if row["shadowed_by"] == "POST /a/*/**"] == ["/a/**/b"]


def test_a_schema_that_cannot_be_served_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, text in [
        (["--descriptor-set", f"{tmp_path}/none"], "none"),
        ([], "there is no schema"),
        (["--descriptor-set", GREETER_SET, "--service", "a.B"], "the schema has no service a.B"),
    ]:
        assert main(["routes", *arguments]) == 2
        out, err = capsys.readouterr()
        assert (out, err.startswith("asgi-grpc: "), err.count("\n")) == ("", True, 1)
        assert text in err
