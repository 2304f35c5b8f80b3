"""Fields of requests, and what is read from those of answers."""

from __future__ import annotations

from fractions import Fraction

import pytest
from google.rpc import status_pb2
from hypothesis import given
from hypothesis import strategies as st

from asgi_grpc.calls import parse_timeout
from asgi_grpc.errors import Code
from asgi_grpc.http2._errors import code_of_http_status, code_of_reset
from asgi_grpc.http2._headers import Fields, RequestHeaders, http_problem, read_metadata, read_status, timeout_text

HEAD = [(b":status", b"200"), (b"content-type", b"application/grpc")]
UNITS = {"n": Fraction(10**9), "u": Fraction(10**6), "m": Fraction(1000), "S": Fraction(1), "H": Fraction(1, 3600)}


def fields(*metadata: tuple[str, str | bytes], timeout_s: float | None = None) -> list[tuple[bytes, bytes]]:
    return RequestHeaders("host:1", "http", "us/1").of("/a.B/C", metadata, timeout_s)


COMMON = [
    (b":method", b"POST"),
    (b":scheme", b"http"),
    (b":path", b"/a.B/C"),
    (b":authority", b"host:1"),
    (b"te", b"trailers"),
    (b"content-type", b"application/grpc"),
    (b"user-agent", b"us/1"),
]


def test_a_request_has_the_fields_of_grpc_with_the_pseudo_header_fields_first() -> None:
    assert fields() == COMMON


def test_metadata_and_timeout_stand_behind_them() -> None:
    pairs: list[tuple[str, str | bytes]] = [("a", "1"), ("a", "2"), ("b-bin", b"\0\xff"), ("c-bin", b""), ("d", "")]
    assert fields(*pairs, timeout_s=1.5) == [
        *COMMON,
        (b"grpc-timeout", b"1500000u"),
        *[(b"a", b"1"), (b"a", b"2"), (b"b-bin", b"AP8"), (b"c-bin", b""), (b"d", b"")],
    ]


def test_the_user_agent_is_ours() -> None:
    assert fields(("user-agent", "theirs"), ("x", "y")) == [*COMMON, (b"x", b"y")]


@pytest.mark.parametrize(
    ("timeout_s", "text"),
    [
        *((0.0, b"1n"), (1e-12, b"1n"), (-5.0, b"1n"), (0.05, b"50000000n"), (0.1, b"100000u")),
        *((99.9999991, b"100000m"), (100.0, b"100000m"), (99_999.9995, b"100000S"), (86_400.0, b"86400000m")),
        *((1e8, b"27778H"), (99_999_999.0, b"99999999S"), (1e300, b"99999999H"), (float("inf"), b"99999999H")),
    ],
)
def test_a_timeout_has_at_most_eight_digits_in_the_finest_unit(timeout_s: float, text: bytes) -> None:
    assert timeout_text(timeout_s) == text


@given(st.one_of(st.floats(1e-9, 1e11), st.floats(1e-9, 200), st.integers(1, 10**11).map(float)))
def test_a_timeout_is_never_shorter_than_asked(timeout_s: float) -> None:
    text = timeout_text(timeout_s).decode()
    asked, told = Fraction(timeout_s), Fraction(text[:-1]) / UNITS[text[-1]]
    assert text[:-1].isdigit()
    assert len(text) <= 9
    assert asked <= told * (1 + Fraction(1, 2**50)), "but for the last bits of a float"
    assert told <= asked * (1 + Fraction(1, 10**4)) + Fraction(1, 10**9) + (3600 if text[-1] == "H" else 0)
    assert parse_timeout(text) > 0


@given(st.lists(st.tuples(st.sampled_from(["a-bin", "bc-bin"]), st.binary(max_size=9)), max_size=4))
def test_metadata_comes_back_as_it_went(pairs: list[tuple[str, str | bytes]]) -> None:
    assert read_metadata(fields(*pairs)) == [("user-agent", "us/1"), *pairs]


@pytest.mark.parametrize(
    ("field", "pairs"),
    [
        ((b"a", b"text"), [("a", "text")]),
        ((b"a", b"\xe9"), [("a", "\xe9")]),
        ((b"a-bin", b"AP8"), [("a-bin", b"\0\xff")]),
        ((b"a-bin", b"AP8="), [("a-bin", b"\0\xff")]),
        ((b"a-bin", b"AP8, AQ==,"), [("a-bin", b"\0\xff"), ("a-bin", b"\1"), ("a-bin", b"")]),
        ((b"a-bin", b"!,AQ"), [("a-bin", b"\1")]),
        ((b"a-bin", b"A"), []),
        ((b"grpc-status", b"0"), [("grpc-status", "0")]),
        *[((name, b"x"), []) for name in (b":status", b"content-type", b"te", b"trailer", b"content-length")],
        *[((name, b"x"), []) for name in (b"", b"A", b"a b", b"a\r\nb", b"\xe9", b"a:", b"a\0")],
    ],
)
def test_fields_become_metadata(field: tuple[bytes, bytes], pairs: list[tuple[str, str | bytes]]) -> None:
    assert read_metadata([field]) == pairs


