"""Server-Sent Events: records to bytes, bytes to events.

Source: the HTML standard, section 9.2 (server-sent events).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from asgi_grpc.errors import UsageError
from asgi_grpc.framing._events import Broken, End, Fault
from asgi_grpc.framing._mark import BYTE_ORDER_MARK

_BREAK = re.compile(rb"\r\n|\r|\n")


class SseWriter:
    """Write records as events ``response``, ``complete`` and ``error``; ``id`` counts the responses from 1.

    Args:
        named: False writes ``data`` lines only, for readers that know nothing but ``EventSource.onmessage``.
    """

    def __init__(self, media_type: bytes = b"text/event-stream", *, named: bool = True) -> None:
        self.media_type = media_type
        self._named = named
        self._messages = 0
        self._open = True

    def messages(self, records: Sequence[bytes]) -> bytes:
        """An event for each record."""
        self._check()
        if not self._named:
            return b"".join([b"data: " + _data(record) + b"\n\n" for record in records])
        first = self._messages + 1
        self._messages += len(records)
        return b"".join(
            [b"event: response\nid: %d\ndata: %b\n\n" % (n, _data(record)) for n, record in enumerate(records, first)]
        )

    def success(self, record: bytes | None) -> bytes:
        """The event ``complete``."""
        return self._last(b"complete", record)

    def failure(self, record: bytes | None) -> bytes:
        """The event ``error``."""
        return self._last(b"error", record)

    def heartbeat(self) -> bytes:
        """A comment, which readers skip."""
        self._check()
        return b":\n\n"

    def _last(self, name: bytes, record: bytes | None) -> bytes:
        self._check()
        self._open = False
        if record is None:
            return b""
        head = b"event: " + name + b"\n" if self._named else b""
        return head + b"data: " + _data(record) + b"\n\n"

    def _check(self) -> None:
        if not self._open:
            raise UsageError("the body has ended")


class SseEvent(msgspec.Struct, frozen=True, gc=False):
    """One event of a stream.

    Attributes:
        name: the event's type, ``message`` where the stream gives none.
        data: the ``data`` lines, joined by LF.
        id: the last event ID at that point, empty if there was none.
    """

    name: str
    data: bytes
    id: str


SseStreamEvent = SseEvent | Broken | End


class SseReader:
    """Cut a byte stream into events, as a browser does.

    Lines end with CR LF, LF or CR. A byte order mark at the very start, comments, events without data and unknown
    fields are skipped. Names and IDs that are not UTF-8 get replacement characters.

    Args:
        max_event_bytes: longest event accepted: its data lines, and the line at hand whatever it is, without line ends.
    """

    def __init__(self, *, max_event_bytes: int) -> None:
        self._max_event_bytes = max_event_bytes
        self._line = bytearray()  # the unfinished line
        self._lines = 0  # whole lines so far
        self._after_cr = False
        self._name = ""
        self._data: list[bytes] = []
        self._data_bytes = 0
        self._id = ""
        self._begin: int | None = None  # offset of the event's first byte
        self._seen = 0  # bytes in all chunks before this one
        self._open = True

    @property
    def held_bytes(self) -> int:
        """Bytes kept of the event at hand: at most ``max_event_bytes``. Its name and the last ID are kept besides."""
        return len(self._line) + self._data_bytes

    def feed(self, chunk: bytes) -> list[SseStreamEvent]:
        """The events that a chunk completes, then ``Broken`` when one passes the limit.

        Raises:
            UsageError: after the last event.
        """
        if not self._open:
            raise UsageError("feed() after the end")
        events: list[SseStreamEvent] = []
        pos = int(self._after_cr and chunk[:1] == b"\n")
        if chunk:
            self._after_cr = chunk[-1:] == b"\r"
        for found in _BREAK.finditer(chunk, pos):
            if not self._take(chunk, pos, found.start(), events):
                return events
            self._end_line(events)
            pos = found.end()
        self._take(chunk, pos, len(chunk), events)
        self._seen += len(chunk)
        return events

    def close(self) -> list[SseStreamEvent]:
        """``End``, or ``Broken`` if the stream stops inside an event's data.

        Raises:
            UsageError: after the last event.
        """
        if not self._open:
            raise UsageError("close() after the end")
        unfinished = self._data or self._line.startswith(b"data")
        self._stop()
        return [Broken(Fault.TRUNCATED, self._begin or 0) if unfinished else End()]

    def _stop(self) -> None:
        self._open = False
        self._line.clear()
        self._data, self._data_bytes = [], 0

    def _take(self, chunk: bytes, pos: int, end: int, events: list[SseStreamEvent]) -> bool:
        """Add to the line at hand; False when the event is too large."""
        if self._begin is None and pos < end:
            self._begin = self._seen + pos
        if self._data_bytes + len(self._line) + end - pos > self._max_event_bytes:
            events.append(Broken(Fault.FRAME_TOO_LARGE, self._begin or 0))
            self._stop()
            return False
        self._line += memoryview(chunk)[pos:end]
        return True

    def _end_line(self, events: list[SseStreamEvent]) -> None:
        line = bytes(self._line)
        self._line.clear()
        if not self._lines:
            line = line.removeprefix(BYTE_ORDER_MARK)
        self._lines += 1
        if not line:
            if self._data:
                events.append(SseEvent(self._name or "message", b"\n".join(self._data), self._id))
            self._name, self._data, self._data_bytes, self._begin = "", [], 0, None
            return
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data.append(value)
            self._data_bytes += len(line)
        elif field == b"event":
            self._name = value.decode(errors="replace")
        elif field == b"id" and b"\0" not in value:
            self._id = value.decode(errors="replace")


def _data(record: bytes) -> bytes:
    """A record as the value of ``data`` lines: pretty-printed JSON needs several."""
    return b"\ndata: ".join(_BREAK.split(record)) if b"\n" in record or b"\r" in record else record
