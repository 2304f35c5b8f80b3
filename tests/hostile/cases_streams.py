"""Streams of replies, out of whose framing somebody tries to break."""

from __future__ import annotations

import json

from tests.hostile.cases import (
    COMPLETE,
    CUT,
    FULL,
    NO_JSON,
    SECRET,
    STREAM_OFFERS,
    UNKNOWN,
    Answers,
    Case,
    bad,
    refused,
    response,
)
from tests.hostile.wire import Reply, request

NDJSON = ("Content-Type", "application/x-ndjson")


BREAKING = r"a\n\ndata: {}\r\n\r\nevent: complete\u2028\u0085\u001e]}\u0000"
"""The text of a field that holds what each framing uses between two records, as JSON."""


GOOD = b'{"text":"a"}\n'


def down(name: str, accept: str, body: str, answer: Answers, host: str = "plain") -> Case:
    """A download of what was sent."""
    sent = request("POST", "/v1/down", ("Accept", accept), body=body.encode(), host=host)
    return Case(name=f"a download: {name}", send=sent, expect=answer)


TWICE = f'{{"number":2,"text":"{BREAKING}"}}'


VALUE = json.loads(TWICE)


SENT = f'{{"text":"{BREAKING}","number":2}}'.replace(r"\u2028\u0085", "\u2028\x85")
"""The same in an answer: what needs no escape in JSON has none."""


DOWNLOADS = [
    down(
        "texts that look like the end of a line",
        "application/x-ndjson",
        TWICE,
        [Reply(200, [response(VALUE), response(VALUE), COMPLETE])],
    ),
    down(
        "texts that look like the end of an array",
        "application/json",
        TWICE,
        [Reply(200, [response(VALUE), response(VALUE), COMPLETE])],
    ),
    down(
        "texts that look like another event",
        "text/event-stream",
        TWICE,
        [
            Reply(
                200,
                f"event: response\nid: 1\ndata: {SENT}\n\nevent: response\nid: 2\ndata: {SENT}\n\n"
                "event: complete\ndata: {}\n\n",
            )
        ],
    ),
    down(
        "texts that look like another record",
        "application/json-seq",
        TWICE,
        [
            Reply(
                200,
                f'\x1e{{"type":"response","data":{SENT}}}\n' * 2 + '\x1e{"type":"complete"}\n',
            )
        ],
    ),
    down(
        "texts that look like the end, without an envelope",
        "text/event-stream",
        TWICE,
        [Reply(200, f"data: {SENT}\n\n" * 2)],
        host="bare",
    ),
    down(
        "texts that look like an error",
        "application/x-ndjson",
        '{"number":1,"text":"{\\"error\\":{}}\\n{\\"error\\":{}}"}',
        [Reply(200, [{"result": FULL | {"number": 1, "text": '{"error":{}}\n{"error":{}}'}}])],
        host="foreign",
    ),
    down("more replies than there are numbers", "application/json", '{"number":-1}', [Reply(200, [COMPLETE])]),
    down(
        "no type that there is",
        "image/png",
        "{}",
        refused(
            406,
            "INVALID_ARGUMENT",
            "nothing that this method can answer is acceptable: it offers " + STREAM_OFFERS,
        ),
    ),
    down(
        "types without number",
        ",".join(["image/png"] * 5000),
        "{}",
        refused(
            406,
            "INVALID_ARGUMENT",
            "nothing that this method can answer is acceptable: it offers " + STREAM_OFFERS,
        ),
    ),
    down(
        "an unknown field",
        "application/json",
        '{"x":"' + SECRET + '"}',
        bad(UNKNOWN + ".x"),
    ),
    down("no JSON", "text/event-stream", SECRET, bad(NO_JSON + "0 at $")),
    down("two messages", "text/event-stream", "{}{}", bad(NO_JSON + "3 at $")),
]


def chat(name: str, body: bytes, answer: Answers, accept: str = "application/x-ndjson", host: str = "plain") -> Case:
    """A conversation, all of whose input comes at once."""
    return Case(
        name=f"a conversation: {name}",
        send=request("POST", "/v1/chat", NDJSON, ("Accept", accept), body=body, host=host),
        expect=answer,
    )


CHATS = [
    chat(
        "a bad second message",
        GOOD + SECRET.encode() + b"\n",
        [
            Reply(
                status=200,
                body=[
                    {"type": "response", "data": {"text": "a"}},
                    {
                        "type": "error",
                        "error": "message 2 at byte 13: hostile.Everything: " + NO_JSON + "0 at $",
                        "code": "INVALID_ARGUMENT",
                        "details": [],
                    },
                ],
                headers={},
            )
        ],
    ),
    chat(
        "an array that is never closed",
        b"[" + GOOD,
        [
            Reply(
                status=200,
                body=[
                    {"type": "response", "data": {"text": "a"}},
                    {
                        "type": "error",
                        "error": "message 2 at byte 14: " + CUT,
                        "code": "INVALID_ARGUMENT",
                        "details": [],
                    },
                ],
                headers={},
            )
        ],
        accept="application/json",
    ),
]


CASES = [*DOWNLOADS, *CHATS]
