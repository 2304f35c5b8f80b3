"""Opening handshakes of WebSockets: foreign pages, and requests that are none."""

from __future__ import annotations

from tests.hostile.cases import COMPLETE, SECRET, SERVER, Answers, Case, invalid, refused
from tests.hostile.wire import Closed, Reply, handshake, text

REFUSED = "Failed to open a WebSocket connection: "
WHOLE = Closed([COMPLETE], 1000)

FOREIGN = refused(403, "PERMISSION_DENIED", "pages of this origin may not connect")
NOWHERE = refused(404, "NOT_FOUND", "no method is bound to this path")
TWICE = {"h11": FOREIGN, "httptools": [Reply(400, REFUSED + "invalid Origin header: multiple values.\n")]}
CHAT = "/v1/chat"
RECORDS = "asgi-grpc.records.v1"


def case(name: str, opening: bytes, answer: Answers, end: str = "") -> Case:
    """A handshake, and a message behind it that ends the input."""
    return Case(name=f"a handshake: {name}", upgrade=opening, send=text(end), expect=answer)


def origin(*values: str | bytes, host: str = "plain") -> bytes:
    """A page that wants to connect."""
    return handshake(CHAT, *[("Origin", value) for value in values], host=host)


PAGES: list[str | bytes] = [
    *("http://evil.example", "null", "", "http://", "//", "plain", "http:plain", "http:///plain", "file://"),
    *(
        "http://plain.evil.example",
        "http://evilplain",
        "http://evil.example/plain",
        "http://evil.example#plain",
    ),
    *("http://evil.example?plain", "http://evil.example\\plain", "http://plain:8000", "http://plain."),
    *("http://user@plain", "http://plain@evil.example", f"http://u:{SECRET}@plain", "http://pl%61in"),
    *("http://plain, http://evil.example", "http://[plain", "http://[::1", "chrome-extension://plainx"),
    *("http://plain\t.evil.example", "http://plain evil", b"http://pl\xe9in", "*", "http://" + "a" * 5000),
]
"""Origins that are not ours, whatever they contain."""

ORIGINS = [
    *(case(f"a page of {value[:60]!r}", origin(value), FOREIGN) for value in PAGES),
    case("our own page", origin("http://plain"), WHOLE),
    case("our own page in capitals", origin("HTTP://PLAIN"), WHOLE),
    case("our own page by another scheme", origin("https://plain"), WHOLE),
    case("our own page twice", origin("http://plain", "http://plain"), TWICE),
    case("our own page, and another", origin("http://plain", "http://evil.example"), TWICE),
    case("another page, and our own", origin("http://evil.example", "http://plain"), TWICE),
    case("no page at all", origin(), WHOLE),
    case("a page that is allowed", origin("https://app.example", host="options"), WHOLE),
    case("a page that is allowed, by another scheme", origin("http://app.example", host="options"), FOREIGN),
    case("a page that is allowed, with a slash", origin("https://app.example/", host="options"), FOREIGN),
    case("a page that is allowed, in capitals", origin("https://APP.example", host="options"), FOREIGN),
    case("a page below one that is allowed", origin("https://a.app.example", host="options"), FOREIGN),
    case("any page, where all are allowed", origin("null", host="foreign"), Closed([], 1000)),
    case(
        "a Host that is a page's",
        handshake(CHAT, ("Origin", "http://evil.example"), ("Host", "evil.example")),
        {"h11": SERVER, "httptools": FOREIGN},
    ),
    case(
        "a page of nowhere and no Host",
        handshake(CHAT, ("Origin", "null"), host=None),
        {"h11": SERVER, "httptools": FOREIGN},
    ),
]

