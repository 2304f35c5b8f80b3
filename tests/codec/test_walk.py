"""The complete path in: where it says that something is wrong, and what it says."""

from __future__ import annotations

import pytest

from asgi_grpc.codec import Codec, CodecOptions
from asgi_grpc.errors import DecodeError
from tests.codec import schemas

ANY = '{"any":{"@type":"x/%s",%s}}'

PATHS: list[tuple[str, str, str, str]] = [
    ("kinds.Kinds", "[]", "$", "expected an object, got an array"),
    ("kinds.Kinds", "null", "$", "expected an object, got null"),
    ("kinds.Kinds", '{"nope":1}', "$.nope", "expected a field of kinds.Kinds, got an unknown name"),
    ("kinds.Kinds", '{"aLeaf":{"nope":1}}', "$.aLeaf.nope", "expected a field of kinds.Leaf, got an unknown name"),
    ("kinds.Kinds", '{"an_int32":"x"}', "$.an_int32", "expected an integer, got a string that is not a number"),
    ("kinds.Kinds", '{"":1}', '$[""]', "expected a field of kinds.Kinds, got an unknown name"),
    ("kinds.Kinds", '{"a b":1}', '$["a b"]', "expected a field of kinds.Kinds, got an unknown name"),
    ("kinds.Kinds", '{"a\\"\\\\":1}', '$["a\\"\\\\"]', "expected a field of kinds.Kinds, got an unknown name"),
    (
        "kinds.Kinds",
        '{"\\u0000\\u202e":1}',
        '$["\ufffd\ufffd"]',
        "expected a field of kinds.Kinds, got an unknown name",
    ),
    (
        "kinds.Kinds",
        '{"%s":1}' % ("k" * 99),
        '$["' + "k" * 39 + '…"]',
        "expected a field of kinds.Kinds, got an unknown name",
    ),
    (
        "kinds.Kinds",
        '{"anInt32":1,"an_int32":1}',
        "$.an_int32",
        "expected a field once, got it under both of its names",
    ),
    (
        "kinds.Kinds",
        '{"anInt32":null,"an_int32":1}',
        "$.an_int32",
        "expected a field once, got it under both of its names",
    ),
    ("kinds.Lists", '{"int32s":1}', "$.int32s", "expected an array, got a number"),
    ("kinds.Lists", '{"int32s":[1,null]}', "$.int32s[1]", "expected an element, got null"),
    (
        "kinds.Lists",
        '{"nested":[{},{"leaves":[{},{"count":true}]}]}',
        "$.nested[1].leaves[1].count",
        "expected an integer, got a boolean",
    ),
    ("kinds.Lists", '{"times":[1]}', "$.times[0]", "expected a time in a string, got a number"),
    ("kinds.Lists", '{"durations":[{}]}', "$.durations[0]", "expected a duration in a string, got an object"),
    ("kinds.Lists", '{"masks":[1]}', "$.masks[0]", "expected the paths of a FieldMask in one string, got a number"),
    ("kinds.Lists", '{"structs":[1]}', "$.structs[0]", "expected an object, got a number"),
    ("kinds.Lists", '{"listValues":[1]}', "$.listValues[0]", "expected an array, got a number"),
    ("kinds.Lists", '{"int64Values":[true]}', "$.int64Values[0]", "expected an integer, got a boolean"),
    ("kinds.Maps", '{"stringString":[]}', "$.stringString", "expected an object, got an array"),
    ("kinds.Maps", '{"stringLeaf":{"a":null}}', '$.stringLeaf["a"]', "expected a value, got null"),
    (
        "kinds.Maps",
        '{"stringLeaf":{"a b":{"count":1.5}}}',
        '$.stringLeaf["a b"].count',
        "expected an integer, got a number with a fraction",
    ),
    (
        "kinds.Maps",
        '{"int32Int32":{"x":1}}',
        '$.int32Int32["x"]',
        "expected an integer, got a string that is not a number",
    ),
    (
        "kinds.Maps",
        '{"boolString":{"1":""}}',
        '$.boolString["1"]',
        'expected the key "true" or "false", got another one',
    ),
    (
        "kinds.Maps",
        '{"int32Int32":{"1":1,"1.0":1}}',
        '$.int32Int32["1.0"]',
        "expected a key once, got another spelling of it",
    ),
    (
        "kinds.Maps",
        '{"stringStruct":{"a":{"b":[1e400]}}}',
        '$.stringStruct["a"]["b"][0]',
        "expected a number in the range of a double, got a larger one",
    ),
    ("kinds.Oneofs", '{"number":1,"text":""}', "$.text", 'expected one member of the oneof "first", got another'),
    ("kinds.WellKnown", '{"any":1}', "$.any", "expected an object, got a number"),
    ("kinds.WellKnown", '{"any":{"a":1}}', "$.any", 'expected an Any to name its type in "@type", got none'),
    (
        "kinds.WellKnown",
        '{"any":{"@type":1}}',
        '$.any["@type"]',
        'expected an Any to name its type in "@type", got none',
    ),
    (
        "kinds.WellKnown",
        '{"any":{"@type":"a"}}',
        '$.any["@type"]',
        'expected a type URL such as "type.googleapis.com/package.Message"',
    ),
    (
        "kinds.WellKnown",
        '{"any":{"@type":"/a"}}',
        '$.any["@type"]',
        'expected a type URL such as "type.googleapis.com/package.Message"',
    ),
    ("kinds.WellKnown", '{"any":{"@type":"x/a.B"}}', '$.any["@type"]', "expected the URL of a known type, got another"),
    (
        "kinds.WellKnown",
        ANY % ("kinds.Leaf", '"count":"x"'),
        "$.any.count",
        "expected an integer, got a string that is not a number",
    ),
    (
        "kinds.WellKnown",
        ANY % ("google.protobuf.Duration", '"value":"x"'),
        "$.any.value",
        'expected a duration such as "1.5s", got a string of another form',
    ),
    (
        "kinds.WellKnown",
        ANY % ("google.protobuf.Duration", '"value":null'),
        "$.any.value",
        "expected a value, got null",
    ),
    (
        "kinds.WellKnown",
        ANY % ("google.protobuf.Duration", '"x":1'),
        "$.any.x",
        'expected only "@type" and "value" for google.protobuf.Duration, got another name',
    ),
    (
        "kinds.WellKnown",
        '{"any":{"@type":"x/google.protobuf.Duration"}}',
        "$.any",
        'expected the JSON of google.protobuf.Duration in "value", got none',
    ),
    ("legacy.Legacy", "{}", "$.id", "expected this required field, got none"),
    ("legacy.Legacy", '{"id":1,"parts":[{"code":""},{}]}', "$.parts[1].code", "expected this required field, got none"),
    (
        "legacy.Legacy",
        '{"id":1,"[legacy.extra_number]":"x"}',
        '$["[legacy.extra_number]"]',
        "expected an integer, got a string that is not a number",
    ),
    (
        "legacy.Legacy",
        '{"id":1,"[legacy.other_number]":1}',
        '$["[legacy.other_number]"]',
        "expected a field of legacy.Legacy, got an unknown name",
    ),
    (
        "legacy.Legacy",
        '{"id":1,"[no.such]":1}',
        '$["[no.such]"]',
        "expected a field of legacy.Legacy, got an unknown name",
    ),
    (
        "google.protobuf.Struct",
        '{"a":[{"b":1e400}]}',
        '$["a"][0]["b"]',
        "expected a number in the range of a double, got a larger one",
    ),
    ("google.protobuf.Int32Value", "null", "$", "expected an integer, got null"),
    ("google.protobuf.Timestamp", "null", "$", "expected a time in a string, got null"),
]


