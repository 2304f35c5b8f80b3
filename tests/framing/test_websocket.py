"""Raw WebSocket bytes: the same bytes, cut otherwise, give the same events."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi_grpc.errors import UsageError
from asgi_grpc.framing import Broken, Closed, Fault, Frame, WebSocketEvent, WebSocketFramer
from asgi_grpc.testing import chunkings, play, websocket_frame, websocket_streams
from tests.framing.model_websocket import model_websocket

LIMIT, DEPTH = 24, 3
MOST_HELD = LIMIT + 125 + 14 + 3
TEXT, CLOSE = 1, 8


def make(*, deflate: bool = False) -> WebSocketFramer:
    return WebSocketFramer(max_frame_bytes=LIMIT, max_depth=DEPTH, deflate=deflate)


def deflate(*texts: bytes) -> list[bytes]:
    """Payloads that refer to each other."""
    deflater = zlib.compressobj(wbits=-15)
    return [(deflater.compress(text) + deflater.flush(zlib.Z_SYNC_FLUSH))[:-4] for text in texts]


BYE = websocket_frame(CLOSE, b"\x03\xe8bye")
CLOSED = Closed(1000, "bye")
FIRST, SECOND = deflate(b'{"a":1} {"b":2}', b'{"a":1} {"c":3}')


def play_open(chunks: list[bytes], agreed: bool) -> list[WebSocketEvent]:
    """Like ``play``, which does not know that ``Closed`` is an end."""
    framer = make(deflate=agreed)
    events: list[WebSocketEvent] = []
    for chunk in chunks:
        events += framer.feed(chunk)
        assert framer.held_bytes <= MOST_HELD
        if events and isinstance(events[-1], (Closed, Broken)):
            assert framer.held_bytes == 0
            return events
    return events + framer.close()


@given(st.data(), st.booleans())
def test_every_chunking_agrees_with_the_model(data: st.DataObject, agreed: bool) -> None:
    chunks = data.draw(chunkings(websocket_streams(limit=LIMIT, depth=DEPTH, deflate=agreed)))
    assert play_open(chunks, agreed) == model_websocket(b"".join(chunks), LIMIT, DEPTH, deflate=agreed)


def test_a_bomb_trips_at_the_limit() -> None:
    bomb = deflate(b" " * (8 << 20))[0]
    wire = websocket_frame(TEXT, bomb, rsv=0x40)
    for chunks in ([wire], [wire[at : at + 700] for at in range(0, len(wire), 700)]):
        assert play(lambda: make(deflate=True), chunks) == [Broken(Fault.INFLATES_TOO_MUCH, 1 << 20)]


def test_a_window_is_not_kept_where_that_was_agreed() -> None:
    framer = WebSocketFramer(max_frame_bytes=LIMIT, max_depth=DEPTH, deflate=True, keeps_window=False)
    alone = deflate(b'{"a":1}')[0]
    assert framer.feed(websocket_frame(TEXT, alone, rsv=0x40) * 2) == [Frame(b'{"a":1}', 0), Frame(b'{"a":1}', 7)]
    framer = WebSocketFramer(max_frame_bytes=LIMIT, max_depth=DEPTH, deflate=True, keeps_window=False)
    framer.feed(websocket_frame(TEXT, FIRST, rsv=0x40))
    assert framer.feed(websocket_frame(TEXT, SECOND, rsv=0x40)) == [Broken(Fault.BAD_COMPRESSION, 15)]


def test_a_value_comes_out_with_its_last_byte() -> None:
    framer = make()
    wire = websocket_frame(TEXT, b'{"a":1} 2', fin=False)
    assert framer.feed(wire[:12]) == []
    assert framer.feed(wire[12:13]) == [Frame(b'{"a":1}', 0)]
    assert framer.held_bytes == 0


def test_nothing_is_taken_after_the_end() -> None:
    framer = make()
    assert framer.feed(BYE + BYE) == [CLOSED]
    with pytest.raises(UsageError, match="after the end"):
        framer.feed(b"")
    with pytest.raises(UsageError, match="after the end"):
        framer.close()


def test_the_handshake_is_not_ours() -> None:
    assert make(deflate=True)._extension.offer()
