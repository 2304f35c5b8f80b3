"""The fast path in: which documents it takes, and that it never overtakes the complete path."""

from __future__ import annotations

from typing import Any

import pytest

from asgi_grpc.codec import Codec, CodecOptions
from asgi_grpc.errors import DecodeError
from tests.codec import schemas

DEFAULT = CodecOptions()


def taken(message: str, text: bytes | str, options: CodecOptions = DEFAULT) -> bool:
    """Whether the fast path takes a document; what it makes of it must be what the complete path makes of it."""
    codec = Codec(schemas.message_class(message), options)
    reader = codec._machinery.fast_in.reader(codec.descriptor)
    for decode in reader.decoders:
        found = codec.message_class()
        try:
            reader.fill(found, decode(text))
        except Exception:  # noqa: BLE001 - any refusal is legal
            continue
        assert found == codec._machinery.walk(codec.message_class, text)
        return True
    return False


@pytest.mark.parametrize(
    ("message", "text", "by_fast"),
    [
        ("kinds.Kinds", "{}", True),
        ("kinds.Kinds", '{"anInt32":"5","aDouble":1,"aBool":false,"aColor":2,"aLeaf":null,"optString":null}', True),
        ("kinds.Kinds", '{"an_int32":5,"a_leaf":{}}', True),
        ("kinds.Kinds", '{"anInt32":5,"a_leaf":{}}', False),  # mixed spellings
        ("kinds.Kinds", '{"anInt32":null}', False),
        ("kinds.Kinds", '{"aDouble":"1"}', False),
        ("kinds.Kinds", '{"aColor":"1"}', False),
        ("kinds.Kinds", '{"aBytes":"-_"}', False),
        ("kinds.Kinds", '{"aNull":null}', True),
        ("kinds.Kinds", '{"aNull":"NULL_VALUE"}', False),
        ("kinds.Kinds", '{"nested":{"nested":{"anEmpty":{}}}}', True),
        (
            "kinds.Lists",
            '{"bools":[true],"floats":[1.5],"nulls":[null],"leaves":[{}],"empties":[{}],"values":[null,[]]}',
            True,
        ),
        (
            "kinds.Lists",
            '{"times":["1970-01-01T00:00:00Z"],"masks":["a"],"int64Values":["1"],"boolValues":[true]}',
            True,
        ),
        ("kinds.Lists", '{"bools":[]}', True),
        ("kinds.Lists", '{"anys":[{}]}', False),
        (
            "kinds.Maps",
            '{"boolString":{"true":"a"},"int32Int32":{"1":1,"-2":2},"stringLeaf":{"a":{}},"stringValue":{"a":null}}',
            True,
        ),
        ("kinds.Maps", '{"int32Int32":{"01":1}}', False),
        ("kinds.Maps", '{"boolMaps":{"true":{"stringTime":{"":"1970-01-01T00:00:00Z"}}}}', True),
        (
            "kinds.WellKnown",
            '{"struct":{"a":[{},[],null,1,1.5,"x",true,{"b":{"c":[]}}]},"value":1,"listValue":[[null]]}',
            True,
        ),
        ("kinds.WellKnown", '{"struct":null,"listValue":null,"time":null,"int64Value":"1","bytesValue":"YQ=="}', True),
        ("kinds.WellKnown", '{"any":{"@type":"x/kinds.Leaf","text":"a"}}', True),
        ("kinds.WellKnown", '{"any":{"@type":"x/kinds.Kinds","an_int32":1}}', True),  # its own spelling
        ("kinds.WellKnown", '{"any":{"@type":"x/kinds.Leaf","nope":1}}', False),
        ("kinds.WellKnown", '{"any":{"@type":"x/kinds.Nope"}}', False),
        ("kinds.WellKnown", '{"any":{"@type":"x/google.protobuf.Duration","value":"1s"}}', True),
        ("kinds.WellKnown", '{"any":{"@type":"kinds.Leaf"}}', False),
        ("kinds.WellKnown", '{"any":null}', False),
        ("kinds.Oneofs", '{"value":null,"self":{"leaf":{}}}', True),
        ("kinds.Oneofs", '{"number":null,"text":""}', False),
        (
            "kinds.Names",
            '{"class":"a","None":"b","Init":"c","Private":"d","@weird name":"e","import":{"text":"f"},"lambda":{"":1}}',
            True,
        ),
        ("legacy.Legacy", '{"id":1,"size":"LARGE","box":{"label":"a"},"shelf":[{}],"part":{"code":""}}', True),
        ("legacy.Legacy", "{}", False),
        ("legacy.Legacy", '{"id":1,"[legacy.extra_number]":1}', False),
        ("editions.Edition", '{"needed":1,"delimited":{"text":"a"},"delimiteds":[{}],"expanded":[1]}', True),
        ("google.protobuf.Struct", '{"a":[{"b":null}]}', True),
        ("google.protobuf.Value", "null", True),
        ("google.protobuf.ListValue", "[[],{}]", True),
        ("google.protobuf.Duration", '"1s"', False),
        ("kinds.WellKnown", '{"any":{"@type":"x/google.protobuf.Any","value":{"@type":"x/kinds.Leaf"}}}', True),
    ],
)
def test_what_clients_send_is_fast_and_the_rest_is_right(message: str, text: str, by_fast: bool) -> None:
    assert taken(message, text) is by_fast
    assert taken(message, text.encode()) is by_fast


