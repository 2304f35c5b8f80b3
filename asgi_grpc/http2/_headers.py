"""The header lists of a gRPC call: a method and metadata to fields, and fields to metadata and a status.

Source: gRPC over HTTP2, sections Requests and Responses.
"""

from __future__ import annotations

import binascii
import math
from collections.abc import Sequence
from urllib.parse import unquote_to_bytes

from asgi_grpc.calls import from_grpc, status_details
from asgi_grpc.errors import CallError, Code, Metadata
from asgi_grpc.http2._errors import code_of_http_status

Fields = Sequence[tuple[bytes, bytes]]
"""Header fields: lower-case names, pseudo-header fields first."""

_RESERVED = frozenset({b"content-type", b"te", b"trailer", b"content-length"})
_UNITS = ((1, b"S"), (1_000, b"m"), (1_000_000, b"u"), (1_000_000_000, b"n"))
_LONGEST = 99_999_999
_LEGAL = b"abcdefghijklmnopqrstuvwxyz0123456789_.-"  # in a key
_OURS = frozenset({"user-agent"})
_STATUSES = {str(int(code)): code for code in Code}


class RequestHeaders:
    """Makes the fields of requests to one place.

    Args:
        authority: host and port.
        scheme: ``http`` or ``https``.
        user_agent: who we are.
    """

    def __init__(self, authority: str, scheme: str, user_agent: str) -> None:
        self._before = [(b":method", b"POST"), (b":scheme", scheme.encode())]
        self._after = [
            (b":authority", authority.encode()),
            (b"te", b"trailers"),
            (b"content-type", b"application/grpc"),
            (b"user-agent", user_agent.encode()),
        ]

    def of(self, path: str, metadata: Metadata, timeout_s: float | None) -> list[tuple[bytes, bytes]]:
        """The fields of one request; ``user-agent`` of the metadata is ours, as in grpcio."""
        fields = [*self._before, (b":path", path.encode()), *self._after]
        if timeout_s is not None:
            fields.append((b"grpc-timeout", timeout_text(timeout_s)))
        for key, value in metadata:
            if key in _OURS:
                continue
            raw = binascii.b2a_base64(value, newline=False).rstrip(b"=") if isinstance(value, bytes) else value.encode()
            fields.append((key.encode(), raw))
        return fields


def timeout_text(timeout_s: float) -> bytes:
    """A timeout of at most eight digits, in the finest unit that holds it, never rounded down to less."""
    timeout_s = min(timeout_s, _LONGEST * 3600.0)
    for factor, unit in reversed(_UNITS):
        value = math.ceil(timeout_s * factor)
        if value <= _LONGEST:
            return b"%d%s" % (max(value, 1), unit)
    return b"%dH" % math.ceil(timeout_s / 3600)


def read_metadata(fields: Fields) -> list[tuple[str, str | bytes]]:
    """The metadata among fields, a status's own keys with them; a ``-bin`` field may hold several values.

    Keys that are not legal are left out: a header of HTTP/1.1 may be made of them.
    """
    pairs: list[tuple[str, str | bytes]] = []
    for name, value in fields:
        if name in _RESERVED or name.translate(None, _LEGAL) or not name:
            continue
        key = name.decode("latin-1")
        if key.endswith("-bin"):
            pairs += [(key, each) for part in value.split(b",") if (each := _from_base64(part)) is not None]
        else:
            pairs.append((key, value.decode("latin-1")))
    return pairs


def _from_base64(text: bytes) -> bytes | None:
    """A value, padded or not; None: it is not base64, and dropped."""
    text = text.strip().rstrip(b"=")
    try:
        return binascii.a2b_base64(text + b"=" * (-len(text) % 4), strict_mode=True)
    except binascii.Error:
        return None


def http_problem(fields: Fields) -> CallError | None:
    """What is wrong with a head that is not gRPC's: its HTTP status, or its content type."""
    head = dict(fields)
    status = head.get(b":status", b"")
    if status != b"200":
        code = code_of_http_status(int(status)) if status.isdigit() and len(status) == 3 else Code.INTERNAL
        return CallError(code, f"the service answered with the HTTP status {status.decode('latin-1')[:3]}")
    kind = head.get(b"content-type", b"")
    if not kind.startswith(b"application/grpc") or kind[16:17] not in (b"", b"+", b";"):
        return CallError(Code.UNKNOWN, "the service's answer is not of the content type application/grpc")
    return None


def read_status(trailers: Metadata) -> CallError | None:
    """The failure that trailers tell; None: OK."""
    found = dict(trailers)
    number = found.get("grpc-status")
    if number == "0":
        return None
    text = str(found.get("grpc-message", "")).encode("latin-1")  # raw UTF-8 in it is not legal, but is seen
    return CallError(
        _STATUSES.get(str(number), Code.UNKNOWN),
        unquote_to_bytes(text).decode("utf-8", "replace") if number is not None else "the service gave no status",
        details=status_details(trailers),
        trailers=from_grpc(trailers),
    )
