"""Whole documents: what a public validator says, what is in them, and which bindings share a path."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import openapi_spec_validator
import pytest

from asgi_grpc import Schema
from asgi_grpc.codec import CodecOptions
from asgi_grpc.schema import Service
from tests.openapi.everything import described, dialects, everything, of_methods, schema_of
from tests.processes import GREETER, STREAMING

EXAMPLES = [
    pytest.param(lambda: Schema.from_protos(GREETER.parent / "greeter.proto"), id="greeter"),
    pytest.param(lambda: Schema.from_descriptor_set(STREAMING.parent / "streaming.binpb"), id="streaming"),
    pytest.param(everything, id="everything"),
]


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """All operations by path and HTTP method."""
    return {
        (path, key): operation
        for path, item in document["paths"].items()
        for key, operation in {**item, **item.get("x-oai-additionalOperations", {})}.items()
        if not key.startswith("x-")
    }


def renamed(schema: Schema, name: str) -> Schema:
    """The same methods in a service of another name, which no pool knows."""
    methods = [replace(m, full_name=f"{name}.{m.full_name.rpartition('.')[2]}") for m in schema.methods]
    return Schema([Service(full_name=name, methods=tuple(methods))], pool=schema.pool, files=())


@pytest.mark.parametrize("make", EXAMPLES)
@pytest.mark.parametrize("dialect", dialects())
def test_a_public_validator_accepts_it(make: Any, dialect: str) -> None:
    openapi_spec_validator.validate(described(make(), dialect))


@pytest.mark.parametrize("make", EXAMPLES)
def test_every_binding_is_an_operation_with_an_id_of_its_own(make: Any) -> None:
    schema: Schema = make()
    found = list(operations(described(schema)).values())
    ids = [operation["operationId"] for operation in found]
    assert len(ids) == len(set(ids))
    bindings = [binding for method in schema.methods for binding in method.bindings]
    more = 4 - 1 if make is everything else 0  # "*" is five operations, one path of two is hidden
    assert len(found) == len(bindings) + more
    assert {operation["x-grpc-method"] for operation in found} == {method.full_name for method in schema.methods}


def test_the_head_of_a_document() -> None:
    document = described(of_methods("rpc A(M) returns (M);"), title="T", version="v9", servers=["https://x/y"])
    assert document["openapi"] == "3.1.0"
    assert document["info"] == {"title": "T", "version": "v9"}
    assert document["servers"] == [{"url": "https://x/y"}]
    assert document["tags"] == [{"name": "p.S"}]


def test_the_title_of_several_services() -> None:
    several = of_methods("rpc A(M) returns (M); } service T { rpc A(M) returns (M);")
    assert described(several)["info"] == {"title": "gRPC services", "version": "1.0.0"}
    assert described(several)["tags"] == [{"name": "p.S"}, {"name": "p.T"}]
    assert described(everything())["info"]["title"] == "every.v1.Every"


def test_nothing_to_serve_is_a_document_too() -> None:
    document = described(Schema([], pool=everything().pool, files=()))
    openapi_spec_validator.validate(document)
    assert document["paths"] == {}


def test_parts_of_a_document_are_its_own() -> None:
    first = described(everything())
    for schema in first["components"]["schemas"].values():
        schema.clear()
    assert described(everything())["components"]["schemas"]["google.protobuf.Timestamp"] != {}


def test_comments_are_descriptions() -> None:
    document = described(everything())
    assert document["tags"] == [{"name": "every.v1.Every", "description": "Does\neverything."}]
    get = document["paths"]["/v1/a/{leaf.name}/b/{bId}/{anInt32}:look"]["get"]
    assert (get["summary"], get["description"]) == ("Reads one", "Reads one. In full.\n\nMore of it.")


def test_a_long_first_sentence_is_no_summary() -> None:
    schema = of_methods(f"\n\n// {'very ' * 40}long.\nrpc A(M) returns (M);")
    operation = described(schema)["paths"]["/p.S/A"]["post"]
    assert "summary" not in operation
    assert operation["description"].endswith("very long.")


def test_deprecated_methods_and_services() -> None:
    found = operations(described(everything()))
    assert {o["x-grpc-method"] for o in found.values() if o.get("deprecated")} == {"every.v1.Every.Delete"}
    whole = of_methods("option deprecated = true; rpc A(M) returns (M);")
    assert described(whole)["paths"]["/p.S/A"]["post"]["deprecated"] is True


def test_services_without_a_descriptor_are_described_without_options() -> None:
    schema = Schema.from_services_json(GREETER.parent / "services.json", descriptors=GREETER.parent / "greeter.binpb")
    openapi_spec_validator.validate(described(schema))
    whole = of_methods("option deprecated = true; rpc A(M) returns (M);")
    assert "deprecated" not in described(renamed(whole, "q.S"))["paths"]["/p.S/A"]["post"]


class TestPaths:
    def paths(self, *rules: str, **options: Any) -> dict[str, Any]:
        """The paths of methods with these rules, without the default ones."""
        methods = "".join(
            f"rpc A{n}(M) returns (M) {{ option (google.api.http) = {{ {rule} }}; }}" for n, rule in enumerate(rules)
        )
        found: dict[str, Any] = described(of_methods(methods), **options)["paths"]
        return {path: item for path, item in found.items() if not path.startswith("/p.S/")}

    def test_paths_of_one_shape_are_one_with_the_names_of_the_first(self) -> None:
        found = self.paths('get: "/v1/{a=shelves/*}"', 'delete: "/v1/shelves/{b}"')
        assert {path: list(item) for path, item in found.items()} == {"/v1/shelves/{shelvesId}": ["get", "delete"]}
        (parameter, *_) = found["/v1/shelves/{shelvesId}"]["delete"]["parameters"]
        assert (parameter["name"], parameter["description"]) == ("shelvesId", "The field b.")

    def test_of_two_operations_at_one_path_the_one_of_a_single_segment_stays(self) -> None:
        found = self.paths('get: "/v1/{a=**}"', 'get: "/v1/{b}"')
        assert list(found) == ["/v1/{b}"]
        assert found["/v1/{b}"]["get"]["x-grpc-method"] == "p.S.A1"
        assert found["/v1/{b}"]["x-asgi-grpc-hidden"] == ["GET /v1/{a=**}"]

    def test_a_binding_that_is_never_reached_is_left_out(self) -> None:
        assert list(self.paths('get: "/v1/**/b"', 'get: "/v1/*/**"')) == ["/v1/{v1Id}/{segmentPath}"]

    def test_every_method_is_shown_as_the_common_ones_that_are_free(self) -> None:
        found = self.paths('custom { kind: "*" path: "/x" }', 'get: "/x"')
        assert {key: o["operationId"] for key, o in found["/x"].items()} == {
            "get": "S_A1", "put": "S_A0_put", "post": "S_A0_post", "delete": "S_A0_delete", "patch": "S_A0_patch",
        }  # fmt: skip

    def test_methods_that_openapi_has_no_word_for(self) -> None:
        found = self.paths('custom { kind: "COPY" path: "/x" }', 'custom { kind: "HEAD" path: "/x" }')
        assert sorted(found["/x"]) == ["head", "x-oai-additionalOperations"]
        assert list(found["/x"]["x-oai-additionalOperations"]) == ["COPY"]


class TestOperationIds:
    def test_of_the_bindings_of_one_method(self) -> None:
        schema = of_methods("""rpc A(M) returns (M) {
            option (google.api.http) = { get: "/a" additional_bindings { get: "/b" } };
        }
        rpc B(M) returns (M);""")
        ids = [operation["operationId"] for operation in operations(described(schema)).values()]
        assert ids == ["S_A", "S_A_2", "S_A_default", "S_B"]

    def test_services_of_one_name_have_their_package_too(self) -> None:
        other = renamed(of_methods("rpc A(M) returns (M);", name="T"), "q.v1.S")
        schema = Schema.merge(of_methods("rpc A(M) returns (M);"), other)
        ids = [operation["operationId"] for operation in operations(described(schema)).values()]
        assert ids == ["p_S_A", "q_v1_S_A"]


def test_messages_of_any_name_keep_their_schemas() -> None:
    names = ("failure", "success", "end", "Stream", "google")
    made = "".join(f"message {name} {{ string of_{name} = 1; }}" for name in names)
    rpcs = "".join(f"rpc A{n}({name}) returns (stream {name});" for n, name in enumerate(names))
    schema = schema_of(f'syntax = "proto3"; {made} service S {{ {rpcs} }}')
    document = described(schema)
    openapi_spec_validator.validate(document)
    for name in names:
        assert list(document["components"]["schemas"][name]["properties"]) == [f"of{name.capitalize()}"]
        item = document["components"]["schemas"][f"stream-{name}"]["anyOf"][0]
        assert item["properties"]["data"] == {"$ref": f"#/components/schemas/{name}"}


def test_codec_options_decide_the_schemas() -> None:
    leaf = described(everything(), codec_options=CodecOptions(proto_names=True))["components"]["schemas"]
    assert "a_double" in leaf["every.v1.Request"]["properties"]
