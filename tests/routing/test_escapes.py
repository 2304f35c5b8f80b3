"""Percent-decoding of paths and queries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi_grpc.errors import Code, RequestError
from asgi_grpc.routing._escapes import Unescape, multi_segment_table, plain_segment, query_pairs, variable_text


@pytest.mark.parametrize(
    ("mode", "text"),
    [
        (Unescape.EXCEPT_RESERVED, "%2f%23/ %23"),
        (Unescape.EXCEPT_SLASH, "%2f#/ %23"),
        (Unescape.ALL, "/#/ %23"),
    ],
)
def test_a_variable_of_several_segments_keeps_what_its_mode_keeps(mode: Unescape, text: str) -> None:
    assert variable_text(b"%2f%23/%20%2523", multi_segment_table(mode)) == text


def test_the_whole_reserved_set_stays_in_the_default_mode() -> None:
    reserved = "".join(f"%{ord(c):02X}" for c in "!#$&'()*+,/:;=?@[]")
    assert variable_text(f"{reserved}%7E%41".encode(), multi_segment_table(Unescape.EXCEPT_RESERVED)) == f"{reserved}~A"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"plain", "plain"),
        (b"p%2Fq%2fr", "p/q/r"),
        (b"a+b%2Bc", "a+b+c"),
        (b"%e2%82%AC", "\u20ac"),
        (b"\xe2\x82\xac%20", "\u20ac "),
        (b"%2541", "%41"),
        (b"%00", "\x00"),
    ],
)
def test_a_variable_of_one_segment_is_decoded_once_and_fully(raw: bytes, text: str) -> None:
    assert variable_text(raw) == text


@pytest.mark.parametrize("raw", [b"%", b"a%4", b"%4g", b"%%41", b"% 41", b"%+1"])
def test_a_malformed_escape_is_refused(raw: bytes) -> None:
    with pytest.raises(RequestError) as caught:
        variable_text(raw)
    assert (str(caught.value), caught.value.http_status, caught.value.code) == (
        "the path has a '%' without two hexadecimal digits after it",
        400,
        Code.INVALID_ARGUMENT,
    )
    assert plain_segment(raw) is None


@pytest.mark.parametrize("raw", [b"%ff", b"\xff", b"%ed%a0%80", b"%c0%af", b"%e2%82"])
def test_text_that_is_not_utf8_is_refused(raw: bytes) -> None:
    with pytest.raises(RequestError, match=r"^the path is not UTF-8$"):
        variable_text(raw)


@pytest.mark.parametrize(
    ("query", "pairs"),
    [
        (b"", []),
        (b"&&", []),
        (b"a=1&a=2", [("a", "1"), ("a", "2")]),
        (b"a", [("a", "")]),
        (b"=v", [("", "v")]),
        (b"a=b=c", [("a", "b=c")]),
        (b"a+b=c+d%2B", [("a b", "c d+")]),
        (b"m%5Bk%5D=%26%3D", [("m[k]", "&=")]),
        (b"a=1;b=2", [("a", "1;b=2")]),
    ],
)
def test_a_query_is_cut_and_then_decoded(query: bytes, pairs: list[tuple[str, str]]) -> None:
    assert list(query_pairs(query)) == pairs


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        (b"a=%4", "the query has a '%' without two hexadecimal digits after it"),
        (b"%zz=1", "the query has a '%' without two hexadecimal digits after it"),
        (b"a=%ff", "the query is not UTF-8"),
    ],
)
def test_a_malformed_query_is_refused(query: bytes, problem: str) -> None:
    with pytest.raises(RequestError) as caught:
        list(query_pairs(query))
    assert str(caught.value) == problem


@given(st.text())
def test_whatever_is_escaped_comes_back(text: str) -> None:
    escaped = "".join(f"%{byte:02x}" for byte in text.encode()).encode()
    assert variable_text(escaped) == text
    assert list(query_pairs(b"k=" + escaped)) == [("k", text)]
