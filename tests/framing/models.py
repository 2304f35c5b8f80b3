"""Slow, obvious models of the framers: one byte at a time, whole input at hand."""

from __future__ import annotations

from collections.abc import Collection

from asgi_grpc.framing import Broken, End, Event, Fault, FlaggedFrame, Frame, SseEvent

SPACE = b" \t\r\n"
MARK = b"\xef\xbb\xbf"


def model_value(body: bytes, begin: int, limit: int, depth_limit: int, stops: bytes) -> tuple[int, Fault | None, bool]:
    """Walk one value from its first byte: its end, the fault there, and whether the body ends before it."""
    depth = 0
    in_string = escaped = False
    before = 0x2C
    scalar = body[begin] not in b'{["'
    for at in range(begin, len(body)):
        byte = body[at]
        ends_here = scalar and byte in stops
        ends_here |= in_string and byte == 0x0A
        ends_here |= not scalar and not in_string and byte in b"{[" and before not in b",:[{"
        if ends_here:
            return at, None, False
        if at - begin == limit:
            return at, Fault.FRAME_TOO_LARGE, False
        if scalar:
            continue
        if in_string:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                in_string = False
                before = byte
                if not depth:
                    return at + 1, None, False
            continue
        if byte == 0x22:
            in_string = True
        elif byte in b"{[":
            depth += 1
            if depth > depth_limit:
                return at, Fault.TOO_DEEP, False
        elif byte in b"}]":
            depth -= 1
            if not depth:
                return at + 1, None, False
        if byte not in SPACE:
            before = byte
    return len(body), None, True


def model_json(body: bytes, limit: int, depth_limit: int, *, message: bool = False) -> list[Event]:
    """What ``JsonFramer`` (or ``cut_message``) must say about a whole body."""
    events: list[Event] = []
    at = len(MARK) if body.startswith(MARK) else 0
    in_array = False
    expect = "first" if not message else "value"
    while True:
        while at < len(body) and body[at] in SPACE:
            at += 1
        if at == len(body):
            return [*events, Broken(Fault.TRUNCATED, at) if in_array else End()]
        byte = body[at : at + 1]
        if expect == "first" and byte == b"[":
            in_array, expect = True, "element or end"
            at += 1
            continue
        if expect == "end":
            return [*events, Broken(Fault.TRAILING_DATA, at)]
        if expect == "comma or end":
            if byte not in (b",", b"]"):
                return [*events, Broken(Fault.NOT_JSON, at)]
            in_array, expect = byte == b",", "element" if byte == b"," else "end"
            at += 1
            continue
        if expect == "element or end" and byte == b"]":
            in_array, expect = False, "end"
            at += 1
            continue
        if expect.startswith("element") and byte in b"],:}":
            return [*events, Broken(Fault.NOT_JSON, at)]
        stops = SPACE + b'"{[' + (b"]},:" if in_array else b"")
        end, fault, cut_short = model_value(body, at, limit, depth_limit, stops)
        if fault:
            return [*events, Broken(fault, at)]
        if cut_short and (in_array or body[at] in b'{["'):
            return [*events, Broken(Fault.TRUNCATED, at)]
        events.append(Frame(body[at:end], at))
        expect = "comma or end" if in_array else "value"
        at = end


def model_json_seq(body: bytes, limit: int) -> list[Event]:
    """What ``JsonSeqFramer`` must say about a whole body."""
    events: list[Event] = []
    at = len(MARK) if body.startswith(MARK) else 0
    for number, record in enumerate(body[at:].split(b"\x1e")):
        at += number > 0
        begin = at + len(record) - len(record.lstrip(SPACE))
        if record.strip(SPACE):
            if not number:
                return [*events, Broken(Fault.NOT_JSON, begin)]
            end, fault, cut_short = model_value(record, begin - at, limit, 1 << 60, SPACE + b'"{[')
            if fault or cut_short:
                return [*events, Broken(fault or Fault.TRUNCATED, begin)]
            events.append(Frame(record[begin - at : end], begin))
            rest = record[end:]
            if rest.strip(SPACE):
                return [*events, Broken(Fault.NOT_JSON, at + end + len(rest) - len(rest.lstrip(SPACE)))]
        at += len(record)
    return [*events, End()]


def model_whole(body: bytes, limit: int) -> list[Event]:
    """What ``WholeFramer`` must say about a whole body."""
    if len(body) > limit:
        return [Broken(Fault.FRAME_TOO_LARGE, 0)]
    text = body.removeprefix(MARK)
    return [Frame(text, len(body) - len(text)), End()] if text.strip(SPACE) else [End()]


def model_sse(body: bytes, limit: int) -> list[SseEvent | Broken | End]:
    """What ``SseReader`` must say about a whole body."""
    events: list[SseEvent | Broken | End] = []
    name = last_id = ""
    data: list[bytes] = []
    size = begin = at = 0
    while at < len(body):
        ends = [end for end in (body.find(b"\r", at), body.find(b"\n", at)) if end >= 0]
        end = min(ends, default=len(body))
        line = body[at:end]
        if size + len(line) > limit:
            return [*events, Broken(Fault.FRAME_TOO_LARGE, begin)]
        if not ends:
            break
        line = line if at else line.removeprefix(MARK)
        at = end + 1 + body.startswith(b"\r\n", end)
        field, _, value = line.partition(b":")
        value = value[1:] if value[:1] == b" " else value
        match field:
            case b"" if not line:
                events += [SseEvent(name or "message", b"\n".join(data), last_id)] if data else []
                name, data, size, begin = "", [], 0, at
            case b"data":
                data.append(value)
                size += len(line)
            case b"event":
                name = value.decode(errors="replace")
            case b"id" if b"\0" not in value:
                last_id = value.decode(errors="replace")
    unfinished = data or body[at:].startswith(b"data")
    return [*events, Broken(Fault.TRUNCATED, begin) if unfinished else End()]


def model_prefixed(wire: bytes, limit: int, legal: Collection[int] = (0, 1)) -> list[Event]:
    """What ``PrefixedFramer`` must say about a whole stream of messages whose flags are legal."""
    events: list[Event] = []
    at = 0
    while len(wire) - at >= 5:
        flags, length = wire[at], int.from_bytes(wire[at + 1 : at + 5])
        if flags not in legal:
            return [*events, Broken(Fault.BAD_FLAGS, at)]
        if length > limit:
            return [*events, Broken(Fault.FRAME_TOO_LARGE, at)]
        if len(wire) - at - 5 < length:
            break
        events.append(FlaggedFrame(wire[at + 5 : at + 5 + length], at + 5, flags))
        at += 5 + length
    return [*events, End() if at == len(wire) else Broken(Fault.TRUNCATED, at)]