@pytest.mark.parametrize(
    ("message", "text", "by_fast"),
    [
        ("kinds.Kinds", '{"nope":{"a":[1]},"anInt32":1}', True),
        ("kinds.Kinds", '{"nope":"é"}', True),
        ("kinds.Kinds", '{"nope":1e400}', True),
        ("kinds.Kinds", '{"an_int32":1}', True),
        ("kinds.Kinds", '{"anInt32":1,"a_leaf":{}}', False),
        ("kinds.Kinds", '{"nope":%s}' % ("1" * 3999), True),
        ("legacy.Legacy", '{"id":1}', False),  # its extensions would look unknown
        ("kinds.WellKnown", '{"any":{"@type":"x/kinds.Leaf","nope":1}}', True),
        ("kinds.WellKnown", '{"any":{"@type":"x/kinds.Names","field_name6":"a"}}', False),
    ],
)
def test_ignoring_is_fast_too(message: str, text: str, by_fast: bool) -> None:
    assert taken(message, text, CodecOptions(ignore_unknown=True)) is by_fast


def test_long_numbers_in_what_is_skipped_are_looked_at() -> None:
    options = CodecOptions(ignore_unknown=True)
    assert taken("kinds.Kinds", f'{{"nope":["{"a" * 9000}"]}}', options)
    assert not taken("kinds.Kinds", f'{{"nope":"{"1" * 4000}"}}', options)


def test_partial_messages_are_fast_on_request() -> None:
    assert taken("legacy.Part", "{}", CodecOptions(allow_partial=True))


@pytest.mark.parametrize("depth", range(1, 8))
def test_a_low_limit_is_kept_by_both_paths(depth: int) -> None:
    options = CodecOptions(max_depth=depth)
    for message, text in (
        ("kinds.Kinds", '{"nested":{"nested":{"nested":{"anEmpty":{}}}}}'),
        ("samples.Order", '{"customer":{"address":{"lines":["a"]}},"items":[{"attributes":{"a":"b"}}]}'),
        ("kinds.Lists", '{"nested":[{"nested":[{"leaves":[]}]}]}'),
        ("kinds.WellKnown", '{"struct":{"a":{"b":[{}]}}}'),
        ("google.protobuf.Struct", '{"a":{"b":[{}]}}'),
        ("kinds.WellKnown", '{"any":{"@type":"x/google.protobuf.Struct","value":{"a":{"b":[]}}}}'),
        ("kinds.WellKnown", '{"listValue":[[[[]]]]}'),
        ("kinds.WellKnown", '{"any":{"@type":"x/samples.Customer","address":{"lines":[]}}}'),
        ("kinds.WellKnown", '{"any":{"@type":"x/samples.Tree","children":[{"children":[]}]}}'),
        ("kinds.Maps", '{"boolMaps":{"true":{"stringString":{}}}}'),
    ):
        try:
            taken(message, text, options)  # compares the two, if the fast path takes it
        except DecodeError as error:
            pytest.fail(f"the fast path takes what the complete path refuses: {error}")


def test_the_spelling_that_a_peer_uses_is_remembered() -> None:
    codec = Codec(schemas.message_class("samples.Chat"))
    frames = [b'{"room_id":"a"}', b'{"roomId":"b"}', b'{"room_id":"c","sentAt":null}', b'{"roomId":"d"}']
    messages, error = codec.decode_batch(frames)
    assert error is None
    found: list[Any] = messages
    assert [message.room_id for message in found] == ["a", "b", "c", "d"]


def test_an_any_of_a_type_with_maps_is_written_in_one_order() -> None:
    codec = Codec(schemas.message_class("kinds.WellKnown"))
    pairs = [f'"{n}":"{n}"' for n in range(50)]
    texts = [
        f'{{"any":{{"@type":"x/kinds.Maps","stringString":{{{",".join(order)}}}}}}}' for order in (pairs, pairs[::-1])
    ]
    first, second = map(codec.decode, texts)
    assert first == second
