"""The room's door: ``Codec``, ``encode_any``."""

from __future__ import annotations

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, struct_pb2, type_pb2
from google.protobuf.descriptor import Descriptor
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.source_context_pb2 import SourceContext

from asgi_grpc.codec import Codec, CodecOptions, EncodeError, encode_any
from asgi_grpc.errors import DecodeError

TYPE = Codec(type_pb2.Type)
FIELD = type_pb2.Field(number=1, name="c", cardinality=type_pb2.Field.CARDINALITY_REQUIRED)


def test_a_message_goes_both_ways() -> None:
    document = b'{"name":"a.B","fields":[{"number":1,"name":"c","cardinality":"CARDINALITY_REQUIRED"}]}'
    message = TYPE.decode(document)
    assert message == type_pb2.Type(name="a.B", fields=[FIELD])
    assert TYPE.decode(TYPE.encode(message)) == message


def test_text_is_as_good_as_bytes() -> None:
    assert TYPE.decode('{"name":"é"}') == type_pb2.Type(name="é")


def test_a_descriptor_is_as_good_as_a_class() -> None:
    file = descriptor_pb2.FileDescriptorProto(name="dynamic.proto", package="dynamic", syntax="proto3")
    file.message_type.add(name="M").field.add(name="a_b", number=1, type="TYPE_INT64", label="LABEL_OPTIONAL")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    descriptor: Descriptor = pool.FindMessageTypeByName("dynamic.M")
    codec = Codec(descriptor)
    assert codec.descriptor is descriptor
    assert codec.message_class is GetMessageClass(descriptor)
    assert codec.encode(codec.decode(b'{"a_b":1}')) == b'{"aB":"1"}'


def test_a_batch_stops_before_the_first_bad_document() -> None:
    messages, error = TYPE.decode_batch([b'{"name":"a"}', b"{}", b'{"nome":"c"}', b'{"name":"d"}'])
    assert messages == [type_pb2.Type(name="a"), type_pb2.Type()]
    assert isinstance(error, DecodeError)
    assert (error.message, error.path, error.problem) == (
        "google.protobuf.Type",
        "$.nome",
        "expected a field of google.protobuf.Type, got an unknown name",
    )


def test_a_good_batch_has_no_error() -> None:
    assert TYPE.decode_batch([b"{}"] * 3) == ([type_pb2.Type()] * 3, None)
    assert TYPE.decode_batch([]) == ([], None)


def test_a_batch_is_written_in_order() -> None:
    assert TYPE.encode_batch([type_pb2.Type(name=name) for name in "ab"]) == [b'{"name":"a"}', b'{"name":"b"}']


def test_a_message_without_a_json_form_is_refused() -> None:
    value = struct_pb2.Struct()
    value.fields["a"].list_value.values.add().number_value = float("nan")
    with pytest.raises(EncodeError) as caught:
        Codec(struct_pb2.Struct).encode(value)
    assert caught.value.path == '$["a"][0]'
    assert caught.value.message == "google.protobuf.Struct"


def test_the_options_are_part_of_the_codec() -> None:
    codec = Codec(type_pb2.Type, CodecOptions(proto_names=True))
    assert (
        codec.encode(type_pb2.Type(source_context=SourceContext(file_name="f")))
        == b'{"source_context":{"file_name":"f"}}'
    )


def test_an_any_of_a_known_type_is_spelled_out() -> None:
    assert encode_any("example.com/google.protobuf.Int64Value", b"\x08\x01") == (
        b'{"@type":"example.com/google.protobuf.Int64Value","value":"1"}'
    )


@pytest.mark.parametrize(
    "url", ["example.com/a.B", "example.com/google.protobuf.Timestamp", "", "google.protobuf.Type"]
)
def test_an_any_that_cannot_be_spelled_out_keeps_its_bytes(url: str) -> None:
    assert encode_any(url, b"\xff") == b'{"@type":"%s","value":"/w=="}' % url.encode()


def test_an_any_falls_back_to_the_default_pool() -> None:
    empty = CodecOptions(registry=descriptor_pool.DescriptorPool())
    assert encode_any("a/google.protobuf.Type", b"", empty) == b'{"@type":"a/google.protobuf.Type"}'
