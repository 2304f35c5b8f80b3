"""One binding, compiled: path variables, query and bodies to request messages.

What a route's rule says is worked out once, here; a request only runs through it. Source: google/api/http.proto.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from asgi_grpc.codec import Codec, CodecOptions
from asgi_grpc.errors import ConfigurationError, RequestError, UsageError
from asgi_grpc.routing._body import FieldReader
from asgi_grpc.routing._fields import FieldPath, resolve_top_level, resolve_variable
from asgi_grpc.routing._mask import MaskFiller, mask_filler
from asgi_grpc.routing._query import QueryBinder
from asgi_grpc.routing._template import Template
from asgi_grpc.schema import Binding, Method

Decoded = tuple[list[Message], RequestError | None]
"""The messages before the first bad frame, and what is wrong with that one."""

_Check = tuple[str, Callable[[Any], bool]]
"""What is wrong with a message, and whether it is."""


class Bound:
    """A binding with the path and the query of one request in it.

    Attributes:
        decode: turns bodies, or the frames of a stream, to messages until one is bad; the number of the bad one is the
            length of the list.
        empty: makes the request of somebody who sent no body. Raises ``RequestError`` where the query says what an
            absent body contradicts, or a required field is missing.
        form: turns an ``application/x-www-form-urlencoded`` body to a message, as if it were a query string. Only for
            bindings whose body is ``*``, else ``UsageError``. Raises ``RequestError``.
    """

    __slots__ = ("decode", "empty", "form")

    def __init__(
        self,
        decode: Callable[[Sequence[bytes]], Decoded],
        empty: Callable[[], Message],
        form: Callable[[bytes], Message],
    ) -> None:
        self.decode = decode
        self.empty = empty
        self.form = form


class Plan:
    """What a binding does to requests.

    Raises:
        ConfigurationError: the rule names what the messages don't have, or says two things of one field.
    """

    def __init__(
        self, method: Method, binding: Binding, template: Template, *, options: CodecOptions, ignore_unknown_query: bool
    ) -> None:
        message = method.input
        self.message_class = GetMessageClass(message)
        self.checks_required = _needs_required(message)
        # What the path adds, the body may leave out; the whole is checked when both are together.
        self.options = replace(options, allow_partial=True) if self.checks_required else options
        try:
            self.variables = tuple(resolve_variable(message, v.field_path) for v in template.variables)
            self.body: FieldDescriptor | None = None
            if binding.body not in ("", "*"):
                self.body = resolve_top_level(message, binding.body, "the body")
            _refuse_conflicts(self.variables, self.body)
        except ValueError as problem:
            raise ConfigurationError(str(problem)) from None
        self.takes_all = binding.body == "*"
        self.codec = Codec(message, self.options)
        self.reader = None if self.body is None else FieldReader(message, self.body, self.options)
        self.mask: MaskFiller | None = None
        if self.body is not None and binding.http_method == "PATCH":
            self.mask = mask_filler(message, self.body)

        def binder(body: FieldDescriptor | None) -> QueryBinder:
            return QueryBinder(
                message, variables=self.variables, body=body, ignore_unknown=ignore_unknown_query, options=options
            )

        self.every_field = binder(None)
        self.but_body = binder(self.body)
        self.free: Bound | None = None
        if self.takes_all and not self.variables:
            # Nothing to add to the bodies: decoding is the codec's own, and shared by all requests.
            plain = _Bound(self, {}, b"", strict=False, whole=False)
            empty = plain.empty if self.checks_required else self.message_class
            self.free = Bound(Codec(message, options).decode_batch, empty, plain.form)

    def bind(self, variables: Mapping[str, str], query: bytes, *, strict: bool, whole: bool) -> Bound:
        """See ``Match.bind``."""
        if self.free is not None:
            return self.free
        bound = _Bound(self, variables, query, strict=strict, whole=whole)
        return Bound(bound.decode, bound.empty, bound.form)


class _Bound:
    """The state behind a ``Bound``: one request's values, and the fields that they are for."""

    def __init__(self, plan: Plan, variables: Mapping[str, str], query: bytes, *, strict: bool, whole: bool) -> None:
        self._plan = plan
        self._whole = whole or plan.takes_all
        self._values: Any = plan.message_class()  # what path and query say
        for path in plan.variables:
            try:
                path.set_text(self._values, variables[path.text], plan.options)
            except ValueError as problem:
                raise RequestError(f'the path variable "{path.text}": {problem}') from None
        expected = plan.message_class()  # what the query says of the body
        in_query: list[FieldPath] = []
        in_body: list[FieldPath] = []
        if not plan.takes_all:
            binder = plan.every_field if whole else plan.but_body
            in_query, in_body = binder.bind(query, self._values, expected)
        self._differences: list[_Check] = [
            (f"the query: expected in {path.text} what the body says, got something else", path.difference(expected))
            for path in in_body
        ]
        # What every message goes through: first what may be wrong with it, then what is set in it.
        self._checks = self._differences
        self._setters: list[Callable[[Any], object]] = []
        if self._whole:
            paths = [*plan.variables, *in_query]
        else:
            # Outside of the body's field nothing is set yet; inside, merging would pass over a zero.
            paths = [path for path in plan.variables if plan.body is not None and path.fields[0].name == plan.body.name]
            if plan.variables or in_query:
                self._setters.append(partial(_merge, self._values))
        self._setters += [path.setter(self._values) for path in paths]
        if strict:
            text = "the body: expected in {} what the URL says, got something else"
            self._checks = [
                *self._differences,
                *((text.format(path.text), path.contradiction(self._values)) for path in paths),
            ]

    @property
    def decode(self) -> Callable[[Sequence[bytes]], Decoded]:
        """See ``Bound``."""
        if self._whole:
            return self._decode_whole
        return self._decode_nothing if self._plan.body is None else self._decode_field

    def empty(self) -> Message:
        """See ``Bound``."""
        message = self._plan.message_class()
        message.CopyFrom(self._values)
        for problem, is_wrong in self._differences:
            if is_wrong(message):
                raise RequestError(problem)
        self._require(message)
        return message

    def form(self, data: bytes) -> Message:
        """See ``Bound``."""
        if not self._plan.takes_all:
            raise UsageError("form() on a binding whose body is not *")
        message = self._plan.message_class()
        message.CopyFrom(self._values)
        self._plan.every_field.bind(data, message, message)
        self._require(message)
        return message

    def _decode_whole(self, frames: Sequence[bytes]) -> Decoded:
        """Each frame is a whole request."""
        messages, error = self._plan.codec.decode_batch(frames)
        return self._complete(messages, error)

    def _decode_field(self, frames: Sequence[bytes]) -> Decoded:
        """Each frame is one field of a request."""
        plan = self._plan
        assert plan.body is not None
        assert plan.reader is not None
        oneof = plan.body.containing_oneof
        if frames and oneof is not None and self._values.WhichOneof(oneof.name) not in (None, plan.body.name):
            return [], RequestError(
                f"the query: expected one member of the oneof {oneof.name}, got another one as well"
            )
        messages, error = self._complete(*plan.reader.read(frames))
        if plan.mask is not None:
            for message, frame in zip(messages, frames, strict=False):
                plan.mask.fill(message, frame)
        return messages, error

    def _decode_nothing(self, frames: Sequence[bytes]) -> Decoded:
        """There is no body."""
        return [], RequestError("expected no body here, got one") if frames else None

    def _complete(self, messages: list[Message], error: RequestError | None) -> Decoded:
        """Put path and query into messages, until one contradicts them."""
        try:
            for index, message in enumerate(messages):
                for problem, is_wrong in self._checks:
                    if is_wrong(message):
                        return messages[:index], RequestError(problem)
                for put in self._setters:
                    put(message)
                self._require(message)
        except RequestError as refusal:
            return messages[:index], refusal
        return messages, error

    def _require(self, message: Message) -> None:
        """Look for required fields (proto2), once body, path and query are together."""
        if self._plan.checks_required and not message.IsInitialized():
            missing = ", ".join(cast(Any, message).FindInitializationErrors())  # not in its type
            raise RequestError(f"{message.DESCRIPTOR.full_name}: expected the required fields {missing}, got none")


def _merge(source: Message, message: Message) -> None:
    message.MergeFrom(source)


@lru_cache(maxsize=1024)
def _needs_required(message: Descriptor) -> bool:
    """Tell whether a message, or one that it may hold, has required fields."""
    seen = {message.full_name}
    todo = [message]
    while todo:
        for field in todo.pop().fields:
            if field.is_required:
                return True
            if field.message_type is not None and field.message_type.full_name not in seen:
                seen.add(field.message_type.full_name)
                todo.append(field.message_type)
    return False


def _refuse_conflicts(variables: Sequence[FieldPath], body: FieldDescriptor | None) -> None:
    """A path must not set two members of one oneof, nor what the whole body sets."""
    taken: dict[str, str] = {}
    if body is not None and body.containing_oneof is not None:
        taken[body.containing_oneof.name] = body.name
    for path in variables:
        if body is not None and path.text == body.name:
            raise ValueError(f"expected the path and the body to set different fields, but both set {path.text}")
        for place, member in path.oneofs:
            if taken.setdefault(place, member) != member:
                raise ValueError(f"expected one member of the oneof {place}, but {path.text} is a second one")
