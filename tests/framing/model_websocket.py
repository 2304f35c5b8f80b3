"""A slow, obvious model of the WebSocket framer: every frame is parsed from the whole input."""

from __future__ import annotations

import zlib
from typing import NamedTuple

from asgi_grpc.framing import Broken, Closed, EmptyMessage, End, Fault, Ping, Pong, WebSocketEvent
from asgi_grpc.framing._json import MessageFramer
from tests.framing.model_inflate import SlowInflater

CODES = {*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)}
BAD = Fault.BAD_WEBSOCKET_FRAME


class Parsed(NamedTuple):
    """One frame, perhaps cut by the end of the input; or what is wrong with its head."""

    opcode: int = 0
    payload: bytes = b""
    fin: bool = False
    rsv1: bool = False
    whole: bool = False
    end: int = 0
    bad: bool = False


def parse(stream: bytes, at: int, *, deflate: bool) -> Parsed | None:
    """The frame at some place; None if its head, or a control frame's payload, is not all there."""
    if len(stream) < at + 2:
        return None
    first, second = stream[at], stream[at + 1]
    opcode, size, control = first & 15, second & 127, bool(first & 8)
    extra = {126: 2, 127: 8}.get(size, 0)
    if opcode not in (0, 1, 2, 8, 9, 10) or (control and (not first & 128 or size > 125)):
        return Parsed(bad=True)
    if len(stream) < at + 2 + extra:
        return None
    if extra:
        size = int.from_bytes(stream[at + 2 : at + 2 + extra])
        if size < (126 if extra == 2 else 1 << 16) or size >> 63:
            return Parsed(bad=True)
    if first & 0x30 or (first & 0x40 and not (deflate and opcode in (1, 2))) or not second & 128:
        return Parsed(bad=True)
    begin = at + 2 + extra + 4
    if len(stream) < begin:
        return None
    mask, masked = stream[begin - 4 : begin], stream[begin : begin + size]
    if (control and len(masked) < size) or (size and not masked):
        return None
    payload = bytes([byte ^ mask[n % 4] for n, byte in enumerate(masked)])
    return Parsed(opcode, payload, bool(first & 128), bool(first & 64), len(masked) == size, begin + size)


def model_websocket(
    stream: bytes,
    limit: int,
    depth: int,
    *,
    deflate: bool = False,
    keeps_window: bool = True,
    ratio: int = 100,
    free: int = 1 << 20,
) -> list[WebSocketEvent]:
    """What ``WebSocketFramer`` must say about a whole stream, its end included."""
    events: list[WebSocketEvent] = []
    inflater = SlowInflater(-15, -15, ratio=ratio, free=free)
    at = base = 0
    text: bytes | None = None  # of the message at hand
    compressed = False
    given = 0  # events of the message at hand

    def place() -> int:
        framer = MessageFramer(max_frame_bytes=limit, max_depth=depth, offset=base)
        framer.feed(valid_part(text or b""))
        return framer.at

    while (frame := parse(stream, at, deflate=deflate)) is not None:
        at = frame.end
        if frame.bad:
            return [*events, Broken(BAD, place())]
        if frame.opcode >= 8:
            events.append(control(frame, place()))
            if isinstance(events[-1], (Closed, Broken)):
                return events
            continue
        if (text is None) is (frame.opcode == 0):
            return [*events, Broken(BAD, place())]
        if frame.opcode == 2:
            return [*events, Broken(Fault.BINARY_MESSAGE, place())]
        if text is None:
            text, compressed, given = b"", frame.rsv1, 0
        last = frame.whole and frame.fin
        fault: Fault | None = None
        if compressed:
            added, fault = inflater.take(frame.payload)
            text += added
            if last and not fault:
                added, fault = inflater.take(b"\0\0\xff\xff", counted=False)
                text += added
            if last and not keeps_window:
                inflater.member = zlib.decompressobj(-15)
        else:
            text += frame.payload
        framer = MessageFramer(max_frame_bytes=limit, max_depth=depth, offset=base)
        found = framer.feed(valid_part(text))
        events += found[given:]
        given = len(found)
        if events and isinstance(events[-1], Broken):
            return events
        if not is_utf8_so_far(text) or (last and not fault and valid_part(text) != text):
            return [*events, Broken(Fault.NOT_UTF8, place())]
        if fault:
            return [*events, Broken(fault, place())]
        if last:
            events += [EmptyMessage()] if not text else []
            events += [event for event in framer.close() if not isinstance(event, End)]
            if events and isinstance(events[-1], Broken):
                return events
            base += len(text)
            text = None
        if not frame.whole:
            break
    return [*events, Broken(Fault.TRUNCATED, place())]


def control(frame: Parsed, at: int) -> WebSocketEvent:
    """What a control frame says."""
    data = frame.payload
    if frame.opcode != 8:
        return Ping(data) if frame.opcode == 9 else Pong(data)
    if not data:
        return Closed(1005, "")
    try:
        reason = data[2:].decode()
    except UnicodeDecodeError:
        return Broken(Fault.NOT_UTF8, at)
    code = int.from_bytes(data[:2])
    return Closed(code, reason) if len(data) > 1 and code in CODES else Broken(BAD, at)


def valid_part(text: bytes) -> bytes:
    """As much of a text as is UTF-8."""
    try:
        text.decode()
    except UnicodeDecodeError as error:
        return text[: error.start]
    return text


def is_utf8_so_far(text: bytes) -> bool:
    """True if a text is UTF-8, or could become it."""
    try:
        text.decode()
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"
    return True
