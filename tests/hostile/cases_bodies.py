"""Bodies of one message that want to crash, to stall or to fill."""

from __future__ import annotations

import json

from tests.hostile.cases import (
    CROWDED,
    DEEP,
    DEEP_WIRE,
    INT32,
    INT64,
    NO_JSON,
    NO_NUMBER,
    NO_UTF8,
    SECRET,
    SURROGATE,
    TOO_EARLY,
    UINT64,
    UNKNOWN,
    VALUES,
    Answers,
    Case,
    bad,
    ok,
    refused,
)
from tests.hostile.wire import request

JSON = ("Content-Type", "application/json")
PROTOBUF = ("Content-Type", "application/protobuf")


def body(
    name: str, data: str | bytes, answer: Answers, host: str = "plain", *, drip: bool = False, mib: int = 32
) -> Case:
    """A body of the method that answers with its request."""
    raw = data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")
    send = request("POST", "/v1/echo", JSON, body=raw, host=host)
    return Case(name=f"a body: {name}", send=send, expect=answer, drip=drip, mib=mib)


def nested(opening: str, levels: int, closing: str, middle: str = "") -> str:
    """Something in itself."""
    return opening * levels + middle + closing * levels


SYNTAX = [
    body("nothing but a brace", "{", bad(TOO_EARLY)),
    body(
        "a hundred thousand brackets",
        "[" * 60000,
        bad(DEEP),
    ),
    body(
        "objects in objects",
        nested('{"child":', 6000, "}", "{}"),
        bad(DEEP),
    ),
    body("as deep as allowed", nested('{"child":', 99, "}", "{}"), ok(json.loads(nested('{"child":', 99, "}", "{}")))),
    body(
        "one level deeper than allowed",
        nested('{"child":', 100, "}", "{}"),
        bad(DEEP + ".child" * 10 + "…" + ".child" * 10),
    ),
    body(
        "lists in a Value",
        '{"value":' + nested("[", 5000, "]") + "}",
        bad(DEEP),
    ),
    body(
        "lists in a Value, deeper than protobuf reads",
        '{"value":' + nested("[", 60, "]") + "}",
        bad(DEEP_WIRE + ".value[0][0][0][0][0][0][0][0][0]…[0][0][0][0][0][0][0][0][0][0]"),
    ),
    body(
        "the same as Struct",
        '{"struct":' + nested('{"a":', 60, "}", "1") + "}",
        bad(
            DEEP_WIRE
            + '.struct["a"]["a"]["a"]["a"]["a"]["a"]["a"]["a"]["a"]…["a"]["a"]["a"]["a"]["a"]["a"]["a"]["a"]["a"]["a"]'
        ),
    ),
    body(
        "a number of 60000 digits",
        '{"number":' + "9" * 60000 + "}",
        bad("expected numbers of a sane length, got a longer one at $"),
    ),
    body(
        "a number of 60000 digits as text",
        '{"number":"' + "9" * 60000 + '"}',
        bad(INT32 + " at $.number"),
    ),
    body("a fraction of 60000 digits", '{"real":0.' + "3" * 60000 + "}", ok({"real": 1 / 3})),
    body(
        "a giant exponent",
        '{"real":1e999999999}',
        bad("expected a number in the range of a double, got a larger one at $.real"),
    ),
    body(
        "a giant exponent of an integer",
        '{"long":1e999999999}',
        bad(INT64 + " at $.long"),
    ),
    body(
        "a giant exponent of an integer as text",
        '{"long":"1E+999999999"}',
        bad(INT64 + " at $.long"),
    ),
    body("a tiny exponent of an integer", '{"long":"1e-999999999"}', ok()),
    body("zeros before a number", '{"number":007}', bad(NO_JSON + "11 at $")),
    body("hexadecimal", '{"number":0x10}', bad(NO_JSON + "11 at $")),
    body("NaN without quotes", '{"real":NaN}', bad(NO_JSON + "8 at $")),
    body("NaN", '{"real":"NaN","small":"-Infinity"}', ok({"real": "NaN", "small": "-Infinity"})),
    body(
        "NaN as an integer",
        '{"number":"NaN"}',
        bad(NO_NUMBER + " at $.number"),
    ),
    body(
        "2^64",
        '{"unsigned":"18446744073709551616"}',
        bad(UINT64 + " at $.unsigned"),
    ),
    body("2^64 - 1, exactly", '{"unsigned":18446744073709551615}', ok({"unsigned": "18446744073709551615"})),
    body(
        "2^63 as a number that a double would round",
        '{"long":9223372036854775808}',
        bad(INT64 + " at $.long"),
    ),
    body(
        "less than nothing",
        '{"unsigned":-1}',
        bad(UINT64 + " at $.unsigned"),
    ),
    body(
        "a float over its range",
        '{"small":1e39}',
        bad("expected a number in the range of a 32-bit float, got a larger one at $.small"),
    ),
    body(
        "a key of 60000 letters",
        '{"' + "k" * 60000 + '":1}',
        bad(UNKNOWN + '["kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk…"]'),
    ),
    body(
        "a key with line ends",
        '{"a\\r\\nb\\u0000\\u202e":1}',
        bad(UNKNOWN + '["a��b��"]'),
    ),
    body(
        "an unknown field with a secret",
        '{"x":"' + SECRET + '"}',
        bad(UNKNOWN + ".x"),
    ),
    body(
        "ten thousand unknown fields",
        "{" + ",".join(f'"x{n}":1' for n in range(5000)) + "}",
        bad(UNKNOWN + ".x0"),
    ),
    body("ten thousand equal keys", "{" + ",".join(['"number":1'] * 5000) + ',"number":2}', ok({"number": 2})),
    body("a key twice, in both spellings", '{"text":"' + SECRET + '","text":"a"}', ok({"text": "a"})),
    body(
        "ten thousand equal keys of a map",
        '{"labels":{' + ",".join(['"a":"1"'] * 5000) + ',"a":"2"}}',
        ok({"labels": {"a": "2"}}),
    ),
    body(
        "keys of a map that are equal as numbers",
        '{"places":{"1":"a","1.0":"b","1e0":"c"}}',
        bad('expected a key once, got another spelling of it at $.places["1.0"]'),
    ),
    body(
        "both members of a oneof",
        '{"left":"' + SECRET + '","right":"' + SECRET + '"}',
        bad('expected one member of the oneof "choice", got another at $.right'),
    ),
    body(
        "half of a surrogate pair",
        '{"text":"\\ud800"}',
        bad(SURROGATE),
    ),
    body(
        "the other half, in a key",
        '{"labels":{"\\udc00":"' + SECRET + '"}}',
        bad(SURROGATE),
    ),
    body(
        "a surrogate pair the wrong way round",
        '{"text":"\\udc00\\ud800"}',
        bad(SURROGATE),
    ),
    body(
        "bytes of a surrogate",
        b'{"text":"' + SECRET.encode() + b'\xed\xa0\x80"}',
        bad(NO_UTF8),
    ),
    body(
        "UTF-8 that is longer than needed",
        b'{"text":"\xc0\xae' + SECRET.encode() + b'"}',
        bad(NO_UTF8),
    ),
    body("not UTF-8", b'{"text":"' + SECRET.encode() + b'\xff"}', bad(NO_UTF8)),
    body(
        "not UTF-8 in a key",
        b'{"\xff":"' + SECRET.encode() + b'"}',
        bad(NO_UTF8),
    ),
    body("not UTF-8 between", b'{"text":"a"\xff}', bad(NO_JSON + "11 at $")),
    body("UTF-16", '{"text":"a"}'.encode("utf-16"), bad(NO_JSON + "0 at $")),
    body(
        "UTF-32 without its mark",
        '{"text":"a"}'.encode("utf-32-le"),
        bad(NO_JSON + "1 at $"),
    ),
    body("a byte order mark", b"\xef\xbb\xbf{}", ok()),
    body(
        "two byte order marks",
        b"\xef\xbb\xbf\xef\xbb\xbf{}",
        bad("expected JSON, got a byte order mark before it at $"),
    ),
    body("a byte order mark alone", b"\xef\xbb\xbf", ok()),
    body("a NUL", b"\0", bad("expected JSON, got something else near byte 0 at $")),
    body("a NUL behind the end", b"{}\0", bad("expected JSON, got something else near byte 3 at $")),
    body(
        "a control character in a string",
        b'{"text":"a\nb"}',
        bad(NO_JSON + "10 at $"),
    ),
    body("two messages", "{}{}", bad(NO_JSON + "3 at $")),
    body("a comment", '{/*a*/"text":"a"}', bad(NO_JSON + "1 at $")),
    body("single quotes", "{'text':'" + SECRET + "'}", bad(NO_JSON + "1 at $")),
    body("a comma too many", '{"text":"' + SECRET + '",}', bad(NO_JSON + "17 at $")),
    body("null", "null", bad("expected an object, got null at $")),
    body("a string", f'"{SECRET}"', bad("expected an object, got a string at $")),
    body("a list", "[{}]", bad("expected an object, got an array at $")),
    body("an escape that is none", '{"text":"\\x41"}', bad(NO_JSON + "11 at $")),
]


