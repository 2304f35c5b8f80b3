"""HTTP rules from a service configuration."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from asgi_grpc.errors import ConfigurationError
from asgi_grpc.schema import Schema
from tests.schema.protos import compile_protos

SCHEMA = Schema.from_descriptor_set(
    compile_protos(
        a="""
        syntax = "proto3";
        package p;
        import "google/api/annotations.proto";
        message M {}
        service S {
          rpc One(M) returns (M) { option (google.api.http) = { get: "/annotated" }; }
          rpc Two(M) returns (M) { option (google.api.http) = { get: "/two" }; }
        }
        """
    )
)
CONFIG = {
    "type": "google.api.Service",
    "config_version": 3,
    "http": {
        "rules": [
            {"selector": "p.S.One", "get": "/first"},
            {"selector": "p.S.One", "post": "/last", "body": "*", "additional_bindings": [{"put": "/more"}]},
        ]
    },
}


def rules_of(schema: Schema) -> list[tuple[str, str, str, str]]:
    return [(m.full_name, b.http_method, b.template, b.source) for m in schema.methods for b in m.bindings]


def written(tmp_path: Path, content: Any) -> Path:
    path = tmp_path / "api.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def refused(path: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        SCHEMA.with_service_config(path)
    return str(caught.value).replace(f"{path.parent}/", "")


def test_a_rule_overrides_the_annotation_and_the_last_one_wins(tmp_path: Path) -> None:
    schema = SCHEMA.with_service_config(written(tmp_path, CONFIG))
    assert rules_of(schema) == [
        ("p.S.One", "POST", "/last", "api.json"),
        ("p.S.One", "PUT", "/more", "api.json"),
        ("p.S.One", "POST", "/p.S/One", "default"),
        ("p.S.Two", "GET", "/two", "annotation"),
        ("p.S.Two", "POST", "/p.S/Two", "default"),
    ]
    assert (schema.pool, schema.files) == (SCHEMA.pool, SCHEMA.files)
    assert rules_of(SCHEMA)[0][2] == "/annotated"


def test_a_configuration_without_http_changes_nothing(tmp_path: Path) -> None:
    assert rules_of(SCHEMA.with_service_config(written(tmp_path, {"name": "x"}))) == rules_of(SCHEMA)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"http": {"rules": [{"selector": "p.S.Three", "get": "/x"}, {"selector": "", "get": "/y"}]}},
         "api.json has rules for methods that the schema has not: p.S.Three, "),
        ({"http": {"rules": [{"selector": "p.S.One", "body": "*"}]}},
         "p.S.One: an HTTP rule without a pattern (get, put, post, delete, patch or custom)"),
        ({"http": {"fully_decode_reserved_expansion": True}},
         "api.json: fully_decode_reserved_expansion is an option of the router, not of a file"),
        ([], "api.json is not a google.api.Service"),
    ],
)  # fmt: skip
def test_a_configuration_that_does_not_fit_is_refused(tmp_path: Path, content: Any, problem: str) -> None:
    assert refused(written(tmp_path, content)) == problem


@pytest.mark.parametrize("http", [{"rulez": []}, {"rules": {"a": 1}}, {"rules": [1]}, ["x"], "x", 1])
def test_what_is_no_http_part_is_refused(tmp_path: Path, http: object) -> None:
    assert refused(written(tmp_path, {"http": http})).startswith("api.json: the http part is not a google.api.Http: ")


def test_what_is_no_json_is_refused(tmp_path: Path) -> None:
    assert refused(written(tmp_path, "{")).startswith("api.json is not JSON: ")
    assert refused(tmp_path / "none.json") == "none.json can't be read: No such file or directory"


class Yaml(ModuleType):
    """PyYAML, as far as it is used: JSON is YAML."""

    YAMLError = ValueError
    safe_load = staticmethod(json.loads)


def test_yaml_is_read_where_pyyaml_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", Yaml("yaml"))
    path = tmp_path / "api.yaml"
    path.write_text(json.dumps(CONFIG))
    assert rules_of(SCHEMA.with_service_config(path))[0] == ("p.S.One", "POST", "/last", "api.yaml")
    path.write_text("{")
    assert refused(path).startswith("api.yaml is not YAML: ")


def test_yaml_without_pyyaml_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    path = tmp_path / "api.yaml"
    path.write_text("http: {}")
    assert refused(path) == (
        f"reading {path} needs PyYAML; JSON is read without it, from a file named .json".replace(f"{tmp_path}/", "")
    )
