"""Metadata that want to be something else, both ways."""

from __future__ import annotations

import base64
import json

from tests.hostile.cases import FULL, SECRET, SERVER, Case, invalid, ok, refused
from tests.hostile.wire import Reply, request

OURS = {"x-forwarded-for": "127.0.0.1", "x-forwarded-host": "plain"}


def seen(*headers: tuple[str, str | bytes], host: str = "plain") -> bytes:
    """Asks which metadata a request's headers become."""
    return request("GET", "/v1/metadata", *headers, host=host)


def labels(host: str = "plain", **found: str) -> list[Reply]:
    """The metadata that came, besides ours."""
    ours = {**OURS, "x-forwarded-host": host}
    return ok({"labels": {**ours, **{name.replace("_", "-"): value for name, value in found.items()}}})


METADATA = [
    Case(
        name="a line feed alone does not begin a header",
        send=seen(("Grpc-Metadata-A", b"1\nGrpc-Metadata-B: " + SECRET.encode())),
        expect={"h11": labels(a="1", b=SECRET), "httptools": SERVER},  # RFC 9112, section 2.2: h11 may
    ),
    Case(
        name="a carriage return alone does not end a value",
        send=seen(("Grpc-Metadata-A", b"1\rGrpc-Metadata-B: " + SECRET.encode())),
        expect=SERVER,
    ),
    Case(name="a NUL in a value", send=seen(("Grpc-Metadata-A", SECRET.encode() + b"\0")), expect=SERVER),
    Case(
        name="a folded header",
        send=seen(("Grpc-Metadata-A", b"1\r\n Grpc-Metadata-B: 2")),
        expect={"h11": labels(a="1 Grpc-Metadata-B: 2"), "httptools": SERVER},
    ),
    Case(name="white space before the colon", send=seen(("Grpc-Metadata-A ", "1")), expect=SERVER),
    Case(name="a header without a name", send=seen(("", "1")), expect=SERVER),
    Case(name="a name that is not ASCII", send=seen(("Grpc-Metadata-\xe9", "1")), expect=SERVER),
    Case(
        name="Latin-1 in a value of metadata is left out",
        send=seen(("Grpc-Metadata-A", b"caf\xe9"), ("Authorization", b"Bearer \xff")),
        expect=labels(),
    ),
    Case(name="UTF-8 in a value is left out", send=seen(("Grpc-Metadata-A", "жук")), expect=labels()),
    Case(name="a tab in a value is left out", send=seen(("Grpc-Metadata-A", "1\t2")), expect=labels()),
    Case(
        name="keys of gRPC itself are left out",
        send=seen(
            ("Grpc-Metadata-grpc-timeout", "1n"),
            ("Grpc-Metadata-Grpc-Status", "0"),
            ("Grpc-Metadata-grpc-encoding", "gzip"),
            ("Grpc-Metadata-grpc-status-details-bin", "AAAA"),
            ("Grpc-Status", "16"),
            ("Grpc-Encoding", "gzip"),
        ),
        expect=labels(),
    ),
    Case(
        name="a key of HTTP/2 itself is a value of no key",
        send=seen(("Grpc-Metadata-:path", "/admin")),
        expect=labels(),
    ),
    Case(
        name="signs that gRPC does not have in a key are left out",
        send=seen(
            ("Grpc-Metadata-a!b", "1"), ("Grpc-Metadata-a+b", "1"), ("Grpc-Metadata-~", "1"), ("Grpc-Metadata-", "1")
        ),
        expect=labels(),
    ),
    Case(
        name="a key in capitals comes in lower case",
        send=seen(("GRPC-METADATA-TENANT", "1")),
        expect=labels(tenant="1"),
    ),
    Case(
        name="no header can pretend to be what the gateway says of the client",
        send=seen(("Grpc-Metadata-X-Forwarded-For", "10.0.0.1"), ("X-Forwarded-For", "10.0.0.2")),
        expect=ok({"labels": {"x-forwarded-for": "10.0.0.2, 127.0.0.1", "x-forwarded-host": "plain"}}),
    ),
    Case(
        name="-bin is base64 or nothing",
        send=seen(("Grpc-Metadata-Trace-Bin", SECRET + "%%%")),
        expect=invalid("the metadata trace-bin is not base64"),
    ),
    Case(
        name="-bin with padding in the middle",
        send=seen(("Grpc-Metadata-Trace-Bin", "AA==AA==")),
        expect=invalid("the metadata trace-bin is not base64"),
    ),
    Case(
        name="-bin with the other alphabet",
        send=seen(("Grpc-Metadata-Trace-Bin", "_-_-")),
        expect=invalid("the metadata trace-bin is not base64"),
    ),
    Case(
        name="-bin with bits to spare",
        send=seen(("Grpc-Metadata-Trace-Bin", "AB")),
        expect=labels(trace_bin="00"),
    ),
    Case(
        name="-bin that holds a whole head",
        send=seen(("Grpc-Metadata-Trace-Bin", base64.b64encode(b"\r\nSet-Cookie: a=b\r\n\r\n\0"))),
        expect=labels(trace_bin=b"\r\nSet-Cookie: a=b\r\n\r\n\0".hex()),
    ),
    Case(
        name="a header a hundred times",
        send=seen(*[("Grpc-Metadata-A", str(number)) for number in range(100)]),
        expect=labels(a="; ".join(map(str, range(100)))),
    ),
    Case(
        name="a value of 60 KiB, in process",
        send=seen(("Grpc-Metadata-A", "a" * (60 << 10))),
        expect=labels(a="a" * (60 << 10)),
    ),
    Case(
        name="a value of 60 KiB, through a channel",
        send=seen(("Grpc-Metadata-A", SECRET * (10 << 10)), host="channel"),
        expect=refused(
            429,
            "RESOURCE_EXHAUSTED",
            "received metadata size exceeds hard limit (value length 61440 vs. 16384)",
        ),
    ),
    Case(
        name="a head of 600 KiB",  # httptools has no bound of its own
        send=seen(*[(f"X-{number}", SECRET * 1000) for number in range(100)]),
        expect={"h11": SERVER, "httptools": labels()},
    ),
    Case(
        name="the rule safe lets no hop's own headers through",
        send=seen(
            ("Cookie", SECRET),
            ("Proxy-Authorization", SECRET),
            ("TE", "trailers"),
            ("Grpc-Encoding", "gzip"),
            ("Content-Type", "application/json"),
            ("X-Mine", "1"),
            host="options",
        ),
        expect=labels("options", x_mine="1"),
    ),
    Case(
        name="the rule grpc-gateway lets no other headers through",
        send=seen(("Cookie", "a=b"), ("X-Mine", "1"), ("Grpc-Metadata-Grpc-Status", "0"), host="foreign"),
        expect=[
            Reply(
                200,
                FULL
                | {
                    "labels": {
                        **OURS,
                        "x-forwarded-host": "foreign",
                        "grpcgateway-cookie": "a=b",
                        "grpcgateway-host": "foreign",
                    }
                },
            )
        ],
    ),
    Case(
        name="a Grpc-Timeout of none of the forms",
        send=seen(("Grpc-Timeout", SECRET)),
        expect=invalid("Grpc-Timeout: expected 1 to 8 digits and one of H M S m u n, e.g. 500m"),
    ),
    *(
        Case(
            name=f"a Grpc-Timeout of {text!r}",
            send=seen(("Grpc-Timeout", text)),
            expect=invalid("Grpc-Timeout: expected 1 to 8 digits and one of H M S m u n, e.g. 500m"),
        )
        for text in ("", "-1S", "123456789S", "1", "S", "1 S", "1s", "0x1S", "1e3S", "1S, 1S", "\u0661S", "NaNS")
    ),
    Case(
        name="two Grpc-Timeouts",
        send=seen(("Grpc-Timeout", "1S"), ("Grpc-Timeout", "9999H")),
        expect=invalid("Grpc-Timeout: expected 1 to 8 digits and one of H M S m u n, e.g. 500m"),
    ),
    Case(
        name="a Grpc-Timeout of nothing",
        send=seen(("Grpc-Timeout", "0n")),
        expect=refused(504, "DEADLINE_EXCEEDED", "Deadline Exceeded"),
    ),
    Case(name="the longest Grpc-Timeout", send=seen(("Grpc-Timeout", "99999999H")), expect=labels()),
    Case(
        name="the longest Grpc-Timeout through a channel",
        send=request("GET", "/v1/echo", ("Grpc-Timeout", "99999999H"), host="channel"),
        expect=ok(),
    ),
    Case(
        name="a longer Grpc-Timeout than is allowed",
        send=request("GET", "/v1/hold", ("Grpc-Timeout", "99999999H"), host="brief"),
        expect=refused(504, "DEADLINE_EXCEEDED", "Deadline Exceeded"),
    ),
]


