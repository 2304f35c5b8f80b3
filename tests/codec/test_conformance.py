"""protobuf's public conformance cases, on a proto3 message and its proto2 twin, by both paths in."""

from __future__ import annotations

import functools
import json
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, json_format
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from asgi_grpc.codec import Codec, CodecOptions, EncodeError
from asgi_grpc.errors import DecodeError
from tests.codec import conformance_cases as cases
from tests.codec import schemas

PLAIN = CodecOptions()
IGNORE = CodecOptions(ignore_unknown=True)


@functools.cache
def proto2() -> Descriptor:
    """The same message with the presence and the closed enums of proto2, and one extension."""
    source = schemas.pool().FindMessageTypeByName("conformance.All").file
    file = descriptor_pb2.FileDescriptorProto()
    source.CopyToProto(file)
    pool = DescriptorPool()
    for dependency in source.dependencies:
        copy = descriptor_pb2.FileDescriptorProto()
        dependency.CopyToProto(copy)
        pool.Add(copy)
    file.name, file.package, file.syntax = "conformance2.proto", "conformance2", "proto2"
    message = file.message_type[0]
    for part in (message, *message.nested_type):
        for field in part.field:
            if field.type_name:
                field.type_name = field.type_name.replace(".conformance.", ".conformance2.")
    message.extension_range.add(start=1000, end=2000)
    extension = file.extension.add(name="extension_int32", number=1000, extendee=".conformance2.All")
    extension.label, extension.type = extension.LABEL_OPTIONAL, extension.TYPE_INT32
    pool.Add(file)
    return pool.FindMessageTypeByName("conformance2.All")


@pytest.fixture(params=["proto3", "proto2"])
def descriptor(request: pytest.FixtureRequest) -> Descriptor:
    return schemas.pool().FindMessageTypeByName("conformance.All") if request.param == "proto3" else proto2()


def by_both_paths(descriptor: Descriptor, text: str, options: CodecOptions = PLAIN) -> Message:
    """What a document is read as; the complete path must agree with whichever path ``decode`` took."""
    codec = Codec(descriptor, options)
    message = codec.decode(text.encode())
    complete = codec._machinery.walk(codec.message_class, text)
    assert message.SerializePartialToString(deterministic=True) == complete.SerializePartialToString(deterministic=True)
    return message


def built(descriptor: Descriptor, fields: dict[str, Any]) -> Message:
    return GetMessageClass(descriptor)(**fields)


def equal(one: Message, other: Message) -> bool:
    """Also where a NaN is within."""
    return one.SerializeToString(deterministic=True) == other.SerializeToString(deterministic=True)


def ids(found: list[Any]) -> list[str]:
    return [case[0] for case in found]


@pytest.mark.parametrize("case", cases.ACCEPTED, ids=ids(cases.ACCEPTED))
def test_valid_json_is_read_and_comes_back(descriptor: Descriptor, case: tuple[str, str, dict[str, Any]]) -> None:
    _, text, fields = case
    expected = built(descriptor, fields)
    message = by_both_paths(descriptor, text)
    assert equal(message, expected)
    assert equal(by_both_paths(descriptor, Codec(descriptor).encode(message).decode()), expected)


@pytest.mark.parametrize("case", cases.ANYS, ids=ids(cases.ANYS))
@pytest.mark.parametrize("nested", [False, True], ids=["plain", "nested"])
def test_anys_are_read_and_come_back(
    descriptor: Descriptor, case: tuple[str, str, str, dict[str, Any]], *, nested: bool
) -> None:
    _, text, url, fields = case
    this = cases.URL + descriptor.full_name
    text, url = text.replace("$SELF", this), url.replace("$SELF", this)
    known = Codec(descriptor)._machinery.types.named(url.rpartition("/")[2])
    assert known is not None
    any_fields = {"type_url": url, "value": built(known.descriptor, fields).SerializeToString()}
    if nested:
        inner = schemas.message_class("google.protobuf.Any")(**any_fields)
        any_fields = {"type_url": cases.URL + "google.protobuf.Any", "value": inner.SerializeToString()}
        text = f'{{"@type": "{cases.URL}google.protobuf.Any", "value": {text}}}'
    expected = built(descriptor, {"optional_any": any_fields})
    message = by_both_paths(descriptor, f'{{"optionalAny": {text}}}')
    assert message == expected
    assert by_both_paths(descriptor, Codec(descriptor).encode(message).decode()) == expected


