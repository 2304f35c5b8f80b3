"""Text that is JSON becomes a tree; of text that is none it is said why, in our own words."""

from __future__ import annotations

import re
from typing import Any

import pytest

from asgi_grpc.codec._refusal import Refusal
from asgi_grpc.codec._scalars import OutOfRange
from asgi_grpc.codec._tree import read_tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        (b'{"a":[1,1.5,"x",true,null,{}]}', {"a": [1, 1.5, "x", True, None, {}]}),
        ('{"a":"é"}', {"a": "é"}),
        (b' \t\r\n"x" ', "x"),
        (b'{"a":1,"a":2}', {"a": 2}),
        (b"123456789012345678901234567890", 123456789012345678901234567890),
        (rb'"\ud83d\ude00"', "\U0001f600"),
    ],
)
def test_json_is_read(text: bytes | str, tree: Any) -> None:
    assert read_tree(text, 100) == tree


def test_numbers_past_the_doubles_are_kept_as_such() -> None:
    assert type(read_tree(b"1e400", 100)) is OutOfRange
    assert [type(value) for value in read_tree(b"[-1e999,1]", 100)] == [OutOfRange, int]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"", "expected JSON, got nothing"),
        ("", "expected JSON, got nothing"),
        (b" \r\n\t", "expected JSON, got nothing"),
        (b"{", "expected a whole JSON document, got one that ends too early"),
        (b'{"a":"', "expected a whole JSON document, got one that ends too early"),
        (b"nope", "expected JSON, got something else near byte"),
        (b"{'a':1}", "expected JSON, got something else near byte"),
        (b"\xef\xbb\xbf{}", "expected JSON, got a byte order mark before it"),
        ("\ufeff{}", "expected JSON, got a byte order mark before it"),
        (b'"\xff"', "expected JSON in UTF-8, got other bytes"),
        ('"\ud800"', "expected Unicode text, got an unpaired surrogate"),
        (rb'"\ud800"', "expected Unicode text, got the escape of an unpaired surrogate"),
        (rb'"\ud83d\u0041"', "expected Unicode text, got the escape of an unpaired surrogate"),
        (rb'"\uDE00"', "expected Unicode text, got the escape of an unpaired surrogate"),
        (rb'"\ud83d\ude00', "expected a whole JSON document, got one that ends too early"),
        (b"9" * 5000, "expected numbers of a sane length, got a longer one"),
        (b"[" * 10_000, "expected at most 100 levels of objects and arrays, got more"),
    ],
)
def test_other_text_is_refused_in_our_words(text: bytes | str, problem: str) -> None:
    with pytest.raises(Refusal) as caught:
        read_tree(text, 100)
    assert re.sub(r" \d+$", "", caught.value.problem) == problem  # where exactly is the parser's affair
    assert caught.value.path == "$"
