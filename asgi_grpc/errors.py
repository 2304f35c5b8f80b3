"""Every exception of the package, the ``Code`` enum, and the tables from a code to an HTTP status.

A class for each different reaction, an attribute for each cause. Texts help a stranger to mend the request: what was
expected, what came, where; never the payload, never a traceback.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence


class Code(enum.IntEnum):
    """The canonical gRPC status codes. Source: google/rpc/code.proto."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16

    @property
    def http_status(self) -> int:
        """The HTTP status of a failed call, as the comments of google/rpc/code.proto map it."""
        return _HTTP_STATUS[self]

    @property
    def close_code(self) -> int:
        """The WebSocket close code: 1000 for OK, else 4000 plus the code's number."""
        return 4000 + self if self else 1000


_HTTP_STATUS = {
    Code.OK: 200,
    Code.CANCELLED: 499,
    Code.UNKNOWN: 500,
    Code.INVALID_ARGUMENT: 400,
    Code.DEADLINE_EXCEEDED: 504,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.PERMISSION_DENIED: 403,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.FAILED_PRECONDITION: 400,
    Code.ABORTED: 409,
    Code.OUT_OF_RANGE: 400,
    Code.UNIMPLEMENTED: 501,
    Code.INTERNAL: 500,
    Code.UNAVAILABLE: 503,
    Code.DATA_LOSS: 500,
    Code.UNAUTHENTICATED: 401,
}

Metadata = Sequence[tuple[str, str | bytes]]
"""Metadata as gRPC has it: lower-case keys; ``bytes`` values under keys that end in ``-bin``, text under all others."""

Detail = tuple[str, bytes]
"""One ``google.protobuf.Any`` of a status: its type URL and its serialized value."""


class AsgiGrpcError(Exception):
    """The base of all exceptions that this package raises on purpose."""


class ConfigurationError(AsgiGrpcError):
    """Fix your wiring: raised at start-up, never while serving."""


class UsageError(AsgiGrpcError):
    """Fix your code: we were called out of turn."""


class RequestError(AsgiGrpcError):
    """Refuse the peer.

    Attributes:
        code: what a gRPC client would be told.
        http_status: what an HTTP client is told while the answer has not begun.
        headers: response headers that belong to the refusal, e.g. ``Allow``.
    """

    code: Code = Code.INVALID_ARGUMENT

    def __init__(
        self,
        message: str,
        *,
        code: Code | None = None,
        http_status: int | None = None,
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code
        self.http_status: int = http_status or self.code.http_status
        self.headers: tuple[tuple[bytes, bytes], ...] = tuple(headers)


class FramingError(RequestError):
    """The bytes of a stream can't be cut into frames.

    Attributes:
        offset: of the bad frame's first byte, from the stream's start.
    """

    def __init__(
        self, message: str, *, offset: int, code: Code = Code.INVALID_ARGUMENT, http_status: int | None = None
    ) -> None:
        super().__init__(message, code=code, http_status=http_status)
        self.offset = offset


class DecodeError(RequestError):
    """A frame is not JSON, or not the JSON of its message.

    Attributes:
        message: full name of the protobuf message, e.g. ``"library.v1.Book"``.
        path: where in the document, e.g. ``"$.pages[3].number"``.
        problem: what is wrong there, a sentence without the path.
    """

    def __init__(
        self, message: str, path: str, problem: str, *, code: Code | None = None, http_status: int | None = None
    ) -> None:
        super().__init__(f"{message}: {problem} at {path}", code=code, http_status=http_status)
        self.message = message
        self.path = path
        self.problem = problem


class NoSuchRoute(RequestError):  # noqa: N818 - it says what happened; the family's name is in its base
    """No binding serves this path."""

    code = Code.NOT_FOUND


class MethodNotAllowed(RequestError):  # noqa: N818 - RFC 9110's own term
    """The path exists under other HTTP methods.

    Attributes:
        allow: those methods, sorted. Source: RFC 9110, section 15.5.6.
    """

    code = Code.UNIMPLEMENTED

    def __init__(self, message: str, *, allow: Sequence[str]) -> None:
        super().__init__(message, http_status=405, headers=[(b"allow", ", ".join(allow).encode("ascii"))])
        self.allow: tuple[str, ...] = tuple(allow)


class CallError(AsgiGrpcError):
    """Pass on what the service said.

    Attributes:
        code: never ``Code.OK``.
        message: the status message, text for people.
        details: the ``Any`` values of the status.
        trailers: trailing metadata, without the status's own keys.
    """

    def __init__(self, code: Code, message: str, *, details: Sequence[Detail] = (), trailers: Metadata = ()) -> None:
        super().__init__(f"{code.name}: {message}")
        self.code = code
        self.message = message
        self.details: tuple[Detail, ...] = tuple(details)
        self.trailers: tuple[tuple[str, str | bytes], ...] = tuple(trailers)
