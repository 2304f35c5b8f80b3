"""The bytes that the load generator sends, made once: JSON items, HTTP requests, chunks."""

from __future__ import annotations

SERVICE = "/bench.v1.Bench/"
BLOCK = 64 << 10  # what one sendall() carries of a long body
ITEM_BYTES = 60
NAME = b"a name of 21 letters."
LONG_STREAM = 100_000  # messages, in process
SHORT_STREAM = 10_000  # through a channel, which takes tens of times as long


def item(number: int) -> bytes:
    """One message of the streams in JSON, 60 bytes."""
    return b'{"id":%d,"name":"a name of 21 letters.","value":%d.25}' % (
        10_000_000 + number % 80_000_000,
        10 + number % 90,
    )


def lines(count: int) -> bytes:
    """So many items, a line each."""
    return b"".join(item(number) + b"\n" for number in range(count))


def head(path: str, *fields: str) -> bytes:
    """The head of a request to this path, without the length of its body."""
    return "\r\n".join([f"POST {path} HTTP/1.1", "host: 127.0.0.1", *fields, ""]).encode()


def request(path: str, body: bytes, content_type: str = "application/json", *fields: str) -> bytes:
    """A whole request."""
    return head(path, f"content-type: {content_type}", f"content-length: {len(body)}", *fields) + b"\r\n" + body


def chunked(path: str, body: bytes, content_type: str, *fields: str) -> list[bytes]:
    """A request whose body comes in chunks of 64 KiB, as curl sends a pipe; one block each, for ``sendall()``."""
    opening = head(path, f"content-type: {content_type}", "transfer-encoding: chunked", *fields) + b"\r\n"
    parts = [body[at : at + BLOCK] for at in range(0, len(body), BLOCK)]
    return [opening, *(b"%x\r\n%b\r\n" % (len(part), part) for part in parts), b"0\r\n\r\n"]


def prefixed(flags: int, payload: bytes) -> bytes:
    """One message as gRPC-Web and Connect frame it."""
    return flags.to_bytes() + len(payload).to_bytes(4) + payload
