"""Messages of WebSockets that break our rules, in whole frames."""

from __future__ import annotations

from tests.hostile.cases import (
    COMPLETE,
    CROWDED,
    CUT,
    MORE,
    NO_JSON,
    NO_RECORD,
    OVER,
    SECRET,
    SURROGATE,
    UNKNOWN,
    Answers,
    Case,
    failed,
    response,
)
from tests.hostile.wire import TEXT, Closed, frame, handshake, text

CHAT, UP, ECHO = "/v1/chat", "/v1/up", "/hostile.Target/Echo"


RECORDS = ("Sec-WebSocket-Protocol", "asgi-grpc.records.v1")


HELLO = text('{"text":"a"}')


A = {"text": "a"}


END = text("")


def case(
    name: str,
    sent: bytes,
    answer: Answers,
    path: str = CHAT,
    *headers: tuple[str, str],
    host: str = "plain",
    drip: bool = False,
) -> Case:
    """What a client writes when the handshake is answered."""
    opening = handshake(path, *headers, host=host)
    return Case(name=f"a socket: {name}", upgrade=opening, send=sent, expect=answer, drip=drip)


LATE = failed("DEADLINE_EXCEEDED", 4004, "no input and no output for 0.3 s")


BARE = [
    case(
        "two messages in one",
        text('{"text":"a"}{"text":"b"}') + END,
        Closed([response(A), response({"text": "b"}), COMPLETE], 1000),
    ),
    case(
        "thirty thousand messages in one",
        text("{}" * 30000) + END,
        Closed([response({"number": 30000}), COMPLETE], 1000),
        UP,
    ),
    case(
        "a value over two messages",
        text('{"text":') + text('"' + SECRET + '"}') + END,
        failed("INVALID_ARGUMENT", 4003, "message 1 at byte 0: " + CUT),
    ),
    case(
        "an array",
        text("[{}]"),
        failed(
            "INVALID_ARGUMENT", 4003, "message 1 at byte 0: hostile.Everything: expected an object, got an array at $"
        ),
    ),
    case(
        "a record",
        text('{"type":"request","data":{"text":"' + SECRET + '"}}'),
        failed(
            "INVALID_ARGUMENT",
            4003,
            "message 1 at byte 0: hostile.Everything: " + UNKNOWN + ".type",
        ),
    ),
    case(
        "an end that is no end",
        text('{"__end_stream__":false}'),
        failed(
            "INVALID_ARGUMENT",
            4003,
            "message 1 at byte 0: hostile.Everything: " + UNKNOWN + ".__end_stream__",
        ),
    ),
    case(
        "an end that is more than an end",
        text('{"__end_stream__":true,"text":"' + SECRET + '"}'),
        failed(
            "INVALID_ARGUMENT",
            4003,
            "message 1 at byte 0: hostile.Everything: " + UNKNOWN + ".__end_stream__",
        ),
    ),
    case(
        "an end in the middle of a message",
        text('{"child":{"__end_stream__":true}}'),
        failed(
            "INVALID_ARGUMENT",
            4003,
            "message 1 at byte 0: hostile.Everything: " + UNKNOWN + ".child.__end_stream__",
        ),
    ),
    case(
        "an end as a text",
        text('{"text":"{\\"__end_stream__\\":true}"}') + END,
        Closed(
            records=[{"type": "response", "data": {"text": '{"__end_stream__":true}'}}, {"type": "complete"}],
            code=1000,
            reason="",
        ),
    ),
    case(
        "an end, and a message behind it",
        text('{"__end_stream__":true}{"text":"' + SECRET + '"}'),
        failed("INVALID_ARGUMENT", 4003, "message 1 at byte 23: " + MORE),
    ),
    case(
        "an end, and a message in the next",
        text('{"__end_stream__":true}') + HELLO,
        failed("INVALID_ARGUMENT", 4003, MORE),
    ),
    case(
        "two ends",
        text('{"__end_stream__":true}') + END + text('{"__end_stream__":true}'),
        Closed(records=[{"type": "complete"}], code=1000, reason=""),
    ),
    case(
        "an end with an escape in its name",
        text('{"\\u005f_end_stream__":true}'),
        failed(
            "INVALID_ARGUMENT",
            4003,
            "message 1 at byte 0: hostile.Everything: " + UNKNOWN + ".__end_stream__",
        ),
    ),
    case(
        "a deep message",
        text("[" * 60000),
        failed("INVALID_ARGUMENT", 4003, "message 1 at byte 0: the JSON is nested too deeply"),
    ),
    case(
        "a message over the limit",
        text('{"text":"' + SECRET * 20000 + '"}'),
        failed("RESOURCE_EXHAUSTED", 1009, "message 1 at byte 0: " + OVER),
    ),
    case(
        "a message over the limit, in pieces",
        frame(TEXT, b'{"text":"', fin=False) + frame(0, b"a" * 40000, fin=False) * 3 + frame(0, b'"}'),
        failed("RESOURCE_EXHAUSTED", 1009, "message 1 at byte 0: " + OVER),
    ),
    case(
        "a message over the limit of the server, which does not come",
        frame(TEXT, b"", length=(16 << 20) + 1),
        {"h11": LATE, "httptools": Closed([], 1009, "frame with 16777217 bytes exceeds limit of 16777216 bytes")},
        host="idle",
    ),
    case(
        "a second message of a million empty submessages",
        HELLO + text('{"children":[' + "{}," * 1_000_000 + "{}]}"),
        failed("RESOURCE_EXHAUSTED", 1009, "message 2 at byte 0: " + CROWDED, response(A)),
        host="large",
    ),
    case("white space for ever", text(" " * 60000) * 20 + END, Closed([COMPLETE], 1000)),
    case(
        "a byte order mark",
        text("\ufeff{}") + END,
        Closed(records=[{"type": "response", "data": {}}, {"type": "complete"}], code=1000, reason=""),
    ),
    case(
        "a NUL",
        text("\0"),
        failed(
            "INVALID_ARGUMENT",
            4003,
            "message 1 at byte 0: hostile.Everything: " + NO_JSON + "0 at $",
        ),
    ),
    case(
        "half of a surrogate pair",
        text('{"text":"\\ud800"}'),
        failed(
            "INVALID_ARGUMENT",
            4003,
            "message 1 at byte 0: hostile.Everything: " + SURROGATE,
        ),
    ),
    case(
        "an unknown field",
        HELLO + text('{"x":"' + SECRET + '"}'),
        failed(
            "INVALID_ARGUMENT",
            4003,
            "message 2 at byte 0: hostile.Everything: " + UNKNOWN + ".x",
            response({"text": "a"}),
        ),
    ),
    case(
        "two messages for a method with one",
        text('{"text":"a"}{"text":"' + SECRET + '"}'),
        failed("INVALID_ARGUMENT", 4003, MORE),
        ECHO,
    ),
    case(
        "a second message for a method with one",
        HELLO + text('{"text":"b"}'),
        failed("INVALID_ARGUMENT", 4003, MORE),
        "/v1/hold",
    ),
    case(
        "nothing but white space for a method with one",
        text(" ") + text("\n") + HELLO,
        Closed([response(A), COMPLETE], 1000),
        ECHO,
    ),
    case(
        "a message for a method that is in its address",
        text('{"text":"' + SECRET + '"}'),
        failed("INVALID_ARGUMENT", 4003, MORE),
        "/v1/hold",
    ),
    case(
        "texts that look like another message",
        text('{"text":"a\\n{}\\u0000"}') + END,
        Closed([response({"text": "a\n{}\0"}), COMPLETE], 1000),
    ),
    case(
        "through a channel: a bad second message",
        HELLO + text(SECRET),
        failed(
            "INVALID_ARGUMENT",
            4003,
            "message 2 at byte 0: hostile.Everything: " + NO_JSON + "0 at $",
        ),
        UP,
        host="channel",
    ),
    case(
        "through a channel: a message over the limit",
        text('{"text":"' + SECRET * 20000 + '"}'),
        failed("RESOURCE_EXHAUSTED", 1009, "message 1 at byte 0: " + OVER),
        UP,
        host="channel",
    ),
]


