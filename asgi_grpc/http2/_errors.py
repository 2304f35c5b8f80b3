"""What may go wrong between two ends of HTTP/2, and what gRPC calls it.

Sources: RFC 9113, section 7; gRPC over HTTP2, section Errors.
"""

from __future__ import annotations

import enum

from asgi_grpc.errors import AsgiGrpcError, Code


class ErrorCode(enum.IntEnum):
    """Source: RFC 9113, section 7."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2
    FLOW_CONTROL_ERROR = 3
    SETTINGS_TIMEOUT = 4
    STREAM_CLOSED = 5
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    CANCEL = 8
    COMPRESSION_ERROR = 9
    CONNECT_ERROR = 10
    ENHANCE_YOUR_CALM = 11
    INADEQUATE_SECURITY = 12
    HTTP_1_1_REQUIRED = 13


_CODES: dict[int, Code] = {
    ErrorCode.REFUSED_STREAM: Code.UNAVAILABLE,
    ErrorCode.CANCEL: Code.CANCELLED,
    ErrorCode.ENHANCE_YOUR_CALM: Code.RESOURCE_EXHAUSTED,
    ErrorCode.INADEQUATE_SECURITY: Code.PERMISSION_DENIED,
}

_STATUS_CODES = {
    400: Code.INTERNAL,
    401: Code.UNAUTHENTICATED,
    403: Code.PERMISSION_DENIED,
    404: Code.UNIMPLEMENTED,
    429: Code.UNAVAILABLE,
    502: Code.UNAVAILABLE,
    503: Code.UNAVAILABLE,
    504: Code.UNAVAILABLE,
}


def code_of_reset(number: int) -> Code:
    """The gRPC code of RST_STREAM; INTERNAL for whatever has none of its own."""
    return _CODES.get(number, Code.INTERNAL)


def code_of_http_status(status: int) -> Code:
    """The gRPC code of an answer that has no ``grpc-status``.

    Source: gRPC, "HTTP to gRPC Status Code Mapping".
    """
    return _STATUS_CODES.get(status, Code.UNKNOWN)


class Http2Error(AsgiGrpcError):
    """The service breaks the rules of HTTP/2.

    Attributes:
        code: what the service is told.
        problem: what is wrong.
    """

    def __init__(self, code: ErrorCode, problem: str) -> None:
        super().__init__(f"{code.name}: {problem}")
        self.code = code
        self.problem = problem


class Http2ConnectionError(Http2Error):
    """The whole connection ends."""


class Http2StreamError(Http2Error):
    """Only one stream ends."""


class HeadersTooLargeError(Http2StreamError):
    """A header list is larger than we said that we take: no rule is broken, as what we say is only advice.

    Source: RFC 9113, section 10.5.1.
    """

    def __init__(self, limit: int) -> None:
        super().__init__(ErrorCode.CANCEL, f"headers of more than {limit} bytes")


class StreamRefused(AsgiGrpcError):  # noqa: N818 - it is the term of RFC 9113
    """The service says that it has not begun with a call: it may be made again elsewhere.

    Source: RFC 9113, section 8.7.
    """
