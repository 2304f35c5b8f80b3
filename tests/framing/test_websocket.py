"""Raw WebSocket bytes: the same bytes, cut otherwise, give the same events."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi_grpc.errors import UsageError
from asgi_grpc.framing import (
    Broken,
    Closed,
    EmptyMessage,
    Fault,
    Frame,
    Ping,
    Pong,
    WebSocketEvent,
    WebSocketFramer,
)
from asgi_grpc.testing import chunkings, play, websocket_frame, websocket_streams
from tests.framing.model_websocket import model_websocket

LIMIT, DEPTH = 24, 3
MOST_HELD = LIMIT + 125 + 14 + 3
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def make(*, deflate: bool = False) -> WebSocketFramer:
    return WebSocketFramer(max_frame_bytes=LIMIT, max_depth=DEPTH, deflate=deflate)


def deflate(*texts: bytes) -> list[bytes]:
    """Payloads that refer to each other."""
    deflater = zlib.compressobj(wbits=-15)
    return [(deflater.compress(text) + deflater.flush(zlib.Z_SYNC_FLUSH))[:-4] for text in texts]


BYE = websocket_frame(CLOSE, b"\x03\xe8bye")
CLOSED = Closed(1000, "bye")
BAD = Fault.BAD_WEBSOCKET_FRAME
LONG = b'{"a":1}\n' * 40
FIRST, SECOND = deflate(b'{"a":1} {"b":2}', b'{"a":1} {"c":3}')
CASES = [
    pytest.param(websocket_frame(TEXT, b'{"a":1}') + websocket_frame(TEXT, b"{}\n{}") + BYE,
                 [Frame(b'{"a":1}', 0), Frame(b"{}", 7), Frame(b"{}", 10), CLOSED], id="messages"),
    pytest.param(websocket_frame(TEXT, b"") + websocket_frame(TEXT, b" ") + BYE, [EmptyMessage(), CLOSED], id="empty"),
    pytest.param(websocket_frame(TEXT, b'{"a"', fin=False) + websocket_frame(PING, b"p")
                 + websocket_frame(CONTINUATION, b"", fin=False) + websocket_frame(CONTINUATION, b":1} 2") + BYE,
                 [Ping(b"p"), Frame(b'{"a":1}', 0), Frame(b"2", 8), CLOSED], id="fragments-and-a-ping"),
    pytest.param(websocket_frame(TEXT, b'{"a"') + websocket_frame(TEXT, b":1}"), [Broken(Fault.TRUNCATED, 0)],
                 id="a-value-never-spans-messages"),
    pytest.param(websocket_frame(TEXT, "{\"\u00e9\":\"\U0001f600\"}".encode()) + websocket_frame(PONG, b"") + BYE,
                 [Frame("{\"\u00e9\":\"\U0001f600\"}".encode(), 0), Pong(b""), CLOSED], id="characters"),
    pytest.param(websocket_frame(TEXT, b"{} \xc3", fin=False) + websocket_frame(CONTINUATION, b"\xa9"),
                 [Frame(b"{}", 0), Frame(b"\xc3\xa9", 3), Broken(Fault.TRUNCATED, 5)], id="character-in-fragments"),
    pytest.param(websocket_frame(TEXT, b'{} "\xc3"'), [Frame(b"{}", 0), Broken(Fault.NOT_UTF8, 3)], id="not-utf8"),
    pytest.param(websocket_frame(TEXT, b"{} \xc3"), [Frame(b"{}", 0), Broken(Fault.NOT_UTF8, 3)], id="half-character"),
    pytest.param(websocket_frame(TEXT, LONG[:320]) + BYE,
                 [Frame(b'{"a":1}', at) for at in range(0, 320, 8)] + [CLOSED], id="two-bytes-of-length"),
    pytest.param(websocket_frame(TEXT, b"{} [[[[1]]]]"), [Frame(b"{}", 0), Broken(Fault.TOO_DEEP, 3)], id="too-deep"),
    pytest.param(websocket_frame(TEXT, b"{}" + b"9" * 25), [Frame(b"{}", 0), Broken(Fault.FRAME_TOO_LARGE, 2)],
                 id="too-large"),
    pytest.param(websocket_frame(TEXT, b"{}") + websocket_frame(BINARY, b"{}"),
                 [Frame(b"{}", 0), Broken(Fault.BINARY_MESSAGE, 2)], id="binary"),
    pytest.param(websocket_frame(CONTINUATION, b"{}"), [Broken(BAD, 0)], id="nothing-to-continue"),
    pytest.param(websocket_frame(TEXT, b"{", fin=False) + websocket_frame(TEXT, b"}"), [Broken(BAD, 0)],
                 id="a-message-in-a-message"),
    pytest.param(websocket_frame(3, b""), [Broken(BAD, 0)], id="unknown-opcode"),
    pytest.param(websocket_frame(PING, b"", fin=False), [Broken(BAD, 0)], id="a-fragmented-ping"),
    pytest.param(websocket_frame(TEXT, b"{}", rsv=0x40), [Broken(BAD, 0)], id="compression-was-not-agreed"),
    pytest.param(websocket_frame(TEXT, b"{}", rsv=0x20), [Broken(BAD, 0)], id="reserved-bit"),
    pytest.param(b"\x81\x02{}", [Broken(BAD, 0)], id="not-masked"),
    pytest.param(b"\x81\xfe\x00\x02\0\0\0\0{}", [Broken(BAD, 0)], id="length-too-long"),
    pytest.param(b"", [Broken(Fault.TRUNCATED, 0)], id="no-close-frame"),
    pytest.param(websocket_frame(CLOSE, b"") + b"\xff\xff", [Closed(1005, "")], id="close-without-a-code"),
    pytest.param(websocket_frame(CLOSE, b"\x03"), [Broken(BAD, 0)], id="half-a-code"),
    pytest.param(websocket_frame(CLOSE, b"\x03\xee"), [Broken(BAD, 0)], id="a-code-that-is-never-sent"),
    pytest.param(websocket_frame(CLOSE, b"\x0f\xa0\xff"), [Broken(Fault.NOT_UTF8, 0)], id="reason-not-utf8"),
]  # fmt: skip
DEFLATED = [
    pytest.param(websocket_frame(TEXT, FIRST, rsv=0x40) + websocket_frame(TEXT, b"{}")
                 + websocket_frame(TEXT, SECOND[:3], fin=False, rsv=0x40) + websocket_frame(PING, b"")
                 + websocket_frame(CONTINUATION, SECOND[3:]) + BYE,
                 [Frame(b'{"a":1}', 0), Frame(b'{"b":2}', 8), Frame(b"{}", 15), Ping(b""), Frame(b'{"a":1}', 17),
                  Frame(b'{"c":3}', 25), CLOSED], id="a-window-across-messages"),
    pytest.param(websocket_frame(TEXT, FIRST[:3], fin=False, rsv=0x40)
                 + websocket_frame(CONTINUATION, FIRST[3:], rsv=0x40), [Broken(BAD, 0)], id="bit-on-a-continuation"),
    pytest.param(websocket_frame(PING, b"", rsv=0x40), [Broken(BAD, 0)], id="bit-on-a-ping"),
    pytest.param(websocket_frame(TEXT, b"\xff\xff", rsv=0x40), [Broken(Fault.BAD_COMPRESSION, 0)], id="damaged"),
    pytest.param(websocket_frame(TEXT, b"\0", rsv=0x40) + BYE, [EmptyMessage(), CLOSED], id="nothing-deflated"),
    pytest.param(websocket_frame(TEXT, deflate(b'{"a"')[0], rsv=0x40) + BYE, [Broken(Fault.TRUNCATED, 0)],
                 id="unfinished-value-deflated"),
    pytest.param(websocket_frame(TEXT, zlib.compress(b"{}", wbits=-15) + b"\0", rsv=0x40) + BYE,
                 [Frame(b"{}", 0), CLOSED], id="a-final-block"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("wire", "events", "agreed"),
    [pytest.param(*case.values, False, id=case.id) for case in CASES]
    + [pytest.param(*case.values, True, id=case.id) for case in DEFLATED],
)
def test_a_cut_anywhere_changes_nothing(wire: bytes, events: list[WebSocketEvent], agreed: bool) -> None:
    assert model_websocket(wire, LIMIT, DEPTH, deflate=agreed) == events

    def replay(chunks: list[bytes]) -> list[WebSocketEvent]:
        return play_open(chunks, agreed)

    for cut in range(len(wire) + 1):
        assert replay([wire[:cut], b"", wire[cut:]]) == events, f"cut at {cut}"
    assert replay([wire[at : at + 1] for at in range(len(wire))]) == events


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
