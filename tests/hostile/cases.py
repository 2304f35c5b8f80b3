"""What a hostile case is: bytes that a client writes, and exactly what it must get."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.hostile.wire import Closed, Reply

SECRET = "S3CRET"
"""Stands in what is refused wherever it can: no refusal may repeat it."""

FULL = {
    "text": "",
    "number": 0,
    "long": "0",
    "unsigned": "0",
    "real": 0.0,
    "raw": "",
    "colour": "NONE",
    "tags": [],
    "labels": {},
    "places": {},
    "children": [],
    "flag": False,
    "small": 0.0,
}
"""The empty message, as grpc-gateway prints it."""

UNKNOWN = "expected a field of hostile.Everything, got an unknown name at $"
DEEP = "expected at most 100 levels of objects and arrays, got more at $"
DEEP_WIRE = "expected at most 100 levels of protobuf messages, got more at $"
NO_JSON = "expected JSON, got something else near byte "
NO_UTF8 = "expected JSON in UTF-8, got other bytes at $"
NO_RECORD = 'expected a record {"type": "request", "data": …}, {"type": "end"} or {"type": "cancel"}'
SURROGATE = "expected Unicode text, got the escape of an unpaired surrogate at $"
INT32 = "expected an integer from -2147483648 to 2147483647, got one outside"
INT64 = "expected an integer from -9223372036854775808 to 9223372036854775807, got one outside"
UINT64 = "expected an integer from 0 to 18446744073709551615, got one outside"
NO_NUMBER = "expected an integer, got a string that is not a number"
NO_TIME = 'expected a time such as "2000-01-31T23:59:59.5Z", got a string of another form'
TOO_EARLY = "expected a whole JSON document, got one that ends too early at $"
OVER = "the message is larger than the limit"
CROWDED = "hostile.Everything: expected at most 150000 objects and arrays in one message, got more at $"
VALUES = "hostile.Everything: expected at most 600000 values that become messages in one message, got more at $"
INFLATES = "the compressed body inflates beyond the limit"
DAMAGED = "the compressed body is damaged"
CUT = "the stream ends inside a message"
MORE = "more input after the end of the input"
BINARY_TEXT = "binary messages need a subprotocol that defines them: send text"
STREAM_TYPES = "is not supported here: send application/x-ndjson, application/json or application/json-seq"
STREAM_OFFERS = (
    "application/x-ndjson, application/ndjson, application/jsonl, "
    "application/json, text/event-stream, application/json-seq"
)

Expected = list[Reply] | Closed

Answers = Expected | Mapping[str, list[Reply]] | Mapping[str, Closed] | Mapping[str, Expected]
"""An answer, or one for each server."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One hostile input.

    Attributes:
        name: what it is.
        send: what the client writes; a WebSocket's handshake is ``upgrade`` then.
        expect: all responses on the connection, or the end of the WebSocket; by the server's HTTP parser (``"h11"``,
            ``"httptools"``), where it is the server that answers.
        upgrade: the opening handshake; what follows is sent when it was answered.
        drip: byte by byte.
        mib: the server's memory grows by less.
        logged_by: the servers that log an error of their own.
    """

    name: str
    send: bytes = b""
    expect: Answers
    upgrade: bytes = b""
    drip: bool = False
    mib: int = 32
    logged_by: tuple[str, ...] = ()

    def expected(self, stack: str) -> Expected:
        """What the client gets from a server with this HTTP parser."""
        return self.expect[stack] if isinstance(self.expect, Mapping) else self.expect


def ok(data: Any = None, **headers: str | None) -> list[Reply]:
    """A reply of the service, alone on its connection."""
    return [Reply(200, {"code": 0, "message": "success", "data": data or {}}, headers)]


def refused(status: int, code: str, message: str, **headers: str | None) -> list[Reply]:
    """A refusal of ours, alone on its connection."""
    body = {"code": status, "message": message, "data": None, "status": code, "details": []}
    return [Reply(status, body, {name.replace("_", "-"): value for name, value in headers.items()})]


def invalid(message: str) -> list[Reply]:
    """The refusal that is most frequent."""
    return refused(400, "INVALID_ARGUMENT", message)


def bad(problem: str) -> list[Reply]:
    """A body that is not the JSON of its message."""
    return invalid(f"hostile.Everything: {problem}")


def failed(code: str, close_code: int, message: str, *before: Any) -> Closed:
    """A WebSocket's call that failed."""
    record = {"type": "error", "error": message, "code": code, "details": []}
    reason = f"{code}: {message}".encode()[:123].decode("utf-8", "ignore")
    return Closed([*before, record], close_code, reason)


def response(data: Any) -> dict[str, Any]:
    """A record of a reply."""
    return {"type": "response", "data": data}


COMPLETE = {"type": "complete"}

SERVER = [Reply(400, "Invalid HTTP request received.")]
"""uvicorn itself refuses."""