def records(name: str, sent: str | bytes, answer: Answers, path: str = CHAT) -> Case:
    """What a client writes in the subprotocol."""
    return case(f"records: {name}", sent if isinstance(sent, bytes) else text(sent), answer, path, RECORDS)


RECORD = '{"type":"request","data":{"text":"a"}}'


LAST = '{"type":"end"}'


SUBPROTOCOL = [
    records(
        "a bare message",
        '{"text":"' + SECRET + '"}',
        failed(
            "INVALID_ARGUMENT",
            4003,
            "message 1 at byte 0: " + NO_RECORD,
        ),
    ),
    records(
        "an unknown type",
        '{"type":"' + SECRET + '"}',
        failed(
            "INVALID_ARGUMENT",
            4003,
            "message 1 at byte 0: " + NO_RECORD,
        ),
    ),
    records(
        "a type that is no text",
        '{"type":1}',
        failed(
            "INVALID_ARGUMENT",
            4003,
            "message 1 at byte 0: " + NO_RECORD,
        ),
    ),
    records("a type twice", '{"type":"cancel","type":"end"}', Closed([COMPLETE], 1000)),
    records(
        "a request without data",
        '{"type":"request"}',
        failed(
            "INVALID_ARGUMENT",
            4003,
            "message 1 at byte 0: " + NO_RECORD,
        ),
    ),
    records(
        "a request of null",
        '{"type":"request","data":null}',
        failed("INVALID_ARGUMENT", 4003, "message 1 at byte 0: hostile.Everything: expected an object, got null at $"),
    ),
    records(
        "a request that is a list",
        '{"type":"request","data":["' + SECRET + '"]}',
        failed(
            "INVALID_ARGUMENT", 4003, "message 1 at byte 0: hostile.Everything: expected an object, got an array at $"
        ),
    ),
    records(
        "a request with more in it",
        '{"type":"request","data":{"text":"a"},"x":"' + SECRET + '"}' + LAST,
        Closed([response(A), COMPLETE], 1000),
    ),
    records("an end with data", '{"type":"end","data":{"text":"' + SECRET + '"}}', Closed([COMPLETE], 1000)),
    records(
        "a request behind the end",
        LAST + RECORD,
        failed("INVALID_ARGUMENT", 4003, "message 1 at byte 14: " + MORE),
    ),
    records(
        "a request behind the end, in the next message",
        text(LAST) + text(RECORD),
        failed("INVALID_ARGUMENT", 4003, MORE),
    ),
    records("an end behind the end", text(LAST) + text(LAST), Closed([COMPLETE], 1000)),
    records("a cancel", '{"type":"cancel"}', failed("CANCELLED", 4001, "the client cancelled the call")),
    records(
        "a cancel behind a request",
        RECORD + '{"type":"cancel"}',
        failed("CANCELLED", 4001, "the client cancelled the call"),
        UP,
    ),
    records(
        "a cancel behind garbage",
        "{x}" + '{"type":"cancel"}',
        failed("INVALID_ARGUMENT", 4003, "message 1 at byte 0: the record is not valid JSON"),
    ),
    records(
        "the word cancel in a text",
        '{"type":"request","data":{"text":"\\"cancel\\""}}' + LAST,
        Closed([response({"text": '"cancel"'}), COMPLETE], 1000),
    ),
    records(
        "an end as clients without a subprotocol have it",
        '{"__end_stream__":true}',
        failed(
            "INVALID_ARGUMENT",
            4003,
            "message 1 at byte 0: " + NO_RECORD,
        ),
    ),
    records("an empty message is no end", text("") + text(LAST), Closed([COMPLETE], 1000)),
    records(
        "an array of records",
        "[" + RECORD + "]",
        failed(
            "INVALID_ARGUMENT",
            4003,
            "message 1 at byte 0: " + NO_RECORD,
        ),
    ),
    records(
        "a record that is deeper than allowed",
        '{"type":"request","data":' + "[" * 200 + "]" * 200 + "}",
        failed("INVALID_ARGUMENT", 4003, "message 1 at byte 0: the JSON is nested too deeply"),
    ),
    records(
        "thirty thousand garbage records",
        "{}" * 30000,
        failed(
            "INVALID_ARGUMENT",
            4003,
            "message 1 at byte 0: " + NO_RECORD,
        ),
    ),
    records("not JSON", SECRET, failed("INVALID_ARGUMENT", 4003, "message 1 at byte 0: the record is not valid JSON")),
    records(
        "a record cut short",
        '{"type":"request","data":{"text":"' + SECRET,
        failed("INVALID_ARGUMENT", 4003, "message 1 at byte 0: " + CUT),
    ),
]


CASES = [*BARE, *SUBPROTOCOL]
