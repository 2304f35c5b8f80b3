"""Values that are none of their field, and compressed bodies that are larger than they look."""

from __future__ import annotations

import gzip
import json
import zlib

from tests.hostile.cases import (
    CUT,
    DAMAGED,
    DEEP,
    INFLATES,
    NO_JSON,
    NO_NUMBER,
    NO_TIME,
    OVER,
    SECRET,
    UNKNOWN,
    Answers,
    Case,
    bad,
    invalid,
    ok,
    refused,
)
from tests.hostile.wire import request

TOO_LARGE = refused(413, "RESOURCE_EXHAUSTED", OVER)


JSON = ("Content-Type", "application/json")


def body(name: str, data: str | bytes, answer: Answers, host: str = "plain", *, drip: bool = False) -> Case:
    """A body of the method that answers with its request."""
    raw = data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")
    return Case(
        name=f"a body: {name}", send=request("POST", "/v1/echo", JSON, body=raw, host=host), expect=answer, drip=drip
    )


def nested(opening: str, levels: int, closing: str, middle: str = "") -> str:
    """Something in itself."""
    return opening * levels + middle + closing * levels


ANY_IN_MESSAGE = (
    '{"any":'
    + nested(
        '{"@type":"type.googleapis.com/hostile.Everything","any":',
        60,
        "}",
        '{"@type":"type.googleapis.com/hostile.Everything"}',
    )
    + "}"
)


TYPES = [
    body(
        "base64 with other characters",
        '{"raw":"' + SECRET + '!"}',
        bad("expected base64, got a string with other characters at $.raw"),
    ),
    body(
        "base64 of impossible length", '{"raw":"A"}', bad("expected base64, got a string of impossible length at $.raw")
    ),
    body(
        "base64 with padding in the middle",
        '{"raw":"AA==AAAA"}',
        bad("expected base64, got a string with other characters at $.raw"),
    ),
    body(
        "base64 with line ends",
        '{"raw":"AA\\nAA"}',
        bad("expected base64, got a string with other characters at $.raw"),
    ),
    body(
        "a colour nobody knows",
        '{"colour":"' + SECRET + '"}',
        bad("expected the name of a value of hostile.Colour, got an unknown one at $.colour"),
    ),
    body(
        "a colour by a number over its range",
        '{"colour":99999999999}',
        bad("expected a number of hostile.Colour, got an unknown one at $.colour"),
    ),
    body("a boolean in quotes", '{"flag":"true"}', bad("expected true or false, got a string at $.flag")),
    body(
        "a boolean as a key that is a number",
        '{"places":{"true":"a"}}',
        bad(NO_NUMBER + ' at $.places["true"]'),
    ),
    body("a null in a list", '{"tags":["a",null]}', bad("expected an element, got null at $.tags[1]")),
    body("a null in a map", '{"labels":{"a":null}}', bad('expected a value, got null at $.labels["a"]')),
    body(
        "a time before the first year",
        '{"time":"0000-12-31T23:59:59Z"}',
        bad("expected a day of the calendar, got none at $.time"),
    ),
    body(
        "a time behind the last year",
        '{"time":"9999-12-31T23:59:59-00:01"}',
        bad("expected a time in the years 1 to 9999, got one outside at $.time"),
    ),
    body(
        "a leap second",
        '{"time":"2016-12-31T23:59:60Z"}',
        bad("expected a time of day up to 23:59:59, got a later one at $.time"),
    ),
    body(
        "a 30th of February",
        '{"time":"2024-02-30T00:00:00Z"}',
        bad("expected a day of the calendar, got none at $.time"),
    ),
    body(
        "a time without a zone",
        '{"time":"2024-01-01T00:00:00"}',
        bad(NO_TIME + " at $.time"),
    ),
    body(
        "a time with ten digits of a second",
        '{"time":"2024-01-01T00:00:00.0123456789Z"}',
        bad(NO_TIME + " at $.time"),
    ),
    body(
        "a time in other digits",
        '{"time":"\u0662\u0660\u0662\u0664-01-01T00:00:00Z"}',
        bad(NO_TIME + " at $.time"),
    ),
    body(
        "a duration over its range",
        '{"duration":"315576000001s"}',
        bad("expected a duration up to 315576000000 seconds, got a longer one at $.duration"),
    ),
    body("a duration of 60000 digits", '{"duration":"' + "0" * 60000 + 's"}', ok({"duration": "0s"})),
    body(
        "a duration with an exponent",
        '{"duration":"1e3s"}',
        bad('expected a duration such as "1.5s", got a string of another form at $.duration'),
    ),
    body(
        "a duration of nothing",
        '{"duration":"s"}',
        bad('expected a duration such as "1.5s", got a string of another form at $.duration'),
    ),
    body(
        "a mask with an underscore",
        '{"mask":"' + SECRET + '_a"}',
        bad('expected the paths of a FieldMask in lowerCamelCase, got "_" in one at $.mask'),
    ),
    body("a mask of 20000 paths", '{"mask":"' + "aB," * 20000 + 'c"}', ok({"mask": "aB," * 20000 + "c"})),
    body(
        "a mask in braces",
        '{"mask":{"paths":["' + SECRET + '"]}}',
        bad("expected the paths of a FieldMask in one string, got an object at $.mask"),
    ),
    body(
        "an Any of an unknown type",
        '{"any":{"@type":"type.googleapis.com/evil.Type","x":"' + SECRET + '"}}',
        bad('expected the URL of a known type, got another at $.any["@type"]'),
    ),
    body(
        "an Any without a type",
        '{"any":{"x":"' + SECRET + '"}}',
        bad('expected an Any to name its type in "@type", got none at $.any'),
    ),
    body(
        "an Any with a type that is none",
        '{"any":{"@type":1}}',
        bad('expected an Any to name its type in "@type", got none at $.any["@type"]'),
    ),
    body(
        "an Any with a file as its type",
        '{"any":{"@type":"file:///etc/passwd"}}',
        bad('expected the URL of a known type, got another at $.any["@type"]'),
    ),
    body(
        "an Any in an Any",
        nested('{"@type":"type.googleapis.com/google.protobuf.Any","value":', 1000, "}", "{}").join(['{"any":', "}"]),
        bad(DEEP),
    ),
    body(
        "an Any in a message in an Any",
        ANY_IN_MESSAGE,
        ok(json.loads(ANY_IN_MESSAGE)),
    ),
    body(
        "a message's own fields in the wrong type", '{"child":[]}', bad("expected an object, got an array at $.child")
    ),
    body(
        "Python's own names",
        '{"__class__":{},"__init__":"' + SECRET + '"}',
        bad(UNKNOWN + ".__class__"),
    ),
]


