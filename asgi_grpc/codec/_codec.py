"""``Codec``: JSON to one type of message, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import msgspec
from google.protobuf import any_pb2
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from asgi_grpc.codec._machinery import machinery
from asgi_grpc.codec._options import CodecOptions
from asgi_grpc.codec._refusal import EncodeError
from asgi_grpc.codec._scalars import write_bytes
from asgi_grpc.errors import DecodeError

_DEFAULT = CodecOptions()
_to_json = msgspec.json.Encoder().encode


class Codec:
    """JSON documents to messages of one type, and back; all of ProtoJSON.

    Cheap to make: the machinery is shared by all codecs of one descriptor pool and one set of options, and compiled
    for a type when its first document comes. Safe from several threads.

    Args:
        message: a message class, or a descriptor, generated or made at run time.
        options: how JSON is read and written.

    Attributes:
        message_class: what ``decode`` returns.
        descriptor: of the message.
        options: as given.

    Source: the ProtoJSON format of the protobuf documentation; ``docs/json-mapping.md`` has where we go our own way.
    """

    def __init__(self, message: type[Message] | Descriptor, options: CodecOptions = _DEFAULT) -> None:
        self.descriptor = cast(Descriptor, message if isinstance(message, Descriptor) else message.DESCRIPTOR)
        self.message_class: type[Message] = GetMessageClass(self.descriptor)
        self.options = options
        self._machinery = machinery(self.descriptor, options)

    def decode(self, data: bytes | str) -> Message:
        """Read one JSON document.

        Args:
            data: the whole document; ``bytes`` are UTF-8, without byte order mark.

        Raises:
            DecodeError: it is not JSON, or not the JSON of this message.
        """
        return self._machinery.walk(self.message_class, data)

    def decode_batch(self, frames: Sequence[bytes]) -> tuple[list[Message], DecodeError | None]:
        """Read documents until one is bad.

        Returns:
            The messages before the first bad document, and its error; ``None`` if all are good. The number of the
            bad document is the length of the list.
        """
        messages: list[Message] = []
        try:
            messages.extend(self._machinery.walk(self.message_class, frame) for frame in frames)
        except DecodeError as error:
            return messages, error
        return messages, None

    def encode(self, message: Message) -> bytes:
        """Write a message as one JSON document without line breaks.

        Raises:
            EncodeError: the message has no JSON form, e.g. a Timestamp past the year 9999 or an Any of unknown type.
        """
        return self._machinery.print(message)

    def encode_batch(self, messages: Sequence[Message]) -> list[bytes]:
        """Write each message as ``encode`` does.

        Raises:
            EncodeError: for the first that has no JSON form.
        """
        return [self._machinery.print(message) for message in messages]


def encode_any(type_url: str, value: bytes, options: CodecOptions = _DEFAULT) -> bytes:
    """Write a ``google.protobuf.Any``, e.g. a detail of a status, as one JSON document.

    A type that neither ``options.registry`` nor the default pool knows, or bytes that have no JSON form, are no
    error here: they become ``{"@type": type_url, "value": "<base64>"}``.
    """
    message = any_pb2.Any(type_url=type_url, value=value)
    for registry in dict.fromkeys((options.registry, None)):
        try:
            return Codec(any_pb2.Any, replace(options, registry=registry)).encode(message)
        except EncodeError:
            continue
    return _to_json({"@type": type_url, "value": write_bytes(value)})
