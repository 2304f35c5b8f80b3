"""Headers to metadata and back."""

from __future__ import annotations

import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc import status_pb2

from asgi_grpc.calls import metadata_rule, parse_timeout, request_metadata, response_headers, to_text
from asgi_grpc.calls._metadata import from_grpc, status_details
from asgi_grpc.errors import RequestError

DEFAULT = metadata_rule("default")


def test_the_default_rule_lets_through_a_short_list() -> None:
    headers = [
        (b"authorization", b"Bearer t"),
        (b"traceparent", b"00-1-2-01"),
        (b"tracestate", b"a=b"),
        (b"baggage", b"k=v"),
        (b"x-request-id", b"7"),
        (b"user-agent", b"curl"),
        (b"grpc-metadata-tenant", b"acme"),
        (b"cookie", b"secret"),
        (b"connection", b"keep-alive"),
        (b"te", b"trailers"),
        (b"content-type", b"application/json"),
        (b"grpc-timeout", b"1S"),
        (b"x-else", b"1"),
    ]
    assert request_metadata(headers, DEFAULT, None) == [
        ("authorization", "Bearer t"),
        ("traceparent", "00-1-2-01"),
        ("tracestate", "a=b"),
        ("baggage", "k=v"),
        ("x-request-id", "7"),
        ("x-forwarded-user-agent", "curl"),
        ("tenant", "acme"),
    ]


def test_the_safe_rule_lets_end_to_end_headers_through() -> None:
    headers = [
        (b"x-else", b"1"),
        (b"accept", b"*/*"),
        (b"cookie", b"c"),
        (b"host", b"h"),
        (b"te", b"t"),
        (b"connection", b"close"),
        (b"content-length", b"1"),
        (b"grpc-encoding", b"gzip"),
        (b"grpc-metadata-tenant", b"acme"),
    ]
    assert request_metadata(headers, metadata_rule("safe"), None) == [
        ("x-else", "1"),
        ("accept", "*/*"),
        ("tenant", "acme"),
        ("x-forwarded-host", "h"),
    ]


def test_the_grpc_gateway_rule_prefixes_permanent_headers() -> None:
    headers = [(b"authorization", b"t"), (b"accept", b"*/*"), (b"x-else", b"1"), (b"grpc-metadata-a", b"1")]
    assert request_metadata(headers, metadata_rule("grpc-gateway"), None) == [
        ("grpcgateway-authorization", "t"),
        ("authorization", "t"),
        ("grpcgateway-accept", "*/*"),
        ("a", "1"),
    ]


def test_a_callable_is_a_rule() -> None:
    rule = {"x-a": "b"}.get
    assert request_metadata([(b"x-a", b"1"), (b"x-b", b"2")], rule, None) == [("b", "1")]


def test_the_peer_is_appended_to_those_before_it() -> None:
    headers = [(b"x-forwarded-for", b"10.0.0.1"), (b"host", b"inner"), (b"x-forwarded-host", b"outer")]
    assert request_metadata(headers, DEFAULT, "10.0.0.2") == [
        ("x-forwarded-for", "10.0.0.1, 10.0.0.2"),
        ("x-forwarded-host", "outer"),
    ]


def test_what_is_said_of_the_peer_can_not_be_said_by_another_header() -> None:
    headers = [(b"grpc-metadata-x-forwarded-for", b"10.0.0.1"), (b"grpc-metadata-x-forwarded-host", b"outer")]
    assert request_metadata(headers, DEFAULT, "10.0.0.2") == [("x-forwarded-for", "10.0.0.2")]


@pytest.mark.parametrize(
    "header",
    [
        pytest.param((b"grpc-metadata-a", b"caf\xc3\xa9"), id="not-ascii"),
        pytest.param((b"grpc-metadata-a", b"a\r\nb: c"), id="line-break"),
        pytest.param((b"grpc-metadata-a", b"\x00"), id="nul"),
        pytest.param((b"grpc-metadata-a", b""), id="empty"),
        pytest.param((b"grpc-metadata-", b"a"), id="no-key"),
        pytest.param((b"grpc-metadata-a b", b"a"), id="illegal-key"),
        pytest.param((b"grpc-metadata-grpc-status", b"0"), id="reserved"),
    ],
)
def test_what_grpc_can_not_carry_is_left_out(header: tuple[bytes, bytes]) -> None:
    assert request_metadata([header], DEFAULT, None) == []


@pytest.mark.parametrize(
    ("value", "raw"), [(b"AP8=", [b"\x00\xff"]), (b"AP8", [b"\x00\xff"]), (b"AA==, /w", [b"\x00", b"\xff"])]
)
def test_binary_values_are_base64_in_either_padding(value: bytes, raw: list[bytes]) -> None:
    assert request_metadata([(b"grpc-metadata-a-bin", value)], DEFAULT, None) == [("a-bin", part) for part in raw]


@pytest.mark.parametrize("value", [b"!", b"A", b"AP8 =x"])
def test_binary_values_that_are_not_base64_are_refused(value: bytes) -> None:
    with pytest.raises(RequestError, match="a-bin is not base64"):
        request_metadata([(b"grpc-metadata-a-bin", value)], DEFAULT, None)


def test_response_metadata_becomes_prefixed_headers() -> None:
    pairs: list[tuple[str, str | bytes]] = [
        ("a", "1"),
        ("a", "2"),
        ("b-bin", b"\x00\xff"),
        ("bad", "x\r\ny"),
        ("worse", "é"),
    ]
    assert response_headers(pairs) == [(b"grpc-metadata-a", b"1, 2"), (b"grpc-metadata-b-bin", b"AP8")]
    assert response_headers([("a", "1")], "grpc-trailer-") == [(b"grpc-trailer-a", b"1")]
    assert to_text(pairs)["b-bin"] == "AP8"


@pytest.mark.parametrize("name", ["content-length", "transfer-encoding", "connection", "content-type"])
def test_what_says_where_an_answer_ends_is_not_for_services(name: str) -> None:
    assert response_headers([(name, "1"), ("etag", "2")], prefix="") == [(b"etag", b"2")]


def test_grpc_s_own_keys_stay_with_grpc() -> None:
    assert from_grpc([("grpc-status", "0"), ("a", "1")]) == [("a", "1")]
    assert from_grpc(None) == []


def test_details_come_from_their_trailer() -> None:
    status = status_pb2.Status(code=3, details=[AnyMessage(type_url="t/a.B", value=b"v")])
    trailers = [("a", "1"), ("grpc-status-details-bin", status.SerializeToString())]
    assert status_details(trailers) == [("t/a.B", b"v")]
    assert status_details([("grpc-status-details-bin", b"\xff")]) == ()
    assert status_details(None) == ()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1H", 3600), ("2M", 120), ("30S", 30), ("500m", 0.5), ("5u", 5e-6), ("7n", 7e-9), ("99999999S", 99999999)],
)
def test_timeouts_have_digits_and_a_unit(text: str, seconds: float) -> None:
    assert parse_timeout(text) == pytest.approx(seconds)


def test_longer_than_a_century_is_a_century() -> None:
    assert parse_timeout("99999999H") == 100 * 365 * 86400


@pytest.mark.parametrize("text", ["", "S", "1", "-1S", "1.5S", "1s", "123456789S", " 1S", "1S ", "\u0661S"])
def test_other_timeouts_are_refused(text: str) -> None:
    with pytest.raises(RequestError, match="Grpc-Timeout"):
        parse_timeout(text)
