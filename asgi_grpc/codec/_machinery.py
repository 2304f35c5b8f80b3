"""What codecs of one descriptor pool and one set of options share: types, walker and printer, made once."""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from typing import cast

import msgspec
from google.protobuf.any_pb2 import Any
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message

from asgi_grpc.codec._count import OBJECTS, VALUES, holds_more
from asgi_grpc.codec._fast_in import FastIn
from asgi_grpc.codec._fast_out import FastOut
from asgi_grpc.codec._options import CodecOptions
from asgi_grpc.codec._plan import FieldPlan, Kind
from asgi_grpc.codec._print import Printer
from asgi_grpc.codec._refusal import EncodeError, Refusal, too_deep, too_deep_for_wire, too_many
from asgi_grpc.codec._tree import read_tree
from asgi_grpc.codec._types import Types
from asgi_grpc.codec._walk import Walker
from asgi_grpc.errors import Code, DecodeError

_to_json = msgspec.json.Encoder().encode
_COSTLY_KINDS = (Kind.STRUCT, Kind.VALUE, Kind.LIST_VALUE, Kind.ANY)
_COSTLY_IN_LISTS = (Kind.WRAPPER, Kind.BYTES)
_VALUES_FOR_EACH = 5
_MOST = 64  # sets of machinery kept: enough for every schema and dialect of a process; a codec keeps its own alive


class Machinery:
    """Everything that one pool and one set of options need, filled lazily by descriptor.

    Attributes:
        options: how JSON is read and written.
        short: the length up to which a document can't hold too many objects.
        types: where types are looked up.
        walker: the complete path in.
        printer: the complete path out.
        fast_in: the fast path in.
        fast_out: the fast path out.
    """

    def __init__(self, pool: DescriptorPool, options: CodecOptions) -> None:
        self.options = options
        self.short = sys.maxsize if options.max_objects is None else options.max_objects
        self._costly: dict[Descriptor, bool] = {}
        self.types = Types(options.registry or pool)
        self.walker = Walker(self.types, options)
        self.printer = Printer(self.types, options)
        self.fast_in = FastIn(self.types, options, self._walk_any)
        self.fast_out = FastOut(self.types, options, self.printer)

    def check(self, descriptor: Descriptor, data: bytes | str) -> None:
        """Count what a document would make.

        Raises:
            DecodeError: too much: of what, and of how many, but not where.
        """
        most = self.short
        raw = data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")
        if holds_more(raw, OBJECTS, most):
            problem = too_many(most, "objects and arrays").problem
        elif self._is_costly(descriptor) and holds_more(raw, VALUES, most * _VALUES_FOR_EACH):
            problem = too_many(most * _VALUES_FOR_EACH, "values").problem
        else:
            return
        raise DecodeError(descriptor.full_name, "$", problem, code=Code.RESOURCE_EXHAUSTED, http_status=413)

    def _is_costly(self, descriptor: Descriptor) -> bool:
        """Whether single values of a type may cost as much as objects. An array of numbers costs next to nothing."""
        found = self._costly.get(descriptor)
        if found is None:
            plans = self.types.reachable(descriptor)
            found = self.types.plan(descriptor).kind in _COSTLY_KINDS or any(
                plan.extendable or any(map(_is_costly, plan.fields)) for plan in plans
            )
            self._costly[descriptor] = found
        return found

    def walk(self, message_class: type[Message], data: bytes | str) -> Message:
        """Read one document by the complete path.

        Raises:
            DecodeError: it is not JSON, or not the JSON of this message.
        """
        descriptor = cast(Descriptor, message_class.DESCRIPTOR)
        message = message_class()
        try:
            try:
                self.walker.fill(message, self.types.plan(descriptor), read_tree(data, self.options.max_depth))
            except RecursionError:
                raise too_deep(self.options.max_depth) from None
        except Refusal as refusal:
            raise DecodeError(descriptor.full_name, refusal.path, refusal.problem) from None
        return message

    def _walk_any(self, raw: msgspec.Raw, level: int) -> tuple[str, bytes]:
        message = Any()
        self.walker.fill_any(message, read_tree(raw, self.options.max_depth), level)
        return message.type_url, message.value

    def print(self, message: Message) -> bytes:
        """Write one document by the complete path.

        Raises:
            EncodeError: the message has no JSON form.
        """
        descriptor = cast(Descriptor, type(message).DESCRIPTOR)
        try:
            try:
                return _to_json(self.printer.tree(message, self.types.plan(descriptor)))
            except RecursionError:
                raise too_deep_for_wire() from None
        except Refusal as refusal:
            raise EncodeError(descriptor.full_name, refusal.path, refusal.problem) from None


def _is_costly(field: FieldPlan) -> bool:
    inner = field.value or field
    return inner.kind in _COSTLY_KINDS or (field.repeated and inner.kind in _COSTLY_IN_LISTS)


_kept: OrderedDict[tuple[DescriptorPool, CodecOptions], Machinery] = OrderedDict()
_keeping = threading.Lock()


def machinery(descriptor: Descriptor, options: CodecOptions) -> Machinery:
    """The machinery for a message type; safe from several threads."""
    key = (descriptor.file.pool, options)
    with _keeping:
        found = _kept.get(key)
        if found is None:
            found = _kept[key] = Machinery(*key)
            if len(_kept) > _MOST:
                _kept.popitem(last=False)
        else:
            _kept.move_to_end(key)
        return found
