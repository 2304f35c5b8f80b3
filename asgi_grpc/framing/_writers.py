"""Records to the bytes of a body, one writer for each media type.

Lists of encoded records come in, the bytes to send come out. A record is one JSON document without line breaks. After
``success()`` or ``failure()`` nothing more can be written.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from asgi_grpc.errors import UsageError


class Writer(Protocol):
    """What all writers can do.

    Attributes:
        media_type: the ``Content-Type``.
    """

    media_type: bytes

    def messages(self, records: Sequence[bytes]) -> bytes:
        """The bytes of some message records; none for none."""

    def success(self, record: bytes | None) -> bytes:
        """The body's last bytes; None where the dialect has no record for success."""

    def failure(self, record: bytes | None) -> bytes:
        """The body's last bytes; None where the dialect has no record for a failure: the body stays unfinished."""

    def heartbeat(self) -> bytes:
        """Bytes that mean nothing; none where the media type has none."""


class _Ending:
    """The bool that all writers share."""

    _open = True

    def _check(self) -> None:
        if not self._open:
            raise UsageError("the body has ended")

    def _end(self) -> None:
        self._check()
        self._open = False


class NdjsonWriter(_Ending):
    """Record, LF. Source: ndjson-spec 1.0.0, section 3.1."""

    def __init__(self, media_type: bytes = b"application/x-ndjson") -> None:
        self.media_type = media_type

    def messages(self, records: Sequence[bytes]) -> bytes:
        """Each record on a line."""
        self._check()
        return b"\n".join([*records, b""])

    def success(self, record: bytes | None) -> bytes:
        """The record on a line."""
        self._end()
        return b"" if record is None else record + b"\n"

    def failure(self, record: bytes | None) -> bytes:
        """The record on a line."""
        return self.success(record)

    def heartbeat(self) -> bytes:
        """A blank line, which readers skip."""
        self._check()
        return b"\n"


class ArrayWriter(_Ending):
    """One JSON array of all records, an element a line."""

    def __init__(self, media_type: bytes = b"application/json") -> None:
        self.media_type = media_type
        self._lead = b"["

    def messages(self, records: Sequence[bytes]) -> bytes:
        """The next elements."""
        self._check()
        if not records:
            return b""
        lead, self._lead = self._lead, b",\n"
        return lead + b",\n".join(records)

    def success(self, record: bytes | None) -> bytes:
        """The last element, if there is one, and the array's end."""
        elements = self.messages([] if record is None else [record])
        self._end()
        return (elements or (b"[" if self._lead == b"[" else b"")) + b"]\n"

    def failure(self, record: bytes | None) -> bytes:
        """The last element and the array's end; without a record the array stays open, so that no reader accepts it."""
        if record is not None:
            return self.success(record)
        self._end()
        return b""

    def heartbeat(self) -> bytes:
        """White space."""
        self._check()
        return b"\n"


class SeqWriter(_Ending):
    """RS, record, LF. Source: RFC 7464, section 2.2."""

    def __init__(self, media_type: bytes = b"application/json-seq") -> None:
        self.media_type = media_type

    def messages(self, records: Sequence[bytes]) -> bytes:
        """Each record between its separator and a line feed."""
        self._check()
        return b"\x1e" + b"\n\x1e".join(records) + b"\n" if records else b""

    def success(self, record: bytes | None) -> bytes:
        """The record."""
        last = self.messages([] if record is None else [record])
        self._end()
        return last

    def failure(self, record: bytes | None) -> bytes:
        """The record."""
        return self.success(record)

    def heartbeat(self) -> bytes:
        """Nothing: white space would belong to the record before it, a separator would begin one."""
        self._check()
        return b""
