"""Frames that break RFC 6455.

It is the server's library that closes: wsproto beside h11, websockets beside httptools.
"""

from __future__ import annotations

import zlib

from tests.hostile.cases import (
    BINARY_TEXT,
    COMPLETE,
    OVER,
    SECRET,
    Answers,
    Case,
    Expected,
    failed,
    response,
)
from tests.hostile.wire import BINARY, CLOSE, PING, PONG, TEXT, Closed, close, frame, handshake, text

CHAT, UP, ECHO = "/v1/chat", "/v1/up", "/hostile.Target/Echo"


RECORDS = ("Sec-WebSocket-Protocol", "asgi-grpc.records.v1")


DEFLATE = ("Sec-WebSocket-Extensions", "permessage-deflate; client_no_context_takeover; server_no_context_takeover")


HELLO = text('{"text":"a"}')


A = {"text": "a"}


END = text("")


# wsproto inflates all that was read at once before anybody may ask for the size, and a message may have the 16 MiB of
# uvicorn's --ws-max-size before we see it.
_MIB = {
    "deflate: 64 MiB of white space": 300,
    "deflate: 10 MiB of white space": 64,
    "deflate: 10 MiB in one string": 64,
}
# uvicorn 0.54 beside websockets prints a traceback for text that is not UTF-8.
_LOGGED = {
    "text that is not UTF-8",
    "UTF-8 cut by the end",
    "a surrogate in the second piece",
    "UTF-8 that is longer than needed",
}


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
    return Case(
        name=f"a socket: {name}",
        upgrade=handshake(path, *headers, host=host),
        send=sent,
        expect=answer,
        drip=drip,
        mib=_MIB.get(name, 32),
        logged_by=("httptools",) if name in _LOGGED else (),
    )


def deflated(data: bytes) -> bytes:
    """A compressed text message. Source: RFC 7692, section 7.2.1."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -12)
    packed = packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH)
    return frame(TEXT, packed.removesuffix(b"\0\0\xff\xff"), rsv=4)


DROPPED = Closed([], None)


LATE = failed("DEADLINE_EXCEEDED", 4004, "no input and no output for 0.3 s")


def broken(problem: str) -> dict[str, Expected]:
    """What RFC 6455 forbids: wsproto's connection just ends, websockets says why."""
    return {"h11": DROPPED, "httptools": Closed([], 1002, problem)}


FRAMES = [
    case("frames that are not masked", frame(TEXT, b"{}", masked=False), broken("incorrect masking")),
    case("a reserved bit", frame(TEXT, b"{}", rsv=2), broken("reserved bits must be 0")),
    case("the bit of compression without compression", frame(TEXT, b"{}", rsv=4), broken("reserved bits must be 0")),
    case("all reserved bits", frame(TEXT, b"{}", rsv=7), broken("reserved bits must be 0")),
    *(
        case(f"the reserved opcode {opcode}", frame(opcode, SECRET.encode()), broken("invalid opcode"))
        for opcode in (3, 7, 11, 15)
    ),
    case("a continuation of nothing", frame(0, b"{}"), broken("unexpected continuation frame")),
    case(
        "a message in a message",
        frame(TEXT, b"{", fin=False) + frame(TEXT, b"}"),
        broken("expected a continuation frame"),
    ),
    case("a ping in pieces", frame(PING, b"a", fin=False) + frame(0, b"b"), broken("fragmented control frame")),
    case("a close in pieces", frame(CLOSE, b"\x03\xe8", fin=False), broken("fragmented control frame")),
    case("a ping of 126 bytes", frame(PING, b"a" * 126), broken("control frame too long")),
    case(
        "a length of 2^63",
        frame(TEXT, b"", length=1 << 63),
        {
            "h11": DROPPED,
            "httptools": Closed([], 1009, "frame with 9223372036854775808 bytes exceeds limit of 16777216 bytes"),
        },
    ),
    case(
        "a length of 2^63 - 1",
        frame(TEXT, b"", length=(1 << 63) - 1),
        {
            "h11": LATE,
            "httptools": Closed([], 1009, "frame with 9223372036854775807 bytes exceeds limit of 16777216 bytes"),
        },
        host="idle",
    ),
    case(
        "a length in more bytes than needed",
        b"\x81\xfe\x00\x02\0\0\0\0{}" + END,
        {"h11": DROPPED, "httptools": Closed([response({}), COMPLETE], 1000)},
    ),
    case(
        "a length in eight bytes that needs one",
        b"\x81\xff" + b"\0" * 7 + b"\x02\0\0\0\0{}" + END,
        {"h11": DROPPED, "httptools": Closed([response({}), COMPLETE], 1000)},
    ),
    case(
        "binary",
        frame(BINARY, SECRET.encode()),
        failed("INVALID_ARGUMENT", 1003, BINARY_TEXT),
    ),
    case(
        "binary with nothing in it",
        frame(BINARY),
        failed("INVALID_ARGUMENT", 1003, BINARY_TEXT),
    ),
    case(
        "binary in pieces",
        frame(BINARY, b"{", fin=False) + frame(0, b"}"),
        failed("INVALID_ARGUMENT", 1003, BINARY_TEXT),
    ),
    case(
        "text that is not UTF-8",
        frame(TEXT, b'{"text":"' + SECRET.encode() + b'\xff"}'),
        {"h11": DROPPED, "httptools": Closed([], 1007)},
    ),
    case(
        "UTF-8 cut between two pieces",
        frame(TEXT, b'{"text":"\xc3', fin=False) + frame(0, b'\xa9"}') + END,
        Closed(records=[{"type": "response", "data": {"text": "é"}}, {"type": "complete"}], code=1000, reason=""),
    ),
    case(
        "UTF-8 cut by the end",
        frame(TEXT, b'{"text":"' + SECRET.encode() + b"\xc3", fin=False) + frame(0, b""),
        {"h11": DROPPED, "httptools": Closed([], 1007)},
    ),
    case(
        "a surrogate in the second piece",
        frame(TEXT, b'{"text":"', fin=False) + frame(0, b'\xed\xa0\x80"}'),
        {"h11": DROPPED, "httptools": Closed([], 1007)},
    ),
    case("UTF-8 that is longer than needed", frame(TEXT, b"\xc0\xae"), {"h11": DROPPED, "httptools": Closed([], 1007)}),
    case(
        "one byte in each piece",
        b"".join(frame(TEXT if not at else 0, b'{"text":"a"}'[at : at + 1], fin=at == 11) for at in range(12)) + END,
        Closed([response(A), COMPLETE], 1000),
    ),
    case(
        "ten thousand empty pieces",
        frame(TEXT, b"", fin=False) + frame(0, b"", fin=False) * 10000 + frame(0, b'{"text":"a"}') + END,
        Closed([response(A), COMPLETE], 1000),
    ),
    case("byte by byte", HELLO + END, Closed([response(A), COMPLETE], 1000), drip=True),
    case(
        "a ping between two pieces",
        frame(TEXT, b'{"text":', fin=False) + frame(PING, b"x") + frame(0, b'"a"}') + END,
        Closed([response(A), COMPLETE], 1000),
    ),
    case(
        "a close between two pieces",
        frame(TEXT, b'{"text":', fin=False) + close(1000),
        {"h11": Closed([], 1000), "httptools": Closed([], 1002, "incomplete fragmented message")},
    ),
    case("two thousand pings", frame(PING, b"x" * 125) * 2000 + END, Closed([COMPLETE], 1000)),
    case("two thousand pongs that nobody asked for", frame(PONG, b"x" * 125) * 2000 + END, Closed([COMPLETE], 1000)),
    case("garbage", SECRET.encode() * 100, broken("invalid opcode")),
    case("another request", b"GET /v1/echo HTTP/1.1\r\nHost: plain\r\n\r\n", broken("invalid opcode")),
]


