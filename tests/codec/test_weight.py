"""What single values weigh, as messages and entries that they become."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest
from google.protobuf import any_pb2, field_mask_pb2, struct_pb2, wrappers_pb2
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given
from hypothesis import strategies as st

from asgi_grpc.codec import Codec, CodecOptions
from asgi_grpc.codec._plan import Kind, message_kind
from asgi_grpc.codec._types import Types
from asgi_grpc.codec._weight import Weigher
from asgi_grpc.errors import Code, DecodeError
from tests.codec import schemas
from tests.codec.strategies import messages

WEIGHER = Weigher(Types(schemas.pool()))
TYPES = ["kinds.Lists", "kinds.Maps", "kinds.WellKnown", "kinds.Oneofs", "kinds.Kinds", "legacy.Other"]


def descriptor_of(kind: str | type[Message]) -> Descriptor:
    return cast(Descriptor, (schemas.message_class(kind) if isinstance(kind, str) else kind).DESCRIPTOR)


def check(descriptor: Descriptor, tree: Any, weight: int) -> None:
    """It holds more than one less, and no more than itself."""
    assert [WEIGHER.exceeds(descriptor, tree, most) for most in (weight - 1, weight)] == [True, False]


@pytest.mark.parametrize(
    ("kind", "text", "weight"),
    [
        ("kinds.Lists", '{"values":[1,null,"a",true]}', 4),
        ("kinds.Lists", '{"values":[[1,1],{"a":1},[]]}', 3 + 2 + 2),
        ("kinds.Lists", '{"listValues":[[],[1,[2]]],"list_values":[[3]]}', 2 + 1 + 1),
        ("kinds.Lists", '{"structs":[{},{"a":{"b":[{}]}}]}', 2 + 2 + 1),
        ("kinds.Lists", '{"int64Values":[1,"1"],"boolValues":[true],"bytesValues":[""]}', 4),
        ("kinds.Lists", '{"times":["x","y"],"durations":["x"],"masks":["","a","a,b"],"blobs":["",""]}', 4 + 2 + 7 + 2),
        ("kinds.Lists", '{"int32s":[1,2,3],"strings":["a,b"],"colors":[1],"nulls":[null],"doubles":[1,2]}', 0),
        ("kinds.Lists", '{"leaves":[{"text":"a"}],"empties":[{}],"nested":[{"nested":[{"times":["",""]}]}]}', 4),
        ("kinds.Maps", '{"stringString":{"a":"","b":""},"int32Int32":{"1":1},"stringNull":{"a":null}}', 8),
        ("kinds.Maps", '{"stringLeaf":{"a":{},"b":{}},"boolMaps":{"true":{"stringLeaf":{"a":{}}}}}', 8),
        ("kinds.Maps", '{"stringTime":{"a":""},"stringMask":{"a":"b,c"},"stringDoubleValue":{"a":1}}', 4 + 5 + 3),
        ("kinds.Maps", '{"stringValue":{"a":[1,2],"b":1},"stringStruct":{"a":{"b":1}}}', 6 + 2 + 2 + 2),
        ("kinds.WellKnown", '{"time":"","duration":"","mask":"a,b","int64Value":1,"boolValue":true}', 2 + 2 + 3 + 2),
        ("kinds.WellKnown", '{"struct":{"a":1},"value":[1,1],"listValue":[1],"bytesValue":""}', 2 + 3 + 1 + 1),
        ("kinds.WellKnown", '{"any":{"@type":"x/kinds.Lists","values":[1,2]}}', 2),
        ("kinds.WellKnown", '{"any":{"@type":"x/google.protobuf.Struct","value":{"a":1}}}', 2),
        ("kinds.WellKnown", '{"any":{"@type":"x/google.protobuf.FieldMask","value":"a,b"}}', 1),
        (
            "kinds.WellKnown",
            '{"any":{"@type":"x/google.protobuf.Any","value":{"@type":"x/kinds.Lists","blobs":[""]}}}',
            1,
        ),
        ("kinds.Oneofs", '{"self":{"self":{"value":{"a":1}}}}', 1 + 2),
        ("legacy.Other", '{"[legacy.other_values]":[1,1],"[legacy.other_numbers]":[1,1]}', 2),
        (struct_pb2.Value, "[1,1]", 2),
        (struct_pb2.Struct, '{"a":1,"b":{"c":1}}', 6),
        (any_pb2.Any, '{"value":[1,2],"@type":"x/google.protobuf.ListValue"}', 2),
        (field_mask_pb2.FieldMask, '"a,b,c"', 2),
        (wrappers_pb2.BytesValue, '""', 0),
    ],
)
def test_each_kind_has_its_weight(kind: str | type[Message], text: str, weight: int) -> None:
    check(descriptor_of(kind), json.loads(text), weight)


@pytest.mark.parametrize(
    ("kind", "tree"),
    [
        ("kinds.Lists", [1]),
        ("kinds.Lists", {"values": 1, "nested": {"values": [1]}, "times": {"a": 1}, "unknown": [[1]]}),
        ("kinds.Lists", {"masks": None, "structs": [1, None], "nested": [1, [1]], "anys": ["a"]}),
        ("kinds.Maps", {"stringString": ["a"], "stringLeaf": None}),
        ("kinds.WellKnown", {"any": {"@type": 1, "value": [1]}}),
        ("kinds.WellKnown", {"any": {"value": [1]}}),
        ("kinds.WellKnown", {"any": {"@type": "x/no.Such", "value": [1]}}),
        ("kinds.WellKnown", {"any": {"@type": "x/kinds.Empty", "value": [1]}}),
        ("legacy.Other", {"[no.such]": [1], "[": 1}),
        (struct_pb2.Value, "a"),
        (field_mask_pb2.FieldMask, [",,"]),
    ],
)
def test_what_does_not_fit_weighs_nothing_and_is_refused_later(kind: str | type[Message], tree: Any) -> None:
    assert not WEIGHER.exceeds(descriptor_of(kind), tree, 0)


def test_a_mask_that_is_no_string_weighs_as_one_mask() -> None:
    check(descriptor_of("kinds.Lists"), {"masks": [1, ["a,b"]]}, 4)


def weight_of(message: Any) -> int:
    """The same, told by a message."""
    descriptor = message.DESCRIPTOR
    kind = message_kind(descriptor)
    if kind is Kind.FIELD_MASK:
        return max(len(message.paths) - 1, 0)
    if kind is Kind.STRUCT:
        return sum(2 + weight_of(value) for value in message.fields.values())
    if kind is Kind.LIST_VALUE:
        return sum(1 + weight_of(value) for value in message.values)
    if kind is Kind.VALUE:
        inner = message.WhichOneof("kind")
        return weight_of(getattr(message, inner)) if inner in ("struct_value", "list_value") else 0
    if kind is Kind.ANY:
        if not message.type_url:
            return 0
        inner_type = schemas.pool().FindMessageTypeByName(message.type_url.rpartition("/")[2])
        return weight_of(GetMessageClass(inner_type).FromString(message.value))
    if kind is not Kind.MESSAGE:
        return 0
    total = 0
    for field, content in message.ListFields():
        value_field, each, values = field, 0, [content]
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            value_field, each, values = field.message_type.fields_by_name["value"], 2, [*content.values()]
        elif field.is_repeated:
            values = [*content]
        if value_field.message_type is None:
            each += value_field.type == value_field.TYPE_BYTES
        else:
            inner_kind = message_kind(value_field.message_type)
            each += 2 * (inner_kind in (Kind.TIMESTAMP, Kind.DURATION, Kind.FIELD_MASK))
            each += inner_kind in (Kind.VALUE, Kind.WRAPPER)
            total += sum(map(weight_of, values))
        total += each * len(values)
    return total


@given(data=st.data(), name=st.sampled_from(TYPES))
def test_a_document_weighs_what_its_message_does(data: st.DataObject, name: str) -> None:
    descriptor = descriptor_of(name)
    message = data.draw(messages(descriptor))
    text = Codec(descriptor).encode(message)
    check(descriptor, json.loads(text), weight_of(message))


@pytest.mark.parametrize(
    ("kind", "matters"),
    [
        ("kinds.Kinds", True),  # for its bytes
        ("kinds.Leaf", False),
        ("kinds.Empty", False),
        ("kinds.Maps", True),
        ("samples.Hello", False),
        ("samples.Tree", False),
        ("legacy.Other", True),
        (struct_pb2.Struct, True),
        (any_pb2.Any, True),
        (field_mask_pb2.FieldMask, True),
        (wrappers_pb2.BytesValue, True),
        (wrappers_pb2.Int64Value, False),
    ],
)
def test_a_type_matters_if_anything_in_it_weighs(kind: str | type[Message], matters: bool) -> None:
    assert WEIGHER.matters(descriptor_of(kind)) is matters


MOST = 20  # so 40 commas pass unweighed, and 80 is the heaviest


@pytest.mark.parametrize(
    ("kind", "before", "value", "after", "fits"),
    [
        ("kinds.Lists", '{"values":[', "1", "]}", 80),
        ("kinds.Lists", '{"int64Values":[', "1", "]}", 80),
        ("kinds.Lists", '{"blobs":[', '""', "]}", 80),
        ("kinds.Lists", '{"times":[', '"2026-01-31T23:59:59Z"', "]}", 41),
        ("kinds.Lists", '{"masks":[', '"a"', "]}", 41),
        ("kinds.Maps", '{"stringString":{', '"#":""', "}}", 41),
        ("kinds.Maps", '{"sint64Bool":{', '"#":true', "}}", 41),
        (struct_pb2.ListValue, "[", "1", "]", 80),
        (struct_pb2.Value, "[", "null", "]", 80),
        (struct_pb2.Struct, "{", '"#":1', "}", 41),
        (any_pb2.Any, '{"@type":"x/google.protobuf.ListValue","value":[', "1", "]}", 80),
        (any_pb2.Any, '{"@type":"x/google.protobuf.Struct","value":{', '"#":1', "}}", 40),
    ],
)
def test_the_heaviest_is_read_and_one_value_more_is_not(
    kind: str | type[Message], before: str, value: str, after: str, fits: int
) -> None:
    descriptor = descriptor_of(kind)

    def text(values: int) -> bytes:
        return (before + ",".join(value.replace("#", str(n)) for n in range(values)) + after).encode()

    read = Codec(descriptor, CodecOptions(max_objects=MOST))
    assert read.decode(text(fits)) == Codec(descriptor).decode(text(fits))
    for attempt in (text(fits + 1), text(fits + 1).decode()):
        with pytest.raises(DecodeError, match="at most 80 values that become messages in one message, got") as caught:
            read.decode(attempt)
        assert (caught.value.code, caught.value.http_status) == (Code.RESOURCE_EXHAUSTED, 413)
        assert (caught.value.message, caught.value.path) == (descriptor.full_name, "$")
    messages, error = read.decode_batch([text(1), text(fits + 1), text(1)])
    assert (len(messages), str(error)) == (1, str(caught.value))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("kinds.Lists", '{"values":[1],"int32s":[' + ",".join(["1"] * 500) + "]}"),
        ("kinds.Lists", '{"strings":[' + ",".join(['",,{[\\""'] * 500) + "]}"),
        ("samples.Metric", '{"labels":{"a":"b"},"bounds":[' + ",".join(["1"] * 500) + "]}"),
        ("kinds.Kinds", '{"aString":"' + "," * 500 + '"}'),
    ],
)
def test_numbers_and_strings_weigh_nothing_whatever_else_the_type_can_hold(name: str, text: str) -> None:
    descriptor = descriptor_of(name)
    assert Codec(descriptor, CodecOptions(max_objects=MOST)).decode(text) == Codec(descriptor).decode(text)


@pytest.mark.parametrize(
    "text",
    [
        b'{"values":[' + b",1" * 50,
        b'{"values":[' + b"1," * 50 + b"]}",
        b'{"strings":["' + b"," * 50 + b'\xff"]}',
        b'{"values":[' + b"1," * 50 + b"1" * 5000 + b"]}",
        b'{"int32s":[' + b"1," * 50 + b'""]}',
        b'{"unknown":[' + b"1," * 90 + b"1]}",
    ],
)
def test_a_bad_document_is_told_what_is_wrong_as_without_a_limit(text: bytes) -> None:
    descriptor = descriptor_of("kinds.Lists")
    said = []
    for options in (CodecOptions(), CodecOptions(max_objects=MOST)):
        with pytest.raises(DecodeError) as caught:
            Codec(descriptor, options).decode(text)
        said.append((str(caught.value), caught.value.code, caught.value.http_status))
    assert said[0] == said[1]
