"""Text of paths and queries, by field."""

from __future__ import annotations

from typing import Any

import pytest

from asgi_grpc.codec import CodecOptions, set_map_text, set_text
from tests.codec import schemas

TAKEN: list[tuple[str, str, str, Any]] = [
    ("kinds.Kinds", "an_int32", "-5", -5),
    ("kinds.Kinds", "a_uint64", "18446744073709551615", 2**64 - 1),
    ("kinds.Kinds", "an_int64", "9007199254740993", 2**53 + 1),
    ("kinds.Kinds", "a_double", "1.5e3", 1500.0),
    ("kinds.Kinds", "a_double", "-Infinity", float("-inf")),
    ("kinds.Kinds", "a_float", "0.5", 0.5),
    ("kinds.Kinds", "a_bool", "true", True),
    ("kinds.Kinds", "a_bool", "1", True),
    ("kinds.Kinds", "opt_bool", "false", False),
    ("kinds.Kinds", "opt_bool", "0", False),
    ("kinds.Kinds", "a_string", "a b/é\0", "a b/é\0"),
    ("kinds.Kinds", "opt_string", "", ""),
    ("kinds.Kinds", "a_bytes", "YWJj", b"abc"),
    ("kinds.Kinds", "a_bytes", "-_8", b"\xfb\xff"),
    ("kinds.Kinds", "a_color", "COLOR_BLUE", 2),
    ("kinds.Kinds", "a_color", "-1", -1),
    ("kinds.Kinds", "opt_null", "null", 0),
    ("kinds.Kinds", "opt_null", "NULL_VALUE", 0),
    ("kinds.Kinds", "opt_null", "0", 0),
    ("kinds.Lists", "int64s", "7", [7]),
    ("kinds.Lists", "strings", "", [""]),
    ("kinds.WellKnown", "time", "1970-01-01T00:00:01.5Z", {"seconds": 1, "nanos": 500_000_000}),
    ("kinds.WellKnown", "duration", "-1.5s", {"seconds": -1, "nanos": -500_000_000}),
    ("kinds.WellKnown", "mask", "aB,c", {"paths": ["a_b", "c"]}),
    ("kinds.WellKnown", "int64_value", "9", {"value": 9}),
    ("kinds.WellKnown", "bool_value", "1", {"value": True}),
    ("kinds.WellKnown", "string_value", "", {"value": ""}),
    ("kinds.WellKnown", "bytes_value", "YQ", {"value": b"a"}),
    ("kinds.WellKnown", "struct", '{"a":[1]}', {"a": [1]}),
    ("kinds.WellKnown", "value", "null", {"null_value": 0}),
    ("kinds.WellKnown", "list_value", "[null]", [None]),
    ("kinds.Lists", "times", "1970-01-01T00:00:00Z", [{}]),
    ("kinds.Lists", "values", "null", [{"null_value": 0}]),
    ("kinds.Lists", "nulls", "null", [0]),
    ("legacy.Legacy", "size", "3", 3),
]


@pytest.mark.parametrize(("message", "field", "text", "value"), TAKEN)
def test_text_sets_a_field_by_the_rules_of_its_type(message: str, field: str, text: str, value: Any) -> None:
    message_class = schemas.message_class(message)
    found = message_class()
    set_text(found, message_class.DESCRIPTOR.fields_by_name[field], text)
    assert found == message_class(**{field: value})


def test_text_appends_to_a_repeated_field() -> None:
    message_class = schemas.message_class("kinds.Lists")
    found = message_class()
    for text in ("1", "2", "1"):
        set_text(found, message_class.DESCRIPTOR.fields_by_name["int32s"], text)
    assert found.int32s == [1, 2, 1]


def test_text_sets_an_extension() -> None:
    message_class = schemas.message_class("legacy.Legacy")
    extension = schemas.pool().FindExtensionByName("legacy.extra_number")
    found = message_class(id=1)
    set_text(found, extension, "5")
    assert found.Extensions[extension] == 5


