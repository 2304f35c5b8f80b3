"""Every record of every dialect, byte by byte."""

from __future__ import annotations

import pytest

from asgi_grpc.dialects import BareDialect, EnvelopeDialect, Failure, GrpcGatewayDialect, find_dialect
from asgi_grpc.errors import Code, ConfigurationError

M = b'{"a":1}'
FAILURE = Failure(
    code=Code.INVALID_ARGUMENT,
    message='no "é"',
    details=(b'{"@type":"t"}', b"{}"),
    http_status=400,
    trailers={"k": "v"},
)


def test_envelope() -> None:
    dialect = EnvelopeDialect()
    assert dialect.unary(M) == b'{"code":0,"message":"success","data":{"a":1}}'
    assert dialect.unary_failure(FAILURE).decode() == (
        '{"code":400,"message":"no \\"é\\"","data":null,"status":"INVALID_ARGUMENT","details":[{"@type":"t"},{}]}'
    )
    assert dialect.messages([M, b"2"]) == [b'{"type":"response","data":{"a":1}}', b'{"type":"response","data":2}']
    assert dialect.success({}) == b'{"type":"complete"}'
    assert dialect.success({"k": "v"}) == b'{"type":"complete","trailers":{"k":"v"}}'
    tail = '"error":"no \\"é\\"","code":"INVALID_ARGUMENT","details":[{"@type":"t"},{}],"trailers":{"k":"v"}}'
    assert dialect.failure(FAILURE).decode() == '{"type":"error",' + tail
    assert dialect.event_failure(FAILURE).decode() == "{" + tail


def test_grpc_gateway() -> None:
    dialect = GrpcGatewayDialect()
    status = '{"code":3,"message":"no \\"é\\"","details":[{"@type":"t"},{}]}'
    assert dialect.unary(M) == M
    assert dialect.unary_failure(FAILURE).decode() == status
    assert dialect.messages([M]) == [b'{"result":{"a":1}}']
    assert dialect.success({"k": "v"}) is None
    assert dialect.failure(FAILURE).decode() == '{"error":' + status + "}"
    assert dialect.event_failure(FAILURE).decode() == status


def test_bare() -> None:
    dialect = BareDialect()
    assert dialect.unary(M) == M
    assert dialect.messages([M]) == [M]
    assert dialect.success({}) is None
    assert dialect.failure(FAILURE) is None
    assert dialect.unary_failure(Failure(code=Code.NOT_FOUND, message="x")) == b'{"code":5,"message":"x","details":[]}'


def test_text_that_json_can_not_carry_becomes_question_marks() -> None:
    failure = Failure(code=Code.UNKNOWN, message="a\ud800b")
    assert b'"message":"a?b"' in EnvelopeDialect().unary_failure(failure)


def test_dialects_are_found_by_name() -> None:
    assert isinstance(find_dialect("envelope"), EnvelopeDialect)
    assert isinstance(find_dialect("grpc-gateway"), GrpcGatewayDialect)
    own = BareDialect()
    assert find_dialect(own) is own
    with pytest.raises(ConfigurationError, match="no dialect 'soap'; choose one of bare, envelope, grpc-gateway"):
        find_dialect("soap")
