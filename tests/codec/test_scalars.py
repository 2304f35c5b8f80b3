"""Scalars from every JSON value: what is taken, and the words for what is not."""

from __future__ import annotations

import math
from typing import Any

import pytest

from asgi_grpc.codec import _scalars as scalars
from asgi_grpc.codec._plan import FieldPlan, plan_message
from asgi_grpc.codec._refusal import Refusal, UnknownEnumName
from tests.codec import schemas

FIELDS = plan_message(schemas.pool().FindMessageTypeByName("kinds.Kinds")).by_key
SIZE = plan_message(schemas.pool().FindMessageTypeByName("legacy.Legacy")).by_key["size"]
OUT_OF_RANGE = scalars.OutOfRange()


def read(field: FieldPlan, value: Any) -> Any:
    return scalars.READERS[field.kind](field, value)


@pytest.mark.parametrize(
    ("field", "value", "result"),
    [
        ("anInt32", 5, 5),
        ("anInt32", 5.0, 5),
        ("anInt32", "5", 5),
        ("anInt32", "-0", 0),
        ("anInt32", "5.0", 5),
        ("anInt32", "1e3", 1000),
        ("anInt32", "1E+3", 1000),
        ("aUint64", "18446744073709551615", 2**64 - 1),
        ("anInt64", "9007199254740993", 2**53 + 1),
        ("anInt64", "9007199254740993.0", 2**53),
        ("aDouble", 1, 1.0),
        ("aDouble", 1.5, 1.5),
        ("aDouble", "1.5e3", 1500.0),
        ("aDouble", "Infinity", math.inf),
        ("aFloat", 3.4028235e38, 3.4028235e38),
        ("aBool", True, True),
        ("aBool", False, False),
        ("aString", "", ""),
        ("aBytes", "", b""),
        ("aBytes", "YQ", b"a"),
        ("aBytes", "YQ==", b"a"),
        ("aBytes", "-_-_", b"\xfb\xff\xbf"),
        ("aBytes", "+/+/", b"\xfb\xff\xbf"),
        ("aColor", "COLOR_RED", 1),
        ("aColor", 1, 1),
        ("aColor", 1.0, 1),
        ("aColor", "1", 1),
        ("aColor", 99, 99),
        ("aNull", None, 0),
        ("aNull", "NULL_VALUE", 0),
        ("aNull", 0, 0),
    ],
)
def test_every_spelling_is_read(field: str, value: Any, result: Any) -> None:
    found = read(FIELDS[field], value)
    assert found == result
    assert type(found) is type(result)


def test_nan_is_read() -> None:
    assert math.isnan(read(FIELDS["aDouble"], "NaN"))


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("anInt32", None, "expected an integer, got null"),
        ("anInt32", True, "expected an integer, got a boolean"),
        ("anInt32", [1], "expected an integer, got an array"),
        ("anInt32", {}, "expected an integer, got an object"),
        ("anInt32", 1.5, "expected an integer, got a number with a fraction"),
        ("anInt32", "1.5", "expected an integer, got a number with a fraction"),
        ("anInt32", "", "expected an integer, got a string that is not a number"),
        ("anInt32", 2**31, "expected an integer from -2147483648 to 2147483647, got one outside"),
        ("anInt32", 1e300, "expected an integer from -2147483648 to 2147483647, got one outside"),
        ("anInt32", "1e999", "expected an integer from -2147483648 to 2147483647, got one outside"),
        ("anInt32", OUT_OF_RANGE, "expected an integer from -2147483648 to 2147483647, got one outside"),
        ("aUint64", "-1", "expected an integer from 0 to 18446744073709551615, got one outside"),
        ("aUint64", "1" * 21, "expected an integer from 0 to 18446744073709551615, got one outside"),
        ("aDouble", None, "expected a number, got null"),
        ("aDouble", "nan", 'expected a number, "NaN", "Infinity" or "-Infinity", got another string'),
        ("aDouble", 10**400, "expected a number in the range of a double, got a larger one"),
        ("aDouble", "1e400", "expected a number in the range of a double, got a larger one"),
        ("aDouble", OUT_OF_RANGE, "expected a number in the range of a double, got a larger one"),
        ("aFloat", 3.5e38, "expected a number in the range of a 32-bit float, got a larger one"),
        ("aBool", 1, "expected true or false, got a number"),
        ("aBool", "true", "expected true or false, got a string"),
        ("aString", 1, "expected a string, got a number"),
        ("aBytes", 1, "expected a string of base64, got a number"),
        ("aBytes", "a", "expected base64, got a string of impossible length"),
        ("aBytes", "a===", "expected base64, got a string with other characters"),
        ("aBytes", "é", "expected base64, got a string with other characters"),
        ("aColor", True, "expected a name or a number of kinds.Color, got a boolean"),
        ("aColor", 1.5, "expected a name or a number of kinds.Color, got a number with a fraction"),
        ("aColor", OUT_OF_RANGE, "expected a name or a number of kinds.Color, got a number"),
        ("aColor", 2**31, "expected a number of kinds.Color, got an unknown one"),
        ("aNull", 1, "expected null, got a number"),
        ("aNull", False, "expected null, got a boolean"),
    ],
)
def test_anything_else_is_refused_in_words(field: str, value: Any, problem: str) -> None:
    with pytest.raises(Refusal) as caught:
        read(FIELDS[field], value)
    assert caught.value.problem == problem


def test_unknown_names_of_enums_are_a_refusal_of_their_own() -> None:
    for field, value in ((FIELDS["aColor"], "PINK"), (FIELDS["aColor"], "color_red"), (SIZE, "1" * 30)):
        with pytest.raises(UnknownEnumName):
            read(field, value)


@pytest.mark.parametrize("value", [2, "2"])
def test_unknown_numbers_of_closed_enums_are_refused(value: Any) -> None:
    with pytest.raises(Refusal, match="a number of legacy") as caught:
        read(SIZE, value)
    assert type(caught.value) is Refusal


@pytest.mark.parametrize(
    ("value", "written"),
    [(1.5, 1.5), (-0.0, -0.0), (math.nan, "NaN"), (math.inf, "Infinity"), (-math.inf, "-Infinity")],
)
def test_doubles_are_written_as_numbers_or_names(value: float, written: Any) -> None:
    assert scalars.write_double(value) == written
    assert scalars.write_float(value) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.10000000149011612, 0.1),
        (16777216.0, 16777216.0),
        (1.1754943508222875e-38, 1.1754944e-38),
        (1.401298464324817e-45, 1.4013e-45),
        (3.4028234663852886e38, 3.4028235e38),
        (0.3333333432674408, 0.33333334),
        (8.589973e9, 8.589973e9),
        (1.00000012, 1.0000001),
        (0.000123456788, 0.00012345679),
        (9.99999974737875163555e-05, 1e-4),
        (1.17549421e-38, 1.1754942e-38),
        (8388608.5, 8388608.0),
        (0.0010000000474974513, 0.001),
        (7.038531e-26, 7.038531e-26),
        (1048576.125, 1048576.1),
        (33554450.0, 33554450.0),
        (1.0829545484783232e-27, 1.08295455e-27),
    ],
)
def test_floats_are_written_short(value: float, written: float) -> None:
    assert scalars.write_float(value) == written


@pytest.mark.parametrize("value", [0.0, -0.0, 1.0, -7.0, 999_999.0, 1e6, -1e6, 1_048_577.0, 16_777_216.0, 33_554_432.0])
def test_whole_numbers_keep_their_sign_and_value(value: float) -> None:
    assert str(scalars.write_float(value)) == str(float(f"{value:.9g}"))
