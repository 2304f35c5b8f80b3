"""What all connections share: the wiring, made once and never changed while serving."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from asgi_grpc.asgi._head import Head
from asgi_grpc.asgi._running import RunningCalls
from asgi_grpc.calls import Backend, MetadataRule, parse_timeout, request_metadata, response_headers, to_text
from asgi_grpc.codec import CodecOptions, EncodeError, encode_any
from asgi_grpc.dialects import Dialect, Failure
from asgi_grpc.errors import CallError, Code, Metadata, RequestError
from asgi_grpc.limits import Limits
from asgi_grpc.routing import Router
from asgi_grpc.schema import Method
from asgi_grpc.telemetry import Observers

error_log = logging.getLogger("asgi_grpc.error")


@dataclass(kw_only=True)
class Gateway:
    """The wiring of one middleware, and its running calls.

    Attributes:
        router: finds the method of a request.
        backend: where the methods live.
        dialect: how answers are spelled.
        codec_options: the dialect's, or what the user set instead; with the types that ``Any`` may hold.
        limits: bounds on every call.
        own_limits: those of single methods instead, by full name.
        metadata_rule: which headers become metadata.
        header_rule: which metadata become headers; None: all, behind ``Grpc-Metadata-``.
        strict_body: bodies of one message must not contradict the path either.
        origins: allowed besides the same origin; ``"*"`` for all.
        half_close_after_idle_s: ends the input of a WebSocket that says no more; None: never.
        early_headers: the head of a stream leaves when the call is accepted.
        heartbeat_s: silence after which an HTTP stream gets a sign of life; None: never.
        observers: are told of every call; None: nobody is.
        running: the calls of this moment.
    """

    router: Router
    backend: Backend
    dialect: Dialect
    codec_options: CodecOptions
    limits: Limits
    own_limits: Mapping[str, Limits]
    metadata_rule: MetadataRule
    header_rule: MetadataRule | None
    strict_body: bool
    origins: Collection[str] | Literal["*"]
    half_close_after_idle_s: float | None
    early_headers: bool
    heartbeat_s: float | None
    observers: Observers | None
    running: RunningCalls = field(init=False)

    def __post_init__(self) -> None:
        self.running = RunningCalls(self.limits, self.own_limits)

    def limits_of(self, method: Method) -> Limits:
        """The bounds on a call of a method."""
        return self.own_limits.get(method.full_name, self.limits) if self.own_limits else self.limits

    def metadata(self, head: Head) -> Metadata:
        """The metadata of a request.

        Raises:
            RequestError: a ``-bin`` header is not base64.
        """
        client = head.scope.get("client")
        return request_metadata(head.pairs, self.metadata_rule, client[0] if client else None)

    def response_headers(self, metadata: Metadata) -> list[tuple[bytes, bytes]]:
        """The headers of header metadata."""
        if not metadata:
            return []
        if self.header_rule is None:
            return response_headers(metadata)
        named = [(self.header_rule(key), value) for key, value in metadata]
        return response_headers([(name.lower(), value) for name, value in named if name is not None], prefix="")

    def deadline_s(self, head: Head, limits: Limits) -> float | None:
        """Seconds that the client, or the default of these limits, gives the call.

        Raises:
            RequestError: ``Grpc-Timeout`` is malformed.
        """
        text = head.get(b"grpc-timeout")
        given = limits.default_deadline_s if text is None else parse_timeout(text)
        longest = limits.max_deadline_s
        return given if longest is None or (given is not None and given < longest) else longest

    def failure(self, exc: Exception, call: Mapping[str, str] | None = None) -> Failure:
        """What the client is told of an exception; one that is our bug is logged here, once.

        Args:
            exc: why the call failed.
            call: what the log says of it, as fields of the record.
        """
        match exc:
            case CallError():
                return Failure(
                    code=exc.code,
                    message=exc.message,
                    details=tuple(encode_any(*detail, self.codec_options) for detail in exc.details),
                    http_status=exc.code.http_status,
                    trailers=to_text(exc.trailers),
                )
            case RequestError():
                return Failure(code=exc.code, message=str(exc), http_status=exc.http_status)
            case EncodeError():
                error_log.error("a reply has no JSON form: %s", exc, extra={**(call or {}), "code": "INTERNAL"})
                return Failure(code=Code.INTERNAL, message=f"the reply has no JSON form: {exc}", http_status=500)
            case _:
                extra = {**(call or {}), "code": "INTERNAL"}
                error_log.error("serving a request failed", exc_info=exc, extra=extra)
                return Failure(code=Code.INTERNAL, message="internal error", http_status=500)
