"""The other end of a ``Connection``: a transport that keeps what is written, frames made by hyperframe and hpack."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from hpack import Decoder, Encoder
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from asgi_grpc.errors import CallError, Code
from asgi_grpc.http2._connection import Connection
from asgi_grpc.http2._frames import PREFACE
from asgi_grpc.http2._stream import Stream

HEAD = [(b":status", b"200"), (b"content-type", b"application/grpc")]
OK = [(b"grpc-status", b"0")]
REQUEST = [(b":method", b"POST"), (b":path", b"/a.B/C")]
OUR_WINDOW = 1 << 24
RULES = "the upstream service breaks the rules of HTTP/2"
BROKE = "the upstream connection broke"
Sent = tuple[Any, ...]
ACK: Sent = ("Settings", 0, {}, "ACK")


class FakeTransport(asyncio.Transport):
    """Keeps what is written.

    Attributes:
        unsent: what it says is not sent yet.
    """

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.unsent = 0
        self.ends: list[str] = []

    def write(self, data: Any) -> None:
        assert not self.ends, "written behind the end"
        self.written += data

    def is_closing(self) -> bool:
        return bool(self.ends)

    def close(self) -> None:
        self.ends.append("close")

    def abort(self) -> None:
        self.ends.append("abort")

    def get_write_buffer_size(self) -> int:
        return self.unsent


class Peer:
    """One connection, as its service sees it.

    Attributes:
        ended: what ``on_end`` was given.
    """

    def __init__(self, *, window_bytes: int = 1000, greet: bool = True, keepalive_s: float | None = None) -> None:
        self.transport = FakeTransport()
        self.ended: list[Connection] = []
        self.encoder = Encoder()
        self.decoder = Decoder()
        self.connection = Connection(window_bytes=window_bytes, on_end=self.ended.append, keepalive_s=keepalive_s)
        self.connection.connection_made(self.transport)
        if greet:
            assert self.transport.written.startswith(PREFACE)
            del self.transport.written[: len(PREFACE)]
            self.feed(SettingsFrame(0, {}))
            self.sent()

    def feed(self, *frames: Frame | bytes) -> None:
        """All in one chunk."""
        self.connection.data_received(b"".join(f if isinstance(f, bytes) else f.serialize() for f in frames))

    def sent(self) -> list[Sent]:
        """What was written since the last time, as hyperframe reads it."""
        found: list[Sent] = []
        wire = bytes(self.transport.written).removeprefix(PREFACE)
        self.transport.written.clear()
        while wire:
            frame, length = Frame.parse_frame_header(memoryview(wire[:9]))
            frame.parse_body(memoryview(wire[9 : 9 + length]))
            found.append(self.read(frame))
            wire = wire[9 + length :]
        return found

    def read(self, frame: Any) -> Sent:
        """A frame: what it is, its stream, what it says, its flags."""
        said: Any = None
        match frame:
            case HeadersFrame():
                said = [tuple(field) for field in self.decoder.decode(frame.data, raw=True)]
            case DataFrame():
                said = frame.data
            case SettingsFrame():
                said = dict(frame.settings)
            case WindowUpdateFrame():
                said = frame.window_increment
            case RstStreamFrame() | GoAwayFrame():
                said = frame.error_code
            case PingFrame():
                said = frame.opaque_data
        return (type(frame).__name__.removesuffix("Frame"), frame.stream_id, said, *sorted(frame.flags))

    def open(self, body: bytes | None = None) -> Stream:
        """A stream of which nobody asks what was sent."""
        stream = self.connection.open(REQUEST, body)
        self.sent()
        return stream

    def head(self, stream: int, fields: Sequence[tuple[bytes, bytes]] = HEAD, *, end: bool = False) -> bytes:
        """A header block."""
        flags = ["END_HEADERS", *(["END_STREAM"] if end else [])]
        return HeadersFrame(stream, self.encoder.encode(fields), flags=flags).serialize()

    def trailers(self, stream: int, fields: Sequence[tuple[bytes, bytes]] = OK) -> bytes:
        """The end of an answer."""
        return self.head(stream, fields, end=True)

    def long_head(self, stream: int, block: bytes, size: int, *, end: bool = True) -> bytes:
        """A header block in HEADERS and CONTINUATION; unfinished where there is no end."""
        pieces = [block[at : at + size] for at in range(0, len(block), size)]
        frames: list[Any] = [HeadersFrame(stream, pieces[0])]
        frames += [ContinuationFrame(stream, piece) for piece in pieces[1:]]
        if end:
            frames[-1].flags.add("END_HEADERS")
        return b"".join(frame.serialize() for frame in frames)


def data(stream: int, payload: bytes, *, end: bool = False, padding: int | None = None) -> bytes:
    """DATA."""
    flags = [*(["END_STREAM"] if end else []), *(["PADDED"] if padding is not None else [])]
    return DataFrame(stream, payload, pad_length=padding or 0, flags=flags).serialize()


def settings(**values: int) -> bytes:
    """SETTINGS; the names are hyperframe's."""
    named = {getattr(SettingsFrame, name): value for name, value in values.items()}
    return SettingsFrame(0, named).serialize()


def update(stream: int, increment: int) -> bytes:
    """WINDOW_UPDATE, of 0 too, which hyperframe does not make."""
    return b"\0\0\4\x08\0" + stream.to_bytes(4, "big") + increment.to_bytes(4, "big")


async def taken(stream: Stream) -> list[bytes | Exception]:
    """All that a stream gives, and how it ends."""
    found: list[bytes | Exception] = []
    try:
        await stream.answered()
        while chunk := await stream.chunk():
            found.append(chunk)
    except Exception as exc:  # noqa: BLE001 - whatever it is
        found.append(exc)
    return found


def failure(found: list[bytes | Exception]) -> tuple[Code, str]:
    """The error at the end."""
    assert isinstance(found[-1], CallError), found
    return found[-1].code, found[-1].message
