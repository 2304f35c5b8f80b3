"""Bodies that are one field of a message: JSON to the field, and the field to JSON."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from asgi_grpc.codec import Codec, CodecOptions
from asgi_grpc.errors import DecodeError
from asgi_grpc.routing._fields import is_map

_one_value = msgspec.json.Decoder(msgspec.Raw).decode
_to_json = msgspec.json.Encoder().encode
# The first step of a path, as the codec writes it: ``.name`` or ``["any name"]``.
_FIRST_STEP = re.compile(r'\$(?:\.\w+|\["(?:[^"\\]|\\.)*"\])')


class FieldReader:
    """Decodes bodies that are one field of a request.

    Args:
        message: the request type.
        field: at the top level of it; of any type, repeated and maps too.
        options: of the codec.
    """

    def __init__(self, message: Descriptor, field: FieldDescriptor, options: CodecOptions) -> None:
        self._class = GetMessageClass(message)
        self._name = field.name
        self._whole = Codec(message, options)
        self._part = None
        if field.message_type is not None and not field.is_repeated:
            self._part = Codec(field.message_type, options)
        # A single scalar, a list and a map have no codec of their own: they are read as a message of one field.
        self._before = b"{" + _to_json(field.json_name) + b":"

    def read(self, frames: Sequence[bytes]) -> tuple[list[Message], DecodeError | None]:
        """Decode requests of which only the field is set, until a body is bad; paths begin at the body (``$``)."""
        if self._part is not None:
            return self._read_parts(self._part, frames)
        wrapped: list[bytes] = []
        refusal: DecodeError | None = None
        for frame in frames:
            try:
                _one_value(frame)  # a body that were more than one value could close our brace and go on
            except (msgspec.DecodeError, RecursionError):
                _, refusal = self._whole.decode_batch([frame])
                refusal = refusal or DecodeError(self._whole.descriptor.full_name, "$", "expected one JSON value")
                break
            wrapped.append(self._before + frame + b"}")
        messages, error = self._whole.decode_batch(wrapped)
        if error is None:
            return messages, refusal
        path = _FIRST_STEP.sub("$", error.path, count=1)
        again = DecodeError(error.message, path, error.problem, code=error.code, http_status=error.http_status)
        return messages, again

    def _read_parts(self, codec: Codec, frames: Sequence[bytes]) -> tuple[list[Message], DecodeError | None]:
        """Decode a field that is one message."""
        parts, error = codec.decode_batch(frames)
        messages: list[Message] = []
        for part in parts:
            message = self._class()
            getattr(message, self._name).CopyFrom(part)  # present then, even if empty
            messages.append(message)
        return messages, error


class FieldWriter:
    """Encodes replies of which only one field is the body.

    Args:
        message: the reply's type.
        field: at the top level of it; of any type, repeated and maps too.
        options: of the codec.
    """

    def __init__(self, message: Descriptor, field: FieldDescriptor, options: CodecOptions) -> None:
        self._class = GetMessageClass(message)
        self._field = field
        self._map = is_map(field)
        self._whole = Codec(message, replace(options, print_defaults=False))
        name = field.name if options.proto_names else field.json_name
        self._before = b"{" + _to_json(name) + b":"
        element = field.message_type
        if element is not None and self._map:
            element = element.fields_by_name["value"].message_type
        self._element = None if element is None else Codec(element, options)
        self._default = self._default_json(name, options)

    def write(self, messages: Sequence[Message]) -> list[bytes]:
        """Encode the field of each message; one that is not set is its default, or ``null``."""
        if self._element is None:
            return [self._scalars(message) for message in messages]
        write = self._element.encode
        name = self._field.name
        if self._map:
            entries: list[Any] = [getattr(message, name) for message in messages]
            return [
                b"{" + b",".join([_key(key) + b":" + write(value) for key, value in each.items()]) + b"}"
                for each in entries
            ]
        if self._field.is_repeated:
            return [b"[" + b",".join(map(write, getattr(message, name))) + b"]" for message in messages]
        return [write(getattr(m, name)) if m.HasField(name) else self._default for m in messages]

    def _scalars(self, message: Message) -> bytes:
        """Encode a field of scalars, as a message of one field, without the braces."""
        part: Any = self._class()
        value: Any = getattr(message, self._field.name)
        if self._field.is_repeated:
            getattr(part, self._field.name).MergeFrom(value)
        elif not self._field.has_presence or message.HasField(self._field.name):
            setattr(part, self._field.name, value)
        written = self._whole.encode(part)
        return written[len(self._before) : -1] if len(written) > 2 else self._default

    def _default_json(self, name: str, options: CodecOptions) -> bytes:
        """What the field is when it holds nothing."""
        if self._element is not None and not self._field.is_repeated:
            # A well-known type that is not an object has no JSON for nothing but null.
            return b"{}" if _is_object(self._element.descriptor) else b"null"
        written = Codec(self._class, replace(options, print_defaults=True)).encode(self._class())
        return bytes(msgspec.json.decode(written, type=dict[str, msgspec.Raw]).get(name, b"null"))


def _is_object(message: Descriptor) -> bool:
    """Tell whether the JSON form of an empty message is ``{}``."""
    return not message.full_name.startswith("google.protobuf.") or message.name in ("Struct", "Any", "Empty")


def _key(key: object) -> bytes:
    """A map's key in JSON: always a string."""
    return _to_json(str(key).lower() if isinstance(key, bool) else str(key))
