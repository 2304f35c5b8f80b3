"""Scalars: a JSON value in, the Python value that protobuf stores out, and back.

The readers take what a JSON parser gave (``str``, ``int``, ``float``, ``bool``, ``None``, a list, a dict,
``OutOfRange``) and know every spelling that ProtoJSON allows. Text of paths and queries goes through them too.

Source: the ProtoJSON format, table "Representation of each type".
"""

from __future__ import annotations

import re
import struct
from base64 import b64decode, b64encode
from collections.abc import Callable
from math import isfinite
from typing import Any

import msgspec

from asgi_grpc.codec._plan import FieldPlan, Kind
from asgi_grpc.codec._refusal import Refusal, UnknownEnumName, noun

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)", re.ASCII)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", re.ASCII)
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}", re.ASCII)
_STANDARD_ALPHABET = str.maketrans("-_", "+/")
_NOT_FINITE = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
_BOOLEANS = {"true": True, "false": False}
_DIGITS = 20  # of the largest 64-bit integer: longer ones are refused before anything is computed with them
_pack_float = struct.Struct("<f").pack


class OutOfRange:
    """A JSON number too large for a double. An error wherever it is looked at, and only there."""

    __slots__ = ()


def read_integer(field: FieldPlan, value: Any) -> int:
    """A number without a fraction, or a string that holds one; exponents and ``.0`` included."""
    kind = value.__class__
    if kind is int:
        number: int = value
    elif kind is str:
        number = _integer_of_text(field, value)
    elif kind is float:
        number = _integer_of_double(value)
    elif kind is OutOfRange:
        raise _integer_range(field)
    else:
        raise Refusal(f"expected an integer, got {noun(value)}")
    if field.low <= number <= field.high:
        return number
    raise _integer_range(field)


def _integer_of_text(field: FieldPlan, text: str) -> int:
    if _INTEGER.fullmatch(text):
        if len(text) > _DIGITS:
            raise _integer_range(field)
        return int(text)
    if not _NUMBER.fullmatch(text):
        raise Refusal("expected an integer, got a string that is not a number")
    number = float(text)  # with a fraction or an exponent it is a double, as without quotes
    if not isfinite(number):
        raise _integer_range(field)
    return _integer_of_double(number)


def _integer_of_double(number: float) -> int:
    if not number.is_integer():
        raise Refusal("expected an integer, got a number with a fraction")
    return int(number)


def _integer_range(field: FieldPlan) -> Refusal:
    return Refusal(f"expected an integer from {field.low} to {field.high}, got one outside")


def read_double(_field: FieldPlan, value: Any) -> float:
    """A number, a string that holds one, or ``"NaN"``, ``"Infinity"``, ``"-Infinity"``."""
    kind = value.__class__
    if kind is float:
        return float(value)
    if kind is str:
        return _double_of_text(value)
    if kind is int:
        try:
            return float(value)
        except OverflowError:
            raise Refusal("expected a number in the range of a double, got a larger one") from None
    if kind is OutOfRange:
        raise Refusal("expected a number in the range of a double, got a larger one")
    raise Refusal(f"expected a number, got {noun(value)}")


def _double_of_text(text: str) -> float:
    special = _NOT_FINITE.get(text)
    if special is not None:
        return special
    if not _NUMBER.fullmatch(text):
        raise Refusal('expected a number, "NaN", "Infinity" or "-Infinity", got another string')
    number = float(text)
    if not isfinite(number):
        raise Refusal("expected a number in the range of a double, got a larger one")
    return number


def read_float(field: FieldPlan, value: Any) -> float:
    """As a double; refused if rounding to 32 bits makes a finite number infinite."""
    number = read_double(field, value)
    try:
        _pack_float(number)
    except OverflowError:
        raise Refusal("expected a number in the range of a 32-bit float, got a larger one") from None
    return number


def read_bool(_field: FieldPlan, value: Any) -> bool:
    """``true`` or ``false``, nothing else."""
    if value is True or value is False:
        return value
    raise Refusal(f"expected true or false, got {noun(value)}")


