"""The complete path out: a message becomes a tree of JSON values, by plain code that knows every rule.

Source: the ProtoJSON format of the protobuf documentation.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError as WireError
from google.protobuf.message_factory import GetMessageClass

from asgi_grpc.codec._options import CodecOptions
from asgi_grpc.codec._plan import FieldPlan, Kind, MessagePlan
from asgi_grpc.codec._refusal import MapKey, Refusal
from asgi_grpc.codec._scalars import write_bytes, write_double, write_float
from asgi_grpc.codec._types import Types
from asgi_grpc.codec._wellknown import write_duration, write_field_mask, write_timestamp

_KEYS = {True: "true", False: "false"}


class Printer:
    """Turns messages into trees (``dict``, ``list``, ``str``, ``int``, ``float``, ``bool``, ``None``)."""

    def __init__(self, types: Types, options: CodecOptions) -> None:
        self._types = types
        self._proto_names = options.proto_names
        self._enums_as_numbers = options.enums_as_numbers
        self._print_defaults = options.print_defaults
        self._int64_as_numbers = options.int64_as_numbers
        self._scalars: dict[Kind, Callable[[FieldPlan, Any], Any]] = {
            Kind.INT: self._integer,
            Kind.FLOAT: lambda _field, value: write_float(value),
            Kind.DOUBLE: lambda _field, value: write_double(value),
            Kind.BOOL: lambda _field, value: value,
            Kind.STRING: lambda _field, value: _text(value),
            Kind.BYTES: lambda _field, value: write_bytes(value),
            Kind.ENUM: self._enum,
            Kind.NULL: lambda _field, _value: None,
        }
        self._well_known: dict[Kind, Callable[[Any], Any]] = {
            Kind.TIMESTAMP: lambda message: write_timestamp(message.seconds, message.nanos),
            Kind.DURATION: lambda message: write_duration(message.seconds, message.nanos),
            Kind.FIELD_MASK: lambda message: write_field_mask(message.paths),
            Kind.ANY: self._any,
            Kind.STRUCT: self._struct,
            Kind.VALUE: self._value,
            Kind.LIST_VALUE: self._list_value,
        }

    def tree(self, message: Any, plan: MessagePlan) -> Any:
        """Turn a message of any kind into a tree.

        Raises:
            Refusal: with the path from the message.
        """
        if plan.kind is Kind.MESSAGE:
            return self._fields(message, plan)
        if plan.wrapped is not None:
            return self._scalars[plan.wrapped.kind](plan.wrapped, message.value)
        return self._well_known[plan.kind](message)

    def message(self, plan: MessagePlan) -> Callable[[Any], dict[str, Any]]:
        """What turns ordinary messages of one type into trees."""
        return partial(self._fields, plan=plan)

    def extension(self, plan: MessagePlan, descriptor: FieldDescriptor, value: Any) -> tuple[str, Any]:
        """The name and the JSON of an extension that is set in a message of this plan."""
        field = self._types.field(plan, descriptor)
        return field.name, self._field(field, value)

    def _fields(self, message: Any, plan: MessagePlan) -> dict[str, Any]:
        tree: dict[str, Any] = {}
        for descriptor, value in type(message).ListFields(message):
            field = self._types.field(plan, descriptor)
            name = field.name if self._proto_names else field.json_name
            try:
                tree[name] = self._field(field, value)
            except Refusal as refusal:
                refusal.steps.append(name)
                raise
        if self._print_defaults:
            for field in plan.fields:
                if not field.presence:
                    name = field.name if self._proto_names else field.json_name
                    if name not in tree:
                        tree[name] = self._field(field, getattr(message, field.name))
        return tree

    def _field(self, field: FieldPlan, value: Any) -> Any:
        if field.key is not None:
            assert field.value is not None
            content = {}
            for key in value:
                text = (
                    _KEYS[key] if key.__class__ is bool else _text(key) if field.key.kind is Kind.STRING else str(key)
                )
                try:
                    content[text] = self._element(field.value, value[key])
                except Refusal as refusal:
                    refusal.steps.append(MapKey(text))
                    raise
            return content
        if field.repeated:
            elements = []
            for index, element in enumerate(value):
                try:
                    elements.append(self._element(field, element))
                except Refusal as refusal:
                    refusal.steps.append(index)
                    raise
            return elements
        return self._element(field, value)

    def _element(self, field: FieldPlan, value: Any) -> Any:
        if field.message is not None:
            return self.tree(value, self._types.plan(field.message))
        return self._scalars[field.kind](field, value)

    def _integer(self, field: FieldPlan, value: int) -> int | str:
        return str(value) if field.wide and not self._int64_as_numbers else value

    def _enum(self, field: FieldPlan, value: int) -> int | str:
        assert field.enum is not None
        return value if self._enums_as_numbers else field.enum.by_number.get(value, value)

    def _any(self, message: Any) -> dict[str, Any]:
        url: str = message.type_url
        if not url and not message.value:
            return {}
        authority, _, name = url.rpartition("/")
        plan = self._types.named(name) if authority and not authority.startswith("/") else None
        if plan is None:
            raise Refusal("expected an Any of a known type, got another", "@type")
        try:
            inner = GetMessageClass(plan.descriptor).FromString(message.value)
        except WireError:
            raise Refusal(f"expected an Any to hold the bytes of {plan.full_name}, got others") from None
        if plan.kind is Kind.MESSAGE:
            return {"@type": url, **self._fields(inner, plan)}
        try:
            return {"@type": url, "value": self.tree(inner, plan)}
        except Refusal as refusal:
            refusal.steps.append("value")
            raise

    def _struct(self, message: Any) -> dict[str, Any]:
        tree = {}
        fields = message.fields
        for key in fields:
            try:
                tree[key] = self._value(fields[key])
            except Refusal as refusal:
                refusal.steps.append(MapKey(key))
                raise
        return tree

    def _list_value(self, message: Any) -> list[Any]:
        tree = []
        for index, value in enumerate(message.values):
            try:
                tree.append(self._value(value))
            except Refusal as refusal:
                refusal.steps.append(index)
                raise
        return tree

    def _value(self, message: Any) -> Any:
        kind = message.WhichOneof("kind")
        if kind is None or kind == "null_value":
            return None
        if kind == "struct_value":
            return self._struct(message.struct_value)
        if kind == "list_value":
            return self._list_value(message.list_value)
        value = getattr(message, kind)
        if kind == "number_value" and value - value != 0.0:
            raise Refusal("expected a finite number in a Value, got one that JSON does not have")
        return value


def _text(value: str | bytes) -> str:
    """proto2 parses strings unchecked, and shows as bytes what is not UTF-8."""
    if isinstance(value, str):
        return value
    raise Refusal("expected text in UTF-8, got other bytes")
