"""Whether a call succeeded, told from its last record, its status and how its answer ended.

The rules are those of the dialects: ``envelope`` says so in a record of its own; ``grpc-gateway`` and ``bare`` have no
success record, and a proper end of the answer is theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from asgi_grpc.errors import Code

_KEPT_BYTES = 1 << 20  # of a record: a last one with all its trailers and details is far smaller
_SHOWN_CHARS = 500
_CALL_FAILED = "the call failed: "


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """How a call ended.

    Attributes:
        success: decides the exit status.
        text: what to tell people, one line; empty where nothing needs to be said.
    """

    success: bool
    text: str = ""


SUCCESS = Verdict(success=True)


def failed(text: str) -> Verdict:
    """A failure, in one line."""
    return Verdict(success=False, text=text)


class LastRecord:
    """Remembers the last record of a stream of lines, however it is cut; looks at every byte once.

    Attributes:
        records: lines seen so far, an unfinished one not included.
    """

    def __init__(self) -> None:
        self.records = 0
        self._last = b""
        self._tail = bytearray()  # the unfinished line; beyond a bound its rest is dropped

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes in."""
        end = chunk.rfind(b"\n")
        if end < 0:
            self._keep(chunk)
            return
        self.records += chunk.count(b"\n")
        whole = chunk[:end].rstrip()  # blank lines are signs of life, and no records
        begin = whole.rfind(b"\n") + 1
        if begin == 0:
            self._keep(whole)
        line = whole[begin : begin + _KEPT_BYTES] if begin else bytes(self._tail)
        self._last = line if line.strip() else self._last
        self._tail.clear()
        self._keep(chunk[end + 1 :])

    def value(self) -> bytes:
        """The last line that is not blank; empty where there was none."""
        tail = bytes(self._tail)
        return tail if tail.strip() else self._last

    def _keep(self, part: bytes) -> None:
        self._tail += part[: _KEPT_BYTES - len(self._tail)]


def judge_stream(last: bytes, *, strict: bool = False) -> Verdict:
    """Whether a stream of records that ended properly succeeded.

    Args:
        last: its last record; empty if there was none.
        strict: only the success record of ``envelope`` counts.
    """
    try:
        record = msgspec.json.decode(last) if last else None
    except msgspec.DecodeError:
        return failed("the last record is not JSON: it was cut off, or this is no gateway")
    fields = record if isinstance(record, dict) else {}
    if failure := _failure(fields):
        return failed(failure)
    if fields.get("type") == "complete":
        return SUCCESS
    if strict or fields.get("type") == "response":
        return failed("the answer ended without a success record")
    return SUCCESS


def judge_websocket(last: bytes, code: int, reason: str) -> Verdict:
    """Whether a WebSocket that was closed properly saw a success: its record, and then code 1000."""
    verdict = judge_stream(last, strict=True)
    if code == 1000 or verdict.text.startswith(_CALL_FAILED):
        return verdict
    return failed(f"the server closed the WebSocket with code {code} {shown(reason)}".rstrip())


def judge_refusal(status: int, headers: dict[str, str], body: bytes) -> Verdict:
    """What an answer says that is no success.

    Args:
        status: its HTTP status.
        headers: names in lower case.
        body: the beginning of its body.
    """
    try:
        answer = msgspec.json.decode(body)
    except msgspec.DecodeError:
        answer = None
    if isinstance(answer, dict) and isinstance(answer.get("message"), str):
        return failed(f"HTTP {status}: {_error(answer.get('status') or answer.get('code'), answer['message'])}")
    if 300 <= status < 400 and "location" in headers:
        return failed(f"HTTP {status}: it has moved to {shown(headers['location'])}: call that")
    kind = media_type(headers) or "an answer without a type"
    return failed(f"HTTP {status} with {shown(kind)}: this does not look like an asgi_grpc gateway; check the URL")


def _failure(fields: dict[str, Any]) -> str | None:
    """The line for a failure record of either dialect that has one; None: it is no such record."""
    if fields.get("type") == "error":
        return f"{_CALL_FAILED}{_error(fields.get('code'), fields.get('error'))}"
    error = fields.get("error")
    if len(fields) == 1 and isinstance(error, dict):
        return f"{_CALL_FAILED}{_error(error.get('code'), error.get('message'))}"
    return None


def media_type(headers: dict[str, str]) -> str:
    """The type of an answer, in lower case, without parameters."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _error(code: Any, message: Any) -> str:
    """A failure's code, by name, and message."""
    if isinstance(code, int):
        code = Code(code).name if code in Code._value2member_map_ else str(code)
    return shown(": ".join(part for part in (code, message) if isinstance(part, str) and part) or "no reason given")


def shown(text: str) -> str:
    """Text from a peer as one short line that does nothing to a terminal."""
    line = " ".join(text.split())
    line = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line)
    return line if len(line) <= _SHOWN_CHARS else line[:_SHOWN_CHARS] + "…"