@pytest.mark.parametrize("case", cases.REFUSED, ids=ids(cases.REFUSED))
def test_invalid_json_is_refused(descriptor: Descriptor, case: tuple[str, str]) -> None:
    codec = Codec(descriptor)
    with pytest.raises(DecodeError) as fast:
        codec.decode(case[1].encode())
    with pytest.raises(DecodeError) as complete:
        codec._machinery.walk(codec.message_class, case[1])
    assert str(fast.value) == str(complete.value)


@pytest.mark.parametrize("case", cases.IGNORED, ids=ids(cases.IGNORED))
def test_unknown_things_are_ignored_on_request(descriptor: Descriptor, case: tuple[str, str, dict[str, Any]]) -> None:
    assert by_both_paths(descriptor, case[1], IGNORE) == built(descriptor, case[2])


@pytest.mark.parametrize("case", cases.WRITTEN, ids=ids(cases.WRITTEN))
def test_json_is_written_canonically(descriptor: Descriptor, case: tuple[str, str, dict[str, Any]]) -> None:
    assert json.loads(Codec(descriptor).encode(by_both_paths(descriptor, case[1]))) == case[2]


@pytest.mark.parametrize("case", cases.ONLY_PROTO3, ids=ids(cases.ONLY_PROTO3))
def test_what_proto3_has_for_itself(case: tuple[str, str, dict[str, Any]]) -> None:
    descriptor = schemas.pool().FindMessageTypeByName("conformance.All")
    assert json.loads(Codec(descriptor).encode(by_both_paths(descriptor, case[1]))) == case[2]


@pytest.mark.parametrize("case", cases.ONLY_PROTO2, ids=ids(cases.ONLY_PROTO2))
def test_what_proto2_has_for_itself(case: tuple[str, str, dict[str, Any]]) -> None:
    assert json.loads(Codec(proto2()).encode(by_both_paths(proto2(), case[1]))) == case[2]


@pytest.mark.parametrize("case", cases.UNWRITABLE, ids=ids(cases.UNWRITABLE))
def test_messages_without_a_json_form_are_refused(descriptor: Descriptor, case: tuple[str, dict[str, Any]]) -> None:
    codec, message = Codec(descriptor), built(descriptor, case[1])
    with pytest.raises(EncodeError) as fast:
        codec.encode(message)
    with pytest.raises(EncodeError) as complete:
        codec._machinery.print(message)
    assert str(fast.value) == str(complete.value)


@pytest.mark.parametrize("case", cases.NORMALIZED, ids=ids(cases.NORMALIZED))
def test_odd_bits_are_written_normalized(descriptor: Descriptor, case: tuple[str, bytes, str, str]) -> None:
    _, wire, name, written = case
    assert json.loads(Codec(descriptor).encode(GetMessageClass(descriptor).FromString(wire))) == {name: written}


def test_every_case_that_the_reference_passes_passes(descriptor: Descriptor) -> None:
    """The tests above pass all; here the reference is counted, so that nobody has to believe what it does."""
    message_class, pool = GetMessageClass(descriptor), descriptor.file.pool
    failed = []
    for name, text, fields in cases.ACCEPTED:
        try:
            if not equal(json_format.Parse(text, message_class(), descriptor_pool=pool), built(descriptor, fields)):
                failed.append(name)
        except json_format.ParseError:
            failed.append(name)
    for name, text in cases.REFUSED:
        try:
            json_format.Parse(text, message_class(), descriptor_pool=pool)
        except json_format.ParseError:
            continue
        failed.append(name)
    assert failed == []
