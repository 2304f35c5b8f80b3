"""Input that wants to crash, to stall or to fill: a clear error each, in time linear in the input."""

from __future__ import annotations

import contextlib
import inspect
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from asgi_grpc.codec import Codec, CodecOptions
from asgi_grpc.errors import DecodeError
from tests.codec import schemas

KINDS = Codec(schemas.message_class("kinds.Kinds"))
KNOWN = Codec(schemas.message_class("kinds.WellKnown"))
MAPS = Codec(schemas.message_class("kinds.Maps"))
LISTS = Codec(schemas.message_class("kinds.Lists"))
LAX_KINDS = Codec(schemas.message_class("kinds.Kinds"), CodecOptions(ignore_unknown=True))
LEVELS = 100_000
ANY = b'{"@type":"x/kinds.WellKnown","any":'

REFUSED: list[tuple[str, Codec, bytes, str]] = [
    ("open-arrays", KINDS, b"[" * LEVELS, "expected at most 100 levels of objects and arrays, got more at $"),
    ("arrays", KINDS, b"[" * LEVELS + b"]" * LEVELS, "expected at most 100 levels"),
    ("objects", KINDS, b'{"nested":' * LEVELS + b"{}" + b"}" * LEVELS, "expected at most 100 levels"),
    ("structs", KNOWN, b'{"struct":' + b'{"a":' * LEVELS + b"1" + b"}" * (LEVELS + 1), "expected at most 100 levels"),
    ("skipped", LAX_KINDS, b'{"x":' + b"[" * LEVELS + b"]" * LEVELS + b"}", "expected at most 100 levels"),
    ("levels-101", KINDS, b'{"nested":' * 100 + b"{}" + b"}" * 100, "expected at most 100 levels of objects"),
    ("wire-levels", KNOWN, b'{"struct":' + b'{"a":' * 40 + b"1" + b"}" * 41, "at most 100 levels of protobuf messages"),
    ("wire-lists", KNOWN, b'{"value":' + b"[" * 60 + b"]" * 60 + b"}", "at most 100 levels of protobuf messages"),
    ("long-integer", KINDS, b'{"anInt32":' + b"9" * (4 << 20) + b"}", "expected numbers of a sane length"),
    ("long-integer-text", KINDS, b'{"anInt32":"' + b"9" * (4 << 20) + b'"}', "from -2147483648 to 2147483647"),
    ("long-fraction", KINDS, b'{"anInt32":1.' + b"3" * (4 << 20) + b"}", "got a number with a fraction"),
    ("long-exponent", KINDS, b'{"anInt64":1e' + b"9" * (4 << 20) + b"}", "expected an integer from"),
    ("long-exponent-text", KINDS, b'{"anInt64":"1e999999999"}', "expected an integer from"),
    ("long-double-text", KINDS, b'{"aDouble":"' + b"9" * (4 << 20) + b'"}', "in the range of a double"),
    ("long-enum-text", KINDS, b'{"aColor":"' + b"9" * (4 << 20) + b'"}', "the name of a value of kinds.Color"),
    ("long-duration", KNOWN, b'{"duration":"' + b"0" * (4 << 20) + b'"}', "expected a duration such as"),
    (
        "long-duration-zeros",
        KNOWN,
        b'{"duration":"' + b"0" * (4 << 20) + b'9999999999999s"}',
        "expected a duration up to",
    ),
    ("long-time", KNOWN, b'{"time":"' + b"2" * (4 << 20) + b'"}', "expected a time such as"),
    ("long-base64", KINDS, b'{"aBytes":"' + b"A" * ((4 << 20) + 1) + b'"}', "of impossible length"),
    ("bad-base64", KINDS, b'{"aBytes":"' + b"A" * (4 << 20) + b'!"}', "with other characters"),
    ("long-map-key", MAPS, b'{"int32Int32":{"' + b"1" * (4 << 20) + b'":1}}', "expected an integer from"),
    ("long-unknown-key", KINDS, b'{"' + b"k" * (4 << 20) + b'":1}', "got an unknown name at"),
    ("extension-like-key", KINDS, b'{"[' + b"k" * (1 << 20) + b']":1}', "got an unknown name at"),
    ("any-type", KNOWN, b'{"any":{"@type":"x/' + b"k" * (4 << 20) + b'"}}', "the URL of a known type"),
    ("any-type-with-nul", KNOWN, b'{"any":{"@type":"x/a\\u0000b"}}', "the URL of a known type"),
    (
        "any-in-any",
        KNOWN,
        b'{"any":' + ANY * 99 + b"{}" + b"}" * 100,
        "expected at most 100 levels of objects and arrays",
    ),
    ("any-in-any-for-ever", KNOWN, b'{"any":' + ANY * LEVELS + b"{}" + b"}" * LEVELS, "expected at most 100 levels"),
    ("open-string", KINDS, b'{"aString":"' + b"a" * (4 << 20), "ends too early"),
    ("invalid-utf-8", KINDS, b'{"aString":"\xff"}', "expected JSON in UTF-8, got other bytes"),
    ("overlong-utf-8", KINDS, b'{"aString":"\xc0\x80"}', "expected JSON in UTF-8, got other bytes"),
    ("surrogate-bytes", KINDS, b'{"aString":"\xed\xa0\x80"}', "expected JSON in UTF-8, got other bytes"),
    ("invalid-utf-8-key", LAX_KINDS, b'{"\xff":1}', "expected JSON in UTF-8, got other bytes"),
    ("invalid-utf-8-skipped", LAX_KINDS, b'{"x":"\xff"}', "expected JSON in UTF-8, got other bytes"),
    ("lone-surrogate", KINDS, b'{"aString":"\\ud800"}', "got the escape of an unpaired surrogate"),
    ("lone-surrogate-skipped", LAX_KINDS, b'{"x":"\\udc00"}', "got the escape of an unpaired surrogate"),
    ("long-integer-skipped", LAX_KINDS, b'{"x":' + b"9" * 5000 + b"}", "expected numbers of a sane length"),
    ("nul", KINDS, b"\0", "expected JSON, got something else near byte 0"),
    ("nul-in-string", KINDS, b'{"aString":"\0"}', "expected JSON, got something else near byte 12"),
    ("byte-order-mark", KINDS, b"\xef\xbb\xbf{}", "expected JSON, got a byte order mark before it"),
    ("nothing", KINDS, b"", "expected JSON, got nothing"),
    ("spaces", KINDS, b" \n", "expected JSON, got nothing"),
    ("two-documents", KINDS, b"{}{}", "expected JSON, got something else near byte"),
]


