"""One binding's rule, worked out at start-up: which fields the path, the query and the body set.

Source: google/api/http.proto.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from asgi_grpc.codec import Codec, CodecOptions
from asgi_grpc.errors import ConfigurationError
from asgi_grpc.routing._body import FieldReader
from asgi_grpc.routing._fields import HTTP_BODY, FieldPath, is_single_message, resolve_top_level, resolve_variable
from asgi_grpc.routing._mask import MaskFiller, mask_filler
from asgi_grpc.routing._query import QueryBinder
from asgi_grpc.routing._template import Template
from asgi_grpc.schema import Binding, Method


class Plan:
    """What a binding does to requests.

    Attributes:
        message_class: of the request.
        checks_required: requests may have required fields (proto2).
        options: of the codec.
        variables: the path's.
        body: the field that the body is, if it is one.
        takes_all: the body is the whole request.
        takes_wire: the body is a message, and so has a protobuf wire form.
        takes_bytes: the body is a ``google.api.HttpBody``.
        codec: of whole requests, to which path and query are added.
        checking_codec: of whole requests, to which nothing is added.
        reader: of bodies that are one field.
        mask: fills the mask of a ``PATCH``.
        every_field: binds queries to all fields.
        but_body: binds queries to all but the body.

    Raises:
        ConfigurationError: the rule names what the messages don't have, or says two things of one field.
    """

    def __init__(
        self, method: Method, binding: Binding, template: Template, *, options: CodecOptions, ignore_unknown_query: bool
    ) -> None:
        message = method.input
        self.message_class: type[Message] = GetMessageClass(message)
        self.checks_required: bool = _needs_required(message)
        # What the path adds, the body may leave out; the whole is checked when both are together.
        self.options: CodecOptions = replace(options, allow_partial=True) if self.checks_required else options
        try:
            self.variables: tuple[FieldPath, ...] = tuple(
                resolve_variable(message, v.field_path) for v in template.variables
            )
            self.body: FieldDescriptor | None = None
            if binding.body not in ("", "*"):
                self.body = resolve_top_level(message, binding.body, "the body")
            _refuse_conflicts(self.variables, self.body)
        except ValueError as problem:
            raise ConfigurationError(str(problem)) from None
        self.takes_all: bool = binding.body == "*"
        self.codec: Codec = Codec(message, self.options)
        self.checking_codec: Codec = Codec(message, options)
        self.reader: FieldReader | None = None if self.body is None else FieldReader(message, self.body, self.options)
        self.takes_wire: bool = self.takes_all or (self.body is not None and is_single_message(self.body))
        carrier = message if self.takes_all else self.body.message_type if self.body is not None else None
        self.takes_bytes: bool = self.takes_wire and carrier is not None and carrier.full_name == HTTP_BODY
        self.mask: MaskFiller | None = None
        if self.body is not None and binding.http_method == "PATCH":
            self.mask = mask_filler(message, self.body)

        def binder(body: FieldDescriptor | None) -> QueryBinder:
            return QueryBinder(
                message, variables=self.variables, body=body, ignore_unknown=ignore_unknown_query, options=options
            )

        self.every_field: QueryBinder = binder(None)
        self.but_body: QueryBinder = binder(self.body)


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
