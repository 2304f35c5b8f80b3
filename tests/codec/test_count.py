"""What a document would make is counted exactly, and the count is the limit."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.protobuf import any_pb2, struct_pb2
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from asgi_grpc.codec import Codec, CodecOptions, set_text
from asgi_grpc.codec._count import OBJECTS, VALUES, holds_more
from asgi_grpc.errors import Code, DecodeError
from tests.codec import schemas

TEXTS = st.text(st.sampled_from('{}[],:"\\/ \n\té\U0001f600u0'), max_size=8)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


def count(tree: Any) -> tuple[int, int]:
    """The objects and arrays of a tree, and its commas."""
    if not isinstance(tree, dict | list):
        return 0, 0
    inside = [count(value) for value in (tree.values() if isinstance(tree, dict) else tree)]
    return 1 + sum(found[0] for found in inside), max(len(tree) - 1, 0) + sum(found[1] for found in inside)


def outside(text: bytes) -> tuple[int, int]:
    """The same of a part of a text, a byte at a time."""
    objects = values = 0
    in_string = escaped = False
    for byte in text:
        if escaped:
            escaped = False
        elif byte == ord('"'):
            in_string = not in_string
        elif in_string:
            escaped = byte == ord("\\")
        else:
            objects += byte in OBJECTS
            values += byte in VALUES
    return objects, values


def check(text: bytes, objects: int, values: int) -> None:
    assert [holds_more(text, OBJECTS, most) for most in (objects - 1, objects)] == [True, False]
    assert [holds_more(text, VALUES, most) for most in (values - 1, values)] == [True, False]


@given(tree=DOCUMENTS, ascii_only=st.booleans(), indent=st.sampled_from([None, 1]))
def test_the_count_is_that_of_the_parsed_document(tree: Any, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(tree, ensure_ascii=ascii_only, indent=indent).encode()
    assert outside(text) == count(tree)
    check(text, *count(tree))


@given(tree=DOCUMENTS, cut=st.floats(0, 1))
def test_the_count_of_a_document_that_ends_too_early_is_right_up_to_there(tree: Any, cut: float) -> None:
    text = json.dumps(tree).encode()
    part = text[: int(len(text) * cut)]
    check(part, *outside(part))


@pytest.mark.parametrize(
    ("text", "objects", "values"),
    [
        (b"", 0, 0),
        (b'"{[,"', 0, 0),
        (rb'{"a":"\\","b":"\"{"}', 1, 1),
        (rb'["\\\\","\\\"[","",{"":""}]', 2, 3),
        (b'[["",""],["{","["]]', 3, 3),
        (b'["{' + b"{" * 9, 1, 0),
        (b'[\\"{"{', 2, 0),  # no JSON: counted right up to the backslash, and somehow behind it
    ],
)
def test_strings_are_left_out(text: bytes, objects: int, values: int) -> None:
    check(text, objects, values)


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


@pytest.mark.parametrize(
    ("message", "before", "value", "after", "counts"),
    [
        ("kinds.Lists", b'{"values":[', b"1", b"]}", True),
        ("kinds.Lists", b'{"int64Values":[', b"1", b"]}", True),
        ("kinds.Lists", b'{"strings":[', b'"a,b"', b"]}", True),  # the same message could hold lists of Value
        ("samples.Metric", b'{"labels":{"a":"b"},"bounds":[', b"1", b"]}", False),
        (struct_pb2.ListValue, b"[", b"1", b"]", True),
        (struct_pb2.Value, b"[", b"null", b"]", True),
        (any_pb2.Any, b'{"@type":"x/google.protobuf.ListValue","value":[', b"1", b"]}", True),
    ],
)
def test_values_count_where_each_may_be_a_message(
    message: str | type[Message], before: bytes, value: bytes, after: bytes, counts: bool
) -> None:
    kind = schemas.message_class(message) if isinstance(message, str) else message
    most = 40

    def text(commas: int) -> bytes:
        return before + b",".join([value] * (commas + 1 - before.count(b","))) + after

    read = Codec(kind, CodecOptions(max_objects=most))
    assert read.decode(text(5 * most)) == Codec(kind).decode(text(5 * most))
    if not counts:
        assert read.decode(text(5 * most + 1)) == Codec(kind).decode(text(5 * most + 1))
        return
    with pytest.raises(DecodeError, match="expected at most 200 values in one message, got more at") as caught:
        read.decode(text(5 * most + 1))
    assert caught.value.http_status == 413


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


def test_without_a_limit_nothing_is_counted() -> None:
    text = b'{"empties":[' + b",".join([b"{}"] * 200_000) + b"]}"
    assert len(Codec(schemas.message_class("kinds.Lists")).decode(text).empties) == 200_000  # type: ignore[attr-defined]
