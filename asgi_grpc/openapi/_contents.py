"""Bodies of requests and answers: their media types and schemas.

OpenAPI 3.1 has no word for a stream: the schema of its items is ``itemSchema`` of 3.2, under the name that OpenAPI's
registry of extensions gives it in earlier versions.
"""

from __future__ import annotations

from asgi_grpc.dialects import Dialect
from asgi_grpc.openapi._spelling import Spelling, success_event
from asgi_grpc.openapi._values import Json
from asgi_grpc.routing import Route

JSON = "application/json"
PROTOBUF_TYPES = ("application/protobuf", "application/x-protobuf")
FORM = "application/x-www-form-urlencoded"
NDJSON_TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl")
JSON_SEQ = "application/json-seq"
SSE = "text/event-stream"
ITEM = "x-oai-itemSchema"

BYTES: Json = {"*/*": {}}
"""The content of a body of any bytes: OpenAPI 3.1 gives them no schema."""

_WIRE: Json = {name: {} for name in PROTOBUF_TYPES}


def one(schema: Json) -> Json:
    """The content of a body that is one JSON value."""
    return {JSON: {"schema": schema}}


def request(route: Route, schema: Json, form: Json) -> Json:
    """The content of a request.

    Args:
        route: a binding with a body that is no bytes.
        schema: of the body, or of each in a stream.
        form: the content of a form, where it may be one.
    """
    if route.method.client_streaming:
        return _stream(schema)
    content = one(schema)
    if route.takes_wire and route.method.kind == "unary":
        content |= dict(_WIRE)
    if route.takes_form:
        content[FORM] = form
    return content


def answer(route: Route, message: Json, spelling: Spelling) -> Json:
    """The content of an answer that is one message.

    Args:
        route: the binding.
        message: the schema of the message.
        spelling: of the dialect.
    """
    content = one(spelling.answer(message))
    return content | dict(_WIRE) if route.reply.gives_wire and route.method.kind == "unary" else content


def answers(message: Json, record: Json, dialect: Dialect, spelling: Spelling) -> Json:
    """The content of an answer that is a stream.

    Args:
        message: the schema of a message.
        record: the schema of a record of any type.
        dialect: of the records.
        spelling: its schemas.
    """
    if not dialect.named_events:
        return {**_stream(record), SSE: {ITEM: _event(None, record)}}
    events = [
        _event("response", message),
        _event("complete", success_event()),
        _event("error", spelling.failure_event),
    ]
    return {**_stream(record), SSE: {ITEM: {"anyOf": events}}}


def _stream(item: Json) -> Json:
    """The content of a body that is a stream of JSON values; as plain JSON it is an array of them."""
    array = {"schema": {"type": "array", "items": item}, ITEM: item}
    return {**{name: {ITEM: item} for name in NDJSON_TYPES}, JSON: array, JSON_SEQ: {ITEM: item}}


def _event(name: str | None, data: Json) -> Json:
    """The schema of a Server-Sent Event, as OpenAPI 3.2 models it."""
    text = {"type": "string", "contentMediaType": JSON, "contentSchema": data}
    if name is None:
        return {"type": "object", "properties": {"data": text}, "required": ["data"]}
    properties = {"event": {"const": name}, "data": text, "id": {"type": "string"}}
    return {"type": "object", "properties": properties, "required": ["event", "data"]}
