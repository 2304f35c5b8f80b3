"""Requests that two readers may understand in two ways, and requests that are not HTTP.

Where uvicorn answers, the answer is the one of ``SERVER``, and it closes the connection: nothing behind it is read.
"""

from __future__ import annotations

from tests.hostile.cases import NO_JSON, OVER, SECRET, SERVER, Answers, Case, bad, invalid, ok, refused
from tests.hostile.wire import Reply, chunked, request

JSON = ("Content-Type", "application/json")
HIDDEN = request("GET", "/v1/echo/smuggled")
"""What is to pass for a body, or for a request of its own."""
SMUGGLED = ok({"text": "smuggled"})
TWO_LENGTHS = (
    ok()
)  # by its chunks, and the connection ends: the document that the project began from has a client that sends both
NOWHERE = refused(404, "NOT_FOUND", "no method is bound to this path")
LATE = refused(504, "DEADLINE_EXCEEDED", "no input and no output for 0.3 s")
EMPTY_CHUNK = b"0\r\n\r\n"
CL, TE = "Content-Length", "Transfer-Encoding"


def post(*headers: tuple[str, str | bytes], body: bytes = b"", last: bool = True) -> bytes:
    """An Echo, whose length is said as it is said."""
    told = [header for header in headers if header[0].strip().lower() in ("content-length", "transfer-encoding")]
    head = request("POST", "/v1/echo", JSON, *headers, body=body if told else None, last=last)
    return head if told else head + body


def case(name: str, sent: bytes, answer: Answers, *, drip: bool = False) -> Case:
    """One connection."""
    return Case(name=f"a request: {name}", send=sent, expect=answer, drip=drip)


LENGTHS = [
    case(
        "a length and chunks",
        post((CL, "6"), (TE, "chunked"), body=EMPTY_CHUNK + HIDDEN, last=False),
        {"h11": TWO_LENGTHS, "httptools": SERVER},
    ),
    case(
        "chunks and a length",
        post((TE, "chunked"), (CL, "4"), body=chunked(b"{}") + HIDDEN, last=False),
        {"h11": TWO_LENGTHS, "httptools": SERVER},
    ),
    case(
        "two lengths",
        post((CL, "2"), (CL, "200"), body=b"{}" + HIDDEN, last=False),
        [Reply(status=400, body="Invalid HTTP request received.", headers={})],
    ),
    case("two equal lengths", post((CL, "2"), (CL, "2"), body=b"{}"), {"h11": ok(), "httptools": SERVER}),
    case(
        "a list of lengths",
        post((CL, "2, 200"), body=b"{}" + HIDDEN, last=False),
        [Reply(status=400, body="Invalid HTTP request received.", headers={})],
    ),
    case(
        "a length with a sign",
        post((CL, "+2"), body=b"{}" + HIDDEN, last=False),
        [Reply(status=400, body="Invalid HTTP request received.", headers={})],
    ),
    case(
        "a length below nothing",
        post((CL, "-1"), body=b"{}"),
        [Reply(status=400, body="Invalid HTTP request received.", headers={})],
    ),
    case(
        "a length in hexadecimal",
        post((CL, "0x2"), body=b"{}"),
        [Reply(status=400, body="Invalid HTTP request received.", headers={})],
    ),
    case(
        "a length with an underscore",
        post((CL, "1_0"), body=b"{}"),
        [Reply(status=400, body="Invalid HTTP request received.", headers={})],
    ),
    case(
        "a length in other digits",
        post((CL, "\u0662"), body=b"{}"),
        [Reply(status=400, body="Invalid HTTP request received.", headers={})],
    ),
    case(
        "a length of twenty-one digits",
        post((CL, "9" * 21), body=b"{}"),
        [Reply(status=400, body="Invalid HTTP request received.", headers={})],
    ),
    case(
        "a length behind white space",
        post((CL + " ", "2"), body=b"{}" + HIDDEN, last=False),
        [Reply(status=400, body="Invalid HTTP request received.", headers={})],
    ),
    case("a length of nothing with a body", post((CL, "0"), body=HIDDEN, last=False), [*ok(), *SMUGGLED]),
    case(
        "chunks that are something else",
        post((TE, "xchunked"), body=chunked(b"{}")),
        [Reply(status=400, body="Invalid HTTP request received.", headers={})],
    ),
    case(
        "chunks twice",
        post((TE, "chunked"), (TE, "chunked"), body=chunked(b"{}")),
        [Reply(status=400, body="Invalid HTTP request received.", headers={})],
    ),
    case(
        "chunks, then the identity",
        post((TE, "chunked, identity"), body=chunked(b"{}")),
        [Reply(status=400, body="Invalid HTTP request received.", headers={})],
    ),
    case(
        "the identity, then chunks",
        post((TE, "identity, chunked"), body=chunked(b"{}")),
        {"h11": SERVER, "httptools": ok()},
    ),
    case(
        "chunks behind a tab",
        post((TE, "\tchunked"), body=chunked(b"{}") + HIDDEN, last=False),
        [
            Reply(status=200, body={"code": 0, "message": "success", "data": {}}, headers={}),
            Reply(status=200, body={"code": 0, "message": "success", "data": {"text": "smuggled"}}, headers={}),
        ],
    ),
    case(
        "chunks behind a vertical tab",
        post((TE, "\x0bchunked"), body=chunked(b"{}") + HIDDEN, last=False),
        [Reply(status=400, body="Invalid HTTP request received.", headers={})],
    ),
    case("chunks and gzip", post((TE, "gzip, chunked"), body=chunked(b"{}")), {"h11": SERVER, "httptools": ok()}),
]

