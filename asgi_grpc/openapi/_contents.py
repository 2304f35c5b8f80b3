"""Bodies of requests and answers: their media types and schemas.

OpenAPI 3.1 has no word for a stream: the schema of its items is ``itemSchema`` of 3.2, under the name that OpenAPI's
registry of extensions gives it in earlier versions.
"""

from __future__ import annotations

from asgi_grpc.dialects import Dialect
from asgi_grpc.openapi._spelling import Spelling, success_event
from asgi_grpc.openapi._values import Json

JSON = "application/json"
NDJSON_TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl")
JSON_SEQ = "application/json-seq"
SSE = "text/event-stream"
ITEM = "x-oai-itemSchema"


def one(schema: Json) -> Json:
    """The content of a body that is one JSON value."""
    return {JSON: {"schema": schema}}


def many(item: Json) -> Json:
    """The content of a body that is a stream of JSON values; as plain JSON it is an array of them."""
    array = {"schema": {"type": "array", "items": item}, ITEM: item}
    return {**{name: {ITEM: item} for name in NDJSON_TYPES}, JSON: array, JSON_SEQ: {ITEM: item}}


def records(message: Json, record: Json, dialect: Dialect, spelling: Spelling) -> Json:
    """The content of an answer that is a stream.

    Args:
        message: the schema of a message.
        record: the schema of a record of any type.
        dialect: of the records.
        spelling: its schemas.
    """
    if not dialect.named_events:
        return {**many(record), SSE: {ITEM: _event(None, record)}}
    events = [
        _event("response", message),
        _event("complete", success_event()),
        _event("error", spelling.failure_event),
    ]
    return {**many(record), SSE: {ITEM: {"anyOf": events}}}


def _event(name: str | None, data: Json) -> Json:
    """The schema of a Server-Sent Event, as OpenAPI 3.2 models it."""
    text = {"type": "string", "contentMediaType": JSON, "contentSchema": data}
    if name is None:
        return {"type": "object", "properties": {"data": text}, "required": ["data"]}
    properties = {"event": {"const": name}, "data": text, "id": {"type": "string"}}
    return {"type": "object", "properties": properties, "required": ["event", "data"]}
