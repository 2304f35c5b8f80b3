"""The machine of the framer of raw WebSocket bytes."""

from __future__ import annotations

import zlib
from typing import NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import rule

from asgi_grpc.framing import WebSocketEvent, WebSocketFramer
from asgi_grpc.testing import json_values, ndjson_bodies, websocket_frame, websocket_streams
from fuzz.framer_machine import FramerMachine
from tests.framing.model_websocket import model_websocket

LIMIT, DEPTH, FREE = 24, 3, 100
CONTROL_FRAME, CHARACTER = 14 + 125, 3
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
TEXTS = st.one_of(
    json_values(limit=LIMIT, depth=DEPTH),
    ndjson_bodies(limit=LIMIT, depth=DEPTH),
    st.sampled_from([b"", b" ", b"\n", b'"\xc3', b'\xa9"', b"\xf0\x9f\x98", b"\x80", b"\xff", b'{"a":1}\n' * 20]),
)
CODES = st.sampled_from([b"", b"\x03", b"\x03\xe8bye", b"\x03\xee", b"\x0b\xb8\xc3\xa9", b"\x0b\xb8\xc3", b"\x13\x88"])


class Options(NamedTuple):
    """What was agreed, and the limits."""

    deflate: bool = False
    keeps_window: bool = True
    ratio: int = 100
    free: int = 1 << 20


class WebSocketMachine(FramerMachine[WebSocketEvent]):
    """One WebSocket: messages in fragments, control frames between them, the bytes of a frame in chunks."""

    OPTIONS = (Options(), Options(True), Options(True, False), Options(True, True, 1, FREE))

    def prepare(self) -> None:
        """The client's side."""
        self.deflater = zlib.compressobj(wbits=-15)
        self.in_message = False

    def make(self, option: Options) -> WebSocketFramer:
        """A server's framer."""
        return WebSocketFramer(
            max_frame_bytes=LIMIT,
            max_depth=DEPTH,
            deflate=option.deflate,
            keeps_window=option.keeps_window,
            max_inflation=option.ratio,
            free_bytes=option.free,
        )

    def model(self, body: bytes, option: Options) -> list[WebSocketEvent]:
        """Frame by frame."""
        return model_websocket(body, LIMIT, DEPTH, **option._asdict())

    def most_held(self, option: Options) -> int:
        """A value, a control frame, a character."""
        return LIMIT + CONTROL_FRAME + CHARACTER

    def feed_cut(self, frame: bytes, cut: int) -> None:
        """One frame in two chunks."""
        self.feed(frame[:cut])
        self.feed(frame[cut:])

    @rule(text=TEXTS, last=st.booleans(), cut=st.integers(0, 40), mask=st.sampled_from([bytes(4), b"\x01\x80\xff\x7f"]))
    def feed_fragment(self, text: bytes, last: bool, cut: int, mask: bytes) -> None:
        """The next frame of a message."""
        opcode = CONTINUATION if self.in_message else TEXT
        self.in_message = not last
        self.feed_cut(websocket_frame(opcode, text, fin=last, mask=mask), cut)

    @rule(text=TEXTS, split=st.integers(0, 20), window=st.booleans())
    def feed_compressed(self, text: bytes, split: int, window: bool) -> None:
        """A compressed message in two frames, a ping between them."""
        deflater = self.deflater if window else zlib.compressobj(wbits=-15)
        payload = (deflater.compress(text) + deflater.flush(zlib.Z_SYNC_FLUSH))[:-4]
        self.feed(websocket_frame(TEXT, payload[:split], fin=False, rsv=0x40))
        self.feed(websocket_frame(PING, b"between"))
        self.feed(websocket_frame(CONTINUATION, payload[split:]))

    @rule(opcode=st.sampled_from([PING, PONG]), size=st.sampled_from([0, 1, 124, 125]), cut=st.integers(0, 140))
    def feed_ping(self, opcode: int, size: int, cut: int) -> None:
        """A control frame, which may stand anywhere."""
        self.feed_cut(websocket_frame(opcode, b"p" * size), cut)

    @rule(payload=CODES, cut=st.integers(0, 12))
    def feed_close(self, payload: bytes, cut: int) -> None:
        """A close frame."""
        self.feed_cut(websocket_frame(CLOSE, payload), cut)

    @rule(first=st.integers(0, 255), length=st.sampled_from([0, 1, 125, 126, 127, 128, 129, 253, 254, 255]))
    def feed_head(self, first: int, length: int) -> None:
        """The first two bytes of any frame at all."""
        self.feed(bytes([first, length]))

    @rule(data=st.data())
    def feed_stream(self, data: st.DataObject) -> None:
        """One chunk of many frames."""
        self.feed(data.draw(websocket_streams(limit=LIMIT, depth=DEPTH, deflate=self.option.deflate)))

    @rule(piece=st.binary(max_size=3))
    def feed_piece(self, piece: bytes) -> None:
        """Whatever."""
        self.feed(piece)


TestWebSocket = WebSocketMachine.TestCase