@pytest.mark.parametrize(("message", "text", "path", "problem"), PATHS)
def test_a_refusal_says_what_and_where(message: str, text: str, path: str, problem: str) -> None:
    with pytest.raises(DecodeError) as caught:
        Codec(schemas.message_class(message)).decode(text)
    assert (caught.value.message, caught.value.path, caught.value.problem) == (message, path, problem)
    assert str(caught.value) == f"{message}: {problem} at {path}"


def test_of_a_long_path_both_ends_are_shown() -> None:
    text = '{"nested":' * 50 + '{"nope":1}' + "}" * 50
    with pytest.raises(DecodeError) as caught:
        Codec(schemas.message_class("kinds.Kinds")).decode(text)
    assert caught.value.path == "$" + ".nested" * 10 + "…" + ".nested" * 9 + ".nope"


def test_unknown_things_are_ignored_where_they_stand() -> None:
    codec = Codec(schemas.message_class("kinds.Lists"), CodecOptions(ignore_unknown=True))
    text = '{"nope":{"a":[1e400]},"colors":["COLOR_RED","PINK","COLOR_BLUE"],"leaves":[{"x":1,"text":"a"}]}'
    assert codec.decode(text) == codec.message_class(colors=[1, 2], leaves=[{"text": "a"}])
    maps = Codec(schemas.message_class("kinds.Maps"), CodecOptions(ignore_unknown=True))
    assert maps.decode('{"fixed32Color":{"1":"PINK","2":"COLOR_RED"}}') == maps.message_class(fixed32_color={2: 1})
    known = Codec(schemas.message_class("kinds.WellKnown"), CodecOptions(ignore_unknown=True))
    assert known.decode(ANY % ("google.protobuf.Int32Value", '"value":1,"x":2')) == known.decode(
        ANY % ("google.protobuf.Int32Value", '"value":1')
    )


