"""JSON near the edge of being right: a document with a value, a key or a byte replaced."""

from __future__ import annotations

import json
from typing import Any

from google.protobuf.descriptor import Descriptor
from hypothesis import strategies as st

ODD = [
    *(
        "null",
        "true",
        "false",
        "0",
        "1",
        "-1",
        "1.0",
        "1.5",
        "-0",
        "-0.0",
        "1e5",
        "1E+2",
        "0.1e1",
        "1e20",
        "1e400",
        "-1e400",
    ),
    *("2147483647", "2147483648", "-2147483648", "-2147483649", "4294967295", "4294967296", "2147483648.0", "3.5e38"),
    *("9007199254740993", "9007199254740993.0", "9223372036854775807", "9223372036854775808", "-9223372036854775809"),
    *("18446744073709551615", "18446744073709551616", "9223372036854775807.0", "1" * 30, "1" * 4301, "0." + "3" * 500),
    *(
        '""',
        '"0"',
        '"1"',
        '"-1"',
        '"1.0"',
        '"1e3"',
        '"1E2"',
        '"1.5"',
        '"01"',
        '" 1"',
        '"1 "',
        '"+1"',
        '"1_0"',
        '"\uff11"',
        '"-0"',
    ),
    *(
        '"9007199254740993.0"',
        '"9007199254740993"',
        '"18446744073709551616"',
        '"1e400"',
        '"1e-400"',
        '"3.5e38"',
        '"0x1"',
    ),
    *(
        '"null"',
        '"true"',
        '"false"',
        '"NaN"',
        '"nan"',
        '"Infinity"',
        '"-Infinity"',
        '"inf"',
        '"infinity"',
        '"NULL_VALUE"',
    ),
    *('"abcd"', '"YWJj"', '"YWI"', '"YQ=="', '"YQ="', '"YR=="', '"-_-_"', '"-_"', '"a b="', '"A"', '"AAAAA"', '"AA=A"'),
    *(
        '"COLOR_RED"',
        '"COLOR_CRIMSON"',
        '"color_red"',
        '"SMALL"',
        '"GROUND"',
        '"OPEN_ONE"',
        '"CLOSED_FIRST"',
        "5",
        "3",
        "77",
    ),
    *(
        '"2020-01-01T00:00:00Z"',
        '"2020-01-01T00:00:00.123456789+05:30"',
        '"2020-1-01T00:00:00Z"',
        '"2020-02-30T00:00:00Z"',
    ),
    *(
        '"2020-01-01T24:00:00Z"',
        '"2020-01-01T23:59:60Z"',
        '"2020-01-01T00:00:00.Z"',
        '"2020-01-01T00:00:00.1234567890Z"',
    ),
    *(
        '"2020-01-01t00:00:00Z"',
        '"2020-01-01T00:00:00z"',
        '"2020-W01-1T00:00:00Z"',
        '"0001-01-01T00:00:00+00:01"',
        '"٢٠٢٠-01-01T00:00:00Z"',
    ),
    *(
        '"2020-01-01T00:00:00.12Z"',
        '"2020-01-01T00:00:00.123Z"',
        '"2020-01-01T00:00:00.123456Z"',
        '"2020-01-01T00:00:00.12 Z"',
    ),
    *(
        '"1s"',
        '"-1.5s"',
        '"1.s"',
        '".5s"',
        '"+1s"',
        '"1S"',
        '"1.0000000001s"',
        '"315576000000.999999999s"',
        '"315576000001s"',
    ),
    *('"a,b"', '"aB.cD"', '"a_b"', '"A"', '","', '"É"'),
    *("[]", "[null]", "[[]]", "[1]", '["a"]', "[true]", "[1,true]", "[{}]", "{}", '{"a":1}', '{"a":null}', '{"":""}'),
    *(
        '{"true":true}',
        '{"1":1}',
        '{"1":1,"01":2}',
        '{"1":1,"1":2}',
        '{"1.0":1}',
        '{"-1":"a"}',
        '{"false":"x","true":{}}',
    ),
    *(
        '{"text":"x"}',
        '{"text":null}',
        '{"text":"a","count":"3","flag":true}',
        '{"text":1}',
        '{"value":1}',
        '{"seconds":1}',
    ),
    *('{"@type":"x/kinds.Leaf"}', '{"@type":"x/kinds.Leaf","text":"y","bad":1}', '{"text":"y","@type":"x/kinds.Leaf"}'),
    *(
        '{"@type":"kinds.Leaf"}',
        '{"@type":"/kinds.Leaf"}',
        '{"@type":"x/kinds.Nope"}',
        '{"@type":""}',
        '{"@type":1}',
        '{"@type":null}',
    ),
    *('{"@type":"x/google.protobuf.Duration","value":"1s"}', '{"@type":"x/google.protobuf.Duration"}'),
    *('{"@type":"x/google.protobuf.Value","value":null}', '{"@type":"x/google.protobuf.Int32Value","value":null}'),
    *(
        '{"@type":"x/kinds.Leaf","@type":"x/kinds.Empty"}',
        '{"@type":"x/kinds.Names","field_name6":"a","FieldName7":"b"}',
    ),
    *(
        r'"\ud800"',
        r'"\udc00\ud800"',
        r'"\ud83d\ude00"',
        r'"\u0000"',
        r'{"\ud800":1}',
        '"\\q"',
        '"\x01"',
        "01",
        "+1",
        ".5",
        "nul",
    ),
]
"""Texts of JSON values, and of some that are none, each on the edge of some rule."""

KEYS = [
    "nope",
    "@type",
    "[legacy.extra_number]",
    "[legacy.nope]",
    "[",
    "value",
    "seconds",
    "f1",
    "g1",
    "url",
    "",
    "null",
]


class _Text(str):
    """JSON text within a tree."""

    __slots__ = ()


def _dumps(tree: Any) -> str:
    if isinstance(tree, _Text):
        return str(tree)
    if isinstance(tree, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{_dumps(value)}" for key, value in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ",".join(map(_dumps, tree)) + "]"
    return json.dumps(tree, ensure_ascii=False)


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Every container and key of a tree."""
    found: list[tuple[Any, Any]] = []
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in inner:
        found.append((tree, key))
        found += _places(value)
    return found


@st.composite
def mutated(draw: st.DrawFn, tree: Any, descriptor: Descriptor) -> bytes:
    """Draw a change of a document, which is used up; often one that leaves it valid."""
    places = _places(tree)
    odd = st.sampled_from(ODD).map(_Text)
    names = [name for field in descriptor.fields for name in (field.name, field.json_name)]
    change = draw(st.integers(0, 5)) if places else 4
    if change == 0:
        container, key = draw(st.sampled_from(places))
        container[key] = draw(odd)
    elif change == 1:
        container, key = draw(st.sampled_from(places))
        container[key] = [container[key]]
    elif change == 2:
        container, key = draw(st.sampled_from(places))
        if isinstance(container, dict):
            container[draw(st.sampled_from(KEYS))] = container.pop(key)
    elif change == 3:
        container, key = draw(st.sampled_from(places))
        if isinstance(container, dict):
            container[draw(st.sampled_from([*KEYS, *names]))] = draw(odd)
    elif change == 4:
        tree[draw(st.sampled_from([*KEYS, *names]))] = draw(odd)
    text = bytearray(_dumps(tree).encode("utf-8", "surrogatepass"))
    if change == 5 or draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(text) - 1))
        text[at : at + draw(st.integers(0, 2))] = draw(
            st.sampled_from([b"", b'"', b"}", b",", b"\\", b"\xff", b"0", b" ", b"e"])
        )
    return bytes(text)
