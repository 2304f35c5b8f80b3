"""The complete path out: what has no JSON form, and where it stands."""

from __future__ import annotations

from typing import Any

import pytest

from asgi_grpc.codec import Codec, CodecOptions, EncodeError
from tests.codec import schemas

BAD_TIME = {"seconds": 10**12}

REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("kinds.WellKnown", {"time": BAD_TIME}, "$.time", "expected a Timestamp in the years 1 to 9999, got one outside"),
    (
        "kinds.WellKnown",
        {"time": {"nanos": -1}},
        "$.time",
        "expected the nanos of a Timestamp from 0 to 999999999, got others",
    ),
    (
        "kinds.WellKnown",
        {"duration": {"seconds": 1, "nanos": -1}},
        "$.duration",
        "expected the seconds and nanos of a Duration to have one sign, got two",
    ),
    (
        "kinds.WellKnown",
        {"mask": {"paths": ["a", "B"]}},
        "$.mask",
        "expected paths of a FieldMask that survive lowerCamelCase, got one that does not",
    ),
    (
        "kinds.WellKnown",
        {"struct": {"a": [1, float("nan")]}},
        '$.struct["a"][1]',
        "expected a finite number in a Value, got one that JSON does not have",
    ),
    (
        "kinds.WellKnown",
        {"any": {"type_url": "x/a.B"}},
        '$.any["@type"]',
        "expected an Any of a known type, got another",
    ),
    ("kinds.WellKnown", {"any": {"value": b"a"}}, '$.any["@type"]', "expected an Any of a known type, got another"),
    (
        "kinds.WellKnown",
        {"any": {"type_url": "/kinds.Leaf"}},
        '$.any["@type"]',
        "expected an Any of a known type, got another",
    ),
    (
        "kinds.WellKnown",
        {"any": {"type_url": "x/kinds.Leaf", "value": b"\xff"}},
        "$.any",
        "expected an Any to hold the bytes of kinds.Leaf, got others",
    ),
    (
        "kinds.WellKnown",
        {"any": {"type_url": "x/google.protobuf.Duration", "value": b"\x10\x80\x94\xeb\xdc\x03"}},
        "$.any.value",
        "expected the nanos of a Duration from -999999999 to 999999999, got others",
    ),
    (
        "kinds.Lists",
        {"times": [{}, BAD_TIME]},
        "$.times[1]",
        "expected a Timestamp in the years 1 to 9999, got one outside",
    ),
    (
        "kinds.Maps",
        {"string_time": {"a": BAD_TIME}},
        '$.stringTime["a"]',
        "expected a Timestamp in the years 1 to 9999, got one outside",
    ),
    (
        "kinds.Maps",
        {"bool_maps": {True: {"string_time": {"a": BAD_TIME}}}},
        '$.boolMaps["true"].stringTime["a"]',
        "expected a Timestamp in the years 1 to 9999, got one outside",
    ),
]


@pytest.mark.parametrize(("message", "fields", "path", "problem"), REFUSED)
def test_what_has_no_json_form_is_named(message: str, fields: dict[str, Any], path: str, problem: str) -> None:
    codec = Codec(schemas.message_class(message))
    bad = codec.message_class(**fields)
    with pytest.raises(EncodeError) as caught:
        codec.encode(bad)
    assert (caught.value.message, caught.value.path, caught.value.problem) == (message, path, problem)
    with pytest.raises(EncodeError) as again:
        codec.encode_batch([codec.message_class(), bad])
    assert str(again.value) == str(caught.value)


def test_the_path_has_the_names_that_would_have_been_written() -> None:
    codec = Codec(schemas.message_class("kinds.Maps"), CodecOptions(proto_names=True))
    with pytest.raises(EncodeError) as caught:
        codec.encode(codec.message_class(string_time={"a b": BAD_TIME}))
    assert caught.value.path == '$.string_time["a b"]'


@pytest.mark.parametrize(
    ("wire", "path"),
    [
        (b"\x08\x01\x12\x01\xff", "$.name"),
        (b"\x08\x01\x2a\x03\x0a\x01\xff", "$.levelOf"),
        (b"\x08\x01\xaa\x06\x01\xff", '$["[legacy.extra_words]"][0]'),
        (b"\x08\x01\x42\x03\x0a\x01\xff", "$.part.code"),
    ],
)
def test_bytes_that_are_no_text_are_refused(wire: bytes, path: str) -> None:
    """proto2 does not check its strings when it parses; proto3 does."""
    codec = Codec(schemas.message_class("legacy.Legacy"))
    with pytest.raises(EncodeError, match="expected text in UTF-8, got other bytes") as caught:
        codec.encode(codec.message_class.FromString(wire))
    assert caught.value.path == path


def test_messages_deeper_than_any_parser_reads_are_refused() -> None:
    codec = Codec(schemas.message_class("kinds.Kinds"))
    message = codec.message_class()
    inner: Any = message
    for _ in range(2000):
        inner.nested.SetInParent()
        inner = inner.nested
    with pytest.raises(EncodeError, match="at most 100 levels of protobuf messages"):
        codec.encode(message)


def test_defaults_are_written_on_request() -> None:
    codec = Codec(schemas.message_class("kinds.Lists"), CodecOptions(print_defaults=True))
    assert set(codec.decode(b"{}").DESCRIPTOR.fields_by_camelcase_name) == set(
        codec._machinery.printer.tree(codec.decode(b"{}"), codec._machinery.types.plan(codec.descriptor))
    )
    leaf = Codec(schemas.message_class("kinds.Leaf"), CodecOptions(print_defaults=True))
    assert leaf.encode(leaf.message_class()) == b'{"text":"","count":0,"flag":false}'
    assert leaf.encode(leaf.message_class(count=1)) == b'{"text":"","count":1,"flag":false}'
    legacy = Codec(schemas.message_class("legacy.Legacy"), CodecOptions(print_defaults=True))
    assert legacy.encode(legacy.message_class(id=1)) == b'{"id":1,"sizes":[],"levelOf":{},"shelf":[],"parts":[]}'


def test_unknown_numbers_are_written_as_numbers() -> None:
    codec = Codec(schemas.message_class("kinds.Kinds"))
    assert codec.encode(codec.message_class(a_color=99)) == b'{"aColor":99}'
