"""Methods and media types that want to be something else."""

from __future__ import annotations

import gzip

from tests.hostile.cases import SECRET, SERVER, Case, bad, invalid, ok, refused
from tests.hostile.wire import Reply, request

EMPTY = b"{}"


def post(*headers: tuple[str, str | bytes], body: bytes = EMPTY, host: str = "plain") -> bytes:
    """An Echo."""
    return request("POST", "/v1/echo", *headers, body=body, host=host)


OVERRIDE = "X-HTTP-Method-Override"


ALLOW = "DELETE, GET, HEAD, POST"


NOT_SERVED = "this path is served under DELETE, GET, HEAD, POST only"


METHODS = [
    Case(
        name="a method override that nobody switched on means nothing",
        send=post((OVERRIDE, "DELETE"), body=b'{"number":1}'),
        expect=ok({"number": 1}),
    ),
    Case(
        name="a method override with a body for a method without one",
        send=post((OVERRIDE, "DELETE"), body=b'{"number":1}', host="options"),
        expect=invalid("expected no body here, got one"),
    ),
    Case(
        name="a method override in lower case",
        send=request("POST", "/v1/echo?number=1", (OVERRIDE, " get "), host="options"),
        expect=ok({"number": 1}),
    ),
    Case(
        name="a method override that is a list",
        send=request("POST", "/v1/echo", (OVERRIDE, "GET, DELETE"), body=EMPTY, host="options"),
        expect=refused(405, "UNIMPLEMENTED", NOT_SERVED, allow=ALLOW),
    ),
    Case(
        name="two method overrides",
        send=request("POST", "/v1/echo", (OVERRIDE, "GET"), (OVERRIDE, "GET"), body=EMPTY, host="options"),
        expect=refused(405, "UNIMPLEMENTED", NOT_SERVED, allow=ALLOW),
    ),
    Case(
        name="a method override to CONNECT",
        send=request("POST", "/v1/echo", (OVERRIDE, "CONNECT"), body=EMPTY, host="options"),
        expect=refused(405, "UNIMPLEMENTED", NOT_SERVED, allow=ALLOW),
    ),
    Case(
        name="a method override to any method at all",
        send=request("POST", "/v1/echo", (OVERRIDE, "*"), body=EMPTY, host="options"),
        expect=refused(405, "UNIMPLEMENTED", NOT_SERVED, allow=ALLOW),
    ),
    Case(
        name="a method override that is no method",
        send=request("POST", "/v1/echo", (OVERRIDE, b"\xff" + SECRET.encode() * 1000), body=EMPTY, host="options"),
        expect=refused(405, "UNIMPLEMENTED", NOT_SERVED, allow=ALLOW),
    ),
    Case(
        name="a method override of a GET means nothing",
        send=request("GET", "/v1/echo?number=1", (OVERRIDE, "DELETE"), host="options"),
        expect=ok({"number": 1}),
    ),
    Case(
        name="TRACE echoes nothing",
        send=request("TRACE", "/v1/echo", ("Cookie", SECRET)),
        expect=refused(405, "UNIMPLEMENTED", NOT_SERVED, allow=ALLOW),
    ),
    Case(
        name="CONNECT",
        send=request("CONNECT", "/v1/echo"),
        expect=refused(405, "UNIMPLEMENTED", NOT_SERVED, allow=ALLOW),
    ),
    Case(
        name="a method in lower case",
        send=request("post", "/v1/echo", body=EMPTY),
        expect={"h11": refused(405, "UNIMPLEMENTED", NOT_SERVED, allow=ALLOW), "httptools": SERVER},
    ),
    Case(
        name="a method nobody knows",
        send=request("EVIL", "/v1/echo"),
        expect={"h11": refused(405, "UNIMPLEMENTED", NOT_SERVED, allow=ALLOW), "httptools": SERVER},
    ),
    Case(
        name="HEAD gets no body",
        send=request("HEAD", "/v1/echo?number=1"),
        expect=[Reply(200, "")],
    ),
    Case(
        name="HEAD of a stream that goes on for hours",
        send=request("HEAD", "/v1/down?number=1000000000"),
        expect=[Reply(200, [])],
    ),
]


TYPES = "application/json, application/protobuf, application/x-protobuf"


NOT_ACCEPTED = f"nothing that this method can answer is acceptable: it offers {TYPES}"


