"""Descriptors in; out comes plain frozen data: what the codec must know about a message and its fields."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, EnumDescriptor, EnumValueDescriptor, FieldDescriptor, FileDescriptor


class Kind(enum.StrEnum):
    """How a value looks in JSON. ``MESSAGE`` and what follows it are messages in protobuf."""

    INT = "int"
    FLOAT = "float"
    DOUBLE = "double"
    BOOL = "bool"
    STRING = "string"
    BYTES = "bytes"
    ENUM = "enum"
    NULL = "null"
    MESSAGE = "message"
    WRAPPER = "wrapper"
    TIMESTAMP = "timestamp"
    DURATION = "duration"
    FIELD_MASK = "field_mask"
    ANY = "any"
    STRUCT = "struct"
    VALUE = "value"
    LIST_VALUE = "list_value"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class EnumPlan:
    """One enum type.

    Attributes:
        full_name: e.g. ``"library.v1.Genre"``.
        by_name: every name that is read, aliases and custom JSON names included.
        by_number: the one name that is written for each number.
        closed: unknown numbers are refused.
    """

    full_name: str
    by_name: Mapping[str, int]
    by_number: Mapping[int, str]
    closed: bool


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FieldPlan:
    """One field.

    Attributes:
        number: its number.
        name: its name in the .proto file; for an extension ``"[full.name]"``.
        json_name: its name in JSON; for an extension ``"[full.name]"``.
        kind: of its value; of a map's, that of the entry, ``Kind.MESSAGE``.
        repeated: an array in JSON; False for maps.
        presence: it knows whether it was set.
        required: a message without it is not whole.
        oneof: the name of the oneof that it shares with others, or ``""``.
        low: smallest integer that it holds.
        high: largest integer that it holds.
        wide: a 64-bit integer, a string in JSON.
        key: of a map, the plan of its keys.
        value: of a map, the plan of its values.
        verified: of a string, that protobuf itself refuses bytes that are not UTF-8.
        enum: of an enum, its names.
        message: of a message kind, the type.
        wrapped: of a wrapper, the plan of the field within.
        extension: set if the field is an extension.
    """

    number: int
    name: str
    json_name: str
    kind: Kind
    repeated: bool
    presence: bool
    required: bool
    oneof: str
    low: int
    high: int
    wide: bool
    key: FieldPlan | None
    value: FieldPlan | None
    verified: bool
    enum: EnumPlan | None
    message: Descriptor | None
    wrapped: FieldPlan | None
    extension: FieldDescriptor | None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class MessagePlan:
    """One message type.

    Attributes:
        full_name: e.g. ``"library.v1.Book"``.
        descriptor: where the plan came from.
        kind: ``Kind.MESSAGE`` or one of the well-known kinds after it.
        fields: sorted by number, extensions not included.
        by_number: the same by number.
        by_key: both spellings of every field; a JSON name wins over another field's proto name.
        oneofs: the numbers of the fields that exclude one another.
        required: the required fields.
        wrapped: of a wrapper, the plan of the field within.
        extendable: other files may add fields.
        shadowing: a field is called ``HasField``, say, and hides the method that generated code would call.
    """

    full_name: str
    descriptor: Descriptor
    kind: Kind
    fields: tuple[FieldPlan, ...]
    by_number: Mapping[int, FieldPlan]
    by_key: Mapping[str, FieldPlan]
    oneofs: tuple[tuple[int, ...], ...]
    required: tuple[FieldPlan, ...]
    wrapped: FieldPlan | None
    extendable: bool
    shadowing: bool


_F = FieldDescriptor
_SIGNED_32 = (-(2**31), 2**31 - 1, False)
_UNSIGNED_32 = (0, 2**32 - 1, False)
_SIGNED_64 = (-(2**63), 2**63 - 1, True)
_UNSIGNED_64 = (0, 2**64 - 1, True)
_INTEGERS: dict[int, tuple[int, int, bool]] = {
    _F.TYPE_INT32: _SIGNED_32,
    _F.TYPE_SINT32: _SIGNED_32,
    _F.TYPE_SFIXED32: _SIGNED_32,
    _F.TYPE_UINT32: _UNSIGNED_32,
    _F.TYPE_FIXED32: _UNSIGNED_32,
    _F.TYPE_INT64: _SIGNED_64,
    _F.TYPE_SINT64: _SIGNED_64,
    _F.TYPE_SFIXED64: _SIGNED_64,
    _F.TYPE_UINT64: _UNSIGNED_64,
    _F.TYPE_FIXED64: _UNSIGNED_64,
}
_SCALARS: dict[int, Kind] = {
    **dict.fromkeys(_INTEGERS, Kind.INT),
    _F.TYPE_FLOAT: Kind.FLOAT,
    _F.TYPE_DOUBLE: Kind.DOUBLE,
    _F.TYPE_BOOL: Kind.BOOL,
    _F.TYPE_STRING: Kind.STRING,
    _F.TYPE_BYTES: Kind.BYTES,
    _F.TYPE_ENUM: Kind.ENUM,
}

# A type counts as well known by its name *and* its fields (name, type): a pool may hold anything under those names.
_SECONDS_AND_NANOS = {("seconds", _F.TYPE_INT64), ("nanos", _F.TYPE_INT32)}
_WELL_KNOWN: dict[str, tuple[Kind, set[tuple[str, int]]]] = {
    "Timestamp": (Kind.TIMESTAMP, _SECONDS_AND_NANOS),
    "Duration": (Kind.DURATION, _SECONDS_AND_NANOS),
    "FieldMask": (Kind.FIELD_MASK, {("paths", _F.TYPE_STRING)}),
    "Any": (Kind.ANY, {("type_url", _F.TYPE_STRING), ("value", _F.TYPE_BYTES)}),
    "Struct": (Kind.STRUCT, {("fields", _F.TYPE_MESSAGE)}),
    "ListValue": (Kind.LIST_VALUE, {("values", _F.TYPE_MESSAGE)}),
    "Value": (
        Kind.VALUE,
        {
            ("null_value", _F.TYPE_ENUM),
            ("number_value", _F.TYPE_DOUBLE),
            ("string_value", _F.TYPE_STRING),
            ("bool_value", _F.TYPE_BOOL),
            ("struct_value", _F.TYPE_MESSAGE),
            ("list_value", _F.TYPE_MESSAGE),
        },
    ),
    "DoubleValue": (Kind.WRAPPER, {("value", _F.TYPE_DOUBLE)}),
    "FloatValue": (Kind.WRAPPER, {("value", _F.TYPE_FLOAT)}),
    "Int64Value": (Kind.WRAPPER, {("value", _F.TYPE_INT64)}),
    "UInt64Value": (Kind.WRAPPER, {("value", _F.TYPE_UINT64)}),
    "Int32Value": (Kind.WRAPPER, {("value", _F.TYPE_INT32)}),
    "UInt32Value": (Kind.WRAPPER, {("value", _F.TYPE_UINT32)}),
    "BoolValue": (Kind.WRAPPER, {("value", _F.TYPE_BOOL)}),
    "StringValue": (Kind.WRAPPER, {("value", _F.TYPE_STRING)}),
    "BytesValue": (Kind.WRAPPER, {("value", _F.TYPE_BYTES)}),
}
_PACKAGE = "google.protobuf."
_CALLED = {"HasField", "ListFields", "SerializePartialToString", "SetInParent", "WhichOneof"}


def message_kind(descriptor: Descriptor) -> Kind:
    """Tell a well-known type from an ordinary one."""
    if descriptor.full_name.startswith(_PACKAGE):
        kind, fields = _WELL_KNOWN.get(descriptor.full_name.removeprefix(_PACKAGE), (Kind.MESSAGE, set()))
        if {(field.name, field.type) for field in descriptor.fields} == fields:
            return kind
    return Kind.MESSAGE


def is_proto3(file: FileDescriptor) -> bool:
    """Whether a file says ``syntax = "proto3"``. Costs a copy of the file: keep the result."""
    return file.serialized_pb.endswith(b"b\x06proto3")  # field 12, the last one that a proto3 file has


def plan_message(descriptor: Descriptor, *, proto3: bool = False) -> MessagePlan:
    """Turn a message's descriptor into data. Costs microseconds for each field: keep the result.

    Args:
        descriptor: of the message.
        proto3: what ``is_proto3`` says of its file; False is safe, and costs a look at every string written.
    """
    kind = message_kind(descriptor)
    plans = [plan_field(field, proto3=proto3) for field in descriptor.fields]
    fields = tuple(sorted(plans, key=lambda field: field.number))
    by_key = {field.name: field for field in fields} | {field.json_name: field for field in fields}
    oneofs = (tuple(field.number for field in oneof.fields) for oneof in descriptor.oneofs)
    return MessagePlan(
        full_name=descriptor.full_name,
        descriptor=descriptor,
        kind=kind,
        fields=fields,
        by_number={field.number: field for field in fields},
        by_key=by_key,
        oneofs=tuple(numbers for numbers in oneofs if len(numbers) > 1),
        required=tuple(field for field in fields if field.required),
        wrapped=fields[0] if kind is Kind.WRAPPER else None,
        extendable=descriptor.is_extendable,
        shadowing=any(field.name in _CALLED for field in fields),
    )


def plan_field(field: FieldDescriptor, *, proto3: bool = False) -> FieldPlan:
    """Turn a field's descriptor into data; ``proto3`` as in ``plan_message``."""
    message = field.message_type
    key = value = wrapped = names = None
    if message is not None:
        kind = message_kind(message)
        if message.has_options and message.GetOptions().map_entry:
            key = plan_field(message.fields_by_name["key"], proto3=proto3)
            value = plan_field(message.fields_by_name["value"], proto3=proto3)
        if kind is Kind.WRAPPER:
            wrapped = plan_field(message.fields_by_name["value"], proto3=True)
    else:
        kind = _SCALARS[field.type]
        if field.enum_type is not None:
            names = plan_enum(field.enum_type)
            if names.full_name == _PACKAGE + "NullValue":
                kind = Kind.NULL
    low, high, wide = _INTEGERS.get(field.type, (0, 0, False))
    oneof = field.containing_oneof
    return FieldPlan(
        number=field.number,
        name=f"[{field.full_name}]" if field.is_extension else field.name,
        json_name=f"[{field.full_name}]" if field.is_extension else field.json_name,
        kind=kind,
        repeated=field.is_repeated and key is None,
        presence=field.has_presence,
        required=field.is_required,
        oneof=oneof.name if oneof is not None and len(oneof.fields) > 1 else "",
        low=low,
        high=high,
        wide=wide,
        key=key,
        value=value,
        verified=proto3,
        enum=names,
        message=message,
        wrapped=wrapped,
        extension=field if field.is_extension else None,
    )


def plan_enum(descriptor: EnumDescriptor) -> EnumPlan:
    """Turn an enum's descriptor into data, the JSON names that its values' options give them included."""
    by_name: dict[str, int] = {}
    by_number: dict[int, str] = {}
    custom: dict[str, int] = {}
    for value in descriptor.values:
        by_name[value.name] = value.number
        name = _custom_json_name(value) if value.has_options else ""
        if name:
            custom.setdefault(name, value.number)
        by_number.setdefault(value.number, name or value.name)
    return EnumPlan(
        full_name=descriptor.full_name,
        by_name=custom | by_name,
        by_number=by_number,
        closed=descriptor.is_closed,
    )


def _custom_json_name(value: EnumValueDescriptor) -> str:
    """The name that the option ``[(pb.enumvalue.json).string = "..."]`` gives a value, or nothing.

    Options are parsed against the default pool, whichever pool the enum lives in.
    """
    try:
        option = descriptor_pool.Default().FindExtensionByName("pb.enumvalue.json")
    except KeyError:
        return ""
    options: Any = value.GetOptions()
    return str(options.Extensions[option].string) if options.HasExtension(option) else ""
