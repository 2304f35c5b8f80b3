"""Lines in, text frames of the ``asgi-grpc.records.v1`` subprotocol out."""

from __future__ import annotations

from asgi_grpc.cli._source import SourceError

SUBPROTOCOL = "asgi-grpc.records.v1"
END = '{"type":"end"}'

_MAX_FRAME_BYTES = 64 << 10  # the cost of a frame vanishes, and every server takes it
_MAX_LINE_BYTES = 64 << 20
_BEFORE = b'{"type":"request","data":'
_BETWEEN = b"}\n" + _BEFORE
_AFTER = b"}"
_BOM = b"\xef\xbb\xbf"


class LinePacker:
    """Packs the messages of an NDJSON stream, one a line, into as few frames as possible.

    Whether a line is JSON is the server's to say. Blank lines are skipped; the last line needs no LF; a byte order
    mark at the very start is dropped.

    Attributes:
        messages: packed so far.
    """

    def __init__(self) -> None:
        self.messages = 0
        self._tail = bytearray()  # the last line so far; no LF in it
        self._fresh = True

    def feed(self, chunk: bytes) -> list[str]:
        """The frames of all lines that end in this chunk.

        Raises:
            SourceError: a line is longer than 64 MiB, or not UTF-8.
        """
        *lines, rest = chunk.split(b"\n")
        if lines:
            lines[0] = bytes(self._tail) + lines[0]
            self._tail.clear()
        self._tail += rest
        if len(self._tail) > _MAX_LINE_BYTES:
            raise SourceError(
                f"message {self.messages + 1} is longer than {_MAX_LINE_BYTES >> 20} MiB: is it one a line?"
            )
        return self._pack(lines)

    def close(self) -> list[str]:
        """The frame of a last line without LF.

        Raises:
            SourceError: it is not UTF-8.
        """
        return self._pack([bytes(self._tail)])

    def _pack(self, lines: list[bytes]) -> list[str]:
        if self._fresh and lines:
            self._fresh = False
            lines[0] = lines[0].removeprefix(_BOM)
        frames: list[str] = []
        batch: list[bytes] = []
        size = 0
        for line in lines:
            if not line or line.isspace():
                continue
            size += len(line) + len(_BETWEEN)
            if size > _MAX_FRAME_BYTES and batch:
                frames.append(self._frame(batch))
                batch = []
                size = len(line) + len(_BETWEEN)
            batch.append(line)
        if batch:
            frames.append(self._frame(batch))
        return frames

    def _frame(self, batch: list[bytes]) -> str:
        try:
            text = (_BEFORE + _BETWEEN.join(batch) + _AFTER).decode()
        except UnicodeDecodeError as exc:
            bad = next(n for n, line in enumerate(batch) if not _is_utf8(line))
            raise SourceError(f"message {self.messages + bad + 1} is not UTF-8, and can't be sent as text") from exc
        self.messages += len(batch)
        return text


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
