"""What ProtoJSON writes for values that are no objects: texts that are right, and texts that break one rule.

Every right text is one that protobuf's own ``json_format`` reads too, and every wrong one it refuses: where readers may
differ, nothing is drawn.

Source: the ProtoJSON format, table of types.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Iterable
from typing import NamedTuple

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from hypothesis import strategies as st

_F = FieldDescriptor
_EXACT = 2**53  # the largest integer up to which doubles have them all
_DOUBLE_EDGES = [5e-324, 2.2250738585072014e-308, 1.7976931348623157e308]
_FLOAT_EDGES = [1.401298464324817e-45, 3.4028234663852886e38]
_NOT_TEXT = ("1", "true", "{}", "[]")
_NOT_A_VALUE = ("{}", "[]")


class Leaf(NamedTuple):
    """The texts of one kind of value.

    Attributes:
        right: draws JSON texts that are valid.
        wrong: JSON texts of which each breaks one rule.
    """

    right: st.SearchStrategy[str]
    wrong: tuple[str, ...]


def _quoted(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(f'"{text}"' for text in texts)


def _integers(low: int, high: int) -> Leaf:
    edges = [edge for edge in (0, 1, -1, low, low + 1, high - 1, high, _EXACT + 1, -_EXACT - 1) if low <= edge <= high]
    values = st.sampled_from(edges) | st.integers(low, high)
    outside = (str(low - 1), str(high + 1))
    wrong = (*outside, *_quoted(outside), "0.5", '"0.5"', '""', '"x"', "1e30", "true", *_NOT_A_VALUE)
    return Leaf(values.flatmap(lambda value: st.sampled_from(_spell_integer(value))), wrong)


def _spell_integer(value: int) -> list[str]:
    spellings = [str(value), f'"{value}"']
    if abs(value) <= _EXACT:
        spellings += [f"{value}.0", f"{value}e0", f"{value}.00E+00"]
        if value and value % 10 == 0:
            spellings.append(f"{value // 10}e1")
    return spellings


def _finite(values: st.SearchStrategy[float], edges: list[float]) -> st.SearchStrategy[float]:
    return st.sampled_from([0.0, -0.0, 0.1, 1.5, 1e21, *edges, *[-edge for edge in edges]]) | values


def _floats(values: st.SearchStrategy[float], edges: list[float], too_large: tuple[str, ...]) -> Leaf:
    right = st.sampled_from(_quoted(["NaN", "Infinity", "-Infinity"])) | _finite(values, edges).flatmap(
        lambda value: st.sampled_from(_spell_float(value))
    )
    return Leaf(right, (*too_large, '""', '"x"', *_NOT_A_VALUE))


def _spell_float(value: float) -> list[str]:
    spellings = [repr(value), repr(value).upper(), f'"{value!r}"']
    if value.is_integer() and abs(value) <= _EXACT:
        spellings += [str(int(value)), f'"{int(value)}"']
    return spellings


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["", "\0", "\x7f", "\xe9", "\u2028", "\ufeff", "\U0001f600", '"\\/\b', "null", "@type", "a" * 70]
)
"""Texts without lone surrogates, some of which trip parsers."""


def spell_text(text: str) -> st.SearchStrategy[str]:
    """Draw a JSON string: raw, with escapes, or with nothing else."""
    units = text.encode("utf-16-be")
    escaped = "".join([f"\\u{units[at : at + 2].hex().upper()}" for at in range(0, len(units), 2)])
    raw = json.dumps(text, ensure_ascii=False)
    return st.sampled_from([raw, json.dumps(text), raw.replace("/", "\\/"), f'"{escaped}"'])


def _spell_bytes(data: bytes) -> list[str]:
    padded = [base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode()]
    return [*_quoted(padded), *_quoted(text.rstrip("=") for text in padded)]


_DOUBLE = _floats(
    st.floats(allow_nan=False, allow_infinity=False),
    _DOUBLE_EDGES,
    ("1e400", "-1e400"),
)
_FLOAT = _floats(
    st.floats(width=32, allow_nan=False, allow_infinity=False),
    _FLOAT_EDGES,
    ("3.5e38", "-3.5e38"),
)
_TEXT = Leaf(TEXTS.flatmap(spell_text), (*_NOT_TEXT, '"\\ud800"', '"\\x"', '"\t"'))
_BYTES = Leaf(
    (st.binary(max_size=8) | st.sampled_from([b"\xfb\xff\xfe", bytes(70)])).flatmap(
        lambda data: st.sampled_from(_spell_bytes(data))
    ),
    (*_NOT_TEXT, '"A"', '"AAAAA"'),
)
_BOOL = Leaf(st.sampled_from(["true", "false"]), ("0", "1", '"true"', '""', *_NOT_A_VALUE))
_INT32, _UINT32 = _integers(-(2**31), 2**31 - 1), _integers(0, 2**32 - 1)
_INT64, _UINT64 = _integers(-(2**63), 2**63 - 1), _integers(0, 2**64 - 1)
_SCALARS: dict[int, Leaf] = {
    _F.TYPE_DOUBLE: _DOUBLE,
    _F.TYPE_FLOAT: _FLOAT,
    _F.TYPE_BOOL: _BOOL,
    _F.TYPE_STRING: _TEXT,
    _F.TYPE_BYTES: _BYTES,
    **dict.fromkeys((_F.TYPE_INT32, _F.TYPE_SINT32, _F.TYPE_SFIXED32), _INT32),
    **dict.fromkeys((_F.TYPE_INT64, _F.TYPE_SINT64, _F.TYPE_SFIXED64), _INT64),
    **dict.fromkeys((_F.TYPE_UINT32, _F.TYPE_FIXED32), _UINT32),
    **dict.fromkeys((_F.TYPE_UINT64, _F.TYPE_FIXED64), _UINT64),
}


def scalar_leaf(field: FieldDescriptor) -> Leaf:
    """The texts of a field that holds no message, of one element where it holds several."""
    return _SCALARS[field.type] if field.enum_type is None else _enum(field.enum_type)


def _enum(enum: EnumDescriptor) -> Leaf:
    wrong = ('"NO_SUCH_VALUE"', '""', *_NOT_A_VALUE)
    names = [f'"{value.name}"' for value in enum.values]
    numbers = {value.number for value in enum.values}
    if enum.full_name == "google.protobuf.NullValue":
        return Leaf(st.sampled_from([*names, "0"]), wrong)
    spellings = [*names, *map(str, sorted(numbers))]
    unknown = next(str(number) for number in range(77, 77 + len(numbers) + 1) if number not in numbers)
    if enum.is_closed:
        return Leaf(st.sampled_from(spellings), (*wrong, unknown))
    return Leaf(st.sampled_from([*spellings, unknown, str(2**31 - 1), str(-(2**31))]), wrong)


def map_keys(key: FieldDescriptor) -> tuple[st.SearchStrategy[list[str]], tuple[str, ...]]:
    """Lists of different keys of a map, as JSON texts; and texts that are none of its keys."""
    if key.type == _F.TYPE_STRING:
        return _different_texts(), ()
    if key.type == _F.TYPE_BOOL:
        return st.lists(st.sampled_from(_quoted(["true", "false"])), unique=True), _quoted(["yes", "1", ""])
    leaf = _SCALARS[key.type]
    low, high = (int(text) for text in leaf.wrong[:2])
    numbers = st.sampled_from([0, 1, low + 1, high - 1]) | st.integers(low + 1, high - 1)
    keys = st.lists(numbers.map(lambda number: f'"{number}"'), max_size=3, unique=True)
    return keys, _quoted([str(low), str(high), "", "x", "0.5"])


@st.composite
def _different_texts(draw: st.DrawFn) -> list[str]:
    return [draw(spell_text(text)) for text in draw(st.lists(TEXTS, max_size=3, unique=True))]


@st.composite
def _timestamps(draw: st.DrawFn) -> str:
    first, last = dt.datetime(1, 1, 2), dt.datetime(9999, 12, 30)
    moment = draw(st.datetimes(first, last)).replace(microsecond=0)
    offset = draw(st.sampled_from(["Z", "Z", "+00:00", "-00:00", "+05:30", "-12:00", "+14:00", "+23:59", "-23:59"]))
    return f'"{moment.isoformat()}{draw(_fractions())}{offset}"'


def _fractions() -> st.SearchStrategy[str]:
    return st.one_of(st.just(""), st.text("0123456789", min_size=1, max_size=9).map(lambda digits: "." + digits))


_TIMESTAMP = Leaf(
    _timestamps()
    | st.sampled_from(
        _quoted(["0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999999Z"])
    ),
    (
        *_NOT_TEXT,
        *_quoted(["", "2020-02-30T00:00:00Z", "2020-01-01T00:00:00", "2020-01-01", "10000-01-01T00:00:00Z"]),
        *_quoted(["2020-01-01 00:00:00Z", "2020-01-01T24:00:00Z", "0000-01-01T00:00:00Z"]),
    ),
)
_DURATION = Leaf(
    st.tuples(
        st.sampled_from(["", "", "-"]),
        st.sampled_from([0, 1, 315_575_999_999]) | st.integers(0, 315_575_999_999),
        _fractions(),
    ).map(lambda parts: f'"{parts[0]}{parts[1]}{parts[2]}s"')
    | st.sampled_from(_quoted(["315576000000s", "-315576000000s"])),
    (*_NOT_TEXT, *_quoted(["", "1", "1.5", "s", "1m", "315576000001s", "-315576000001s"])),
)
_PATHS = st.from_regex(r"[a-z]{1,3}([A-Z][a-z])?(\.[a-z]{1,3}){0,2}", fullmatch=True)
_MASK = Leaf(st.lists(_PATHS, max_size=3).map(lambda paths: json.dumps(",".join(paths))), (*_NOT_TEXT, '"a_b"'))

WELL_KNOWN = {
    "google.protobuf.Duration": _DURATION,
    "google.protobuf.FieldMask": _MASK,
    "google.protobuf.Timestamp": _TIMESTAMP,
}
"""The well-known types whose JSON is a string, by full name."""

FINITE = _finite(st.floats(allow_nan=False, allow_infinity=False), _DOUBLE_EDGES).map(repr)
"""Numbers as ``google.protobuf.Value`` holds them."""
