"""What a WebSocket client may say: text messages to frames.

With no subprotocol, a text message holds bare JSON messages separated by white space, and an empty one ends the input.
With ``asgi-grpc.records.v1`` it holds records: ``request``, ``end`` and ``cancel``. A value never spans two messages.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from asgi_grpc.asgi._requests import Input, to_input
from asgi_grpc.errors import Code, FramingError, RequestError
from asgi_grpc.framing import Frame, cut_message
from asgi_grpc.limits import Limits

RECORDS_V1 = "asgi-grpc.records.v1"
"""The subprotocol in which both sides speak in records."""

CANCEL_MARK = b'"cancel"'
"""Stands in every text that holds a ``cancel`` record, and in few others."""

CutText = Callable[[bytes, Limits], Input]

_END_MARK = b'"__end_stream__"'
_END = re.compile(rb'\s*\{\s*"__end_stream__"\s*:\s*true\s*\}\s*')
_EXPECTED = 'expected a record {"type": "request", "data": …}, {"type": "end"} or {"type": "cancel"}'


class _Record(msgspec.Struct, gc=False):
    type: str
    data: msgspec.Raw = msgspec.Raw(b"")


_decode_record = msgspec.json.Decoder(_Record).decode


def cut_bare(text: bytes, limits: Limits) -> Input:
    """The messages of one text message without a subprotocol."""
    if not text:
        return Input([], ended=True)
    found = _cut(text, limits)
    if _END_MARK in text:
        for place, frame in enumerate(found.frames):
            if _END.fullmatch(frame.data):
                return _ended(found, place)
    return found


def cut_records(text: bytes, limits: Limits) -> Input:
    """The messages of one text message of ``asgi-grpc.records.v1``.

    The record's few bytes around a message count for its limit too.
    """
    found = _cut(text, limits)
    messages: list[Frame] = []
    for place, frame in enumerate(found.frames):
        try:
            record = _decode_record(frame.data)
        except msgspec.ValidationError:
            return Input(messages, error=FramingError(_EXPECTED, offset=frame.offset))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return Input(messages, error=FramingError("the record is not valid JSON", offset=frame.offset))
        match record.type:
            case "request" if record.data:
                messages.append(Frame(bytes(record.data), frame.offset))
            case "end":
                return _ended(found._replace(frames=[*messages, *found.frames[place:]]), len(messages))
            case "cancel":
                return Input(messages, error=RequestError("the client cancelled the call", code=Code.CANCELLED))
            case _:
                return Input(messages, error=FramingError(_EXPECTED, offset=frame.offset))
    return Input(messages, error=found.error)


def _cut(text: bytes, limits: Limits) -> Input:
    """Cut one text message; its end is not the end of the input."""
    found = to_input(cut_message(text, max_frame_bytes=limits.max_message_bytes, max_depth=limits.max_depth))
    return found._replace(ended=False)


def _ended(found: Input, place: int) -> Input:
    """The input up to an end mark at some place; whatever comes after it is an error."""
    if found.error is not None or place + 1 < len(found.frames):
        after = found.frames[place + 1].offset if place + 1 < len(found.frames) else found.frames[place].offset
        return Input(found.frames[:place], error=FramingError("more input after the end of the input", offset=after))
    return Input(found.frames[:place], ended=True)
