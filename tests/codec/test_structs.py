"""Lax typed decoding, held to what the Struct types rely on: a msgspec that breaks one of these breaks the codec."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from google.protobuf import any_pb2, descriptor_pb2
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pool import DescriptorPool

from asgi_grpc.codec import Codec, CodecOptions
from asgi_grpc.codec._structs import StructTypes
from asgi_grpc.codec._types import Types
from tests.codec import schemas


def struct_types(*, proto_names: bool = False, ignore_unknown: bool = False, text_bytes: bool = False) -> StructTypes:
    types = Types(schemas.pool())
    return StructTypes(types, proto_names=proto_names, ignore_unknown=ignore_unknown, text_bytes=text_bytes)


def decoded(message: str, text: str, **options: bool) -> Any:
    fields = struct_types(**options).of(schemas.pool().FindMessageTypeByName(message))
    assert fields is not None
    return msgspec.json.Decoder(fields, strict=False).decode(text)


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("anInt32", '"5"', 5),
        ("anInt32", "1e3", 1000),
        ("anInt32", "5.0", 5),
        ("aDouble", '"nan"', "nan"),
        ("aDouble", '"null"', "null"),
        ("aDouble", "1", 1.0),
        ("aBool", '"true"', "true"),
        ("aBool", "1", 1),
        ("aString", '"null"', "null"),
        ("aBytes", '"null"', b"\x9e\xe9e"),
        ("aColor", '"null"', "null"),
        ("aColor", '"5"', "5"),
        ("aLeaf", '"null"', "null"),
        ("aLeaf", "null", None),
        ("aString", "null", None),
    ],
)
def test_a_value_is_decoded_as_the_generated_code_expects(field: str, text: str, value: Any) -> None:
    struct = decoded("kinds.Kinds", f'{{"{field}":{text}}}')
    number = schemas.message_class("kinds.Kinds").DESCRIPTOR.fields_by_camelcase_name[field].number
    found = getattr(struct, f"f{number}")
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("field", "text"),
    [
        *(
            ("anInt32", text)
            for text in ("null", '"null"', "true", '"true"', '" 5"', '"+5"', '"05"', '""', '"1_0"', "1.5", "2147483648")
        ),
        *(("aUint64", text) for text in ("-1", '"-1"')),
        ("aBytes", "null"),
        ("aDouble", "true"),
        ("aColor", "true"),
        ("aString", "1"),
        ("nope", "1"),
        ("an_int32", "1"),
    ],
)
def test_what_only_the_complete_path_knows_is_refused(field: str, text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        decoded("kinds.Kinds", f'{{"{field}":{text}}}')


@pytest.mark.parametrize("text", ['"null"', '""', '"[]"'])
def test_a_string_is_never_a_list_or_a_map(text: str) -> None:
    assert type(decoded("kinds.Lists", f'{{"int32s":{text}}}').f3) is str
    assert type(decoded("kinds.Maps", f'{{"stringString":{text}}}').f1) is str


def test_bytes_stay_text_on_request() -> None:
    assert decoded("kinds.Kinds", '{"aBytes":"YQ"}', text_bytes=True).f15 == "YQ"


def test_either_spelling_has_a_type_of_its_own() -> None:
    assert decoded("kinds.Kinds", '{"an_int32":5}', proto_names=True).f3 == 5
    with pytest.raises(msgspec.ValidationError):
        decoded("kinds.Kinds", '{"anInt32":5}', proto_names=True)


def test_ignoring_skips_the_unknown_but_sees_the_other_spelling() -> None:
    struct = decoded("kinds.Kinds", '{"nope":1,"an_int32":5}', ignore_unknown=True)
    assert (struct.f3, struct.g3) == (0, 5)
    struct = decoded("kinds.Kinds", '{"anInt32":5}', ignore_unknown=True, proto_names=True)
    assert (struct.f3, struct.g3) == (0, 5)


def test_types_that_hold_themselves_are_resolved() -> None:
    struct = decoded("kinds.Kinds", '{"nested":{"nested":{"anInt32":"1"}}}')
    assert struct.f20.f20.f3 == 1


def test_a_spelling_that_belongs_to_another_field_has_no_type() -> None:
    names = schemas.pool().FindMessageTypeByName("kinds.Names")
    assert struct_types(proto_names=True).of(names) is None
    assert struct_types().of(names) is not None


def odd_names(*json_names: str) -> Descriptor:
    """A message of string fields under these JSON names, within another."""
    file = descriptor_pb2.FileDescriptorProto(name="odd.proto", package="odd", syntax="proto2")
    odd = file.message_type.add(name="Odd")
    for number, name in enumerate(json_names, 1):
        odd.field.add(name=f"field{number}", number=number, type="TYPE_STRING", label="LABEL_OPTIONAL", json_name=name)
    outer = file.message_type.add(name="Outer").field.add(name="odd", number=1, label="LABEL_OPTIONAL")
    outer.type, outer.type_name = outer.TYPE_MESSAGE, ".odd.Odd"
    pool = DescriptorPool()
    pool.Add(file)
    return pool.FindMessageTypeByName("odd.Outer")


@pytest.mark.parametrize("json_name", ['a"b', "a\\b", "a\nb", "é", "", " ", "@type", "[x]"])
@pytest.mark.parametrize("options", [CodecOptions(), CodecOptions(ignore_unknown=True)], ids=["strict", "ignoring"])
def test_every_json_name_works_on_some_path(json_name: str, options: CodecOptions) -> None:
    descriptor = odd_names(json_name, "plain")
    codec = Codec(descriptor, options)
    message = codec.message_class(odd={"field1": "x", "field2": "y"})
    text = codec.encode(message)
    assert codec.decode(text) == message
    assert codec._machinery.walk(codec.message_class, text) == message


def test_a_field_that_is_called_at_type_leaves_an_any_to_the_complete_path() -> None:
    descriptor = odd_names("@type")
    codec = Codec(schemas.message_class("kinds.WellKnown"), CodecOptions(registry=descriptor.file.pool))
    message = codec.decode(b'{"any":{"@type":"x/odd.Odd"}}')
    assert message == codec.message_class(any={"type_url": "x/odd.Odd"})
    assert codec.encode(message) == b'{"any":{"@type":"x/odd.Odd"}}'


MEMBERS = [
    *("SetInParent", "HasField", "ListFields", "WhichOneof", "Extensions", "DESCRIPTOR", "SerializeToString", "Clear"),
    *("SerializePartialToString", "FromString", "ParseFromString", "__class__", "__dict__", "__setattr__", "mro"),
]


@pytest.mark.parametrize("member", MEMBERS)
def test_a_field_may_be_called_as_a_member_of_messages_is(member: str) -> None:
    file = descriptor_pb2.FileDescriptorProto(name="members.proto", package="members", syntax="proto2")
    message = file.message_type.add(name="M")
    message.extension_range.add(start=100, end=200)
    message.oneof_decl.add(name="choice")
    message.field.add(name=member, number=1, type="TYPE_STRING", label="LABEL_REQUIRED", json_name="member")
    for number, name in ((2, "a"), (3, "b")):
        message.field.add(name=name, number=number, type="TYPE_INT32", label="LABEL_OPTIONAL", oneof_index=0)
    for number, name, label in ((4, "sub", "LABEL_OPTIONAL"), (5, "subs", "LABEL_REPEATED")):
        field = message.field.add(name=name, number=number, type="TYPE_MESSAGE", type_name=".members.M")
        field.label = field.Label.Value(label)
    file.extension.add(
        name="extra", number=100, type="TYPE_INT32", label="LABEL_OPTIONAL", extendee=".members.M", json_name="extra"
    )
    outer = file.message_type.add(name="Outer")
    outer.field.add(name="any", number=1, type="TYPE_MESSAGE", label="LABEL_OPTIONAL", type_name=".google.protobuf.Any")
    outer.field.add(name="m", number=2, type="TYPE_MESSAGE", label="LABEL_OPTIONAL", type_name=".members.M")
    file.dependency.append("google/protobuf/any.proto")
    pool = DescriptorPool()
    pool.AddSerializedFile(any_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    codec = Codec(pool.FindMessageTypeByName("members.Outer"))
    inner = '"member":"x","b":1,"sub":{"member":"y"},"subs":[{"member":"z","a":2}],"[members.extra]":5'
    text = f'{{"any":{{"@type":"x/members.M",{inner}}},"m":{{{inner}}}}}'.encode()
    read = codec.decode(text)
    assert codec.encode(read) == text
    assert codec._machinery.print(codec._machinery.walk(codec.message_class, text)) == text
