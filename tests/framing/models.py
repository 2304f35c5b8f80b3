"""Slow, obvious models of the framers: one byte at a time, whole input at hand."""

from __future__ import annotations

from asgi_grpc.framing import Broken, End, Event, Fault, Frame

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
    at = len(MARK) if body.startswith(MARK) and not message else 0
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
    at = 0
    for number, record in enumerate(body.split(b"\x1e")):
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
