"""The fast path in: decoders and generated functions by type, compiled when a type is first met.

The rule: it may refuse anything, but may never accept what the complete path refuses, nor read it differently.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from asgi_grpc.codec._compile_in import FILL_JSON, Fill, Fillers, Surroundings
from asgi_grpc.codec._levels import Levels
from asgi_grpc.codec._options import CodecOptions
from asgi_grpc.codec._plan import Kind, MessagePlan
from asgi_grpc.codec._quick import DECODE_BASE64, Miss, miss
from asgi_grpc.codec._structs import StructTypes
from asgi_grpc.codec._types import Types

Decode = Callable[[Any], Any]

COMPILING = threading.RLock()
"""Held while anything is compiled in this process, decoders included: two threads that make the first decoder of one
graph of Struct types at the same time crash the interpreter (msgspec 0.22)."""

_LONG = 4000  # digits: far past every number that fits a field, below the longest that a JSON parser turns into one
_ANY_LEVELS = 10
"""The level to which an Any is read here: one within another is scanned once more, which the complete path does not."""
_DIGITS = str.maketrans(dict.fromkeys("123456789", "0"))


class Reader:
    """What reads one type.

    Attributes:
        message_class: of the message.
        fill: moves a decoded Struct into a message.
        decode: text with JSON names to a Struct.
    """

    def __init__(
        self, message_class: type[Message], fill: Fill, decode: Decode, compile_other: Callable[[], Decode | None]
    ) -> None:
        self.message_class = message_class
        self.fill = fill
        self.decode = decode
        self._compile_other = compile_other
        self._other: tuple[Decode | None] | None = None

    @property
    def other(self) -> Decode | None:
        """Text with the names of the .proto files to a Struct, compiled when first asked for; None: no name differs."""
        if self._other is None:
            with COMPILING:
                self._other = (self._compile_other(),)
        return self._other[0]

    @property
    def decoders(self) -> list[Decode]:
        """One or both."""
        return [self.decode] if self.other is None else [self.decode, self.other]


class FastIn:
    """The readers of one pool and one set of options. Found without a lock, made under one, published last.

    Args:
        types: where types are looked up.
        options: how JSON is read.
        walk_any: the type URL and the bytes of an Any that holds a well-known type, by the complete path.
    """

    def __init__(
        self, types: Types, options: CodecOptions, walk_any: Callable[[msgspec.Raw, int], tuple[str, bytes]]
    ) -> None:
        self._types = types
        self._walk_any = walk_any
        self._ignore_unknown = options.ignore_unknown
        self._levels = Levels(types, options.max_depth)
        self._structs = {
            proto_names: StructTypes(
                types,
                proto_names=proto_names,
                ignore_unknown=options.ignore_unknown,
                text_bytes=DECODE_BASE64 is not None,
            )
            for proto_names in (False, True)
        }
        self._fillers = Fillers(
            Surroundings(
                types=types,
                levels=self._levels,
                possible=self._possible,
                aliases=self._structs[False].aliases,
                read_any=self._read_any,
                decode_base64=DECODE_BASE64,
                allow_partial=options.allow_partial,
            )
        )
        self._readers: dict[Descriptor, Reader] = {}
        self._in_any: dict[str, tuple[Reader | None, int | None, bool]] = {}

    def reader(self, descriptor: Descriptor) -> Reader:
        """What reads whole documents of one type; it raises, whatever it reads, where there is no fast path."""
        found = self._readers.get(descriptor)
        if found is None:
            with COMPILING:
                found = self._readers.get(descriptor)
                if found is None:
                    found = self._compile(descriptor, in_any=False)
                    self._readers[descriptor] = found
        return found

    def _possible(self, plan: MessagePlan) -> bool:
        if plan.extendable and self._ignore_unknown:
            return False  # an extension's key would be skipped as unknown
        if plan.shadowing:
            return False
        return self._structs[False].of(plan.descriptor) is not None

    def _compile(self, descriptor: Descriptor, *, in_any: bool) -> Reader:
        plan = self._types.plan(descriptor)
        message_class = GetMessageClass(descriptor)
        if plan.kind in FILL_JSON:
            fill_json = partial(FILL_JSON[plan.kind], room=self._levels.limit - 1)
            return Reader(message_class, fill_json, msgspec.json.Decoder().decode, lambda: None)
        if plan.kind is not Kind.MESSAGE:
            return Reader(message_class, _never, _never, lambda: None)
        fill = self._fillers.of(descriptor)
        decode = self._decoder(descriptor, in_any=in_any, proto_names=False)
        return Reader(message_class, fill, decode or _never, lambda: self._other_decoder(descriptor, in_any=in_any))

    def _other_decoder(self, descriptor: Descriptor, *, in_any: bool) -> Decode | None:
        for plan in self._types.reachable(descriptor):
            if any(field.name != field.json_name for field in plan.fields):
                return self._decoder(descriptor, in_any=in_any, proto_names=True)
        return None

    def _decoder(self, descriptor: Descriptor, *, in_any: bool, proto_names: bool) -> Decode | None:
        fields = self._structs[proto_names].of(descriptor, in_any=in_any)
        if fields is None:
            return None
        decode = msgspec.json.Decoder(fields, strict=False).decode
        return _checked(decode) if self._ignore_unknown and not in_any else decode

    def _read_any(self, raw: msgspec.Raw, level: int) -> tuple[str, bytes]:
        """The type URL and the bytes of an Any whose type is known."""
        if level > _ANY_LEVELS:
            raise Miss
        url = _decode_header(raw).url
        authority, _, name = url.rpartition("/")
        if not authority or authority[0] == "/":
            raise Miss
        reader, bound, has_maps = self._in_any.get(name) or self._any_reader(name)
        if reader is None:
            return self._walk_any(raw, level)
        message = reader.message_class()
        try:
            fields = reader.decode(raw)
        except msgspec.ValidationError:
            if reader.other is None:
                raise
            fields = reader.other(raw)
        if bound is None:
            reader.fill(message, fields, level)
        elif level + bound > self._levels.limit:
            raise Miss
        else:
            reader.fill(message, fields)
        if has_maps:
            return url, message.SerializePartialToString(deterministic=True)
        return url, message.SerializePartialToString()  # the same bytes, in a third of the time

    def _any_reader(self, name: str) -> tuple[Reader | None, int | None, bool]:
        """What reads a type in an Any, the levels it takes at most, and whether its bytes have an order to be kept."""
        plan = self._types.named(name)
        if plan is None:
            raise Miss
        if plan.kind is not Kind.MESSAGE:
            return None, None, False
        with COMPILING:
            reader = self._compile(plan.descriptor, in_any=True)
            bound = None if self._levels.counted(plan.descriptor) else self._levels.bound(plan.descriptor)
            has_maps = any(
                field.key is not None or (field.value or field).kind in (Kind.STRUCT, Kind.VALUE, Kind.LIST_VALUE)
                for inner in self._types.reachable(plan.descriptor)
                for field in inner.fields
            )
            found = self._in_any[name] = (reader, bound, has_maps)
        return found


def _never(*_: object) -> Any:
    miss()


def _checked(decode: Decode) -> Decode:
    """What is skipped is not looked at by the decoder, so it is checked here: it must be UTF-8, its numbers sane."""

    def check_and_decode(data: bytes | str) -> Any:
        text = data if isinstance(data, str) else str(data, "utf-8")
        if len(text) > _LONG and "0" * _LONG in text.translate(_DIGITS):
            raise Miss
        return decode(text)

    return check_and_decode


class _AnyHeader(msgspec.Struct, gc=False, rename={"url": "@type"}):
    """The one key of an Any that must be read before the others."""

    url: str


_decode_header = msgspec.json.Decoder(_AnyHeader).decode
