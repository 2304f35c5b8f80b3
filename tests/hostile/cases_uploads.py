"""Streams of requests that want to crash, to stall or to fill."""

from __future__ import annotations

import gzip

from tests.hostile.cases import (
    CROWDED,
    CUT,
    DAMAGED,
    INFLATES,
    NO_JSON,
    NO_UTF8,
    OVER,
    SECRET,
    STREAM_TYPES,
    TOO_EARLY,
    UNKNOWN,
    Answers,
    Case,
    invalid,
    ok,
    refused,
)
from tests.hostile.wire import request

NDJSON = ("Content-Type", "application/x-ndjson")


def up(
    name: str, body: bytes, answer: Answers, *headers: tuple[str, str], host: str = "plain", drip: bool = False
) -> Case:
    """An upload."""
    sent = request("POST", "/v1/up", *(headers or [NDJSON]), body=body, host=host)
    return Case(name=f"an upload: {name}", send=sent, expect=answer, drip=drip)


GOOD = b'{"text":"a"}\n'


UPLOADS = [
    up("nothing", b"", ok()),
    up(
        "a second message of a million empty submessages",
        GOOD + b'{"children":[' + b"{}," * 1_000_000 + b"{}]}\n" + GOOD,
        refused(413, "RESOURCE_EXHAUSTED", "message 2 at byte 13: " + CROWDED),
        host="large",
    ),
    up("sixty thousand line feeds", b"\n" * 60000, ok()),
    up(
        "a line without an end",
        b'{"text":"' + SECRET.encode() * 20000,
        refused(413, "RESOURCE_EXHAUSTED", "message 1 at byte 0: " + OVER),
    ),
    up(
        "one byte over the limit",
        GOOD + b'{"text":"' + b"a" * ((64 << 10) - 10) + b'"}\n',
        refused(413, "RESOURCE_EXHAUSTED", "message 2 at byte 13: " + OVER),
    ),
    up("white space without an end", b" " * (1 << 20), ok()),
    up(
        "digits without an end",
        b"9" * (1 << 20),
        refused(413, "RESOURCE_EXHAUSTED", "message 1 at byte 0: " + OVER),
    ),
    up("thirty thousand messages in one piece", b"{}" * 30000, ok({"number": 30000})),
    up(
        "thirty thousand messages, the last of them bad",
        b"{}" * 29999 + b'{"x":1}',
        invalid("message 30000 at byte 59998: hostile.Everything: " + UNKNOWN + ".x"),
    ),
    up("an array of ten thousand", b"[" + b",".join([b"{}"] * 10000) + b"]", ok({"number": 10000})),
    up("arrays in arrays", b"[" * 60000, invalid("message 1 at byte 1: the JSON is nested too deeply")),
    up(
        "an array that ends twice",
        b"[{}]]",
        invalid("message 2 at byte 4: expected nothing but white space behind the end of the array"),
    ),
    up(
        "an array with something behind it",
        b'[{}]{"text":"' + SECRET.encode() + b'"}',
        invalid("message 2 at byte 4: expected nothing but white space behind the end of the array"),
    ),
    up("an array with two commas", b"[{},,{}]", invalid("message 2 at byte 4: expected a JSON value")),
    up("an array with a comma at its end", b"[{},]", invalid("message 2 at byte 4: expected a JSON value")),
    up("an array that does not end", b"[{}", invalid("message 2 at byte 3: the stream ends inside a message")),
    up(
        "an array in the middle",
        GOOD + b"[{}]\n",
        invalid("message 2 at byte 13: hostile.Everything: expected an object, got an array at $"),
    ),
    up(
        "a message that is deeper than allowed",
        GOOD + b'{"child":' * 200 + b"{}" + b"}" * 200,
        invalid("message 2 at byte 13: the JSON is nested too deeply"),
    ),
    up(
        "closed by the wrong bracket",
        b'{"text":"a"]',
        invalid("message 1 at byte 0: hostile.Everything: " + NO_JSON + "11 at $"),
    ),
    up(
        "closed before it was opened",
        b"}",
        invalid("message 1 at byte 0: hostile.Everything: " + NO_JSON + "0 at $"),
    ),
    up(
        "a value cut by the end",
        GOOD + b'{"text":"' + SECRET.encode(),
        invalid("message 2 at byte 13: " + CUT),
    ),
    up(
        "a literal cut by the end",
        GOOD + b"tru",
        invalid("message 2 at byte 13: hostile.Everything: " + TOO_EARLY),
    ),
    up(
        "not UTF-8 in the second message",
        GOOD + b'{"text":"\xff' + SECRET.encode() + b'"}\n',
        invalid("message 2 at byte 13: hostile.Everything: " + NO_UTF8),
    ),
    up(
        "UTF-8 cut by the end of a message",
        GOOD + b'{"text":"\xc3"}\n',
        invalid("message 2 at byte 13: hostile.Everything: " + NO_UTF8),
    ),
    up(
        "UTF-8 cut by a line feed",
        GOOD + b'{"text":"\xc3\n\xa9"}\n',
        invalid("message 2 at byte 13: hostile.Everything: " + TOO_EARLY),
    ),
    up(
        "a string with a line feed in it",
        GOOD + b'{"text":"a\n' + SECRET.encode() + b'"}\n',
        invalid("message 2 at byte 13: hostile.Everything: " + TOO_EARLY),
    ),
    up(
        "a byte order mark in the middle",
        GOOD + b"\xef\xbb\xbf{}\n",
        invalid("message 2 at byte 13: hostile.Everything: expected JSON, got a byte order mark before it at $"),
    ),
    up(
        "half of a byte order mark",
        b"\xef\xbb{}",
        invalid("message 1 at byte 0: hostile.Everything: " + NO_JSON + "0 at $"),
    ),
    up(
        "a NUL between",
        GOOD + b"\0" + GOOD,
        invalid("message 2 at byte 13: hostile.Everything: " + NO_JSON + "0 at $"),
    ),
    up(
        "a form feed is no white space",
        GOOD + b"\f" + GOOD,
        invalid("message 2 at byte 13: hostile.Everything: " + NO_JSON + "0 at $"),
    ),
    up(
        "no white space of Unicode either",
        GOOD + "\u00a0\u2028".encode() + GOOD,
        invalid("message 2 at byte 13: hostile.Everything: " + NO_JSON + "0 at $"),
    ),
    up(
        "a record separator in NDJSON",
        b"\x1e{}\n",
        invalid("message 1 at byte 0: hostile.Everything: " + NO_JSON + "0 at $"),
    ),
    up(
        "an end that only WebSockets have",
        b'{"__end_stream__":true}\n',
        invalid("message 1 at byte 0: hostile.Everything: " + UNKNOWN + ".__end_stream__"),
    ),
    up("byte by byte", GOOD + b"[\n", invalid("message 2 at byte 13: " + CUT), drip=True),
    up(
        "a sequence without its first separator",
        b'{"text":"' + SECRET.encode() + b'"}\n',
        invalid("message 1 at byte 0: expected a JSON value"),
        ("Content-Type", "application/json-seq"),
    ),
    up("a sequence of separators", b"\x1e" * 60000, ok(), ("Content-Type", "application/json-seq")),
    up(
        "a sequence whose last value is cut",
        b"\x1e{}\n\x1e123",
        invalid("message 2 at byte 5: " + CUT),
        ("Content-Type", "application/json-seq"),
    ),
    up(
        "a sequence with a bad one in the middle",
        b'\x1e{}\n\x1e{"text":' + SECRET.encode() + b"\n\x1e{}\n",
        invalid("message 2 at byte 5: " + CUT),
        ("Content-Type", "application/json-seq"),
    ),
    up(
        "an event stream",
        b"data: {}\n\n",
        refused(
            415,
            "INVALID_ARGUMENT",
            "Content-Type 'text/event-stream' " + STREAM_TYPES,
        ),
        ("Content-Type", "text/event-stream"),
    ),
    up(
        "a form",
        b"text=a",
        refused(
            415,
            "INVALID_ARGUMENT",
            "Content-Type 'application/x-www-form-urlencoded' " + STREAM_TYPES,
        ),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ),
    up(
        "protobuf",
        b"\x0a\x01a",
        refused(
            415,
            "INVALID_ARGUMENT",
            "Content-Type 'application/protobuf' " + STREAM_TYPES,
        ),
        ("Content-Type", "application/protobuf"),
    ),
    up(
        "64 MiB of line feeds",
        gzip.compress(b"\n" * (64 << 20)),
        refused(413, "RESOURCE_EXHAUSTED", "message 1 at byte 1048576: " + INFLATES),
        NDJSON,
        ("Content-Encoding", "gzip"),
        host="large",
    ),
    up(
        "64 MiB of messages",
        gzip.compress((b'{"text":"' + b"a" * 1013 + b'"}\n') * (64 << 10)),
        refused(413, "RESOURCE_EXHAUSTED", "message 1024 at byte 1048576: " + INFLATES),
        NDJSON,
        ("Content-Encoding", "gzip"),
        host="large",
    ),
    up(
        "64 MiB in one array of white space",
        gzip.compress(b"[" + b" " * (64 << 20)),
        refused(413, "RESOURCE_EXHAUSTED", "message 1 at byte 1048576: " + INFLATES),
        NDJSON,
        ("Content-Encoding", "gzip"),
        host="large",
    ),
    up(
        "good messages, then damaged data",
        gzip.compress(GOOD)[:-8] + b"\0" * 8 + SECRET.encode(),
        invalid("message 2 at byte 13: " + DAMAGED),
        NDJSON,
        ("Content-Encoding", "gzip"),
    ),
    up(
        "through a channel: not JSON in the second message",
        GOOD + SECRET.encode(),
        invalid("message 2 at byte 13: hostile.Everything: " + NO_JSON + "0 at $"),
        host="channel",
    ),
    up(
        "through a channel: a line without an end",
        GOOD + b'{"text":"' + SECRET.encode() * 20000,
        refused(413, "RESOURCE_EXHAUSTED", "message 2 at byte 13: " + OVER),
        host="channel",
    ),
    up(
        "through a channel: an unknown field",
        GOOD + b'{"x":"' + SECRET.encode() + b'"}',
        invalid("message 2 at byte 13: hostile.Everything: " + UNKNOWN + ".x"),
        host="channel",
    ),
    up("through a channel: two thousand messages", b"{}" * 2000, ok({"number": 2000}), host="channel"),
]


CASES = [*UPLOADS]
