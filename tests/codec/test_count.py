"""What a document would make is counted exactly, and the count is the limit."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi_grpc.codec import Codec, CodecOptions, set_text
from asgi_grpc.codec._count import holds_more
from asgi_grpc.errors import Code, DecodeError
from tests.codec import schemas

TEXTS = st.text(st.sampled_from('{}[],:"\\/ \n\té\U0001f600u0'), max_size=8)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


def count(tree: Any) -> int:
    """The objects and arrays of a tree."""
    if not isinstance(tree, dict | list):
        return 0
    return 1 + sum(map(count, tree.values() if isinstance(tree, dict) else tree))


def outside(text: bytes) -> int:
    """The same of a part of a text, a byte at a time."""
    objects = 0
    in_string = escaped = False
    for byte in text:
        if escaped:
            escaped = False
        elif byte == ord('"'):
            in_string = not in_string
        elif in_string:
            escaped = byte == ord("\\")
        else:
            objects += byte in b"{["
    return objects


def check(text: bytes, objects: int) -> None:
    assert [holds_more(text, most) for most in (objects - 1, objects)] == [True, False]


@given(tree=DOCUMENTS, ascii_only=st.booleans(), indent=st.sampled_from([None, 1]))
def test_the_count_is_that_of_the_parsed_document(tree: Any, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(tree, ensure_ascii=ascii_only, indent=indent).encode()
    assert outside(text) == count(tree)
    check(text, count(tree))


@given(tree=DOCUMENTS, cut=st.floats(0, 1))
def test_the_count_of_a_document_that_ends_too_early_is_right_up_to_there(tree: Any, cut: float) -> None:
    text = json.dumps(tree).encode()
    part = text[: int(len(text) * cut)]
    check(part, outside(part))


@pytest.mark.parametrize(
    ("text", "objects"),
    [
        (b"", 0),
        (b'"{[,"', 0),
        (rb'{"a":"\\","b":"\"{"}', 1),
        (rb'["\\\\","\\\"[","",{"":""}]', 2),
        (b'[["",""],["{","["]]', 3),
        (b'["{' + b"{" * 9, 1),
        (b'[\\"{"{', 2),  # no JSON: counted right up to the backslash, and somehow behind it
    ],
)
def test_strings_are_left_out(text: bytes, objects: int) -> None:
    check(text, objects)


def codec(name: str, most: int) -> Codec:
    return Codec(schemas.message_class(name), CodecOptions(max_objects=most))


SHAPES = [
    pytest.param("kinds.Lists", b'{"empties":[{},{},{},{},{}]}', 7, id="submessages"),
    pytest.param("kinds.Lists", b'{"nested":[{"nested":[{"leaves":[{}]}]},{"leaves":[]}]}', 9, id="in-one-another"),
    pytest.param("kinds.Lists", b'{"structs":[{},{"a":{"b":[{}]}}]}', 7, id="structs"),
    pytest.param("kinds.Lists", b'{"listValues":[[],[[[]]],[{}]]}', 8, id="list-values"),
    pytest.param("kinds.Maps", b'{"stringLeaf":{"a":{},"b":{},"c":{}},"boolMaps":{"true":{}}}', 7, id="maps"),
    pytest.param("kinds.Oneofs", b'{"self":{"self":{"leaf":{}}}}', 4, id="oneof"),
    pytest.param("kinds.Kinds", b'{"nested":{"nested":{"nested":{"nested":{"nested":{}}}}}}', 6, id="one-by-one"),
    pytest.param("kinds.Lists", b'{"anys":[{},{"@type":"x/google.protobuf.Empty"},{}]}', 5, id="any"),
    pytest.param("kinds.Lists", b'{"strings":["{{{{{[[[[[","\\"{{{{{\\\\"]}', 2, id="braces-in-strings"),
]


@pytest.mark.parametrize(("name", "text", "objects"), SHAPES)
def test_exactly_the_limit_is_read_and_one_more_is_not(name: str, text: bytes, objects: int) -> None:
    expected = Codec(schemas.message_class(name)).decode(text)
    assert codec(name, objects).decode(text) == expected
    assert codec(name, objects).decode(text.decode()) == expected
    assert codec(name, objects).decode_batch([b"{}", text]) == ([type(expected)(), expected], None)
    for attempt in (text, text.decode()):
        with pytest.raises(DecodeError) as caught:
            codec(name, objects - 1).decode(attempt)
        assert (caught.value.code, caught.value.http_status) == (Code.RESOURCE_EXHAUSTED, 413)
        assert (caught.value.message, caught.value.path) == (name, "$")


def test_a_batch_keeps_what_came_before() -> None:
    read = codec("kinds.Lists", 3)
    messages, error = read.decode_batch([b'{"empties":[{}]}', b'{"empties":[]}', b'{"empties":[{},{}]}', b"{}"])
    assert [len(message.empties) for message in messages] == [1, 0]  # type: ignore[attr-defined]
    assert str(error) == "kinds.Lists: expected at most 3 objects and arrays in one message, got more at $"


def test_text_of_an_address_has_the_same_limit() -> None:
    field = schemas.message_class("kinds.WellKnown").DESCRIPTOR.fields_by_name["list_value"]
    for text, fits in [("[[],[]]", True), ('["[[[["]', True), ("[[],[],[]]", False)]:
        message = schemas.message_class("kinds.WellKnown")()
        if fits:
            set_text(message, field, text, CodecOptions(max_objects=3))
            assert message.HasField("list_value")
        else:
            with pytest.raises(ValueError, match="expected at most 3 objects and arrays in one message, got more"):
                set_text(message, field, text, CodecOptions(max_objects=3))


def test_what_many_values_of_an_address_become_has_the_same_limit() -> None:
    kind = schemas.message_class("kinds.WellKnown")
    options = CodecOptions(max_objects=20)
    for name, text, fits in [
        ("list_value", "[" + ",".join("1" * 80) + "]", True),
        ("list_value", "[" + ",".join("1" * 81) + "]", False),
        ("value", '["' + "," * 90 + '"]', True),
        ("mask", ",".join("a" * 81), True),
        ("mask", ",".join("a" * 82), False),
        ("string_value", "," * 90, True),
    ]:
        message = kind()
        field = kind.DESCRIPTOR.fields_by_name[name]
        if fits:
            set_text(message, field, text, options)
            assert message.HasField(name)
        else:
            with pytest.raises(ValueError, match="expected at most 80 values that become messages in one message"):
                set_text(message, field, text, options)


def test_without_a_limit_nothing_is_counted() -> None:
    text = b'{"empties":[' + b",".join([b"{}"] * 200_000) + b"]}"
    assert len(Codec(schemas.message_class("kinds.Lists")).decode(text).empties) == 200_000  # type: ignore[attr-defined]