CHUNKS = [
    case("a chunk's extension", post((TE, "chunked"), body=b'2;a="b;\\"c"\r\n{}\r\n0\r\n\r\n'), ok()),
    case("an extension of 60 KiB", post((TE, "chunked"), body=b"2;" + b"a" * 60000 + b"\r\n{}\r\n0\r\n\r\n"), ok()),
    case(
        "an extension that hides a line end",
        post((TE, "chunked"), body=b"2;a\n{}\r\n0\r\n\r\n" + HIDDEN, last=False),
        [Reply(status=400, body="Invalid HTTP request received.", headers={})],
    ),
    case(
        "a chunk's size with a sign",
        post((TE, "chunked"), body=b"+2\r\n{}\r\n0\r\n\r\n"),
        [Reply(status=400, body="Invalid HTTP request received.", headers={})],
    ),
    case(
        "a chunk's size with 0x",
        post((TE, "chunked"), body=b"0x2\r\n{}\r\n0\r\n\r\n"),
        [Reply(status=400, body="Invalid HTTP request received.", headers={})],
    ),
    case(
        "a chunk's size of seventeen digits",
        request("POST", "/v1/echo", JSON, (TE, "chunked"), host="idle", body=b"10000000000000002\r\n{}\r\n0\r\n\r\n"),
        {"h11": LATE, "httptools": SERVER},
    ),
    case(
        "a chunk that is longer than it says",
        post((TE, "chunked"), body=b"2\r\n{}{}\r\n0\r\n\r\n"),
        [Reply(status=400, body="Invalid HTTP request received.", headers={})],
    ),
    case(
        "a chunk without its line end",
        post((TE, "chunked"), body=b"2\r\n{}0\r\n\r\n" + HIDDEN, last=False),
        [Reply(status=400, body="Invalid HTTP request received.", headers={})],
    ),
    case(
        "chunks that end in bare line feeds",
        post((TE, "chunked"), body=b"2\n{}\n0\n\n" + HIDDEN, last=False),
        [Reply(status=400, body="Invalid HTTP request received.", headers={})],
    ),
    case(
        "a trailer that would be metadata",
        post((TE, "chunked"), body=b"2\r\n{}\r\n0\r\nGrpc-Metadata-Evil: 1\r\n\r\n"),
        ok(),
    ),
    case(
        "a trailer that would be a length",
        post((TE, "chunked"), body=b"2\r\n{}\r\n0\r\nContent-Length: 9\r\n\r\n"),
        {"h11": ok(), "httptools": SERVER},
    ),
    case(
        "a body in chunks of one byte",
        post((TE, "chunked"), body=chunked(*(bytes([b]) for b in b'{"text":"a"}'))),
        ok({"text": "a"}),
    ),
    case(
        "byte by byte, its head too",
        post((TE, "chunked"), body=chunked(b'{"te', b'xt":"a"}')),
        ok({"text": "a"}),
        drip=True,
    ),
]

