"""Values of one field or well-known type to JSON Schemas: what the codec prints, and nothing else.

Source: the ProtoJSON format, table "Representation of each type"; JSON Schema draft 2020-12.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from asgi_grpc.codec import CodecOptions, FieldPlan, Kind

Json = dict[str, Any]
"""A JSON object, as plain data."""

_SIGNED = "^-?(0|[1-9][0-9]{0,18})$"
_UNSIGNED = "^(0|[1-9][0-9]{0,19})$"
_NOT_FINITE: Json = {"type": "string", "enum": ["NaN", "Infinity", "-Infinity"]}

_SCALARS: dict[Kind, Json] = {
    Kind.FLOAT: {"anyOf": [{"type": "number", "format": "float"}, _NOT_FINITE]},
    Kind.DOUBLE: {"anyOf": [{"type": "number", "format": "double"}, _NOT_FINITE]},
    Kind.BOOL: {"type": "boolean"},
    Kind.STRING: {"type": "string"},
    Kind.BYTES: {"type": "string", "format": "byte", "contentEncoding": "base64"},
    Kind.NULL: {"type": "null"},
}

_WELL_KNOWN: dict[Kind, Json] = {
    Kind.TIMESTAMP: {
        "type": "string",
        "format": "date-time",
        "description": "RFC 3339, with up to 9 digits of a second's fraction.",
    },
    Kind.DURATION: {
        "type": "string",
        "pattern": r"^-?[0-9]{1,12}(\.[0-9]{1,9})?s$",
        "description": "Seconds with up to 9 digits of a fraction, and an s; at most 10000 years.",
    },
    Kind.FIELD_MASK: {"type": "string", "description": "Paths of fields in lowerCamelCase, between commas."},
    Kind.ANY: {
        "type": "object",
        "properties": {"@type": {"type": "string", "description": "The type's URL; it ends with its full name."}},
        "description": "A message of any type: its fields stand beside @type; of types whose JSON is no object, value "
        "holds it.",
    },
    Kind.STRUCT: {"type": "object", "description": "Any JSON object."},
    Kind.VALUE: {"description": "Any JSON value."},
    Kind.LIST_VALUE: {"type": "array", "items": {}, "description": "Any JSON array."},
}


def scalar_schema(field: FieldPlan, options: CodecOptions) -> Json:
    """The schema of a value that is no message and no enum."""
    if field.kind is not Kind.INT:
        return dict(_SCALARS[field.kind])
    name = f"{'int' if field.low else 'uint'}{64 if field.wide else 32}"
    if field.wide and not options.int64_as_numbers:
        return {"type": "string", "format": name, "pattern": _SIGNED if field.low else _UNSIGNED}
    return {"type": "integer", "format": name, "minimum": field.low, "maximum": field.high}


def enum_schema(field: FieldPlan, options: CodecOptions) -> Json:
    """The schema of an enum's values; an open one may hold numbers that have no name yet."""
    assert field.enum is not None
    numbers, names = list(field.enum.by_number), list(field.enum.by_number.values())
    if field.enum.closed:
        return {"enum": numbers} if options.enums_as_numbers else {"type": "string", "enum": names}
    number: Json = {"type": "integer", "format": "int32", "minimum": -(2**31), "maximum": 2**31 - 1}
    return number if options.enums_as_numbers else {"anyOf": [{"type": "string", "enum": names}, number]}


def key_schema(field: FieldPlan) -> Json | None:
    """The schema of a map's keys, which are always strings; None if any string will do."""
    if field.kind is Kind.STRING:
        return None
    if field.kind is Kind.BOOL:
        return {"enum": ["true", "false"]}
    return {"pattern": _SIGNED if field.low else _UNSIGNED}


def well_known_schema(kind: Kind) -> Json:
    """The schema of a well-known type that is no wrapper."""
    return dict(_WELL_KNOWN[kind])


def at_most_one(names: Iterable[str]) -> Json:
    """The members of a oneof: one of them, or none."""
    each: list[Json] = [{"required": [name]} for name in names]
    return {"oneOf": [*each, {"not": {"anyOf": each}}]}
