from __future__ import annotations

from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from asgi_grpc.dialects import BareDialect, Dialect, EnvelopeDialect, Failure, GrpcGatewayDialect
from asgi_grpc.errors import Code
from asgi_grpc.openapi._spelling import Spelling, success_event

ANY: dict[str, Any] = {"type": "object", "required": ["@type"]}
MESSAGE: dict[str, Any] = {"type": "object", "required": ["m"]}
TEXT = {"type": "string"}
CODES = {"type": "string", "enum": list(Code.__members__)}
DETAILS = {"type": "array", "items": ANY}
STATUS = {
    "type": "object",
    "properties": {"code": {"type": "integer"}, "message": TEXT, "details": DETAILS},
    "required": ["code", "message", "details"],
}
TRAILERS = {"type": "object", "additionalProperties": TEXT}


def fixed(**properties: Any) -> dict[str, Any]:
    """The schema of an object with these members."""
    return {"type": "object", "properties": properties, "required": list(properties)}


class Odd(BareDialect):
    """Spells what no other dialect does."""

    def unary(self, message: bytes) -> bytes:
        return b'[[],{},1.5,null,true,"x",' + message + b"]"

    def unary_failure(self, failure: Failure) -> bytes:
        return msgspec.json.encode([failure.code, failure.message] if failure.details else [])

    def event_failure(self, failure: Failure) -> bytes:
        return msgspec.json.encode({"hard": failure.http_status == 500})


def test_the_envelope() -> None:
    spelling = Spelling(EnvelopeDialect(), ANY)
    assert spelling.answer(MESSAGE) == fixed(code={"const": 0}, message={"const": "success"}, data=MESSAGE)
    assert spelling.record(MESSAGE) == fixed(type={"const": "response"}, data=MESSAGE)
    assert spelling.failure == fixed(
        code={"type": "integer"}, message=TEXT, data={"const": None}, status=CODES, details=DETAILS
    )
    complete = {"type": {"const": "complete"}, "trailers": TRAILERS}
    assert spelling.success_record == {"type": "object", "properties": complete, "required": ["type"]}
    event = {"error": TEXT, "code": CODES, "details": DETAILS, "trailers": TRAILERS}
    required = ["error", "code", "details"]
    assert spelling.failure_event == {"type": "object", "properties": event, "required": required}
    record = {"type": {"const": "error"}, **event}
    assert spelling.failure_record == {"type": "object", "properties": record, "required": ["type", *required]}


def test_grpc_gateway() -> None:
    spelling = Spelling(GrpcGatewayDialect(), ANY)
    assert spelling.answer(MESSAGE) == MESSAGE
    assert spelling.record(MESSAGE) == fixed(result=MESSAGE)
    assert (spelling.failure, spelling.success_record, spelling.failure_record) == (STATUS, None, fixed(error=STATUS))


def test_bare() -> None:
    spelling = Spelling(BareDialect(), ANY)
    assert (spelling.answer(MESSAGE), spelling.record(MESSAGE)) == (MESSAGE, MESSAGE)
    assert (spelling.failure, spelling.success_record, spelling.failure_record) == (STATUS, None, None)


def test_a_dialect_of_a_user() -> None:
    spelling = Spelling(Odd(), ANY)
    assert spelling.answer(MESSAGE) == {"type": "array", "items": {}}
    assert spelling.failure == {"type": "array", "items": {}}
    assert spelling.failure_event == fixed(hard={})


@pytest.mark.parametrize("dialect", [EnvelopeDialect(), GrpcGatewayDialect(), BareDialect(), Odd()])
@pytest.mark.parametrize("details", [(), (b'{"@type":"x/y.Z"}',), (b'{"@type":"x/y.Z"}',) * 3])
def test_what_a_dialect_spells_validates(dialect: Dialect, details: tuple[bytes, ...]) -> None:
    spelling = Spelling(dialect, ANY)
    failure = Failure(code=Code.ABORTED, message="no", details=details, http_status=409, trailers={"any": "thing"})
    for trailers in ({}, {"any": "thing"}):
        for schema, record in [
            (spelling.answer(MESSAGE), dialect.unary(b'{"m":1}')),
            (spelling.record(MESSAGE), dialect.messages([b'{"m":1}'])[0]),
            (spelling.failure, dialect.unary_failure(failure)),
            (spelling.failure_event, dialect.event_failure(failure)),
            (spelling.failure_record, dialect.failure(failure)),
            (spelling.success_record, dialect.success(trailers)),
        ]:
            assert (schema is None) == (record is None)
            if schema is not None and record is not None:
                Draft202012Validator(schema).validate(msgspec.json.decode(record))


@pytest.mark.parametrize("data", [{}, {"trailers": {"a": "b"}}])
def test_the_data_of_the_last_event_validates(data: Any) -> None:
    Draft202012Validator(success_event()).validate(data)
