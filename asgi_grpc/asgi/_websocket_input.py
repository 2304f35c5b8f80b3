"""What a WebSocket client may say: text messages to frames.

With no subprotocol, a text message holds bare JSON messages separated by white space, and an empty one ends the input.
With ``asgi-grpc.records.v1`` it holds records: ``request``, ``end`` and ``cancel``. A value never spans two messages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import cast

import msgspec

from asgi_grpc.asgi._requests import Input, to_input
from asgi_grpc.errors import Code, FramingError, RequestError
from asgi_grpc.framing import End, Event, Frame, cut_long_message, cut_message, is_one_value
from asgi_grpc.limits import Limits

RECORDS_V1 = "asgi-grpc.records.v1"
"""The subprotocol in which both sides speak in records."""

CANCEL_MARK = b'"cancel"'
"""Stands in every text that holds a ``cancel`` record, and in few others."""

CutText = Callable[[bytes, Limits], Iterable[Input]]
"""From a text message to the pieces of input that it holds: one, or several if it is long, each made when asked for."""

SHORT = 16 << 10
"""Bytes of a text message that is cut at once; a longer one may hold millions of values."""

SPACE = b" \t\r\n"

_END_MARK = b'"__end_stream__"'
_END = re.compile(rb'\s*\{\s*"__end_stream__"\s*:\s*true\s*\}\s*')
_CANCELLED = "the client cancelled the call"
_EXPECTED = 'expected a record {"type": "request", "data": …}, {"type": "end"} or {"type": "cancel"}'


class _Record(msgspec.Struct, gc=False):
    type: str
    data: msgspec.Raw = msgspec.Raw(b"")


_decode_record = msgspec.json.Decoder(_Record).decode


def holds_one_value(text: bytes, limits: Limits) -> bool:
    """Whether all of a text message is one message: ``cut_bare`` makes one frame of it, in three times the time."""
    return (
        len(text) <= limits.max_message_bytes
        and text.find(_END_MARK) < 0  # "in" would take three times as long: it tries to read the mark as a number first
        and is_one_value(text, max_depth=limits.max_depth)
    )


def cut_bare(text: bytes, limits: Limits) -> Iterable[Input]:
    """The messages of one text message without a subprotocol."""
    if not text:
        return (Input([], ended=True),)
    found = _cut(text, limits)
    return found if text.find(_END_MARK) < 0 else _up_to_the_end(iter(found))


def cut_records(text: bytes, limits: Limits) -> Iterator[Input]:
    """The messages of one text message of ``asgi-grpc.records.v1``.

    The record's few bytes around a message count for its limit too.
    """
    pieces = iter(_cut(text, limits))
    for found in pieces:
        messages: list[Frame] = []
        for place, frame in enumerate(found.frames):
            try:
                record = _decode_record(frame.data)
            except msgspec.ValidationError:
                yield Input(messages, error=FramingError(_EXPECTED, offset=frame.offset))
                return
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                yield Input(messages, error=FramingError("the record is not valid JSON", offset=frame.offset))
                return
            match record.type:
                case "request" if record.data:
                    messages.append(Frame(bytes(record.data), frame.offset))
                    continue
                case "end":
                    yield _ended(messages, frame, _behind(found, place, pieces))
                case "cancel":
                    yield Input(messages, error=RequestError(_CANCELLED, code=Code.CANCELLED))
                case _:
                    yield Input(messages, error=FramingError(_EXPECTED, offset=frame.offset))
            return
        yield Input(messages, error=found.error)


def find_cancel(text: bytes, limits: Limits) -> RequestError | None:
    """A ``cancel`` record: anywhere in a short text message; of a long one the last record."""
    if len(text) <= SHORT:
        errors = (found.error for found in cut_records(text, limits))
        return next((error for error in errors if error is not None and error.code is Code.CANCELLED), None)
    try:
        record = _decode_record(text[max(text.rfind(b"{"), 0) :])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return RequestError(_CANCELLED, code=Code.CANCELLED) if record.type == "cancel" else None


def _cut(text: bytes, limits: Limits) -> Iterable[Input]:
    """Cut one text message, a long one a piece at a time; its end is not the end of the input."""
    if len(text) <= SHORT:
        return (_piece(cut_message(text, max_frame_bytes=limits.max_message_bytes, max_depth=limits.max_depth)),)
    text = text.rstrip(SPACE)  # of which there may be megabytes
    return map(_piece, cut_long_message(text, max_frame_bytes=limits.max_message_bytes, max_depth=limits.max_depth))


def _piece(events: list[Event]) -> Input:
    """Some events of one text message; its ``End`` says nothing of the stream."""
    if events and isinstance(events[-1], End):
        return Input(cast(list[Frame], events[:-1]))
    return to_input(events)


def _up_to_the_end(pieces: Iterator[Input]) -> Iterator[Input]:
    """The input up to the end mark, if there is one."""
    for found in pieces:
        for place, frame in enumerate(found.frames):
            if _END.fullmatch(frame.data):
                yield _ended(found.frames[:place], frame, _behind(found, place, pieces))
                return
        yield found


def _behind(found: Input, place: int, pieces: Iterator[Input]) -> Iterator[Input]:
    """What comes behind a frame: in its own piece, and in those that follow."""
    return chain((found._replace(frames=found.frames[place + 1 :]),), pieces)


def _ended(frames: list[Frame], mark: Frame, behind: Iterator[Input]) -> Input:
    """The last of the input, before an end mark; whatever comes behind the mark is an error."""
    for found in behind:
        if found.frames or found.error is not None:
            after = found.frames[0] if found.frames else mark
            return Input(frames, error=FramingError("more input after the end of the input", offset=after.offset))
    return Input(frames, ended=True)
