"""Hypothesis strategies: message types made at run time, messages of any type, JSON near the edge of being right."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message_factory import GetMessageClass
from hypothesis import strategies as st

F = FieldDescriptor
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
# JSON has one NaN, floats have many.
DOUBLE = st.floats(allow_nan=False) | st.just(float("nan"))
FLOAT32 = st.floats(width=32, allow_nan=False) | st.just(float("nan"))
SECONDS = st.integers(-62135596800, 253402300799) | st.sampled_from([0, -1, 1, -62135596800, 253402300799])
NANOS = st.sampled_from([0, 1, 999_999_999, 1_000, 1_000_000, 120_000_000]) | st.integers(0, 999_999_999)
MASK_PATH = st.from_regex(r"[a-z]{1,3}(_[a-z]{1,2})?(\.[a-z]{1,3})?", fullmatch=True)

_counter = itertools.count()


def integers(low: int, high: int) -> st.SearchStrategy[int]:
    """Integers of a range, often at its ends."""
    return st.sampled_from([0, 1, low, high]) | st.integers(low, high)


SCALARS: dict[int, st.SearchStrategy[Any]] = {
    F.TYPE_DOUBLE: DOUBLE,
    F.TYPE_FLOAT: FLOAT32,
    F.TYPE_BOOL: st.booleans(),
    F.TYPE_STRING: TEXT,
    F.TYPE_BYTES: st.binary(max_size=8) | st.binary(min_size=70, max_size=80),
}
SCALARS |= dict.fromkeys((F.TYPE_INT32, F.TYPE_SINT32, F.TYPE_SFIXED32), integers(-(2**31), 2**31 - 1))
SCALARS |= dict.fromkeys((F.TYPE_INT64, F.TYPE_SINT64, F.TYPE_SFIXED64), integers(-(2**63), 2**63 - 1))
SCALARS |= dict.fromkeys((F.TYPE_UINT32, F.TYPE_FIXED32), integers(0, 2**32 - 1))
SCALARS |= dict.fromkeys((F.TYPE_UINT64, F.TYPE_FIXED64), integers(0, 2**64 - 1))


def scalar(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    """Values of a scalar field; of enums the declared numbers, and others where the enum is open."""
    if field.enum_type is None:
        return SCALARS[field.type]
    if field.enum_type.full_name == "google.protobuf.NullValue":
        return st.just(0)
    declared = st.sampled_from([value.number for value in field.enum_type.values])
    return declared if field.enum_type.is_closed else declared | st.just(77)


def _fill_timestamp(draw: st.DrawFn, message: Any, _depth: int) -> None:
    message.seconds, message.nanos = draw(SECONDS), draw(NANOS)


def _fill_duration(draw: st.DrawFn, message: Any, _depth: int) -> None:
    sign = draw(st.sampled_from([1, -1]))
    message.seconds, message.nanos = sign * draw(integers(0, 315_576_000_000)), sign * draw(NANOS)


def _fill_mask(draw: st.DrawFn, message: Any, _depth: int) -> None:
    message.paths.extend(draw(st.lists(MASK_PATH, max_size=3)))


def _fill_value(draw: st.DrawFn, message: Any, depth: int) -> None:
    kind = draw(st.integers(0, 5 if depth > 0 else 3))
    if kind == 0:
        message.null_value = 0
    elif kind == 1:
        message.string_value = draw(TEXT)
    elif kind == 2:
        message.number_value = draw(st.floats(allow_nan=False, allow_infinity=False))
    elif kind == 3:
        message.bool_value = draw(st.booleans())
    elif kind == 4:
        message.struct_value.SetInParent()
        _fill_struct(draw, message.struct_value, depth - 1)
    else:
        message.list_value.SetInParent()
        _fill_list(draw, message.list_value, depth - 1)


def _fill_struct(draw: st.DrawFn, message: Any, depth: int) -> None:
    for key in draw(st.lists(TEXT, max_size=3)):
        _fill_value(draw, message.fields[key], depth)


def _fill_list(draw: st.DrawFn, message: Any, depth: int) -> None:
    for _ in range(draw(st.integers(0, 3))):
        _fill_value(draw, message.values.add(), depth)


def _fill_any(draw: st.DrawFn, message: Any, depth: int) -> None:
    if draw(st.integers(0, 4)) == 0:
        return
    pool = message.DESCRIPTOR.file.pool
    names = ["kinds.Leaf", "kinds.Empty", "google.protobuf.Timestamp", "google.protobuf.Int64Value"]
    if depth > 0:
        names += ["kinds.WellKnown", "google.protobuf.Any", "google.protobuf.Value", "kinds.Maps"]
    for name in draw(st.permutations(names)):
        try:
            descriptor = pool.FindMessageTypeByName(name)
        except KeyError:
            continue
        inner = draw(messages(descriptor, depth - 1))
        message.type_url = "type.googleapis.com/" + name
        message.value = inner.SerializeToString(deterministic=True)
        return


WELL_KNOWN: dict[str, Callable[[st.DrawFn, Any, int], None]] = {
    "google.protobuf.Timestamp": _fill_timestamp,
    "google.protobuf.Duration": _fill_duration,
    "google.protobuf.FieldMask": _fill_mask,
    "google.protobuf.Value": _fill_value,
    "google.protobuf.Struct": _fill_struct,
    "google.protobuf.ListValue": _fill_list,
    "google.protobuf.Any": _fill_any,
}


@st.composite
def messages(draw: st.DrawFn, descriptor: Descriptor, depth: int = 2) -> Any:
    """Draw a message that has a JSON form, nested at most ``depth`` deep below itself."""
    message = GetMessageClass(descriptor)()
    fill(draw, message, depth)
    return message


def fill(draw: st.DrawFn, message: Any, depth: int) -> None:
    """Set some fields of a message."""
    descriptor = message.DESCRIPTOR
    known = WELL_KNOWN.get(descriptor.full_name)
    if known is not None:
        known(draw, message, depth)
        return
    fields = list(descriptor.fields)
    chosen = draw(st.lists(st.sampled_from(fields), max_size=6, unique=True)) if fields else []
    for field in fields:
        if field in chosen or field.is_required:
            _set(draw, message, field, depth)
    if descriptor.is_extendable:
        for extension in draw(
            st.lists(st.sampled_from(descriptor.file.pool.FindAllExtensions(descriptor)), max_size=2)
        ):
            _set(draw, message, extension, depth)


def _set(draw: st.DrawFn, message: Any, field: FieldDescriptor, depth: int) -> None:
    def place() -> Any:
        return message.Extensions[field] if field.is_extension else getattr(message, field.name)

    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        key_field, value_field = field.message_type.fields_by_name["key"], field.message_type.fields_by_name["value"]
        for key in draw(st.lists(scalar(key_field), max_size=3)):
            if value_field.message_type is None:
                place()[key] = draw(scalar(value_field))
            elif depth > 0:
                fill(draw, place()[key], depth - 1)
    elif field.is_repeated:
        for _ in range(draw(st.integers(0, 5))):
            if field.message_type is None:
                place().append(draw(scalar(field)))
            elif depth > 0:
                fill(draw, place().add(), depth - 1)
    elif field.message_type is not None:
        if depth > 0 or field.is_required:
            place().SetInParent()
            fill(draw, place(), depth - 1)
    elif field.is_extension:
        message.Extensions[field] = draw(scalar(field))
    else:
        setattr(message, field.name, draw(scalar(field)))


IMPORTS = ["any", "duration", "field_mask", "struct", "timestamp", "wrappers"]
MESSAGE_TYPES = [
    ".google.protobuf." + name
    for name in (
        *("Any", "Duration", "FieldMask", "Struct", "Value", "ListValue", "Timestamp", "DoubleValue", "FloatValue"),
        *("Int64Value", "UInt64Value", "Int32Value", "UInt32Value", "BoolValue", "StringValue", "BytesValue"),
    )
]
SCALAR_TYPES = list(SCALARS)
KEY_TYPES = [t for t in SCALARS if t not in (F.TYPE_DOUBLE, F.TYPE_FLOAT, F.TYPE_BYTES)]
NAMES = st.from_regex(r"[a-z]{1,3}(_[a-z0-9]{1,3}){0,2}", fullmatch=True)


def _give_type(draw: st.DrawFn, field: Any, here: str, count: int, types: list[int]) -> None:
    """Give a field a scalar type, an enum, a well-known type, or one of the messages of its file."""
    kind = draw(st.integers(0, 5))
    if kind < 3 or len(types) < len(SCALAR_TYPES):
        field.type = draw(st.sampled_from(types))
    elif kind == 3:
        field.type, field.type_name = F.TYPE_ENUM, f".{here}.E"
    elif kind == 4:
        field.type, field.type_name = F.TYPE_MESSAGE, draw(st.sampled_from(MESSAGE_TYPES))
    else:
        field.type, field.type_name = F.TYPE_MESSAGE, f".{here}.M{draw(st.integers(0, count - 1))}"


def _add_field(draw: st.DrawFn, message: Any, here: str, name: str, count: int) -> None:
    number = len(message.field) + 1
    field = message.field.add(name=name, number=number, label=F.LABEL_OPTIONAL)
    shape = draw(st.integers(0, 5))
    if shape == 0:
        entry = message.nested_type.add(name="".join(part.capitalize() for part in name.split("_")) + "Entry")
        entry.options.map_entry = True
        _give_type(draw, entry.field.add(name="key", number=1, label=F.LABEL_OPTIONAL), here, count, KEY_TYPES)
        _give_type(draw, entry.field.add(name="value", number=2, label=F.LABEL_OPTIONAL), here, count, SCALAR_TYPES)
        field.label, field.type = F.LABEL_REPEATED, F.TYPE_MESSAGE
        field.type_name = f".{here}.{message.name}.{entry.name}"
        return
    _give_type(draw, field, here, count, SCALAR_TYPES)
    if shape == 1:
        field.label = F.LABEL_REPEATED
    elif shape == 2 and message.oneof_decl:
        field.oneof_index = 0
    elif shape == 3 and field.type != F.TYPE_MESSAGE:
        field.proto3_optional = True  # its own oneof is added when all fields are known: those come last


@st.composite
def descriptors(draw: st.DrawFn) -> Descriptor:
    """Draw a proto3 message type: up to three messages that may hold one another, with every kind of field."""
    here = f"made{next(_counter)}"
    file = descriptor_pb2.FileDescriptorProto(name=f"{here}.proto", package=here, syntax="proto3")
    file.dependency.extend(f"google/protobuf/{name}.proto" for name in IMPORTS)
    names = file.enum_type.add(name="E")
    for number, name in enumerate(["ZERO", "ONE", "TWO"]):
        names.value.add(name=name, number=number)
    count = draw(st.integers(1, 3))
    for index in range(count):
        message = file.message_type.add(name=f"M{index}")
        if draw(st.booleans()):
            message.oneof_decl.add(name="choice")
        unique = draw(st.lists(NAMES, min_size=1, max_size=6, unique_by=lambda name: name.replace("_", "")))
        for name in unique:
            _add_field(draw, message, here, name, count)
        if message.oneof_decl and not any(field.HasField("oneof_index") for field in message.field):
            del message.oneof_decl[:]
        for field in message.field:
            if field.proto3_optional:
                field.oneof_index = len(message.oneof_decl)
                message.oneof_decl.add(name="_" + field.name)
    pool = descriptor_pool.DescriptorPool()
    for name in IMPORTS:
        source = descriptor_pool.Default().FindFileByName(f"google/protobuf/{name}.proto")
        proto = descriptor_pb2.FileDescriptorProto()
        source.CopyToProto(proto)
        pool.Add(proto)
    pool.Add(file)
    return pool.FindMessageTypeByName(f"{here}.M0")