KINDS: list[tuple[str | bytes, str]] = [
    ("text/plain", "text/plain"),
    ("application/json, text/plain", "application/json, text/plain"),
    ("application/json\tx", "application/json\tx"),
    ("application/jsonx", "application/jsonx"),
    ("json", "json"),
    ("multipart/form-data; boundary=x", "multipart/form-data"),
    ("../../etc/passwd", "../../etc/passwd"),
    ("a" * 5000, "a" * 60),
    (b"application/json\xff", "application/json?"),
]
"""Media types that are not ours, and how a refusal shows them."""

MEDIA = [
    Case(
        name="an Accept of five thousand ranges",
        send=post(("Accept", ",".join(f"a/{number}" for number in range(5000)))),
        expect=refused(406, "INVALID_ARGUMENT", NOT_ACCEPTED),
    ),
    Case(
        name="an Accept of five thousand ranges, the last of which fits",
        send=post(("Accept", ",".join(f"a/{number}" for number in range(5000)) + ",*/*;q=0.001")),
        expect=ok(),
    ),
    Case(
        name="an Accept of thirty thousand commas",
        send=post(("Accept", "," * 30000)),
        expect=refused(406, "INVALID_ARGUMENT", NOT_ACCEPTED),
    ),
    Case(
        name="an Accept of ten thousand parameters",
        send=post(("Accept", "application/json" + ";q=1" * 10000)),
        expect=ok(),
    ),
    Case(
        name="qualities that are not numbers",
        send=post(("Accept", "application/json;q=nan, application/protobuf;q=-inf, */*;q=1e400")),
        expect=ok(),
    ),
    Case(
        name="an Accept with no type",
        send=post(("Accept", b"\xff" + SECRET.encode())),
        expect=refused(406, "INVALID_ARGUMENT", NOT_ACCEPTED),
    ),
    *(
        Case(
            name=f"a Content-Type of {kind[:60]!r}",
            send=post(("Content-Type", kind), body=b'{"text":"%b"}' % SECRET.encode()),
            expect=refused(
                415, "INVALID_ARGUMENT", f"Content-Type {shown!r} is not supported here: send application/json"
            ),
        )
        for kind, shown in KINDS
    ),
    Case(
        name="two Content-Types",
        send=post(("Content-Type", "application/json"), ("Content-Type", "text/plain")),
        expect=refused(
            415,
            "INVALID_ARGUMENT",
            "Content-Type 'application/json, text/plain' is not supported here: send application/json",
        ),
    ),
    Case(
        name="a form in JSON's clothes",
        send=post(("Content-Type", "application/x-www-form-urlencoded"), body=b'{"text":"%b"}' % SECRET.encode()),
        expect=refused(
            415,
            "INVALID_ARGUMENT",
            "the body looks like JSON, but its Content-Type says a form: send Content-Type: application/json",
        ),
    ),
    Case(
        name="protobuf that is none",
        send=post(("Content-Type", "application/protobuf"), body=b"\x0a\xff\xff\xff\xff\x0f" + SECRET.encode()),
        expect=bad("expected the protobuf wire form of the message"),
    ),
    Case(
        name="protobuf that is deeper than anybody reads",
        send=post(("Content-Type", "application/protobuf"), body=b"\x5b" * 60000),
        expect=bad("expected the protobuf wire form of the message"),
    ),
    Case(
        name="protobuf with text that is not UTF-8",
        send=post(("Content-Type", "application/protobuf"), body=b"\x0a\x02\xff\xfe"),
        expect=bad("expected the protobuf wire form of the message"),
    ),
    *(
        Case(
            name=f"a Content-Encoding of {coding!r}",
            send=post(("Content-Encoding", coding), body=gzip.compress(EMPTY)),
            expect=refused(
                415,
                "INVALID_ARGUMENT",
                f"Content-Encoding {shown!r} is not supported: send gzip, deflate or none",
                accept_encoding="gzip, deflate",
            ),
        )
        for coding, shown in [
            ("br", "br"),
            ("gzip, gzip", "gzip, gzip"),
            ("gzip,identity", "gzip,identity"),
            ("zstd" * 100, "zstd" * 15),
            ("chunked", "chunked"),
        ]
    ),
]


CASES = [*METHODS, *MEDIA]