def fail(labels: str, number: int = 0, text: str = "", host: str = "plain") -> bytes:
    """Makes the service send metadata, and a status."""
    body = f'{{"labels":{labels},"number":{number},"text":"{text}"}}'
    return request("POST", "/v1/fail", ("Content-Type", "application/json"), body=body.encode(), host=host)


SPLIT = r'{"evil":"1\r\nSet-Cookie: a=b\r\n\r\n<script>","nul":"\u0000","fine":"2","wide":"\u00e9\u4e2d","tab":"\t"}'


NAMED = r'{"evil":"1\r\nX: y","content-length":"1","transfer-encoding":"chunked","connection":"close","fine":"2"}'


ANSWERS = [
    Case(
        name="metadata of the service does not split the answer",
        send=fail(SPLIT),
        expect=[
            Reply(
                200,
                {"code": 0, "message": "success", "data": {"labels": json.loads(SPLIT)}},
                {"set-cookie": None, "grpc-metadata-evil": None, "grpc-metadata-tab": None, "grpc-metadata-fine": "2"},
            )
        ],
    ),
    Case(
        name="metadata of the service does not split the answer where it names headers itself",
        send=fail(NAMED, host="options"),
        expect=[
            Reply(
                200,
                {"code": 0, "message": "success", "data": {"labels": json.loads(NAMED)}},
                {"set-cookie": None, "evil": None, "transfer-encoding": None, "fine": "2"},
            )
        ],
    ),
    Case(
        name="a status text does not split anything",
        send=fail("{}", 5, r"1\r\nSet-Cookie: a=b\r\n\r\n\u0000\u00e9"),
        expect=refused(404, "NOT_FOUND", "1\r\nSet-Cookie: a=b\r\n\r\n\0é", set_cookie=None),
    ),
    Case(
        name="a status text does not split anything through a channel",
        send=fail("{}", 5, r"1\r\nSet-Cookie: a=b\r\n\r\n\u0000\u00e9", host="channel"),
        expect=refused(404, "NOT_FOUND", "1\r\nSet-Cookie: a=b\r\n\r\n\0é", set_cookie=None),
    ),
]


CASES = [*METADATA, *ANSWERS]
