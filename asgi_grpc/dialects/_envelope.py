"""``envelope``: each record says its type; the spelling of the documents that the project began from."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from asgi_grpc.codec import CodecOptions
from asgi_grpc.dialects._dialect import Failure, joined, text


class EnvelopeDialect:
    """``{"type":"response","data":M}``, then ``{"type":"complete"}`` or ``{"type":"error",…}``. See ``Dialect``."""

    codec_options: CodecOptions = CodecOptions()
    ignore_unknown_query = False
    named_events = True

    def unary(self, message: bytes) -> bytes:
        """See ``Dialect.unary``."""
        return b'{"code":0,"message":"success","data":' + message + b"}"

    def unary_failure(self, failure: Failure) -> bytes:
        """See ``Dialect.unary_failure``; ``code`` is the HTTP status, ``status`` the gRPC code's name."""
        return b'{"code":%d,"message":%b,"data":null,"status":"%b","details":%b}' % (
            failure.http_status,
            text(failure.message),
            failure.code.name.encode(),
            joined(failure.details),
        )

    def messages(self, messages: list[bytes]) -> list[bytes]:
        """See ``Dialect.messages``."""
        return [b'{"type":"response","data":' + message + b"}" for message in messages]

    def success(self, trailers: Mapping[str, str]) -> bytes:
        """See ``Dialect.success``."""
        if not trailers:
            return b'{"type":"complete"}'
        return b'{"type":"complete","trailers":' + msgspec.json.encode(trailers) + b"}"

    def failure(self, failure: Failure) -> bytes:
        """See ``Dialect.failure``."""
        return b'{"type":"error",' + self.event_failure(failure)[1:]

    def event_failure(self, failure: Failure) -> bytes:
        """See ``Dialect.event_failure``: the failure record without its type, which is the event's name."""
        trailers = b',"trailers":' + msgspec.json.encode(failure.trailers) if failure.trailers else b""
        return b'{"error":%b,"code":"%b","details":%b%b}' % (
            text(failure.message),
            failure.code.name.encode(),
            joined(failure.details),
            trailers,
        )