HEADS = [
    case("no Host", request("GET", "/v1/echo", host=None), {"h11": SERVER, "httptools": ok()}),
    case("two Hosts", request("GET", "/v1/echo", ("Host", "evil.example")), {"h11": SERVER, "httptools": ok()}),
    case("a Host with a user", request("GET", "/v1/echo", host=f"u:{SECRET}@plain"), ok()),
    case(
        "a Host with a line end",
        request("GET", "/v1/echo", host="plain\rX: y"),
        [Reply(status=400, body="Invalid HTTP request received.", headers={})],
    ),
    case("a Host that is no host", request("GET", "/v1/echo", host="<script>"), ok()),
    case("no version", b"GET /v1/echo\r\nHost: plain\r\n\r\n", {"h11": SERVER, "httptools": ok()}),
    case(
        "a version of the future",
        b"GET /v1/echo HTTP/3.0\r\nHost: plain\r\nConnection: close\r\n\r\n",
        {"h11": ok(), "httptools": SERVER},
    ),
    case(
        "a version of many digits",
        b"GET /v1/echo HTTP/1.11\r\nHost: plain\r\nConnection: close\r\n\r\n",
        [Reply(status=400, body="Invalid HTTP request received.", headers={})],
    ),
    case("HTTP/1.0", b"GET /v1/echo?text=a HTTP/1.0\r\nHost: plain\r\n\r\n", ok({"text": "a"})),
    case(
        "HTTP/1.0 with chunks",
        b"POST /v1/echo HTTP/1.0\r\nHost: plain\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"{}"),
        ok(),
    ),
    case(
        "the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {"h11": [*NOWHERE, *SERVER], "httptools": SERVER}
    ),
    case(
        "HTTP/2 by upgrade",
        request(
            "GET",
            "/v1/echo",
            ("Connection", "Upgrade, HTTP2-Settings, close"),
            ("Upgrade", "h2c"),
            ("HTTP2-Settings", "AAMAAABkAAQAAP__"),
        ),
        ok(),
    ),
    case(
        "TLS",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 500,
        [Reply(status=400, body="Invalid HTTP request received.", headers={})],
    ),
    case("a line end too many before it", b"\r\n\r\n" + request("GET", "/v1/echo"), {"h11": SERVER, "httptools": ok()}),
    case("spaces before a header", request("GET", "/v1/echo", (" X", "1")), {"h11": ok(), "httptools": SERVER}),
    case("a thousand headers", request("GET", "/v1/echo", *[(f"X-{n}", "1") for n in range(1000)]), ok()),
    case("an expectation", post((CL, "2"), ("Expect", "100-continue"), body=b"{}"), ok()),
    case("an expectation of something else", post((CL, "2"), ("Expect", SECRET), body=b"{}"), ok()),
    case(
        "a body of a GET",
        request("GET", "/v1/echo", body=b'{"text":"' + SECRET.encode() + b'"}'),
        invalid("expected no body here, got one"),
    ),
    case(
        "a body of a GET in chunks",
        request("GET", "/v1/echo", (TE, "chunked"), body=chunked(HIDDEN)),
        invalid("expected no body here, got one"),
    ),
    case(
        "two in one piece",
        request("GET", "/v1/echo/a", last=False) + request("GET", "/v1/echo/b"),
        [*ok({"text": "a"}), *ok({"text": "b"})],
    ),
    case(
        "ten in one piece",
        request("GET", "/v1/echo/a", last=False) * 9 + request("GET", "/v1/echo/b"),
        [*(ok({"text": "a"}) * 9), *ok({"text": "b"})],
    ),
    case(
        "a refused body, and a request behind it",
        post((CL, "3"), body=b"{x}", last=False) + HIDDEN,
        [*bad(NO_JSON + "1 at $"), *SMUGGLED],
    ),
    case(
        "a body that is refused before it ends",
        post((CL, "1000000000"), body=b"a" * (70 << 10), last=False),
        refused(413, "RESOURCE_EXHAUSTED", OVER),
    ),
    case(
        "a body that is cut short by another request",
        post((CL, "1000"), ("Content-Type", "text/plain"), body=HIDDEN, last=False),
        refused(
            415,
            "INVALID_ARGUMENT",
            "Content-Type 'application/json, text/plain' is not supported here: send application/json",
        ),
    ),
]

CASES = [*LENGTHS, *CHUNKS, *HEADS]