REFUSED: list[tuple[str, str, str, str]] = [
    ("kinds.Kinds", "an_int32", "", "expected an integer, got a string that is not a number"),
    ("kinds.Kinds", "an_int32", "0x10", "expected an integer, got a string that is not a number"),
    ("kinds.Kinds", "an_int32", "007", "expected an integer, got a string that is not a number"),
    ("kinds.Kinds", "an_int32", "2147483648", "expected an integer from -2147483648 to 2147483647, got one outside"),
    ("kinds.Kinds", "a_bool", "yes", "expected true or false, got another text"),
    ("kinds.Kinds", "a_bool", "True", "expected true or false, got another text"),
    ("kinds.Kinds", "a_string", "\ud800", "expected Unicode text, got an unpaired surrogate"),
    ("kinds.Kinds", "a_bytes", "a b", "expected base64, got a string with other characters"),
    ("kinds.Kinds", "a_color", "PINK", "expected the name of a value of kinds.Color, got an unknown one"),
    ("kinds.Kinds", "a_color", "99", "expected a number of kinds.Color, got an unknown one"),
    ("kinds.Lists", "colors", "PINK", "expected the name of a value of kinds.Color, got an unknown one"),
    ("kinds.Kinds", "a_null", "no", "expected null, got a string"),
    ("kinds.Kinds", "a_leaf", "{}", "expected a type that one text can hold, not the message kinds.Leaf"),
    ("kinds.WellKnown", "any", "{}", "expected a type that one text can hold, not the message google.protobuf.Any"),
    ("kinds.WellKnown", "struct", "[]", "expected an object, got an array"),
    ("kinds.WellKnown", "struct", "{", "expected a whole JSON document, got one that ends too early"),
    ("kinds.WellKnown", "time", "today", "expected a time such as"),
    ("kinds.Maps", "string_string", "a", "expected one entry of a map, got a text for the whole"),
]


@pytest.mark.parametrize(("message", "field", "text", "problem"), REFUSED)
@pytest.mark.parametrize("options", [CodecOptions(), CodecOptions(ignore_unknown=True)], ids=["strict", "ignoring"])
def test_text_that_does_not_fit_is_refused_in_a_sentence(
    message: str, field: str, text: str, problem: str, options: CodecOptions
) -> None:
    message_class = schemas.message_class(message)
    with pytest.raises(ValueError, match=r"^expected") as caught:
        set_text(message_class(), message_class.DESCRIPTOR.fields_by_name[field], text, options)
    assert str(caught.value).startswith(problem)


@pytest.mark.parametrize(
    ("field", "key", "text", "value"),
    [
        ("string_string", "", "x", {"": "x"}),
        ("int64_int64", "-5", "6", {-5: 6}),
        ("bool_string", "true", "x", {True: "x"}),
        ("sint64_bool", "1", "0", {1: False}),
        ("fixed32_color", "1", "COLOR_RED", {1: 1}),
        ("string_time", "a", "1970-01-01T00:00:00Z", {"a": {}}),
        ("string_value", "a", "null", {"a": {"null_value": 0}}),
        ("string_null", "a", "null", {"a": 0}),
    ],
)
def test_text_sets_an_entry_of_a_map(field: str, key: str, text: str, value: Any) -> None:
    message_class = schemas.message_class("kinds.Maps")
    found = message_class()
    set_map_text(found, message_class.DESCRIPTOR.fields_by_name[field], key, text)
    assert found == message_class(**{field: value})


def test_entries_of_a_map_gather() -> None:
    message_class = schemas.message_class("kinds.Maps")
    found = message_class()
    for key in "ab":
        set_map_text(found, message_class.DESCRIPTOR.fields_by_name["string_string"], key, key)
    assert found == message_class(string_string={"a": "a", "b": "b"})


@pytest.mark.parametrize(
    ("message", "field", "key", "text", "problem"),
    [
        ("kinds.Maps", "int64_int64", "x", "6", "expected an integer, got a string that is not a number"),
        ("kinds.Maps", "bool_string", "1", "x", 'expected the key "true" or "false", got another one'),
        ("kinds.Maps", "int64_int64", "1", "x", "expected an integer, got a string that is not a number"),
        ("kinds.Maps", "string_leaf", "a", "x", "expected a type that one text can hold, not the message kinds.Leaf"),
        ("kinds.Kinds", "an_int32", "a", "1", "expected a map, got another field"),
    ],
)
def test_an_entry_that_does_not_fit_is_refused(message: str, field: str, key: str, text: str, problem: str) -> None:
    message_class = schemas.message_class(message)
    with pytest.raises(ValueError, match=r"^expected") as caught:
        set_map_text(message_class(), message_class.DESCRIPTOR.fields_by_name[field], key, text)
    assert str(caught.value) == problem
