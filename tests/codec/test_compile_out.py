"""Generated readers, with every set of options, against the complete path."""

from __future__ import annotations

import itertools
import json
from typing import Any, cast

import pytest

from asgi_grpc.codec import Codec, CodecOptions
from tests.codec import schemas

FULL: list[tuple[str, dict[str, Any]]] = [
    ("kinds.Kinds", {}),
    (
        "kinds.Kinds",
        {"a_double": -0.0, "opt_double": 0.0, "a_float": -0.0, "opt_float": 0.1, "an_int64": -1, "opt_uint64": 0},
    ),
    (
        "kinds.Kinds",
        {"a_double": float("nan"), "a_float": float("inf"), "a_null": 0, "opt_null": 0, "a_color": -1, "opt_color": 0},
    ),
    (
        "kinds.Kinds",
        {
            "a_bytes": b"a" * 99,
            "opt_bytes": b"",
            "a_leaf": {},
            "nested": {"an_empty": {}},
            "opt_string": "",
            "opt_bool": False,
        },
    ),
    (
        "kinds.Lists",
        {
            "doubles": [1.0, float("inf")],
            "floats": [0.1],
            "int64s": [1, 2, 3, 4, 5],
            "uint64s": [1],
            "bools": [True, False],
        },
    ),
    (
        "kinds.Lists",
        {"blobs": [b"", b"a" * 70], "colors": [0, 1, 99], "nulls": [0], "leaves": [{}, {"text": "a"}], "times": [{}]},
    ),
    (
        "kinds.Lists",
        {"int64_values": [{"value": 1}], "bytes_values": [{}], "values": [{"null_value": 0}, {"bool_value": False}]},
    ),
    (
        "kinds.Maps",
        {
            "int32_int32": {-1: 1},
            "int64_int64": {1: 2**60},
            "uint32_float": {1: 0.1},
            "uint64_double": {1: float("nan")},
        },
    ),
    (
        "kinds.Maps",
        {
            "bool_string": {True: "a", False: "b"},
            "fixed32_color": {1: 1},
            "string_leaf": {"": {}},
            "string_null": {"a": 0},
        },
    ),
    ("kinds.Maps", {"string_double_value": {"a": {"value": 1}}, "string_time": {"a": {}}, "sint32_bytes": {1: b"a"}}),
    ("kinds.WellKnown", {"struct": {"a": ["", 0, -0.0, True, False, None, {}, []]}, "value": {}, "list_value": []}),
    (
        "kinds.WellKnown",
        {
            "double_value": {"value": 0},
            "float_value": {"value": 0.1},
            "bool_value": {},
            "string_value": {},
            "empty": {},
        },
    ),
    ("kinds.WellKnown", {"any": {"type_url": "x/kinds.Leaf", "value": b"\x10\x05"}}),
    ("kinds.WellKnown", {"any": {"type_url": "x/kinds.Kinds", "value": b"\x18\x05"}}),
    ("kinds.WellKnown", {"any": {"type_url": "x/google.protobuf.Int64Value", "value": b"\x08\x05"}}),
    ("kinds.WellKnown", {"any": {}}),
    ("kinds.Oneofs", {"text": "", "big": 1}),
    ("kinds.Oneofs", {"nothing": 0, "self": {"leaf": {}}}),
    (
        "kinds.Names",
        {"class": "a", "None": "b", "__init__": "c", "from": ["d"], "import": {"text": "e"}, "lambda": {"f": 1}},
    ),
    (
        "legacy.Legacy",
        {"id": 0, "name": "", "size": 1, "sizes": [1, 3], "level_of": {"a": 1}, "box": {}, "shelf": [{}, {"level": 1}]},
    ),
    ("legacy.Part", {"code": "", "weight": 0}),
    (
        "editions.Edition",
        {"explicit_number": 0, "implicit_number": 0, "implicit_real": -0.0, "delimited": {}, "needed": 1},
    ),
    ("google.protobuf.BytesValue", {"value": b"abc"}),
    ("google.protobuf.Any", {"type_url": "x/kinds.Empty"}),
    ("google.protobuf.Duration", {"seconds": 1}),
]
FLAGS = ["proto_names", "enums_as_numbers", "print_defaults", "int64_as_numbers"]
OPTIONS = [
    CodecOptions(**cast(Any, dict(zip(FLAGS, flags, strict=True))))
    for flags in itertools.product([False, True], repeat=4)
]


def canonical(text: bytes) -> str:
    return json.dumps(json.loads(text), sort_keys=True)


@pytest.mark.parametrize(("message", "fields"), FULL)
def test_every_set_of_options_is_written_alike_by_both_paths(message: str, fields: dict[str, Any]) -> None:
    message_class = schemas.message_class(message)
    for options in OPTIONS:
        codec = Codec(message_class, options)
        found = message_class(**fields)
        text = codec.encode(found)
        codec._machinery.fast_out.reader(codec.descriptor)(found)
        assert canonical(text) == canonical(codec._machinery.print(found)), options


def test_extensions_are_written_under_their_keys() -> None:
    codec = Codec(schemas.message_class("legacy.Legacy"), CodecOptions(enums_as_numbers=True))
    text = (
        b'{"id":1,"[legacy.extra_number]":5,"[legacy.extra_words]":["a"],"[legacy.extra_part]":{"code":"b"},'
        b'"[legacy.extra_parts]":[{"code":"c"}],"[legacy.extra_size]":3,"[legacy.extra_wide]":"6"}'
    )
    assert codec.encode(codec.decode(text)) == text