def status(*trailers: tuple[bytes, bytes]) -> tuple[Code, str] | None:
    failure = read_status(read_metadata(trailers))
    return None if failure is None else (failure.code, failure.message)


@pytest.mark.parametrize("code", [code for code in Code if code])
def test_each_status_is_known(code: Code) -> None:
    assert status((b"grpc-status", b"%d" % code), (b"grpc-message", b"why")) == (code, "why")


def test_zero_is_ok_whatever_the_message() -> None:
    assert status((b"grpc-status", b"0"), (b"grpc-message", b"why")) is None


@pytest.mark.parametrize(
    "number", [b"17", b"-1", b"00", b"05", b"0009999999", b"\xb2", b"x", b"", b" 0", b"5" * 5000, b"016" + b"0" * 5000]
)
def test_any_other_status_is_unknown(number: bytes) -> None:
    assert status((b"grpc-status", number), (b"grpc-message", b"why")) == (Code.UNKNOWN, "why")


def test_a_missing_status_is_unknown() -> None:
    assert status((b"grpc-message", b"why")) == (Code.UNKNOWN, "the service gave no status")
    assert status() == (Code.UNKNOWN, "the service gave no status")


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        *((b"", ""), (b"a b", "a b"), (b"%41%20%c3%A9", "A é"), (b"100%", "100%"), (b"%4", "%4"), (b"%zz%41", "%zzA")),
        *((b"%ff!", "\ufffd!"), ("é %C3%A9".encode(), "é é"), (b"\xff", "\ufffd"), (b"%00", "\0")),
    ],
)
def test_a_message_is_percent_decoded_and_never_refused(raw: bytes, text: str) -> None:
    assert status((b"grpc-status", b"5"), (b"grpc-message", raw)) == (Code.NOT_FOUND, text)


def test_a_failure_has_its_details_and_trailers() -> None:
    rich = status_pb2.Status(code=5)
    rich.details.add(type_url="t/x", value=b"v")
    failure = read_status(
        [("grpc-status", "5"), ("grpc-status-details-bin", rich.SerializeToString()), ("why", "lost"), ("b-bin", b"\0")]
    )
    assert failure is not None
    assert (failure.code, failure.message) == (Code.NOT_FOUND, "")
    assert (list(failure.details), list(failure.trailers)) == ([("t/x", b"v")], [("why", "lost"), ("b-bin", b"\0")])


@pytest.mark.parametrize(
    ("number", "code"),
    [
        *((b"400", Code.INTERNAL), (b"401", Code.UNAUTHENTICATED), (b"403", Code.PERMISSION_DENIED)),
        *((b"404", Code.UNIMPLEMENTED), (b"429", Code.UNAVAILABLE), (b"502", Code.UNAVAILABLE)),
        *((b"503", Code.UNAVAILABLE), (b"504", Code.UNAVAILABLE), (b"500", Code.UNKNOWN), (b"302", Code.UNKNOWN)),
        *((b"204", Code.UNKNOWN), (b"", Code.INTERNAL), (b"20", Code.INTERNAL), (b"2000", Code.INTERNAL)),
        *((b"+20", Code.INTERNAL), (b"\xb2\xb2\xb2", Code.INTERNAL)),
    ],
)
def test_an_http_status_has_its_code(number: bytes, code: Code) -> None:
    head: Fields = [(b":status", number), (b"content-type", b"application/grpc")]
    text = f"the service answered with the HTTP status {number.decode('latin-1')[:3]}"
    assert (problem := http_problem(head)) is not None
    assert (problem.code, problem.message) == (code, text)


def test_a_head_without_an_http_status_is_refused() -> None:
    assert (problem := http_problem([])) is not None
    assert problem.code is Code.INTERNAL


@pytest.mark.parametrize("kind", [b"application/grpc", b"application/grpc+proto", b"application/grpc; a=b"])
def test_the_content_types_of_grpc_are_taken(kind: bytes) -> None:
    assert http_problem([(b":status", b"200"), (b"content-type", kind)]) is None


@pytest.mark.parametrize("kind", [b"text/html", b"", b"application/json", b"application/grpc-web"])
def test_other_content_types_are_not(kind: bytes) -> None:
    problem = http_problem([(b":status", b"200"), (b"content-type", kind)])
    assert problem is not None
    assert problem.code is Code.UNKNOWN
    assert "application/grpc" in problem.message


def test_the_codes_of_resets_are_those_of_the_mapping() -> None:
    found = {number: code_of_reset(number) for number in range(15)}
    internal = dict.fromkeys((0, 1, 2, 3, 4, 5, 6, 9, 10, 13, 14), Code.INTERNAL)
    own = {7: Code.UNAVAILABLE, 8: Code.CANCELLED, 11: Code.RESOURCE_EXHAUSTED, 12: Code.PERMISSION_DENIED}
    assert found == internal | own
    assert code_of_http_status(599) is Code.UNKNOWN