MANY = 20000

LARGE = [
    body(
        "as many messages as fit",
        '{"children":[' + ",".join(["{}"] * MANY) + "]}",
        ok({"children": [{}] * MANY}),
    ),
    Case(
        name="a body: as many messages of protobuf as fit",
        send=request("POST", "/v1/fail", ("Content-Type", "application/protobuf"), body=b"\x62\0" * MANY),
        expect=ok({"children": [{}] * MANY}),
    ),
    body("as many values as fit", '{"value":[' + "[]," * MANY + "0]}", ok({"value": [*[[]] * MANY, 0]})),
    body("one byte over the limit", b'{"text":"' + b"a" * ((64 << 10) - 10) + b'"}', TOO_LARGE),
]


def packed(name: str, coding: str, data: bytes, answer: Answers, host: str = "plain") -> Case:
    """A compressed body."""
    return Case(
        name=f"a compressed body: {name}",
        send=request("POST", "/v1/echo", JSON, ("Content-Encoding", coding), body=data, host=host),
        expect=answer,
    )


HELLO = gzip.compress(b'{"text":"a"}')


SPACES = gzip.compress(b" " * (64 << 20))


STORED = zlib.compress(b'{"text":"' + SECRET.encode() * 20000 + b'"}', 0)


PACKED = [
    packed(
        "64 MiB of white space",
        "gzip",
        SPACES,
        refused(413, "RESOURCE_EXHAUSTED", INFLATES),
        host="large",
    ),
    packed(
        "64 MiB of white space as zlib",
        "deflate",
        zlib.compress(b" " * (64 << 20)),
        refused(413, "RESOURCE_EXHAUSTED", INFLATES),
        host="large",
    ),
    packed(
        "64 MiB of one string",
        "gzip",
        gzip.compress(b'{"text":"' + b"a" * (64 << 20) + b'"}'),
        refused(413, "RESOURCE_EXHAUSTED", INFLATES),
        host="large",
    ),
    packed("larger than the limit", "deflate", STORED, TOO_LARGE),
    packed(
        "a bomb in a bomb is not opened twice",
        "gzip",
        gzip.compress(SPACES),
        bad(NO_JSON + "0 at $"),
        host="large",
    ),
    packed("ten thousand empty members", "gzip", gzip.compress(b"") * 10000 + HELLO, ok({"text": "a"})),
    packed(
        "members that make one message",
        "gzip",
        b"".join(gzip.compress(bytes([b])) for b in b'{"text":"a"}'),
        ok({"text": "a"}),
    ),
    packed("garbage behind the end", "gzip", HELLO + b"\0" * 100, invalid("the compressed body is damaged")),
    packed(
        "garbage behind the end of zlib",
        "deflate",
        zlib.compress(b"{}") + SECRET.encode(),
        invalid(DAMAGED),
    ),
    packed("cut short", "gzip", HELLO[:-4], invalid(CUT)),
    packed("with a wrong checksum", "gzip", HELLO[:-8] + b"\0" * 8, invalid("the compressed body is damaged")),
    packed("with a wrong length", "gzip", HELLO[:-4] + b"\xff" * 4, invalid(DAMAGED)),
    packed(
        "not compressed at all",
        "gzip",
        b'{"text":"' + SECRET.encode() + b'"}',
        invalid(DAMAGED),
    ),
    packed(
        "with a dictionary",
        "deflate",
        b"\x78\xbb\x00\x00\x00\x01" + SECRET.encode(),
        invalid(DAMAGED),
    ),
    packed(
        "a name of a file that does not end",
        "gzip",
        b"\x1f\x8b\x08\x08" + b"\0" * 4 + b"\0\xff" + b"a" * 60000,
        invalid(CUT),
    ),
    packed("nothing", "gzip", b"", ok()),
]


CASES = [*TYPES, *LARGE, *PACKED]
