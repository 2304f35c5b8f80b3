"""``Codec``: JSON to one type of message, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import msgspec
from google.protobuf import any_pb2
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from asgi_grpc.codec._compile_in import Fill
from asgi_grpc.codec._compile_out import Read
from asgi_grpc.codec._fast_in import Decode
from asgi_grpc.codec._machinery import machinery
from asgi_grpc.codec._options import CodecOptions
from asgi_grpc.codec._quick import miss
from asgi_grpc.codec._refusal import EncodeError
from asgi_grpc.codec._scalars import write_bytes
from asgi_grpc.errors import DecodeError

_DEFAULT = CodecOptions()
_to_json = msgspec.json.Encoder().encode


def _not_compiled(*_: object) -> Any:
    miss()


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
        self.descriptor: Descriptor = cast(
            Descriptor, message if isinstance(message, Descriptor) else message.DESCRIPTOR
        )
        self.message_class: type[Message] = GetMessageClass(self.descriptor)
        self.options = options
        self._machinery = machinery(self.descriptor, options)
        self._short = self._machinery.short
        self._fill: Fill = _not_compiled
        self._decode: Decode = _not_compiled
        self._read: Read = _not_compiled

    def decode(self, data: bytes | str) -> Message:
        """Read one JSON document.

        Args:
            data: the whole document; ``bytes`` are UTF-8, without byte order mark.

        Raises:
            DecodeError: it is not JSON, or not the JSON of this message, or more than the options allow.
        """
        if len(data) > self._short:
            self._machinery.check(self.descriptor, data)
        try:
            message = self.message_class()
            self._fill(message, self._decode(data))
        except Exception:  # noqa: BLE001, S110 - whatever surprised the fast path, the complete path says what it means
            pass  # and says it outside of here: else its error would hold what surprised us, with the whole document
        else:
            return message
        return self._decode_again(data)

    def decode_batch(self, frames: Sequence[bytes]) -> tuple[list[Message], DecodeError | None]:
        """Read documents until one is bad.

        Returns:
            The messages before the first bad document, and its error; ``None`` if all are good. The number of the
            bad document is the length of the list.
        """
        messages: list[Message] = []
        keep = messages.append
        rest = iter(frames)
        short = self._short
        while True:
            message_class, fill, decode = self.message_class, self._fill, self._decode
            try:
                for data in rest:
                    if len(data) > short:
                        self._machinery.check(self.descriptor, data)
                    message = message_class()
                    fill(message, decode(data))
                    keep(message)
            except DecodeError as error:
                return messages, error.with_traceback(None)  # who raises it has it in a frame: no circle through ours
            except Exception:  # noqa: BLE001, S110 - as in decode(); every document before this one is kept
                pass
            else:
                return messages, None
            try:
                keep(self._decode_again(frames[len(messages)]))
            except DecodeError as error:
                return messages, error.with_traceback(None)

    def _decode_again(self, data: bytes | str) -> Message:
        """What the fast path did not take: compile it if this is the first time, try the other spelling of names,
        then take the complete path."""
        reader = self._machinery.fast_in.reader(self.descriptor)
        if self._decode is _not_compiled:
            self._fill, self._decode = reader.fill, reader.decode
            return self.decode(data)
        for decode in reader.decoders:
            if decode is not self._decode:
                try:
                    message = self.message_class()
                    reader.fill(message, decode(data))
                except Exception:  # noqa: BLE001, S110 - as in decode()
                    pass
                else:
                    self._decode = decode  # a peer that spells names so will do it again
                    return message
        return self._machinery.walk(self.message_class, data)

    def encode(self, message: Message) -> bytes:
        """Write a message as one JSON document without line breaks.

        Raises:
            EncodeError: the message has no JSON form, e.g. a Timestamp past the year 9999 or an Any of unknown type.
        """
        try:
            return _to_json(self._read(message))
        except Exception:  # noqa: BLE001 - as in decode()
            return self._encode_again(message)

    def encode_batch(self, messages: Sequence[Message]) -> list[bytes]:
        """Write each message as ``encode`` does.

        Raises:
            EncodeError: for the first that has no JSON form.
        """
        read, to_json = self._read, _to_json
        try:
            return [to_json(read(message)) for message in messages]
        except Exception:  # noqa: BLE001 - as in decode(); to write is not to consume: start over
            return [self.encode(message) for message in messages]

    def _encode_again(self, message: Message) -> bytes:
        """What the fast path did not take: compile it if this is the first time, then take the complete path."""
        if self._read is _not_compiled:
            self._read = self._machinery.fast_out.reader(self.descriptor)
            return self.encode(message)
        return self._machinery.print(message)


def check_wire(message: Descriptor, data: bytes, options: CodecOptions = _DEFAULT) -> None:
    """Refuse the wire form of a message that would become too much, before it is parsed.

    An empty message within another is two bytes there: 4 MiB of them take some 400 MiB when they are parsed.

    Args:
        message: the type.
        data: its wire form, or anything else.
        options: ``max_objects``: messages within one another are counted as objects in JSON are, ``Value``, wrappers,
            entries of maps and such as there. Bytes that can't hold so many are not looked at.

    Raises:
        DecodeError: too much, with ``RESOURCE_EXHAUSTED``; or it is no wire form.
    """
    machinery(message, options).check_wire(message, data)


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