CLOSES = [
    *(
        case(f"a close with the code {code}", close(code), broken("invalid status code"))
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535)
    ),
    *(case(f"a close with the code {code}", close(code), Closed([], code)) for code in (1000, 1001, 1012, 3000, 4999)),
    case("a close without a code", close(None), Closed(records=[], code=1005, reason="")),
    case("a close with half of a code", frame(CLOSE, b"\x03"), broken("close frame too short")),
    case(
        "a close whose reason is not UTF-8",
        close(1000, b"\xff"),
        {"h11": DROPPED, "httptools": Closed([], 1007, "invalid start byte at position 0")},
    ),
    case("a close whose reason is too long", close(1000, b"a" * 124), broken("control frame too long")),
    case("two closes", close(1000) + close(1001), Closed(records=[], code=1000, reason="")),
    case("messages behind a close", close(1000) + HELLO * 100, Closed(records=[], code=1000, reason="")),
    case("a close behind a message", HELLO + close(1000), Closed(records=[], code=1000, reason=""), UP),
    case("a close behind the end", HELLO + END + close(4000), Closed(records=[], code=4000, reason=""), UP),
]


def records(name: str, sent: str | bytes, answer: Answers, path: str = CHAT) -> Case:
    """What a client writes in the subprotocol."""
    return case(f"records: {name}", sent if isinstance(sent, bytes) else text(sent), answer, path, RECORDS)


PACKED = [
    case(
        "deflate: a message",
        deflated(b'{"text":"a"}') + END,
        Closed(
            records=[{"type": "response", "data": {"text": "a", "number": 1}}, {"type": "complete"}],
            code=1000,
            reason="",
        ),
        UP,
        DEFLATE,
    ),
    case(
        "deflate: 64 MiB of white space",
        deflated(b" " * (64 << 20)),
        {
            "h11": Closed([], 1009, "Message exceeds the maximum size (16777216 bytes)"),
            "httptools": Closed([], 1009, "frame exceeds limit of 16777216 bytes"),
        },
        UP,
        DEFLATE,
    ),
    case(
        "deflate: 10 MiB of white space",
        deflated(b" " * (10 << 20)) + END,
        Closed(records=[{"type": "response", "data": {}}, {"type": "complete"}], code=1000, reason=""),
        UP,
        DEFLATE,
    ),
    case(
        "deflate: 10 MiB in one string",
        deflated(b'{"text":"' + b"a" * (10 << 20) + b'"}'),
        failed("RESOURCE_EXHAUSTED", 1009, "message 1 at byte 0: " + OVER),
        UP,
        DEFLATE,
    ),
    case("deflate: damaged", frame(TEXT, b"\xff" * 20, rsv=4), broken("decompression failed"), UP, DEFLATE),
    case(
        "deflate: the bit in the second piece",
        frame(TEXT, b"{", fin=False) + frame(0, b"}", rsv=4),
        broken("reserved bits must be 0"),
        UP,
        DEFLATE,
    ),
    case("deflate: a compressed ping", frame(PING, b"a", rsv=4), broken("reserved bits must be 0"), UP, DEFLATE),
]


CASES = [*FRAMES, *CLOSES, *PACKED]
