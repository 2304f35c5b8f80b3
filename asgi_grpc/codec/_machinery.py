"""What codecs of one descriptor pool and one set of options share: types, walker and printer, made once."""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, cast

import msgspec
from google.protobuf import any_pb2
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError as WireError
from google.protobuf.message import Message

from asgi_grpc.codec._count import holds_more
from asgi_grpc.codec._fast_in import FastIn
from asgi_grpc.codec._fast_out import FastOut
from asgi_grpc.codec._options import CodecOptions
from asgi_grpc.codec._print import Printer
from asgi_grpc.codec._refusal import EncodeError, Refusal, TooMany, too_deep, too_deep_for_wire, too_many
from asgi_grpc.codec._tree import read_tree
from asgi_grpc.codec._types import Types
from asgi_grpc.codec._walk import Walker
from asgi_grpc.codec._weight import WEIGHT, Weigher
from asgi_grpc.codec._wire import WireCounter
from asgi_grpc.errors import Code, DecodeError

_to_json = msgspec.json.Encoder().encode
_UNWEIGHED = 2  # commas for each object that is allowed: so many are never looked at
_SHORTEST = 2  # bytes of a message within another, on the wire
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
        self.types = Types(options.registry or pool)
        self._weigher = Weigher(self.types)
        self._wire_counter = WireCounter(self.types)
        self.walker = Walker(self.types, options)
        self.printer = Printer(self.types, options)
        self.fast_in = FastIn(self.types, options, self._walk_any)
        self.fast_out = FastOut(self.types, options, self.printer)

    def check(self, descriptor: Descriptor, data: bytes | str) -> None:
        """Count what a document would make, and weigh it if that may be much.

        Raises:
            DecodeError: too much: of what, and of how many, but not where; or it is not JSON.
        """
        raw = data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")

        def count_and_weigh() -> None:
            self.count(raw)
            if self.may_weigh(raw) and self._weigher.matters(descriptor):
                self.weigh(descriptor, read_tree(data, self.options.max_depth))

        self._say(descriptor, count_and_weigh)

    def _say(self, descriptor: Descriptor, step: Callable[[], object]) -> None:
        """Do something; a refusal becomes an error that does not hold it: in its traceback is the whole document."""
        limits: dict[str, Any] = {}
        try:
            step()
        except RecursionError:
            path, problem = "$", too_deep(self.options.max_depth).problem
        except WireError:
            path, problem = "$", "expected the protobuf wire form of the message"
        except Refusal as refusal:
            path, problem = refusal.path, refusal.problem
            if isinstance(refusal, TooMany):
                limits = {"code": Code.RESOURCE_EXHAUSTED, "http_status": 413}
        else:
            return
        raise DecodeError(descriptor.full_name, path, problem, **limits)

    def check_wire(self, descriptor: Descriptor, data: bytes) -> None:
        """Count what the wire form of a message would make.

        Raises:
            DecodeError: too much, or it is no wire form.
        """
        if len(data) > self.short * _SHORTEST:
            self._say(descriptor, lambda: self._wire_counter.check(descriptor, data, self.short))

    def count(self, raw: bytes) -> None:
        """Count the objects and arrays of a text.

        Raises:
            TooMany: there are more than the options allow.
        """
        if holds_more(raw, self.short):
            raise too_many(self.short, "objects and arrays")

    def may_weigh(self, raw: bytes) -> bool:
        """Whether a text is worth weighing: ordinary records seldom have so many commas in a few MiB."""
        return raw.count(b",") > self.short * _UNWEIGHED

    def weigh(self, descriptor: Descriptor, tree: Any) -> None:
        """Weigh the JSON of a type.

        Raises:
            TooMany: more of its values become messages than the options allow.
        """
        most = self.short * WEIGHT
        if self._weigher.exceeds(descriptor, tree, most):
            raise too_many(most, "values that become messages")

    def walk(self, message_class: type[Message], data: bytes | str) -> Message:
        """Read one document by the complete path.

        Raises:
            DecodeError: it is not JSON, or not the JSON of this message.
        """
        descriptor = cast(Descriptor, message_class.DESCRIPTOR)
        plan, message = self.types.plan(descriptor), message_class()
        self._say(descriptor, lambda: self.walker.fill(message, plan, read_tree(data, self.options.max_depth)))
        return message

    def _walk_any(self, raw: msgspec.Raw, level: int) -> tuple[str, bytes]:
        message = any_pb2.Any()
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
