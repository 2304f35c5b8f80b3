"""Parameters are those that the router binds, written as it reads them."""

from __future__ import annotations

import re
import urllib.parse
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict

from asgi_grpc.errors import RequestError
from asgi_grpc.openapi._parameters import MOST_PARAMETERS
from asgi_grpc.routing import Router
from tests.openapi.everything import described, everything, of_methods, schema_of

VALUE = {"$ref": "#/components/schemas/google.protobuf.Value"}
JSON_TEXT = {"type": "string", "contentMediaType": "application/json"}
LOOK = "/v1/a/{leaf.name}/b/{bId}/{anInt32}:look"


def parameters(path: str, http_method: str = "get") -> dict[str, dict[str, Any]]:
    """The parameters of one operation of the schema of everything, by name."""
    return {found["name"]: found for found in described(everything())["paths"][path][http_method]["parameters"]}


def sample(document: dict[str, Any], schema: dict[str, Any]) -> str:
    """A text of a schema."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        texts = {"google.protobuf.Timestamp": "2000-01-01T00:00:00Z", "google.protobuf.Duration": "1.5s",
                 "google.protobuf.FieldMask": "a.b,c"}  # fmt: skip
        return texts.get(name) or sample(document, document["components"]["schemas"][name])
    if "anyOf" in schema:
        return sample(document, schema["anyOf"][0])
    if "enum" in schema:
        return str(schema["enum"][-1])
    if schema.get("contentMediaType") == "application/json":
        return '{"a":[1]}'
    return {"boolean": "true", "integer": "7", "number": "1.5", "string": "12345678"}[schema["type"]]


def query(document: dict[str, Any], parameter: dict[str, Any]) -> str:
    """A query with one parameter, written as its style says."""
    name = urllib.parse.quote(parameter["name"], safe="")
    if "content" in parameter:
        reference = parameter["content"]["application/json"]["schema"]["$ref"]
        text = "[1]" if reference.endswith(".ListValue") else '{"a": 1}'
        return f"{name}={urllib.parse.quote(text)}"
    schema = parameter["schema"]
    if schema.get("type") == "array":
        text = urllib.parse.quote(sample(document, schema["items"]))
        return f"{name}={text}&{name}={text}"
    if schema.get("type") == "object":
        assert (parameter["style"], parameter["explode"]) == ("deepObject", True)
        return f"{name}[1]={urllib.parse.quote(sample(document, schema['additionalProperties']))}"
    return f"{name}={urllib.parse.quote(sample(document, schema))}"


def walk(message: dict[str, Any], steps: list[str]) -> Any:
    """What a message holds at a path of names; a KeyError if nothing."""
    here: Any = message
    for step in steps:
        here = here[step]
    return here


def test_each_query_parameter_sets_its_field_and_no_other() -> None:
    document = described(everything())
    router = Router(everything().methods)
    match = router.match("GET", b"/v1/shelves/a/books/b")
    found = document["paths"]["/v1/shelves/{shelvesId}/books/{booksId}"]["get"]["parameters"]
    in_query = [parameter for parameter in found if parameter["in"] == "query"]
    assert len(in_query) > 30
    for parameter in in_query:
        message = match.bind(query(document, parameter).encode(), strict=False).empty()
        if parameter["name"].startswith("any."):
            assert message.HasField("any")
            message.ClearField("any")  # half of one has no JSON
        held = MessageToDict(message)
        assert held.pop("name") == "shelves/a/books/b"
        first = {"strange": "a.b[c]"}.get(parameter["name"], parameter["name"].partition(".")[0])
        assert list(held) == ([first] if first not in ("any", "nothing") else []), parameter["name"]
        if "." in parameter["name"] and first != "any":
            assert walk(held, parameter["name"].split(".")) is not None


def test_every_field_is_in_the_query_that_the_router_binds() -> None:
    """Names of all fields two levels deep: those that are not listed are refused, or are messages."""
    listed = set(parameters("/v1/shelves/{shelvesId}/books/{booksId}"))
    match = Router(everything().methods).match("GET", b"/v1/shelves/a/books/b")
    top = everything().pool.FindMessageTypeByName("every.v1.Request")
    for field in top.fields:
        name = {"a.b[c]": "strange"}.get(field.json_name, field.json_name)
        if name in listed or field.name == "name":
            continue
        with pytest.raises(RequestError):
            match.bind(f"{urllib.parse.quote(name)}=1".encode(), strict=False)
        with pytest.raises(RequestError):
            match.bind(f"{urllib.parse.quote(name)}[true]=1".encode(), strict=False)


def test_path_and_body_fields_are_not_in_the_query() -> None:
    look = parameters(LOOK)
    assert [look[name]["in"] for name in ("leaf.name", "anInt32")] == ["path", "path"]
    assert "leaf.size" in look
    posted = parameters("/v1/leaves/{name}", "post")
    assert not [name for name in posted if name.startswith("leaf")]
    assert "requestBody" not in described(everything())["paths"][LOOK]["get"]


def test_where_the_path_sets_a_oneof_its_other_members_are_left_out() -> None:
    copy = described(everything())["paths"]["/v1/copies/{text}"]["x-oai-additionalOperations"]["COPY"]
    names = [parameter["name"] for parameter in copy["parameters"]]
    assert names[0] == "text"
    assert not {"number", "grown.name", "grown.size"} & set(names)
    with pytest.raises(RequestError):
        Router(everything().methods).match("COPY", b"/v1/copies/a").bind(b"number=1", strict=False)


def test_a_variable_of_literals_is_set_by_the_path_too() -> None:
    schema = of_methods('rpc A(M) returns (M) { option (google.api.http) = { get: "/v1/{a=shelves}" }; }')
    found = described(schema)["paths"]["/v1/shelves"]["get"]["parameters"]
    assert [parameter["name"] for parameter in found] == ["b"]


def test_a_whole_body_leaves_nothing_to_the_query() -> None:
    assert "parameters" not in described(everything())["paths"]["/every.v1.Every/Get"]["post"]


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("light", {"schema": {"type": "string", "enum": ["DARK", "DIM", "BRIGHT"]}}),
        ("nothing", {"schema": {"type": "string", "enum": ["null"]}}),
        ("words", {"schema": {"type": "array", "items": {"type": "string"}}}),
        ("time", {"schema": {"$ref": "#/components/schemas/google.protobuf.Timestamp"}}),
        ("value", {"content": {"application/json": {"schema": VALUE}}}),
        ("values", {"schema": {"type": "array", "items": JSON_TEXT}}),
        ("lights", {"style": "deepObject", "explode": True, "schema": {
            "type": "object", "additionalProperties": {"type": "string", "enum": ["DARK", "DIM", "BRIGHT"]}}}),
        ("jsons", {"style": "deepObject", "explode": True, "schema": {
            "type": "object", "additionalProperties": JSON_TEXT}}),
    ],
)  # fmt: skip
def test_forms_of_query_parameters(name: str, form: dict[str, Any]) -> None:
    assert parameters("/v1/shelves/{shelvesId}/books/{booksId}")[name] == {"name": name, "in": "query", **form}


def test_comments_and_options_of_fields() -> None:
    assert parameters("/v1/lists", "put")["name"]["description"] == "Which one."
    assert parameters(LOOK)["leaf.size"]["deprecated"] is True


class TestPathParameters:
    def test_a_variable_of_one_segment(self) -> None:
        assert parameters("/v1/leaves/{name}", "post")["name"] == {
            "name": "name", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1},
            "description": "Which one.",
        }  # fmt: skip
        number = parameters(LOOK)["anInt32"]["schema"]
        assert (number["type"], number["format"]) == ("integer", "int32")

    def test_a_part_of_a_variable(self) -> None:
        assert parameters("/v1/shelves/{shelvesId}/books/{booksId}")["booksId"] == {
            "name": "booksId", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1},
            "description": "A part of name, which is shelves/{shelvesId}/books/{booksId}.",
        }  # fmt: skip

    def test_many_segments(self) -> None:
        found = parameters("/v1/trees/x%2Fy/{x2fyPath}/z")["x2fyPath"]
        assert found["schema"] == {"type": "string"}
        assert found["description"] == (
            "Any number of segments, with their slashes as they are.\n\nA part of name, which is x%2Fy/{x2fyPath}."
        )
        whole = schema_of(
            'syntax = "proto3"; package p; import "google/api/annotations.proto"; message M { string a = 1; }'
            'service S { rpc A(M) returns (M) { option (google.api.http) = { get: "/{a=**}" }; } }'
        )
        (parameter,) = described(whole)["paths"]["/{a}"]["get"]["parameters"]
        assert parameter == {
            "name": "a", "in": "path", "required": True, "schema": {"type": "string"},
            "description": "Any number of segments, with their slashes as they are.",
        }  # fmt: skip

    def test_a_wildcard_without_a_variable(self) -> None:
        assert parameters(LOOK)["bId"] == {
            "name": "bId", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1},
        }  # fmt: skip

    def test_a_path_made_from_the_document_is_matched(self) -> None:
        router = Router(everything().methods)
        for path, item in described(everything())["paths"].items():
            for http_method in item:
                if not http_method.startswith("x-"):
                    raw = re.sub(r"\{[^}]*\}", "1", path).encode()
                    match = router.match(http_method.upper(), raw)
                    assert match.route.method.full_name == item[http_method]["x-grpc-method"]


def test_messages_within_messages_without_end_are_cut() -> None:
    wide = " ".join(f"string f{n} = {n};" for n in range(1, 21))
    chain = "".join(
        f"message L{n} {{ {wide} {f'L{n + 1} next = 30; L{n + 1} other = 31;' if n < 9 else 'M back = 30;'} }}"
        for n in range(10)
    )
    schema = of_methods(
        'rpc A(M) returns (M) { option (google.api.http) = { get: "/a" }; }', f"message M {{ L0 l = 1; }} {chain}"
    )
    found = [parameter["name"] for parameter in described(schema)["paths"]["/a"]["get"]["parameters"]]
    assert len(found) == MOST_PARAMETERS
    assert found[0] == "l.f1"


def test_a_message_that_leads_back_to_the_request_ends_there() -> None:
    schema = of_methods(
        'rpc A(M) returns (M) { option (google.api.http) = { get: "/a" }; }',
        "message M { string a = 1; N n = 2; } message N { M m = 1; N n = 2; string b = 3; }",
    )
    found = [parameter["name"] for parameter in described(schema)["paths"]["/a"]["get"]["parameters"]]
    assert found == ["a", "n.b"]


def test_a_field_that_no_query_can_name_is_left_out_and_a_required_one_is_required() -> None:
    schema = schema_of(
        'syntax = "proto2"; package p; import "google/api/annotations.proto";'
        'message M { required string a = 1; optional string b = 2 [json_name = "x.y"];'
        ' optional string c = 3 [json_name = "b"]; optional N n = 4; } message N { required string d = 1; }'
        'service S { rpc A(M) returns (M) { option (google.api.http) = { get: "/a" }; } }'
    )
    found = described(schema)["paths"]["/a"]["get"]["parameters"]
    assert [(parameter["name"], parameter.get("required", False)) for parameter in found] == [
        ("a", True), ("b", False), ("n.d", False),
    ]  # fmt: skip