def test_ignoring_does_not_forgive_what_is_known_and_wrong() -> None:
    codec = Codec(schemas.message_class("legacy.Legacy"), CodecOptions(ignore_unknown=True))
    with pytest.raises(DecodeError, match=r"a number of legacy.Size, got an unknown one at \$.size"):
        codec.decode('{"id":1,"size":2}')
    with pytest.raises(DecodeError, match=r"expected an integer, got a boolean at \$.id"):
        codec.decode('{"id":true}')


def test_partial_messages_are_read_on_request() -> None:
    codec = Codec(schemas.message_class("legacy.Legacy"), CodecOptions(allow_partial=True))
    read = codec.decode('{"part":{}}')
    assert not read.IsInitialized()
    assert codec.encode(read) == b'{"part":{}}'


def test_extensions_and_groups_are_read() -> None:
    codec = Codec(schemas.message_class("legacy.Legacy"))
    text = (
        '{"id":1,"box":{"label":"a","inner":{"id":2}},"shelf":[{"level":1}],"[legacy.extra_number]":3,'
        '"[legacy.extra_words]":["a","b"],"[legacy.extra_part]":{"code":"c"},"[legacy.Scope.scope]":{"what":"d"}}'
    )
    assert codec.encode(codec.decode(text)).decode() == text


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
def test_the_depth_limit_counts_every_brace_and_bracket(depth: int) -> None:
    codec = Codec(schemas.message_class("kinds.Kinds"), CodecOptions(max_depth=depth))
    assert codec.decode('{"nested":' * (depth - 1) + "{}" + "}" * (depth - 1)) is not None
    with pytest.raises(DecodeError, match=f"at most {depth} levels"):
        codec.decode('{"nested":' * depth + "{}" + "}" * depth)
    lists = Codec(schemas.message_class("kinds.Lists"), CodecOptions(max_depth=1))
    with pytest.raises(DecodeError, match=r"at most 1 levels of objects and arrays, got more at \$.int32s"):
        lists.decode('{"int32s":[]}')
    maps = Codec(schemas.message_class("kinds.Maps"), CodecOptions(max_depth=1))
    with pytest.raises(DecodeError, match=r"at most 1 levels of objects and arrays, got more at \$.stringString"):
        maps.decode('{"stringString":{}}')


def test_levels_of_messages_are_limited_too() -> None:
    options = CodecOptions(max_depth=500)
    deep = '{"boolMaps":{"true":' * 50 + '{"stringString":{"a":""}}' + "}}" * 50
    with pytest.raises(DecodeError, match="at most 100 levels of protobuf messages"):
        Codec(schemas.message_class("kinds.Maps"), options).decode(deep)
    deep = '{"self":' * 99 + '{"value":{}}' + "}" * 99
    with pytest.raises(DecodeError, match="at most 100 levels of protobuf messages"):
        Codec(schemas.message_class("kinds.Oneofs"), options).decode(deep)
    deep = '{"self":' * 99 + '{"value":[]}' + "}" * 99
    with pytest.raises(DecodeError, match="at most 100 levels of protobuf messages"):
        Codec(schemas.message_class("kinds.Oneofs"), options).decode(deep)
    deep = '{"self":' * 100 + '{"time":"1970-01-01T00:00:00Z"}' + "}" * 100
    with pytest.raises(DecodeError, match="at most 100 levels of protobuf messages"):
        Codec(schemas.message_class("kinds.Oneofs"), options).decode(deep)
    deep = '{"self":' * 98 + '{"struct":{"a":1}}' + "}" * 98
    with pytest.raises(DecodeError, match="at most 100 levels of protobuf messages"):
        Codec(schemas.message_class("kinds.Oneofs"), options).decode(deep)


def test_within_an_any_the_levels_of_messages_start_again() -> None:
    options = CodecOptions(max_depth=500)
    inner = '{"@type":"x/kinds.Kinds","nested":' + '{"nested":' * 60 + "{}" + "}" * 61
    codec = Codec(schemas.message_class("kinds.Oneofs"), options)
    read = codec.decode('{"self":' * 60 + '{"any":' + inner + "}" + "}" * 60)
    assert codec.message_class.FromString(read.SerializeToString()) == read
