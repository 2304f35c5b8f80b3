"""Values on the fast path out: what the complete path writes, from tables and in C where that is possible.

Whatever has no JSON form raises; the complete path then says what is wrong, and where.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from math import copysign
from typing import Any

import msgspec
from msgspec import UNSET, Raw

from asgi_grpc.codec._plan import EnumPlan
from asgi_grpc.codec._quick import Miss
from asgi_grpc.codec._scalars import write_double, write_float
from asgi_grpc.codec._wellknown import write_timestamp

_MOST = 4096
_to_json = msgspec.json.Encoder().encode


def quick_text(value: Any) -> str:
    """A string that protobuf parsed unchecked: what is not UTF-8 comes as bytes."""
    if value.__class__ is not str:
        raise Miss
    text: str = value
    return text


class EnumNames(dict[int, Any]):
    """The number of an enum value -> its JSON.

    Args:
        names: of the enum.
        as_numbers: write numbers.
        hide_zero: the zero of a field without presence is not written.
    """

    def __init__(self, names: EnumPlan, *, as_numbers: bool, hide_zero: bool) -> None:
        super().__init__({} if as_numbers else names.by_number)
        if hide_zero:
            self[0] = UNSET

    def __missing__(self, number: int) -> int:
        return number


def quick_double(value: float) -> Any:
    """A double of a field without presence: only the zero that is not negative is not written."""
    if value:
        return value if value - value == 0.0 else write_double(value)
    return UNSET if copysign(1.0, value) > 0 else value


def quick_float(value: float) -> Any:
    """``quick_double`` for 32 bits."""
    return write_float(value) if value else quick_double(value)


def quick_doubles(values: Any) -> list[Any]:
    """A list of doubles; if their sum is finite, so is each."""
    plain: list[Any] = values[:]
    total = sum(plain)
    return plain if total - total == 0.0 else [*map(write_double, plain)]


def quick_wide_integers(values: Any) -> Any:
    """A list of 64-bit integers as strings: written as numbers in C, the quotes put between them."""
    if len(values) < 4:
        return [*map(str, values)]
    return Raw(b'["' + _to_json(values[:])[1:-1].replace(b",", b'","') + b'"]')


class _Minutes(dict[int, str]):
    """Minutes since 1970 -> ``"2026-01-31T23:59:"``."""

    def __missing__(self, minutes: int) -> str:
        text = write_timestamp(minutes * 60, 0)[:17]
        if len(self) >= _MOST:
            self.clear()
        self[minutes] = text
        return text


_minutes = _Minutes()
_seconds_z = [f"{n:02}Z" for n in range(60)]


def quick_timestamp(message: Any) -> str:
    """The JSON of a Timestamp."""
    seconds: int = message.seconds
    nanos: int = message.nanos
    minutes, second = divmod(seconds, 60)
    if not nanos:
        return _minutes[minutes] + _seconds_z[second]
    if not 0 < nanos < 1_000_000_000:
        raise Miss
    if nanos % 1000:
        return f"{_minutes[minutes]}{second:02}.{nanos:09}Z"
    if nanos % 1_000_000:
        return f"{_minutes[minutes]}{second:02}.{nanos // 1000:06}Z"
    return f"{_minutes[minutes]}{second:02}.{nanos // 1_000_000:03}Z"


def quick_struct(message: Any) -> dict[str, Any]:
    """The object in a Struct."""
    tree: dict[str, Any] = {}
    fields = message.fields
    for key in fields:
        value = fields[key]
        # Most values are text or numbers: to look for them is quicker than to ask which it is.
        text = value.string_value
        tree[key] = text or quick_value(value)
    return tree


def quick_list(message: Any) -> list[Any]:
    """The array in a ListValue."""
    return [value.string_value or quick_value(value) for value in message.values]


def quick_value(message: Any) -> Any:
    """Anything in a Value."""
    number = message.number_value
    if number:
        if number - number != 0.0:
            raise Miss
        return number
    kind = message.WhichOneof("kind")
    if kind == "struct_value":
        return quick_struct(message.struct_value)
    if kind == "list_value":
        return quick_list(message.list_value)
    return None if kind is None or kind == "null_value" else getattr(message, kind)


def _fastest_base64() -> Callable[[bytes], Any] | None:
    """pybase64's encoder if it is installed: 10 times as fast as msgspec's on 64 KiB. Else None."""
    try:
        encode = importlib.import_module("pybase64").b64encode
    except ImportError:
        return None

    def write_base64(value: bytes) -> Any:
        return value if len(value) < 64 else Raw(b'"' + encode(value) + b'"')

    return write_base64


WRITE_BASE64 = _fastest_base64()
"""Bytes to what msgspec writes as base64; None: msgspec does it itself."""
