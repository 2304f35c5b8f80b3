"""Schemas from a services.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pool, empty_pb2, struct_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from asgi_grpc.errors import ConfigurationError
from asgi_grpc.schema import Binding, Schema
from tests.schema.protos import compile_protos, files_of

GREETER = compile_protos(
    greeter="""
    syntax = "proto3";
    package helloworld;
    import "google/api/annotations.proto";
    message HelloRequest { string name = 1; }
    message HelloReply { string message = 1; }
    service Greeter {
      rpc SayHello(HelloRequest) returns (HelloReply) { option (google.api.http) = { get: "/annotated" }; }
      rpc Collect(stream HelloRequest) returns (HelloReply);
    }
    """
)


def without_services(data: bytes) -> bytes:
    """Only the messages."""
    stripped = FileDescriptorSet()
    stripped.CopyFrom(files_of(data))
    for file in stripped.file:
        file.ClearField("service")
    return stripped.SerializeToString()


MESSAGES = without_services(GREETER)


def entry(name: str, **changes: Any) -> dict[str, Any]:
    """One method in the form of the file; None takes a key away."""
    whole = {
        "input_type": ".helloworld.HelloRequest",
        "output_type": ".helloworld.HelloReply",
        "streaming_type": "client_streaming" if name == "Collect" else "unary",
        "method_full_name": f"/helloworld.Greeter/{name}",
        **changes,
    }
    return {key: value for key, value in whole.items() if value is not None}


def schema_of(tmp_path: Path, content: Any, descriptors: Any = MESSAGES) -> Schema:
    path = tmp_path / "services.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return Schema.from_services_json(path, descriptors=descriptors)


def refused(tmp_path: Path, content: Any, descriptors: Any = MESSAGES) -> str:
    with pytest.raises(ConfigurationError) as caught:
        schema_of(tmp_path, content, descriptors)
    return str(caught.value).replace(str(tmp_path), "")


def binding(http_method: str, template: str, body: str = "", source: str = "services.json") -> Binding:
    return Binding(http_method=http_method, template=template, body=body, source=source)


@pytest.mark.parametrize("descriptors", [GREETER, MESSAGES], ids=["services", "messages"])
def test_the_form_of_the_guide_is_understood(tmp_path: Path, descriptors: bytes) -> None:
    content = {
        "Greeter": {
            "SayHello": entry(
                "SayHello",
                options={
                    "deprecated": True,
                    "[google.api.http]": {
                        "get": "/v1/hello/{name}",
                        "additional_bindings": [{"custom": {"kind": "LOCK", "path": "/v1/hello"}, "body": "*"}],
                    },
                },
                http={"method": "GET", "path": "/v1/hello/{name}"},
                comment="unknown keys are ignored",
            ),
            "Collect": entry("Collect", http={"method": "post", "path": "/v1/collect", "body": "*"}),
        }
    }
    schema = schema_of(tmp_path, content, descriptors)
    assert list(schema.services) == ["helloworld.Greeter"]
    greeter = "helloworld.Greeter"
    assert [(m.full_name, m.path, m.kind) for m in schema.methods] == [
        (f"{greeter}.SayHello", f"/{greeter}/SayHello", "unary"),
        (f"{greeter}.Collect", f"/{greeter}/Collect", "client_streaming"),
    ]
    assert {(m.input.full_name, m.output.full_name) for m in schema.methods} == {
        ("helloworld.HelloRequest", "helloworld.HelloReply")
    }
    assert [list(m.bindings) for m in schema.methods] == [
        [
            binding("GET", "/v1/hello/{name}"),
            binding("LOCK", "/v1/hello", "*"),
            binding("POST", "/helloworld.Greeter/SayHello", "*", "default"),
        ],
        [binding("POST", "/v1/collect", "*"), binding("POST", "/helloworld.Greeter/Collect", "*", "default")],
    ]


@pytest.mark.parametrize(
    ("streaming_type", "kind"),
    [
        ("unary", "unary"),
        ("server_streaming", "server_streaming"),
        ("client_streaming", "client_streaming"),
        ("bidirectional_streaming", "bidirectional"),
        ("bidirectional", "bidirectional"),
        ("bidi_streaming", "bidirectional"),
        ("bidi", "bidirectional"),
        (None, "unary"),
    ],
)
def test_every_kind_has_its_name(tmp_path: Path, streaming_type: str | None, kind: str) -> None:
    schema = schema_of(tmp_path, {"Greeter": {"X": entry("X", streaming_type=streaming_type)}})
    assert [method.kind for method in schema.methods] == [kind]


def test_what_the_descriptors_know_may_be_left_out(tmp_path: Path) -> None:
    schema = schema_of(tmp_path, {"helloworld.Greeter": {"Collect": {}, "SayHello": {"http": {}}}}, GREETER)
    greeter = "helloworld.Greeter"
    collect, say = (binding("POST", f"/{greeter}/{name}", "*", "default") for name in ("Collect", "SayHello"))
    assert [(m.full_name, m.kind, list(m.bindings)) for m in schema.methods] == [
        (f"{greeter}.Collect", "client_streaming", [collect]),
        (f"{greeter}.SayHello", "unary", [binding("GET", "/annotated", source="annotation"), say]),
    ]


def test_rules_of_the_file_stand_in_place_of_annotations(tmp_path: Path) -> None:
    rule = {"(google.api.http)": {"post": "/other"}}
    schema = schema_of(tmp_path, {"Greeter": {"SayHello": entry("SayHello", options=rule)}}, GREETER)
    assert [b.template for m in schema.methods for b in m.bindings] == ["/other", "/helloworld.Greeter/SayHello"]


def test_only_what_the_file_lists_is_served(tmp_path: Path) -> None:
    schema = schema_of(tmp_path, {"Greeter": {"Collect": entry("Collect")}, "Nobody": {}}, GREETER)
    assert [method.full_name for method in schema.methods] == ["helloworld.Greeter.Collect"]


def test_descriptors_may_be_modules_or_several_sources(tmp_path: Path) -> None:
    own = {
        "Any.Thing": {"Do": {"input_type": "google.protobuf.Empty", "output_type": ".google.protobuf.Struct"}},
    }
    modules = schema_of(tmp_path, own, [empty_pb2, struct_pb2])
    assert modules.pool is descriptor_pool.Default()
    assert next(modules.methods).input is empty_pb2.Empty.DESCRIPTOR
    assert schema_of(tmp_path, own, empty_pb2).services.keys() == {"Any.Thing"}
    path = tmp_path / "greeter.binpb"
    path.write_bytes(GREETER)
    mixed = schema_of(tmp_path, {**own, "Greeter": {"Collect": entry("Collect")}}, [str(path), struct_pb2, empty_pb2])
    assert list(mixed.services) == ["Any.Thing", "helloworld.Greeter"]
    assert mixed.pool is not descriptor_pool.Default()
    assert list(schema_of(tmp_path, {"Greeter": {"Collect": entry("Collect")}}, path).services) == [
        "helloworld.Greeter"
    ]
    merged = Schema.merge(mixed, modules)
    assert merged.pool.FindMessageTypeByName("helloworld.HelloReply").full_name == "helloworld.HelloReply"


def test_a_short_rule_without_a_body_agrees_with_any(tmp_path: Path) -> None:
    rule = {"[google.api.http]": {"post": "/a", "body": "*", "additionalBindings": [{"put": "/b", "body": "name"}]}}
    for http in ({"method": "POST", "path": "/a"}, {"method": "PUT", "path": "/b", "body": "name"}):
        schema = schema_of(tmp_path, {"Greeter": {"X": entry("X", options=rule, http=http)}})
        assert [b.template for m in schema.methods for b in m.bindings] == ["/a", "/b", "/helloworld.Greeter/X"]


SHORT = "helloworld.Greeter.X: the http of services.json says"
KINDS = "unary, server_streaming, client_streaming, bidirectional_streaming"
NAME = "Greeter.X: expected method_full_name to be /package.Greeter/X"
LONG = "its google.api.http POST /a (body '*')"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"input_type": ".helloworld.Nope"}, "helloworld.Greeter.X: the descriptors have no message helloworld.Nope"),
        ({"input_type": None}, "helloworld.Greeter.X: expected input_type and output_type in services.json"),
        ({"output_type": ""}, "helloworld.Greeter.X: expected input_type and output_type in services.json"),
        ({"streaming_type": "both"}, f"helloworld.Greeter.X: expected a streaming_type of {KINDS}, got both"),
        ({"method_full_name": "/helloworld.Greeter/Y"}, f"{NAME}, got /helloworld.Greeter/Y"),
        ({"method_full_name": "/helloworld.Other/X"}, f"{NAME}, got /helloworld.Other/X"),
        ({"method_full_name": "X"}, f"{NAME}, got X"),
        ({"http": {"method": "GET"}}, "helloworld.Greeter.X: expected http to have a method and a path"),
        ({"http": {"path": "/a"}}, "helloworld.Greeter.X: expected http to have a method and a path"),
        ({"http": {"method": "PUT", "path": "/a"}}, f"{SHORT} PUT /a (body ''), {LONG}"),
        ({"http": {"method": "POST", "path": "/b"}}, f"{SHORT} POST /b (body ''), {LONG}"),
        ({"http": {"method": "POST", "path": "/a", "body": ""}}, f"{SHORT} POST /a (body ''), {LONG}"),
        ({"options": {"[google.api.http]": {"body": "*"}}},
         "helloworld.Greeter.X: an HTTP rule without a pattern (get, put, post, delete, patch or custom)"),
    ],
)  # fmt: skip
def test_contradictions_name_the_method(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    rule = {"[google.api.http]": {"post": "/a", "body": "*"}}
    assert refused(tmp_path, {"Greeter": {"X": entry("X", **{"options": rule, **changes})}}) == problem


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"streaming_type": "unary"}, "unary, the descriptors client_streaming"),
        ({"input_type": ".helloworld.HelloReply"}, "helloworld.HelloReply, the descriptors helloworld.HelloRequest"),
        ({"output_type": "X"}, "X, the descriptors helloworld.HelloReply"),
    ],
)
def test_the_file_must_agree_with_the_descriptors(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    said = refused(tmp_path, {"Greeter": {"Collect": entry("Collect", **changes)}}, GREETER)
    assert said == f"helloworld.Greeter.Collect: services.json says {problem}"


def test_a_method_that_a_known_service_does_not_have_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, {"Greeter": {"X": entry("X")}}, GREETER) == (
        "helloworld.Greeter.X: the descriptors have the service helloworld.Greeter, but no method X"
    )


def test_a_rule_that_is_no_rule_is_refused(tmp_path: Path) -> None:
    rule = {"[google.api.http]": {"fetch": "/a"}}
    said = refused(tmp_path, {"Greeter": {"X": entry("X", options=rule)}})
    assert said.startswith("helloworld.Greeter.X: the google.api.http of services.json: ")


def test_one_service_is_in_one_place(tmp_path: Path) -> None:
    mixed = {"A": {"X": entry("X", method_full_name="/p.A/X"), "Y": entry("Y", method_full_name="/q.A/Y")}}
    assert refused(tmp_path, mixed) == "/services.json: the methods of A belong to p.A and q.A"
    twice = {"A": {"X": entry("X", method_full_name="/p.A/X")}, "p.A": {"X": entry("X", method_full_name="/p.A/X")}}
    assert refused(tmp_path, twice) == "/services.json: the service p.A is there twice"


@pytest.mark.parametrize("content", ["", "[]", '{"A": []}', '{"A": {"B": {"http": 1}}}', "{"])
def test_a_file_of_another_form_is_refused(tmp_path: Path, content: str) -> None:
    assert refused(tmp_path, content).startswith("/services.json is not a services.json: ")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.json can't be read: No such file or directory$"):
        Schema.from_services_json(tmp_path / "none.json", descriptors=MESSAGES)