def read_string(_field: FieldPlan, value: Any) -> str:
    """A string of Unicode scalar values; the JSON parser has refused unpaired surrogates."""
    if value.__class__ is str:
        return value
    raise Refusal(f"expected a string, got {noun(value)}")


def read_bytes(_field: FieldPlan, value: Any) -> bytes:
    """Base64 in the standard or the URL-safe alphabet, with or without padding."""
    if value.__class__ is not str:
        raise Refusal(f"expected a string of base64, got {noun(value)}")
    try:
        return msgspec.convert(value, bytes)  # the standard alphabet, padded: four times as fast as what follows
    except msgspec.ValidationError:
        pass
    text: str = value.translate(_STANDARD_ALPHABET)
    if not _BASE64.fullmatch(text):
        raise Refusal("expected base64, got a string with other characters")
    text = text.rstrip("=")
    if len(text) % 4 == 1:
        raise Refusal("expected base64, got a string of impossible length")
    return b64decode(text + "=" * (-len(text) % 4))


def read_enum(field: FieldPlan, value: Any) -> int:
    """A value's name or its number; of an open enum, any 32-bit number."""
    names = field.enum
    assert names is not None
    kind = value.__class__
    if kind is str:
        named = names.by_name.get(value)
        if named is not None:
            return named
        if not _INTEGER.fullmatch(value) or len(value) > _DIGITS:
            raise UnknownEnumName(f"expected the name of a value of {names.full_name}, got an unknown one")
    elif kind is not int and not (kind is float and value.is_integer()):
        raise Refusal(f"expected a name or a number of {names.full_name}, got {_unfit_for_enum(value)}")
    number = int(value)
    if number in names.by_number or (not names.closed and -(2**31) <= number < 2**31):
        return number
    raise Refusal(f"expected a number of {names.full_name}, got an unknown one")


def _unfit_for_enum(value: Any) -> str:
    return "a number with a fraction" if value.__class__ is float else noun(value)


def read_null(_field: FieldPlan, value: Any) -> int:
    """``google.protobuf.NullValue``: ``null``; its name and its number are read as well."""
    if value is None or (value.__class__ is str and value == "NULL_VALUE") or (value.__class__ is int and value == 0):
        return 0
    raise Refusal(f"expected null, got {noun(value)}")


READERS: dict[Kind, Callable[[FieldPlan, object], Any]] = {
    Kind.INT: read_integer,
    Kind.DOUBLE: read_double,
    Kind.FLOAT: read_float,
    Kind.BOOL: read_bool,
    Kind.STRING: read_string,
    Kind.BYTES: read_bytes,
    Kind.ENUM: read_enum,
    Kind.NULL: read_null,
}


def read_key(field: FieldPlan, key: str) -> str | int | bool:
    """The key of a map: always a string in JSON; refuses with the key as the path's last step."""
    if field.kind is Kind.STRING:
        return key
    if field.kind is Kind.BOOL:
        if key in _BOOLEANS:
            return _BOOLEANS[key]
        raise Refusal('expected the key "true" or "false", got another one')
    return read_integer(field, key)


def write_double(value: float) -> float | str:
    """A number where JSON has one for it, else its name."""
    if value - value == 0.0:
        return value
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"  # noqa: PLR0124 - NaN alone does so


def write_float(value: float) -> float | str:
    """The double with the shortest text that rounds to the same 32-bit float."""
    if value - value != 0.0:
        return write_double(value)
    if value.is_integer() and -1e6 < value < 1e6:
        return value  # six digits are enough; a list of the shortest takes a third of the time
    bits = _pack_float(value)
    for precision in ("%.6g", "%.7g", "%.8g"):
        short = float(precision % value)
        try:
            if _pack_float(short) == bits:
                return short
        except OverflowError:
            continue  # rounded up, past the largest float
    return float(f"{value:.9g}")


def write_bytes(value: bytes) -> str:
    """Base64 in the standard alphabet, padded."""
    return b64encode(value).decode("ascii")
