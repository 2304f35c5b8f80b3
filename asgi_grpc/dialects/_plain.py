"""``grpc-gateway`` and ``bare``: a message stands alone, and a failure is a ``google.rpc.Status``."""

from __future__ import annotations

from collections.abc import Mapping

from asgi_grpc.codec import CodecOptions
from asgi_grpc.dialects._dialect import Failure, joined, text


class BareDialect:
    """What Envoy's and ASP.NET's clients read: messages without a wrapping. See ``Dialect``.

    A stream that fails is broken off without its proper end, so that it can't pass for a whole one.
    """

    codec_options: CodecOptions = CodecOptions()
    ignore_unknown_query = False
    named_events = False

    def unary(self, message: bytes) -> bytes:
        """See ``Dialect.unary``."""
        return message

    def unary_failure(self, failure: Failure) -> bytes:
        """See ``Dialect.unary_failure``: ``google.rpc.Status`` as ProtoJSON."""
        return b'{"code":%d,"message":%b,"details":%b}' % (failure.code, text(failure.message), joined(failure.details))

    def messages(self, messages: list[bytes]) -> list[bytes]:
        """See ``Dialect.messages``."""
        return messages

    def success(self, trailers: Mapping[str, str]) -> bytes | None:  # noqa: ARG002 - the protocol's signature
        """None: this dialect has no success record."""
        return None

    def failure(self, failure: Failure) -> bytes | None:  # noqa: ARG002 - the protocol's signature
        """None: the connection is broken off."""
        return None

    def event_failure(self, failure: Failure) -> bytes:
        """See ``Dialect.event_failure``."""
        return self.unary_failure(failure)


class GrpcGatewayDialect(BareDialect):
    """What clients of grpc-gateway read: ``{"result":M}``, and ``{"error":…}`` at a failure. See ``Dialect``.

    As there, unknown fields and query parameters are ignored and fields without presence are always printed.
    """

    codec_options: CodecOptions = CodecOptions(ignore_unknown=True, print_defaults=True)
    ignore_unknown_query = True
    named_events = True

    def messages(self, messages: list[bytes]) -> list[bytes]:
        """See ``Dialect.messages``."""
        return [b'{"result":' + message + b"}" for message in messages]

    def failure(self, failure: Failure) -> bytes:
        """See ``Dialect.failure``."""
        return b'{"error":' + self.unary_failure(failure) + b"}"
