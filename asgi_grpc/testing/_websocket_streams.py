"""Hypothesis strategies for the raw bytes of a WebSocket, as a client sends them behind the handshake."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from itertools import pairwise

from hypothesis import strategies as st

from asgi_grpc.testing._strategies import ndjson_bodies

TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 0x1, 0x2, 0x0, 0x8, 0x9, 0xA
_RSV1 = 0x40
_MASKS = [b"\0\0\0\0", b"\x01\x80\xff\x7f"]


def websocket_frame(opcode: int, payload: bytes, *, fin: bool = True, rsv: int = 0, mask: bytes = b"\1\2\3\4") -> bytes:
    """The bytes of one client frame. Source: RFC 6455, section 5.2.

    Args:
        opcode: 0 to 15; only 0, 1, 2, 8, 9 and 10 mean something.
        payload: before it is masked.
        fin: the last frame of its message.
        rsv: the reserved bits, 0x40 for the first.
        mask: four bytes.
    """
    size = len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 1 << 16:
        length = b"\xfe" + size.to_bytes(2)
    else:
        length = b"\xff" + size.to_bytes(8)
    masked = bytes([byte ^ mask[at % 4] for at, byte in enumerate(payload)])
    return bytes([fin << 7 | rsv | opcode]) + length + mask + masked


@st.composite
def websocket_streams(draw: st.DrawFn, *, limit: int = 64, depth: int = 4, deflate: bool = False) -> bytes:
    """Draw a stream of text messages in fragments, control frames between them, and now and then a breach of the rules.

    Args:
        limit: the ``max_frame_bytes`` to come close to.
        depth: the ``max_depth`` to come close to.
        deflate: permessage-deflate was agreed: some messages are compressed, each referring to those before it.
    """
    deflater = zlib.compressobj(wbits=-15)
    stream = b""
    for text in draw(st.lists(st.one_of(ndjson_bodies(limit=limit, depth=depth), st.just(b"")), max_size=4)):
        compressed = deflate and draw(st.booleans())
        payload = text
        if compressed:
            payload = (deflater.compress(text) + deflater.flush(zlib.Z_SYNC_FLUSH))[:-4]
        cuts = sorted(draw(st.lists(st.integers(0, len(payload)), max_size=3)))
        fragments = [payload[a:b] for a, b in pairwise([0, *cuts, len(payload)])]
        stream += _message(draw, fragments, rsv=_RSV1 if compressed else 0)
    stream += draw(st.sampled_from([websocket_frame(CLOSE, b"\x03\xe8bye"), websocket_frame(CLOSE, b""), b""]))
    if draw(st.integers(0, 3)) == 0 and stream:
        at = draw(st.integers(0, len(stream) - 1))
        stream = stream[:at] + draw(st.binary(max_size=2)) + stream[at + draw(st.integers(0, 2)) :]
    return stream


def _message(draw: st.DrawFn, fragments: Sequence[bytes], *, rsv: int) -> bytes:
    stream = b""
    for number, fragment in enumerate(fragments):
        opcode = CONTINUATION if number else TEXT
        last = number + 1 == len(fragments)
        mask = draw(st.sampled_from(_MASKS))
        stream += websocket_frame(opcode, fragment, fin=last, rsv=0 if number else rsv, mask=mask)
        stream += draw(st.sampled_from([b"", b"", b"", *_STRAYS]))
    return stream


_STRAYS = [
    websocket_frame(PING, b"hi"),
    websocket_frame(PONG, b""),
    websocket_frame(PING, b"x" * 125),
    websocket_frame(BINARY, b"\0"),
    websocket_frame(CONTINUATION, b"{}"),
    websocket_frame(TEXT, b"\xff"),
    websocket_frame(CLOSE, b"\x03"),
]