def many(field: str, value: str) -> str:
    """As many elements as 4 MiB hold."""
    elements = ",".join([value] * (((4 << 20) - 100) // (len(value) + 1)))
    return f'{{"{field}":[{elements}]}}'


def members(field: str, value: str, count: int) -> str:
    """An object of so many members."""
    found = ",".join(f'"{number:x}":{value}' for number in range(count))
    return f'{{"{field}":{{{found}}}}}'


CROWDS = [
    body(
        "1.4 million empty submessages",
        many("children", "{}"),
        refused(413, "RESOURCE_EXHAUSTED", CROWDED),
        host="large",
    ),
    body(
        "two million arrays, in one another by fifties",
        many("value", "[" * 40 + "]" * 40),
        refused(413, "RESOURCE_EXHAUSTED", CROWDED),
        host="large",
    ),
    body(
        "submessages with a list that has no end, and texts with escaped quotes",
        many("children", '{"text":"\\"{[\\\\","tags":["{"]}')[:-1],
        refused(413, "RESOURCE_EXHAUSTED", CROWDED),
        host="large",
    ),
    body(
        "two million numbers in a Value",
        many("value", "1"),
        refused(413, "RESOURCE_EXHAUSTED", VALUES),
        host="large",
    ),
    body(
        "400 000 members of a Struct",
        members("struct", "1", 400_000),
        refused(413, "RESOURCE_EXHAUSTED", VALUES),
        host="large",
        mib=64,  # parsed, and weighed
    ),
    body(
        "100 000 members of a Struct, which are taken",
        members("struct", "true", 100_000),
        ok(json.loads(members("struct", "true", 100_000))),
        host="large",
    ),
    body(
        "370 000 entries of a map",
        members("labels", '""', 370_000),
        refused(413, "RESOURCE_EXHAUSTED", VALUES),
        host="large",
        mib=64,  # parsed, and weighed
    ),
    body(
        "two million paths of a FieldMask",
        '{"mask":"' + "a," * ((1 << 21) - 100) + 'a"}',
        refused(413, "RESOURCE_EXHAUSTED", VALUES),
        host="large",
    ),
    body(
        "two million numbers in a Value in an Any",
        '{"any":{"@type":"x/google.protobuf.Value","value":[' + "1," * ((1 << 21) - 100) + "1]}}",
        refused(413, "RESOURCE_EXHAUSTED", VALUES),
        host="large",
    ),
    Case(
        name="a body: two million empty submessages as protobuf",
        send=request("POST", "/v1/echo", PROTOBUF, body=b"\x62\x00" * ((1 << 21) - 100), host="large"),
        expect=refused(413, "RESOURCE_EXHAUSTED", CROWDED.replace("objects and arrays", "messages")),
        mib=96,
    ),
    Case(
        name="a body: submessages of a field that is the body",
        send=request("PUT", "/v1/echo/a", JSON, body=many("children", "{}").encode(), host="large"),
        expect=refused(413, "RESOURCE_EXHAUSTED", CROWDED),
    ),
    body(
        "half a million braces, commas and quotes in a text",
        '{"text":"' + '{,\\"' * (1 << 17) + '"}',
        ok({"text": '{,"' * (1 << 17)}),
        host="large",
    ),
]


CASES = [*SYNTAX, *CROWDS]
