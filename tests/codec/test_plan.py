"""Descriptors become plain data."""

from __future__ import annotations

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pool import DescriptorPool

from asgi_grpc.codec import Codec
from asgi_grpc.codec import _plan as plans
from asgi_grpc.codec._plan import Kind, plan_field, plan_message
from tests.codec import schemas


def typed(name: str) -> Descriptor:
    return schemas.pool().FindMessageTypeByName(name)


def test_fields_come_by_number_with_both_names() -> None:
    plan = plan_message(typed("kinds.Names"))
    assert [field.number for field in plan.fields] == list(range(1, 14))
    assert plan.by_key["field_name6"] is plan.by_key["fieldName6"] is plan.by_number[6]
    assert plan.by_key["swap_target"].name == "swapped"  # a JSON name wins over another field's proto name
    assert plan.by_key["other"].name == "swap_target"


def test_kinds_and_bounds_are_known() -> None:
    plan = plan_message(typed("kinds.Kinds"))
    found = {field.name: field for field in plan.fields}
    assert {
        name: found[name].kind for name in ("a_double", "a_float", "an_int32", "a_bool", "a_bytes", "a_null", "a_leaf")
    } == {
        "a_double": Kind.DOUBLE,
        "a_float": Kind.FLOAT,
        "an_int32": Kind.INT,
        "a_bool": Kind.BOOL,
        "a_bytes": Kind.BYTES,
        "a_null": Kind.NULL,
        "a_leaf": Kind.MESSAGE,
    }
    assert (found["a_sint32"].low, found["a_sint32"].high, found["a_sint32"].wide) == (-(2**31), 2**31 - 1, False)
    assert (found["a_fixed64"].low, found["a_fixed64"].high, found["a_fixed64"].wide) == (0, 2**64 - 1, True)
    assert (found["a_double"].presence, found["opt_double"].presence) == (False, True)


def test_optional_fields_are_no_oneofs() -> None:
    assert plan_message(typed("kinds.Kinds")).oneofs == ()
    assert plan_message(typed("kinds.Oneofs")).oneofs == (tuple(range(1, 16)), (16, 17))


def test_maps_know_their_keys_and_values() -> None:
    field = plan_message(typed("kinds.Maps")).by_key["boolMaps"]
    assert field.key is not None
    assert field.value is not None
    assert (field.key.kind, field.value.kind, field.repeated) == (Kind.BOOL, Kind.MESSAGE, False)


def test_required_fields_and_extensions_are_known() -> None:
    plan = plan_message(typed("legacy.Legacy"))
    assert [field.name for field in plan.required] == ["id"]
    assert plan.extendable
    extension = plan_field(schemas.pool().FindExtensionByName("legacy.extra_words"))
    assert (extension.name, extension.json_name, extension.repeated) == (
        "[legacy.extra_words]",
        "[legacy.extra_words]",
        True,
    )


def test_closed_enums_and_aliases_are_known() -> None:
    color = plan_message(typed("kinds.Kinds")).by_key["aColor"].enum
    size = plan_message(typed("legacy.Legacy")).by_key["size"].enum
    assert color is not None
    assert size is not None
    assert (color.closed, size.closed) == (False, True)
    assert color.by_name["COLOR_CRIMSON"] == color.by_name["COLOR_RED"] == 1
    assert color.by_number == {0: "COLOR_NONE", 1: "COLOR_RED", 2: "COLOR_BLUE", -1: "COLOR_NEGATIVE"}


def test_a_type_that_only_has_a_well_known_name_is_ordinary() -> None:
    file = descriptor_pb2.FileDescriptorProto(name="fake.proto", package="google.protobuf", syntax="proto3")
    file.message_type.add(name="Timestamp").field.add(
        name="seconds", number=1, type="TYPE_STRING", label="LABEL_OPTIONAL"
    )
    pool = DescriptorPool()
    pool.Add(file)
    fake = pool.FindMessageTypeByName("google.protobuf.Timestamp")
    assert plans.message_kind(fake) is Kind.MESSAGE
    assert plans.message_kind(typed("google.protobuf.Timestamp")) is Kind.TIMESTAMP
    codec = Codec(fake)
    assert codec.encode(codec.decode(b'{"seconds":"x"}')) == b'{"seconds":"x"}'


def renamed_enum() -> Descriptor:
    """A message of one enum field, one of whose values has a JSON name of its own."""
    options = pytest.importorskip("google.protobuf.json_enumvalue_options_pb2")
    file = descriptor_pb2.FileDescriptorProto(name="renamed.proto", package="renamed", syntax="proto3")
    enum = file.enum_type.add(name="E")
    enum.value.add(name="ZERO", number=0)
    enum.value.add(name="ONE", number=1).options.Extensions[options.json].string = "one!"
    enum.value.add(name="TWO", number=2).options.deprecated = True
    field = file.message_type.add(name="M").field.add(name="e", number=1, label="LABEL_OPTIONAL")
    field.type, field.type_name = field.TYPE_ENUM, ".renamed.E"
    pool = DescriptorPool()
    pool.Add(file)
    return pool.FindMessageTypeByName("renamed.M")


def test_an_enum_value_may_have_a_json_name_of_its_own() -> None:
    codec = Codec(renamed_enum())
    for text in (b'{"e":"one!"}', b'{"e":"ONE"}', b'{"e":1}'):
        assert codec.encode(codec.decode(text)) == b'{"e":"one!"}'
        assert codec._machinery.walk(codec.message_class, text) == codec.decode(text)
    assert codec.encode(codec.decode(b'{"e":2}')) == b'{"e":"TWO"}'


def test_without_the_option_there_are_no_such_names(monkeypatch: pytest.MonkeyPatch) -> None:
    descriptor = renamed_enum()
    monkeypatch.setattr(descriptor_pool, "Default", descriptor_pool.DescriptorPool)
    names = plan_message(descriptor).by_key["e"].enum
    assert names is not None
    assert names.by_number == {0: "ZERO", 1: "ONE", 2: "TWO"}