REQUESTS = [
    case("a path that nobody serves", handshake("/v1/nowhere"), NOWHERE),
    case("a path that is nowhere", handshake("/v1/../etc/passwd"), NOWHERE),
    case(
        "a malformed escape",
        handshake(f"/v1/echo/{SECRET}%zz"),
        invalid("the path has a '%' without two hexadecimal digits after it"),
    ),
    case(
        "a query that is unknown",
        handshake(f"/v1/echo?x={SECRET}"),
        invalid('the query parameter "x": expected a field of hostile.Everything, got an unknown name'),
    ),
    case("a query for a whole message", handshake(f"{CHAT}?x={SECRET}"), WHOLE),
    case(
        "a malformed Grpc-Timeout",
        handshake(CHAT, ("Grpc-Timeout", SECRET)),
        invalid("Grpc-Timeout: expected 1 to 8 digits and one of H M S m u n, e.g. 500m"),
    ),
    case(
        "-bin that is not base64",
        handshake(CHAT, ("Grpc-Metadata-A-Bin", SECRET + "%")),
        invalid("the metadata a-bin is not base64"),
    ),
    case(
        "no key",
        handshake(CHAT, without=["sec-websocket-key"]),
        {"h11": [Reply(400)], "httptools": [Reply(400, REFUSED + "missing Sec-WebSocket-Key header.\n")]},
    ),
    case(
        "a key that is too short",
        handshake(CHAT, ("Sec-WebSocket-Key", "AAAA"), without=["sec-websocket-key"]),
        {"h11": WHOLE, "httptools": [Reply(400, REFUSED + "invalid Sec-WebSocket-Key header: AAAA.\n")]},
    ),
    case(
        "two keys",
        handshake(CHAT, ("Sec-WebSocket-Key", "AAAA")),
        {"h11": WHOLE, "httptools": [Reply(400, REFUSED + "invalid Sec-WebSocket-Key header: multiple values.\n")]},
    ),
    case(
        "a version of the past",
        handshake(CHAT, version="8"),
        {"h11": [Reply(426)], "httptools": [Reply(400, REFUSED + "invalid Sec-WebSocket-Version header: 8.\n")]},
    ),
    case(
        "no version",
        handshake(CHAT, without=["sec-websocket-version"]),
        {"h11": [Reply(400)], "httptools": [Reply(400, REFUSED + "missing Sec-WebSocket-Version header.\n")]},
    ),
    case(
        "no Connection",
        handshake(CHAT, without=["connection"]),
        refused(405, "UNIMPLEMENTED", "this path is served under POST only"),
    ),
    case(
        "another method",
        b"POST" + handshake(CHAT)[3:],
        {"h11": [Reply(400)], "httptools": [Reply(405, REFUSED + "unsupported HTTP method: POST.\n")]},
    ),
    case("HTTP/1.0", handshake(CHAT).replace(b"HTTP/1.1", b"HTTP/1.0"), WHOLE),
    case(
        "a line end in a subprotocol",
        handshake(CHAT, ("Sec-WebSocket-Protocol", "a\rSet-Cookie: a=b")),
        [Reply(status=400, body="Invalid HTTP request received.", headers={})],
    ),
    case("a subprotocol that nobody knows", handshake(CHAT, ("Sec-WebSocket-Protocol", SECRET)), WHOLE),
    case(
        "a thousand subprotocols",
        handshake(CHAT, ("Sec-WebSocket-Protocol", ", ".join(f"p{n}" for n in range(1000)))),
        Closed(records=[{"type": "complete"}], code=1000, reason=""),
    ),
    case(
        "subprotocols that are empty",
        handshake(CHAT, ("Sec-WebSocket-Protocol", ",,,,")),
        {
            "h11": WHOLE,
            "httptools": [
                Reply(400, REFUSED + "invalid Sec-WebSocket-Protocol header: expected token at 4 in ,,,,.\n")
            ],
        },
    ),
    case("our subprotocol in capitals", handshake(CHAT, ("Sec-WebSocket-Protocol", RECORDS.upper())), WHOLE),
    case(
        "our subprotocol twice",
        handshake(CHAT, ("Sec-WebSocket-Protocol", RECORDS), ("Sec-WebSocket-Protocol", RECORDS)),
        WHOLE,
        '{"type":"end"}',
    ),
    case("an extension that nobody knows", handshake(CHAT, ("Sec-WebSocket-Extensions", "x-evil; a=b")), WHOLE),
    case(
        "deflate with windows of nothing",
        handshake(CHAT, ("Sec-WebSocket-Extensions", "permessage-deflate; server_max_window_bits=1")),
        WHOLE,
    ),
    case(
        "three hundred offers of deflate",
        handshake(CHAT, ("Sec-WebSocket-Extensions", ", ".join(["permessage-deflate; a"] * 300))),
        Closed(records=[{"type": "complete"}], code=1000, reason=""),
    ),
]

CASES = [*ORIGINS, *REQUESTS]
