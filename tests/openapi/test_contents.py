"""Media types and schemas of bodies: those that the doors take and write."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.protobuf.message_factory import GetMessageClass

from asgi_grpc.asgi._negotiation import choose_framer, choose_single, choose_writer
from asgi_grpc.errors import RequestError
from asgi_grpc.limits import Limits
from asgi_grpc.routing import Router
from tests.openapi.everything import described, dialects, everything, validator

STREAM = ["application/x-ndjson", "application/ndjson", "application/jsonl", "application/json", "application/json-seq"]
WIRE = ["application/protobuf", "application/x-protobuf"]
WIRE_CONTENT: dict[str, Any] = {name: {} for name in WIRE}
LEAF = {"$ref": "#/components/schemas/every.v1.Leaf"}
ITEM = "x-oai-itemSchema"


def operation(path: str, http_method: str = "post", dialect: str = "bare") -> Any:
    """One operation of the schema of everything; a path without a slash is that of a default binding."""
    full = path if path.startswith("/") else f"/every.v1.Every/{path}"
    return described(everything(), dialect)["paths"][full][http_method]


def content(path: str, http_method: str = "post", dialect: str = "bare") -> Any:
    """The content of an answer."""
    return operation(path, http_method, dialect)["responses"]["200"]["content"]


class TestRequests:
    def test_of_one_message(self) -> None:
        assert operation("Unwrap")["requestBody"] == {
            "description": "The request.",
            "content": {
                "application/json": {"schema": LEAF},
                **WIRE_CONTENT,
                "application/x-www-form-urlencoded": {"schema": {"$ref": "#/components/schemas/form-every.v1.Leaf"}},
            },
        }

    def test_a_form_has_the_fields_of_a_query(self) -> None:
        form = operation("Get")["requestBody"]["content"]["application/x-www-form-urlencoded"]
        deep = {"style": "deepObject", "explode": True}
        assert form == {
            "schema": {"$ref": "#/components/schemas/form-every.v1.Request"},
            "encoding": {"counts": deep, "lights": deep, "jsons": deep},
        }
        schema = described(everything())["components"]["schemas"]["form-every.v1.Request"]
        assert list(schema["properties"]) == [p["name"] for p in operation("/v1/lists", "put")["parameters"]] + [
            name for name in schema["properties"] if name.startswith("leaves")
        ]
        assert schema["properties"]["struct"] == {"type": "string", "contentMediaType": "application/json"}
        assert schema["additionalProperties"] is False
        ignoring = described(everything(), "grpc-gateway")["components"]["schemas"]["form-every.v1.Request"]
        assert "additionalProperties" not in ignoring

    def test_a_form_beside_a_path_has_a_schema_of_its_own(self) -> None:
        form = operation("/v1/any/{odd}", "put")["requestBody"]["content"]["application/x-www-form-urlencoded"]
        assert "odd one" not in form["schema"]["properties"]
        assert "text" in form["schema"]["properties"]

    def test_what_the_path_sets_is_said(self) -> None:
        assert operation("/v1/any/{odd}", "put")["requestBody"]["description"] == (
            "The request. The path sets odd: leave it out here."
        )

    def test_of_one_field(self) -> None:
        assert operation("/v1/leaves/{name}")["requestBody"] == {
            "description": "The field leaf of the request.",
            "content": {"application/json": {"schema": LEAF}, **WIRE_CONTENT},
        }
        assert operation("/v1/lists", "put")["requestBody"]["content"] == {
            "application/json": {"schema": {"type": "array", "items": LEAF}}
        }

    def test_of_a_stream(self) -> None:
        body = operation("Up")["requestBody"]
        assert body["description"] == "The requests, one after the other."
        assert list(body["content"]) == STREAM
        assert [media[ITEM] for media in body["content"].values()] == [LEAF] * 5
        assert body["content"]["application/json"]["schema"] == {"type": "array", "items": LEAF}
        assert operation("/v1/both")["requestBody"]["description"] == (
            "The field leaf of each request, one after the other."
        )

    def test_of_bytes(self) -> None:
        assert operation("Bytes")["requestBody"]["content"] == {"*/*": {}}

    def test_no_body(self) -> None:
        assert "requestBody" not in operation("/v1/down", "get")

    def test_every_type_is_taken(self) -> None:
        for media_type in STREAM:
            choose_framer(media_type, streaming=True, limits=Limits())
        with pytest.raises(RequestError):
            choose_framer("text/event-stream", streaming=True, limits=Limits())


class TestAnswers:
    def test_of_one_message(self) -> None:
        assert content("Get") == {"application/json": {"schema": LEAF}, **WIRE_CONTENT}
        assert content("Up") == {"application/json": {"schema": LEAF}}
        enveloped = content("Up", dialect="envelope")["application/json"]["schema"]
        assert enveloped["properties"]["data"] == LEAF

    def test_of_a_stream(self) -> None:
        found = content("Down")
        assert list(found) == [*STREAM, "text/event-stream"]
        assert [media[ITEM] for media in found.values()][:5] == [LEAF] * 5
        event = {"type": "string", "contentMediaType": "application/json", "contentSchema": LEAF}
        assert found["text/event-stream"][ITEM] == {
            "type": "object", "properties": {"data": event}, "required": ["data"],
        }  # fmt: skip

    def test_of_named_events(self) -> None:
        events = content("Down", dialect="grpc-gateway")["text/event-stream"][ITEM]["anyOf"]
        assert [event["properties"]["event"]["const"] for event in events] == ["response", "complete", "error"]
        assert events[0]["properties"]["data"]["contentSchema"] == LEAF

    def test_of_bytes(self) -> None:
        assert content("Bytes") == content("BytesDown") == {"*/*": {}}

    def test_a_failure_is_the_default(self) -> None:
        assert operation("Get")["responses"]["default"] == {"$ref": "#/components/responses/failure"}

    def test_every_type_is_offered(self) -> None:
        for media_type in (*STREAM, "text/event-stream"):
            assert choose_writer(media_type, named_events=True).media_type.decode() == media_type
        for media_type in ("application/json", *WIRE):
            assert choose_single(media_type, wire=True) == media_type


@pytest.mark.parametrize("dialect", dialects())
@pytest.mark.parametrize("name", ["maybe", "flag", "leaf", "leaf-map"])
@pytest.mark.parametrize("is_set", [False, True])
def test_a_field_that_is_the_whole_answer_validates(dialect: str, name: str, is_set: bool) -> None:
    document = described(everything(), dialect)
    route = Router(everything().methods).match("GET", f"/v1/{name}".encode()).route
    made: Any = GetMessageClass(route.method.output)()
    if is_set:
        made.maybe, made.flag.value, made.leaf.name = 1, True, "a"
        made.leaves["a"].size = 1
    (printed,) = route.encode([made])
    schema = document["paths"][f"/v1/{name}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    value = json.loads(printed)
    spelled = {"code": 0, "message": "success", "data": value} if dialect == "envelope" else value
    validator(document, schema).validate(spelled)


@pytest.mark.parametrize(
    ("dialect", "records"),
    [
        ("envelope", [{"type": "response", "data": {"name": "a"}}, {"type": "complete"},
                      {"type": "error", "error": "x", "code": "ABORTED", "details": [{"@type": "a/b"}]}]),
        ("grpc-gateway", [{"result": {"name": "a"}}, {"error": {"code": 3, "message": "", "details": []}}]),
        ("bare", [{"name": "a"}]),
    ],
)  # fmt: skip
def test_records_of_a_stream_validate(dialect: str, records: list[Any]) -> None:
    document = described(everything(), dialect)
    down = document["paths"]["/every.v1.Every/Down"]["post"]["responses"]["200"]["content"]["application/json"]
    validator(document, down["schema"]).validate(records)
    assert not validator(document, down["schema"]).is_valid([{"nothing": "known"}])


def test_bytes_have_no_schema() -> None:
    assert "google.api.HttpBody" not in described(everything())["components"]["schemas"]


def test_records_of_a_field_have_a_schema_of_their_own() -> None:
    schemas = described(everything())["components"]["schemas"]
    assert {name for name in schemas if name.startswith("stream-")} == {
        "stream-every.v1.Leaf", "stream-every.v1.Leaf-next",
        "stream-every.v1.Wrapped",
    }  # fmt: skip
