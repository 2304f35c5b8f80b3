"""Hypothesis strategies for bodies that are not text: length-prefixed messages, compressed data."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Collection
from typing import Literal

from hypothesis import strategies as st

from asgi_grpc.testing._strategies import json_values, ndjson_bodies

_PREFIX = struct.Struct(">BI")
_MOST = 0xFFFFFFFF  # what four bytes can say


def prefixed_frame(payload: bytes, *, flags: int = 0, length: int | None = None) -> bytes:
    """The bytes of one length-prefixed message. Source: gRPC over HTTP2, section Length-Prefixed-Message.

    Args:
        payload: the message, as it is on the wire.
        flags: the first byte, 0 to 255.
        length: what the prefix says, 0 to 2**32 - 1; None: the truth.
    """
    return _PREFIX.pack(flags, len(payload) if length is None else length) + payload


@st.composite
def prefixed_bodies(draw: st.DrawFn, *, limit: int = 64, flags: Collection[int] = (0, 1)) -> bytes:
    """Draw a body of length-prefixed messages, as gRPC, gRPC-Web and Connect frame them: right, or nearly.

    Most messages are whole and allowed; some are empty, as long as the limit, or one byte longer. One in a few bodies
    has other flags somewhere, a length that promises up to 4 GiB, ends within a prefix or a message, or lost a byte.

    Args:
        limit: the ``max_frame_bytes`` to come close to, at least 1.
        flags: first bytes that are allowed: gRPC 0 and 1; gRPC-Web also 0x80 and 0x81; Connect 0 to 3.
    """
    good = sorted(flags)
    bad = sorted({0, 1, 2, 3, 0x40, 0x80, 0x81, 0xFF} - set(good))
    payloads = st.one_of(
        json_values(limit=limit),
        st.binary(max_size=min(limit, 20)),
        st.sampled_from([b"", bytes(limit - 1), bytes(limit)]),
    )
    frames = [
        prefixed_frame(payload[:limit], flags=draw(st.sampled_from(good)))
        for payload in draw(st.lists(payloads, max_size=5))
    ]
    fault = draw(st.sampled_from(["", "", "", "flags", "length", "cut", "lost"]))
    if fault == "flags" and bad:
        frames.append(prefixed_frame(draw(payloads), flags=draw(st.sampled_from(bad))))
    elif fault == "length":
        length = draw(st.sampled_from([limit, limit + 1, 1 << 16, 1 << 24, 1 << 31, _MOST]))
        frames.append(prefixed_frame(b"{}", flags=draw(st.sampled_from(good)), length=length))
    frames += [prefixed_frame(b"{}", flags=good[0])] * draw(
        st.integers(0, 1)
    )  # nothing of it may be read after a fault
    body = b"".join(frames)
    if fault == "cut":
        return body[: len(body) - draw(st.integers(1, 8))]
    if fault == "lost" and body:
        at = draw(st.integers(0, len(body) - 1))
        return body[:at] + body[at + 1 :]
    return body


@st.composite
def compressed_bodies(
    draw: st.DrawFn,
    bodies: st.SearchStrategy[bytes] | None = None,
    *,
    encoding: Literal["gzip", "deflate"] = "gzip",
    bomb_bytes: int = 1 << 20,
) -> bytes:
    """Draw a compressed body: whole, or in several pieces, cut short, damaged, followed by rubbish, or a bomb.

    The pieces are gzip members in a row, which are one body; under ``deflate`` they are blocks behind a flush. Bare
    deflate data without the zlib format's frame are drawn too, as some clients send them.

    Args:
        bodies: what is compressed; None: ``ndjson_bodies()``.
        encoding: the ``Content-Encoding``.
        bomb_bytes: how much a bomb inflates to, from about a thousandth of it.

    Source: RFC 9110, section 8.4.1; RFC 1950; RFC 1951; RFC 1952.
    """
    content = draw(ndjson_bodies() if bodies is None else bodies)
    kind = draw(st.sampled_from(["whole", "whole", "pieces", "cut", "damaged", "rubbish", "bomb"]))
    if kind == "bomb":
        content += bytes(bomb_bytes)
    at = draw(st.integers(0, len(content))) if kind == "pieces" else len(content)
    pieces = [content[:at], content[at:]] if kind == "pieces" else [content]
    level = draw(st.sampled_from([0, 1, 9])) if kind != "bomb" else 9
    body = _gzip(pieces, level) if encoding == "gzip" else _deflate(pieces, level, draw(st.sampled_from([15, -15])))
    if kind == "cut":
        return body[: -draw(st.integers(1, min(10, len(body))))]
    if kind == "damaged":
        at = draw(st.integers(0, len(body) - 1))
        return body[:at] + bytes([body[at] ^ draw(st.integers(1, 255))]) + body[at + 1 :]
    return body + draw(st.sampled_from([b"\0", b"rubbish", body[:3]])) if kind == "rubbish" else body


def _gzip(pieces: list[bytes], level: int) -> bytes:
    return b"".join([gzip.compress(piece, level, mtime=0) for piece in pieces])


def _deflate(pieces: list[bytes], level: int, wbits: int) -> bytes:
    deflater = zlib.compressobj(level, wbits=wbits)
    return (
        b"".join([deflater.compress(piece) + deflater.flush(zlib.Z_FULL_FLUSH) for piece in pieces]) + deflater.flush()
    )