@pytest.mark.parametrize(
    ("codec", "text", "problem"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_hostile_input_is_refused_in_a_few_words(codec: Codec, text: bytes, problem: str) -> None:
    with pytest.raises(DecodeError) as caught:
        codec.decode(text)
    assert problem in str(caught.value)
    assert len(str(caught.value)) < 300
    assert str(caught.value).isprintable()


def test_a_string_with_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(DecodeError, match="expected Unicode text, got an unpaired surrogate"):
        KINDS.decode('{"aString":"\ud800"}')


def test_nul_within_a_string_is_a_character() -> None:
    read: Any = KINDS.decode(rb'{"aString":"a\u0000b"}')
    assert read.a_string == "a\0b"


def test_as_deep_as_allowed_is_read_and_can_be_parsed() -> None:
    deep = KINDS.decode(b'{"nested":' * 99 + b"{}" + b"}" * 99)
    assert KINDS.message_class.FromString(deep.SerializeToString()) == deep
    nested = KNOWN.decode(b'{"struct":' + b'{"a":' * 32 + b"1" + b"}" * 33)
    assert KNOWN.message_class.FromString(nested.SerializeToString()) == nested
    lists = KNOWN.decode(b'{"value":' + b"[" * 49 + b"]" * 49 + b"}")
    assert KNOWN.message_class.FromString(lists.SerializeToString()) == lists


@pytest.mark.parametrize("depth", range(1, 40))
def test_what_is_read_can_always_be_parsed_again(depth: int) -> None:
    for text in (
        b'{"struct":' + b'{"a":' * depth + b"[]" + b"}" * (depth + 1),
        b'{"struct":' + b'{"a":[' * depth + b"{}" + b"]}" * depth + b"}",
        b'{"listValue":' + b"[" * 2 * depth + b"]" * 2 * depth + b"}",
    ):
        try:
            read = KNOWN.decode(text)
        except DecodeError:
            continue
        assert KNOWN.message_class.FromString(read.SerializeToString()) == read


@pytest.mark.parametrize("count", [1, 8, 9, 10, 40, 97])
def test_any_within_any_is_read_to_the_same_depth(count: int) -> None:
    last = b'{"@type":"x/kinds.WellKnown","duration":"5s"}'
    read: Any = KNOWN.decode(b'{"any":' + ANY * count + last + b"}" * (count + 1))
    for _ in range(count + 1):
        assert read.any.type_url == "x/kinds.WellKnown"
        read = KNOWN.message_class.FromString(read.any.value)
    assert read.duration.seconds == 5


def test_a_million_keys_and_elements_are_only_data() -> None:
    count = 1_000_000
    keys = b",".join(b'"%d":1' % number for number in range(count))
    read: Any = MAPS.decode(b'{"int32Int32":{' + keys + b"}}")
    assert len(read.int32_int32) == count
    with pytest.raises(DecodeError, match="got an unknown name"):
        KINDS.decode(b"{" + keys + b"}")
    assert LAX_KINDS.decode(b"{" + keys + b"}") == LAX_KINDS.message_class()
    same = b",".join([b'"anInt32":1'] * count)
    assert KINDS.decode(b"{" + same + b',"anInt32":2}') == KINDS.message_class(an_int32=2)


def seconds(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


SCALED: list[tuple[str, Codec, Callable[[int], bytes]]] = [
    ("digits", LAX_KINDS, lambda n: b'{"x":[' + b",".join([b"9" * 3999] * (n // 4000)) + b"]}"),
    ("escapes", KINDS, lambda n: b'{"aString":"' + b"\\u00e9" * (n // 6) + b'"'),
    ("base64", KINDS, lambda n: b'{"aBytes":"' + b"-" * n + b'"}'),
    ("mask", KNOWN, lambda n: b'{"mask":"' + b"aB," * (n // 3) + b'_"}'),
    ("number-text", KINDS, lambda n: b'{"aDouble":"' + b"1" * n + b'x"}'),
    ("keys", KINDS, lambda n: b"{" + b",".join(b'"k%d":1' % i for i in range(n // 10)) + b"}"),
    ("surrogates", KINDS, lambda n: b'{"aString":"' + b"\\ud83d\\ude00" * (n // 12) + b'\\ud83d"}'),
]


@pytest.mark.parametrize(("codec", "make"), [case[1:] for case in SCALED], ids=[case[0] for case in SCALED])
def test_time_grows_with_the_input_and_no_faster(codec: Codec, make: Callable[[int], bytes]) -> None:
    """Sixteen times the input must not take a hundred times as long: quadratic would be 256."""

    def run(text: bytes) -> float:
        def decode() -> None:
            with contextlib.suppress(DecodeError):
                codec.decode(text)

        return min(seconds(decode) for _ in range(3))

    small, large = run(make(1 << 16)), run(make(1 << 20))
    assert large < 100 * max(small, 1e-4)


@pytest.mark.parametrize("room", range(40, 200, 20))
def test_near_the_interpreters_own_limit_the_error_stays_ours(room: int) -> None:
    """The caller's stack may be deep: then less is read, or nothing, but no RecursionError comes out."""
    text = b'{"nested":' * 90 + b"{}" + b"}" * 90

    def descend(levels: int) -> object:
        if levels:
            return descend(levels - 1)
        try:
            return KINDS.decode(text)
        except DecodeError as error:
            return error

    used = len(inspect.stack(0))
    found = descend(sys.getrecursionlimit() - used - room)
    assert found == KINDS.decode(text) or "levels of objects and arrays" in str(found)
