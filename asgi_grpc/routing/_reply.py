"""One binding's replies: all of each, or the field that ``response_body`` names, in every form that they have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from asgi_grpc.codec import Codec, CodecOptions
from asgi_grpc.errors import ConfigurationError, UsageError
from asgi_grpc.routing._body import FieldWriter
from asgi_grpc.routing._fields import HTTP_BODY, is_single_message, resolve_top_level


class Reply:
    """How the replies of one binding are written.

    Args:
        message: the reply's type.
        field: the name of the field that is the body; empty for the whole reply.
        options: of the codec.

    Attributes:
        encode: writes replies as JSON. Raises ``EncodeError``.
        gives_wire: the body is a message, and so has a protobuf wire form.
        gives_bytes: the body is a ``google.api.HttpBody``.

    Raises:
        ConfigurationError: there is no such field.
    """

    encode: Callable[[Sequence[Message]], list[bytes]]

    def __init__(self, message: Descriptor, field: str, options: CodecOptions) -> None:
        self._field = field
        body: Descriptor | None = message
        if field:
            try:
                found = resolve_top_level(message, field, "the response_body")
            except ValueError as problem:
                raise ConfigurationError(str(problem)) from None
            self.encode = FieldWriter(message, found, options).write
            body = found.message_type if is_single_message(found) else None
        else:
            self.encode = Codec(message, options).encode_batch
        self.gives_wire: bool = body is not None
        self.gives_bytes: bool = body is not None and body.full_name == HTTP_BODY

    def wire(self, message: Message) -> bytes:
        """Write a reply in the protobuf wire form.

        Raises:
            UsageError: the body is no message.
        """
        if not self.gives_wire:
            raise UsageError("wire() of a reply whose body is no message")
        written: bytes = self._body(message).SerializeToString()
        return written

    def content(self, message: Message) -> tuple[str, bytes]:
        """Give the content type and the bytes of a reply whose body is a ``google.api.HttpBody``.

        Raises:
            UsageError: it is none.
        """
        if not self.gives_bytes:
            raise UsageError("content() of a reply whose body is no google.api.HttpBody")
        body = self._body(message)
        return body.content_type, body.data

    def _body(self, message: Message) -> Any:  # its attributes are known only to its descriptor
        """The part of a reply that is the body."""
        return getattr(message, self._field) if self._field else message
