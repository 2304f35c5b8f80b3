"""One request in one binding: path variables, query and bodies to request messages.

What a route's rule says was worked out before, in its plan; a request only runs through it. Source:
google/api/http.proto.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, cast

from google.protobuf.message import DecodeError as WireError
from google.protobuf.message import Message

from asgi_grpc.codec import check_wire
from asgi_grpc.errors import DecodeError, RequestError, UsageError
from asgi_grpc.routing._fields import FieldPath
from asgi_grpc.routing._plan import Plan

Decoded = tuple[list[Message], RequestError | None]
"""The messages before the first bad frame, and what is wrong with that one."""

Decode = Callable[[Sequence[bytes]], Decoded]

_Check = tuple[str, Callable[[Any], bool]]
"""What is wrong with a message, and whether it is."""


class Bound:
    """A binding with the path and the query of one request in it.

    Attributes:
        decode: turns bodies, or the frames of a stream, to messages until one is bad; the number of the bad one is the
            length of the list.
        empty: makes the request of somebody who sent no body. Raises ``RequestError`` where the query says what an
            absent body contradicts, or a required field is missing.
    """

    __slots__ = ("_state", "decode", "empty")

    def __init__(self, state: _Bound, decode: Decode, empty: Callable[[], Message]) -> None:
        self._state = state
        self.decode: Decode = decode
        self.empty: Callable[[], Message] = empty

    def form(self, bodies: Sequence[bytes]) -> Decoded:
        """Do as ``decode`` does with ``application/x-www-form-urlencoded`` bodies, each as if it were a query string.

        Raises:
            UsageError: the binding's body is not ``*``. See ``Route.takes_form``.
        """
        return self._state.form(bodies)

    def wire(self, bodies: Sequence[bytes]) -> Decoded:
        """Do as ``decode`` does with the protobuf wire form of bodies.

        Raises:
            UsageError: the body is no message. See ``Route.takes_wire``.
        """
        return self._state.wire(bodies)

    def pieces(self, content_type: str) -> Decode:
        """Make a function that does as ``decode`` does with pieces of one raw body, for a ``google.api.HttpBody``.

        The first piece becomes a whole request, with the content type, the path and the query in it; later ones have
        nothing but their bytes.

        Raises:
            UsageError: the body is no HttpBody. See ``Route.takes_bytes``.

        Source: google/api/httpbody.proto.
        """
        return self._state.pieces(content_type)


class Binder:
    """Puts requests into one binding."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._free: Bound | None = None
        if plan.takes_all and not plan.variables:
            # Nothing to add to the bodies: decoding is the codec's own, and shared by all requests.
            plain = _Bound(plan, {}, b"", strict=False, whole=False)
            empty = plain.empty if plan.checks_required else plan.message_class
            self._free = Bound(plain, plan.checking_codec.decode_batch, empty)

    def bind(self, variables: Mapping[str, str], query: bytes, *, strict: bool, whole: bool) -> Bound:
        """See ``Match.bind``."""
        if self._free is not None:
            return self._free
        state = _Bound(self._plan, variables, query, strict=strict, whole=whole)
        return Bound(state, state.decode, state.empty)


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
    def decode(self) -> Decode:
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

    def form(self, bodies: Sequence[bytes]) -> Decoded:
        """See ``Bound``."""
        if not self._plan.takes_all:
            raise UsageError("form() on a binding whose body is not *")
        messages: list[Message] = []
        for body in bodies:
            message = self._plan.message_class()
            message.CopyFrom(self._values)
            try:
                self._plan.every_field.bind(body, message, message, form=True)
                self._require(message)
            except RequestError as refusal:
                return messages, refusal
            messages.append(message)
        return messages, None

    def wire(self, bodies: Sequence[bytes]) -> Decoded:
        """See ``Bound``."""
        if not self._plan.takes_wire:
            raise UsageError("wire() on a binding whose body is no message")
        if refusal := self._second_member(bodies):
            return [], refusal
        messages: list[Message] = []
        for body in bodies:
            message, carrier = self._new()
            try:
                check_wire(carrier.DESCRIPTOR, body, self._plan.options)
                carrier.MergeFromString(body)
            except DecodeError as refusal:
                return self._complete(messages, refusal)
            except WireError:
                name = carrier.DESCRIPTOR.full_name
                return self._complete(messages, RequestError(f"{name}: expected the protobuf wire form of the message"))
            messages.append(message)
        return self._complete(messages, None)

    def pieces(self, content_type: str) -> Decode:
        """See ``Bound``."""
        if not self._plan.takes_bytes:
            raise UsageError("pieces() on a binding whose body is no google.api.HttpBody")
        is_first = True

        def decode(pieces: Sequence[bytes]) -> Decoded:
            nonlocal is_first
            if refusal := self._second_member(pieces):
                return [], refusal
            messages: list[Message] = []
            for piece in pieces:
                message, carrier = self._new()
                carrier.data = piece
                if is_first:
                    is_first = False
                    carrier.content_type = content_type
                    _, refusal = self._complete([message], None)
                    if refusal is not None:
                        return [], refusal
                messages.append(message)
            return messages, None

        return decode

    def _new(self) -> tuple[Message, Any]:
        """An empty request, and the part of it that is the body."""
        message = self._plan.message_class()
        if self._plan.body is None:
            return message, message
        return message, getattr(message, self._plan.body.name)  # present as soon as it is parsed, or given its bytes

    def _second_member(self, bodies: Sequence[bytes]) -> RequestError | None:
        """What is wrong where the query sets another member of the oneof that the body's field is in."""
        body = self._plan.body
        oneof = None if body is None else body.containing_oneof
        if not bodies or body is None or oneof is None or self._values.WhichOneof(oneof.name) in (None, body.name):
            return None
        return RequestError(f"the query: expected one member of the oneof {oneof.name}, got another one as well")

    def _decode_whole(self, frames: Sequence[bytes]) -> Decoded:
        """Each frame is a whole request."""
        messages, error = self._plan.codec.decode_batch(frames)
        return self._complete(messages, error)

    def _decode_field(self, frames: Sequence[bytes]) -> Decoded:
        """Each frame is one field of a request."""
        plan = self._plan
        assert plan.reader is not None
        if refusal := self._second_member(frames):
            return [], refusal
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
