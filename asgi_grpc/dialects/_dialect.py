"""How a message, a success and a failure are spelled; one object for each way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

from asgi_grpc.codec import CodecOptions
from asgi_grpc.errors import Code


class Failure(msgspec.Struct, frozen=True):
    """A call that failed, ready to be spelled.

    Attributes:
        code: never ``Code.OK``.
        message: text for people.
        details: each one ProtoJSON of a ``google.protobuf.Any``.
        http_status: for an answer that has not begun.
        trailers: trailing metadata as text by key.
    """

    code: Code
    message: str
    details: tuple[bytes, ...] = ()
    http_status: int = 500
    trailers: Mapping[str, str] = {}


class Dialect(Protocol):
    """The spelling of records. Every argument and result is the bytes of one JSON value without line breaks.

    Attributes:
        codec_options: how messages are read and printed in this dialect.
        ignore_unknown_query: query parameters that name no field are no error.
        named_events: Server-Sent Events carry the record's type as the event's name.
    """

    codec_options: CodecOptions
    ignore_unknown_query: bool
    named_events: bool

    def unary(self, message: bytes) -> bytes:
        """The body of a successful answer that is one message."""
        ...

    def unary_failure(self, failure: Failure) -> bytes:
        """The body of an answer that failed before it began."""
        ...

    def messages(self, messages: list[bytes]) -> list[bytes]:
        """The records of a stream's messages, in order."""
        ...

    def success(self, trailers: Mapping[str, str]) -> bytes | None:
        """The last record of a stream that succeeded; None: this dialect has none."""
        ...

    def failure(self, failure: Failure) -> bytes | None:
        """The last record of a stream that failed; None: the connection is broken off instead."""
        ...

    def event_failure(self, failure: Failure) -> bytes:
        """The data of an SSE event that is named ``error``."""
        ...


def joined(parts: tuple[bytes, ...]) -> bytes:
    """A JSON array of ready JSON values."""
    return b"[" + b",".join(parts) + b"]"


def text(value: str) -> bytes:
    """A JSON string. Lone surrogates, which JSON can't carry, become question marks."""
    return msgspec.json.encode(value.encode("utf-8", "replace").decode())
