"""Where we read or write otherwise than protobuf's ``json_format``, on purpose: each row of docs/json-mapping.md.

What the reference does is checked for the protobuf release that the table was made with; what we do, always.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import google.protobuf
import pytest
from google.protobuf import json_format

from asgi_grpc.codec import Codec, CodecOptions, EncodeError
from asgi_grpc.errors import DecodeError
from tests.codec import schemas

PAGE = Path(__file__).parents[2] / "docs" / "json-mapping.md"
MADE_WITH = "7.36"
REFUSED = object()
DEEP = '{"nested":[' * 60 + "{}" + "]}" * 60
TWICE_DEEP = '{"nested":' * 101 + "{}" + "}" * 101


@dataclass(frozen=True)
class Reading:
    """JSON that one of us refuses, or that is read as two different messages."""

    row: str
    message: str
    text: str
    ours: Any
    theirs: Any
    ignore_unknown: bool = False


@dataclass(frozen=True)
class Writing:
    """A message that one of us refuses, or writes otherwise."""

    row: str
    message: str
    fields: dict[str, Any]
    ours: Any
    theirs: Any
    options: CodecOptions = field(default_factory=CodecOptions)


READINGS = [
    Reading("boolean-for-float", "kinds.Kinds", '{"aDouble":true}', REFUSED, {"a_double": 1.0}),
    Reading("boolean-for-float", "kinds.Kinds", '{"aFloat":false}', REFUSED, {}),
    Reading("boolean-for-enum", "kinds.Kinds", '{"aColor":true}', REFUSED, {"a_color": 1}),
    Reading("fraction-for-enum", "kinds.Kinds", '{"aColor":1.5}', REFUSED, {"a_color": 1}),
    Reading("enum-past-32-bits", "kinds.Kinds", '{"aColor":4294967297}', REFUSED, {"a_color": 1}),
    Reading("number-in-a-string", "kinds.Kinds", '{"anInt32":"+1"}', REFUSED, {"an_int32": 1}),
    Reading("number-in-a-string", "kinds.Kinds", '{"anInt32":"01"}', REFUSED, {"an_int32": 1}),
    Reading("number-in-a-string", "kinds.Kinds", '{"anInt32":"1_0"}', REFUSED, {"an_int32": 10}),
    Reading("number-in-a-string", "kinds.Kinds", '{"anInt32":"\\uff11"}', REFUSED, {"an_int32": 1}),
    Reading("number-in-a-string", "kinds.Kinds", '{"aDouble":" 1"}', REFUSED, {"a_double": 1.0}),
    Reading("number-in-a-string", "kinds.Kinds", '{"aDouble":"inf"}', REFUSED, {"a_double": float("inf")}),
    Reading("number-in-a-string", "kinds.Kinds", '{"aColor":"+1"}', REFUSED, {"a_color": 1}),
    Reading("too-large-in-a-string", "kinds.Kinds", '{"aDouble":"1e400"}', REFUSED, {"a_double": float("inf")}),
    Reading("too-large-in-a-string", "kinds.Kinds", '{"aFloat":"3.5e38"}', REFUSED, {"a_float": float("inf")}),
    Reading("largest-float", "kinds.Kinds", '{"aFloat":3.4028235e+38}', {"a_float": 3.4028234663852886e38}, REFUSED),
    Reading("base64", "kinds.Kinds", '{"aBytes":"YW Jj!"}', REFUSED, {"a_bytes": b"abc"}),
    Reading("null-value", "kinds.Kinds", '{"optNull":5}', REFUSED, {"opt_null": 5}),
    Reading("null-value", "kinds.Kinds", '{"optNull":false}', REFUSED, {"opt_null": 0}),
    Reading("null-in-a-list", "kinds.Lists", '{"nulls":[null,null]}', {"nulls": [0, 0]}, REFUSED),
    Reading("null-in-a-list", "kinds.Maps", '{"stringNull":{"a":null}}', {"string_null": {"a": 0}}, REFUSED),
    Reading("null-in-a-oneof", "kinds.Oneofs", '{"value":null,"flag":true}', REFUSED, {"flag": True}),
    Reading("not-an-object", "kinds.Kinds", '{"aLeaf":""}', REFUSED, {"a_leaf": {}}),
    Reading("not-an-object", "kinds.Kinds", '{"aLeaf":[]}', REFUSED, {"a_leaf": {}}),
    Reading("key-twice", "kinds.Leaf", '{"count":1,"count":2}', {"count": 2}, REFUSED),
    Reading("both-spellings", "kinds.Kinds", '{"anInt32":1,"an_int32":2}', REFUSED, {"an_int32": 2}),
    Reading("map-key-twice", "kinds.Maps", '{"int32Int32":{"1":1,"1.0":2}}', REFUSED, {"int32_int32": {1: 2}}),
    Reading(
        "any-url", "kinds.WellKnown", '{"any":{"@type":"kinds.Leaf"}}', REFUSED, {"any": {"type_url": "kinds.Leaf"}}
    ),
    Reading(
        "any-extra-keys",
        "kinds.WellKnown",
        '{"any":{"@type":"x/google.protobuf.Int32Value","value":1,"more":2}}',
        REFUSED,
        {"any": {"type_url": "x/google.protobuf.Int32Value", "value": b"\x08\x01"}},
    ),
    Reading("time", "kinds.WellKnown", '{"time":"1970-1-01T00:00:00Z"}', REFUSED, {"time": {}}),
    Reading("time", "kinds.WellKnown", '{"time":"1970-01-02T00:00:00+24:00"}', REFUSED, {"time": {}}),
    Reading("duration", "kinds.WellKnown", '{"duration":"+1s"}', REFUSED, {"duration": {"seconds": 1}}),
    Reading("duration", "kinds.WellKnown", '{"duration":"1.0000000000s"}', REFUSED, {"duration": {"seconds": 1}}),
    Reading(
        "not-a-number", "kinds.WellKnown", '{"value":Infinity}', REFUSED, {"value": {"number_value": float("inf")}}
    ),
    Reading("required", "legacy.Part", "{}", REFUSED, {}),
    Reading("ignored-extension", "kinds.Leaf", '{"[a.b]":1}', {}, REFUSED, ignore_unknown=True),
    Reading(
        "ignored-enum-in-a-oneof",
        "kinds.Oneofs",
        '{"color":"PINK","flag":true}',
        {"flag": True},
        REFUSED,
        ignore_unknown=True,
    ),
]
WRITINGS = [
    Writing(
        "null-as-number",
        "kinds.Kinds",
        {"opt_null": 0},
        '{"optNull":null}',
        '{"optNull":0}',
        CodecOptions(enums_as_numbers=True),
    ),
    Writing(
        "exact-int64",
        "kinds.Kinds",
        {"an_int64": 2**53 + 1},
        '{"anInt64":9007199254740993}',
        '{"anInt64":"9007199254740993"}',
        CodecOptions(int64_as_numbers=True),
    ),
    Writing(
        "any-url", "kinds.WellKnown", {"any": {"type_url": "kinds.Leaf"}}, REFUSED, '{"any":{"@type":"kinds.Leaf"}}'
    ),
    Writing("mask-paths", "kinds.WellKnown", {"mask": {"paths": ["a,b"]}}, REFUSED, '{"mask":"a,b"}'),
    Writing("mask-paths", "kinds.WellKnown", {"mask": {"paths": [""]}}, REFUSED, '{"mask":""}'),
]
TESTED_BELOW = {"depth", "well-known-in-any", "message-set", "merge"}


def name(case: Reading | Writing) -> str:
    return f"{case.row}-{case.message.rpartition('.')[2]}"


@pytest.mark.parametrize("case", READINGS, ids=name)
def test_we_read_otherwise(case: Reading) -> None:
    message_class = schemas.message_class(case.message)
    codec = Codec(message_class, CodecOptions(ignore_unknown=case.ignore_unknown))
    if case.ours is REFUSED:
        with pytest.raises(DecodeError):
            codec.decode(case.text)
    else:
        assert codec.decode(case.text) == message_class(**case.ours)


@pytest.mark.skipif(not google.protobuf.__version__.startswith(MADE_WITH), reason="the table speaks of another release")
@pytest.mark.parametrize("case", READINGS, ids=name)
def test_the_reference_reads_as_the_table_says(case: Reading) -> None:
    message = schemas.message_class(case.message)()

    def parse() -> Any:
        return json_format.Parse(
            case.text, message, ignore_unknown_fields=case.ignore_unknown, descriptor_pool=schemas.pool()
        )

    if case.theirs is REFUSED:
        with pytest.raises(json_format.ParseError):
            parse()
    else:
        assert parse() == type(message)(**case.theirs)


@pytest.mark.parametrize("case", WRITINGS, ids=name)
def test_we_write_otherwise(case: Writing) -> None:
    codec = Codec(schemas.message_class(case.message), case.options)
    message = codec.message_class(**case.fields)
    if case.ours is REFUSED:
        with pytest.raises(EncodeError):
            codec.encode(message)
    else:
        assert codec.encode(message).decode() == case.ours


@pytest.mark.skipif(not google.protobuf.__version__.startswith(MADE_WITH), reason="the table speaks of another release")
@pytest.mark.parametrize("case", WRITINGS, ids=name)
def test_the_reference_writes_as_the_table_says(case: Writing) -> None:
    written = json_format.MessageToDict(
        schemas.message_class(case.message)(**case.fields),
        use_integers_for_enums=case.options.enums_as_numbers,
        unquote_int64_if_possible=case.options.int64_as_numbers,
        descriptor_pool=schemas.pool(),
    )
    assert written == json.loads(case.theirs)


def test_depth_counts_arrays_too() -> None:
    lists, kinds = schemas.message_class("kinds.Lists"), schemas.message_class("kinds.Kinds")
    json_format.Parse(DEEP, lists())
    with pytest.raises(DecodeError, match="at most 100 levels"):
        Codec(lists).decode(DEEP)
    assert Codec(lists, CodecOptions(max_depth=200)).decode(DEEP) == json_format.Parse(DEEP, lists())
    with pytest.raises(json_format.ParseError):
        json_format.Parse(TWICE_DEEP, kinds())
    with pytest.raises(DecodeError, match="at most 100 levels of protobuf messages"):
        Codec(kinds, CodecOptions(max_depth=200)).decode(TWICE_DEEP)


def test_well_known_types_in_an_any_need_no_registry() -> None:
    empty = google.protobuf.descriptor_pool.DescriptorPool()
    message_class = schemas.message_class("kinds.WellKnown")
    text = '{"any":{"@type":"x/google.protobuf.Int32Value","value":1}}'
    read: Any = Codec(message_class, CodecOptions(registry=empty)).decode(text)
    assert read.any.value == b"\x08\x01"
    with pytest.raises(json_format.ParseError):
        json_format.Parse(text, message_class(), descriptor_pool=empty)


def test_the_shorthand_of_message_sets_is_not_read() -> None:
    text = '{"id":1,"[legacy.Scope]":{}}'
    with pytest.raises(DecodeError, match="unknown name"):
        Codec(schemas.message_class("legacy.Legacy")).decode(text)


def test_equal_keys_do_not_merge() -> None:
    """protobuf's performance cases let some parsers merge equal keys; we keep the last."""
    message_class = schemas.message_class("kinds.Kinds")
    read = Codec(message_class).decode('{"aLeaf":{"text":"a"},"aLeaf":{"count":1}}')
    assert read == message_class(a_leaf={"count": 1})


def test_the_page_has_a_row_for_each_case_and_no_other() -> None:
    rows = re.findall(r"^\| `([a-z0-9-]+)` \|", PAGE.read_text().partition("## Where we differ")[2], re.MULTILINE)
    assert len(rows) == len({*rows})
    assert {*rows} == {case.row for case in READINGS} | {case.row for case in WRITINGS} | TESTED_BELOW
