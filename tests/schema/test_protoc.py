"""Schemas from .proto files."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path
from typing import Any

import pytest

from asgi_grpc.errors import ConfigurationError
from asgi_grpc.schema import Binding, Schema

GREETER = """
syntax = "proto3";
package greeter;
import "google/api/annotations.proto";
import "google/protobuf/timestamp.proto";
import "shared/names.proto";
message Hello { shared.Name name = 1; google.protobuf.Timestamp at = 2; }
service Greeter { rpc Greet(Hello) returns (Hello) { option (google.api.http) = { get: "/hello" }; } }
"""
NAMES = """
syntax = "proto3";
package shared;
message Name { string text = 1; }
service Names { rpc List(Name) returns (stream Name); }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shared").mkdir()
    (tmp_path / "greeter.proto").write_text(GREETER)
    (tmp_path / "shared" / "names.proto").write_text(NAMES)
    return tmp_path


def test_files_give_the_services_that_they_define_themselves(folder: Path) -> None:
    schema = Schema.from_protos(folder / "greeter.proto")
    assert [(m.full_name, m.bindings[0]) for m in schema.methods] == [
        ("greeter.Greeter.Greet", Binding(http_method="GET", template="/hello"))
    ]
    assert schema.pool.FindMessageTypeByName("shared.Name").full_name == "shared.Name"


def test_several_files_under_one_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    schema = Schema.from_protos("shared/names.proto", str(folder / "greeter.proto"), include=["."])
    assert list(schema.services) == ["shared.Names", "greeter.Greeter"]


def test_protocs_own_words_are_passed_on(folder: Path) -> None:
    (folder / "broken.proto").write_text('syntax = "proto3";\nmessage M { Nope n = 1; }')
    with pytest.raises(ConfigurationError) as caught:
        Schema.from_protos(folder / "broken.proto")
    assert str(caught.value) == f'protoc: {folder}/broken.proto:2:13: "Nope" is not defined.'


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"protoc: .*none\.proto: No such file"):
        Schema.from_protos(tmp_path / "none.proto")


def test_no_file_is_no_schema() -> None:
    with pytest.raises(ConfigurationError, match=r"^expected at least one \.proto file, got none$"):
        Schema.from_protos()


def test_without_grpcio_tools_the_extra_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigurationError) as caught:
        Schema.from_protos(folder / "greeter.proto")
    assert str(caught.value) == "reading .proto files needs grpcio-tools: install asgi_grpc[protoc]"


def test_a_protoc_that_says_nothing_still_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*args: Any, **kwargs: Any) -> subprocess.CompletedProcess[bytes]:
        return subprocess.CompletedProcess(args, 1, b"", b"[libprotobuf WARNING x.cc:1] noise\n\n")

    monkeypatch.setattr(subprocess, "run", silent)
    with pytest.raises(ConfigurationError) as caught:
        Schema.from_protos(folder / "greeter.proto")
    assert str(caught.value) == "protoc: it failed silently"
