"""The complete path in: a tree of JSON values fills a message, by plain code that knows every rule and every refusal.

The fast path may refuse anything and come here; what it accepts must be what this module makes of it. Whatever a
peer is told about its JSON is said here.

Source: the ProtoJSON format of the protobuf documentation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.struct_pb2 import Value

from asgi_grpc.codec._options import CodecOptions
from asgi_grpc.codec._plan import FieldPlan, Kind, MessagePlan, plan_field
from asgi_grpc.codec._refusal import (
    WIRE_DEPTH,
    MapKey,
    Refusal,
    UnknownEnumName,
    noun,
    too_deep,
    too_deep_for_wire,
)
from asgi_grpc.codec._scalars import READERS, read_double, read_key
from asgi_grpc.codec._types import Types
from asgi_grpc.codec._wellknown import read_duration, read_field_mask, read_timestamp

_NULL_HAS_A_MEANING = (Kind.VALUE, Kind.NULL)
_NUMBER_FIELD = plan_field(Value.DESCRIPTOR.fields_by_name["number_value"])


class Walker:
    """Fills messages from trees of JSON values (``dict``, ``list``, ``str``, ``int``, ``float``, ``bool``, ``None``).

    In every method ``level`` counts the ``{`` and ``[`` around a value, its own included; ``wire_level`` counts
    the messages around a message, as a parser of the binary form will. Inside the bytes of an Any it starts again.
    """

    def __init__(self, types: Types, options: CodecOptions) -> None:
        self._types = types
        self._max_depth = options.max_depth
        self._ignore_unknown = options.ignore_unknown
        self._allow_partial = options.allow_partial
        self._well_known: dict[Kind, Callable[[Any, Any, int, int], None]] = {
            Kind.TIMESTAMP: _fill_seconds_and_nanos(read_timestamp, "a time"),
            Kind.DURATION: _fill_seconds_and_nanos(read_duration, "a duration"),
            Kind.FIELD_MASK: _fill_field_mask,
            Kind.ANY: self._fill_any,
            Kind.STRUCT: self._fill_struct,
            Kind.VALUE: self._fill_value,
            Kind.LIST_VALUE: self._fill_list_value,
        }

    def fill(self, message: Message, plan: MessagePlan, tree: Any) -> None:
        """Fill an empty message from a whole document.

        Raises:
            Refusal: with the path from the document's root.
        """
        self._fill(message, plan, tree, 1, 0)

    def set_field(self, message: Message, field: FieldPlan, tree: Any) -> None:
        """Set one field of a message from its JSON; append to it, if it is repeated or a map.

        Raises:
            Refusal: with the path from the field.
        """
        self._fill_field(message, field, tree, 1, 0)

    def fill_any(self, message: Message, tree: Any, level: int) -> None:
        """Fill an empty Any from its JSON, which is an object at this level.

        Raises:
            Refusal: with the path from the Any.
        """
        self._fill_any(message, tree, level, 0)

    def _fill(self, message: Any, plan: MessagePlan, tree: Any, level: int, wire_level: int) -> None:
        """Fill a message of any kind. ``level`` is that of the tree, if it is an object or an array."""
        if wire_level > WIRE_DEPTH:
            raise too_deep_for_wire()
        if plan.kind is Kind.MESSAGE:
            self._fill_fields(message, plan, tree, level, wire_level)
        elif plan.wrapped is not None:
            message.value = READERS[plan.wrapped.kind](plan.wrapped, tree)  # which makes it present
        else:
            message.SetInParent()
            self._well_known[plan.kind](message, tree, level, wire_level)

    # Ordinary messages.

    def _fill_fields(
        self, message: Any, plan: MessagePlan, tree: Any, level: int, wire_level: int, *, skip: str | None = None
    ) -> None:
        self._check_object(tree, level)
        type(message).SetInParent(message)
        by_key = plan.by_key
        seen: set[int | str] = set()
        for key, value in tree.items():
            field = by_key.get(key)
            try:
                if field is None or key == skip:
                    field = None if key == skip else self._extension(plan, key)
                if field is not None and _counts(field, value, seen):
                    self._fill_field(message, field, value, level, wire_level)
            except Refusal as refusal:
                if field is not None and self._forgives(refusal):
                    seen.discard(field.oneof)
                    continue
                refusal.steps.append(key)
                raise
        if plan.required and not self._allow_partial:
            for field in plan.required:
                if not type(message).HasField(message, field.name):
                    raise Refusal("expected this required field, got none", field.json_name)

    def _extension(self, plan: MessagePlan, key: str) -> FieldPlan | None:
        field = self._types.extension(plan, key)
        if field is None and not self._ignore_unknown:
            raise Refusal(f"expected a field of {plan.full_name}, got an unknown name")
        return field

    def _forgives(self, refusal: Refusal) -> bool:
        return self._ignore_unknown and refusal.__class__ is UnknownEnumName

    def _check_object(self, tree: Any, level: int) -> None:
        if tree.__class__ is not dict:
            raise Refusal(f"expected an object, got {noun(tree)}")
        if level > self._max_depth:
            raise too_deep(self._max_depth)

    def _check_array(self, tree: Any, level: int) -> None:
        if tree.__class__ is not list:
            raise Refusal(f"expected an array, got {noun(tree)}")
        if level > self._max_depth:
            raise too_deep(self._max_depth)

    def _fill_field(self, message: Any, field: FieldPlan, value: Any, level: int, wire_level: int) -> None:
        """Set one field; ``level`` and ``wire_level`` are those of the message."""
        if field.key is not None:
            self._fill_map(_content(message, field), field, value, level + 1, wire_level + 1)
        elif field.repeated:
            self._fill_repeated(_content(message, field), field, value, level + 1, wire_level + 1)
        elif field.message is not None:
            plan = self._types.plan(field.message)
            self._fill(_content(message, field), plan, value, level + 1, wire_level + 1)
        elif field.extension is None:
            setattr(message, field.name, READERS[field.kind](field, value))
        else:
            _extensions(message)[field.extension] = READERS[field.kind](field, value)

    def _fill_repeated(self, content: Any, field: FieldPlan, tree: Any, level: int, wire_level: int) -> None:
        self._check_array(tree, level)
        plan = None if field.message is None else self._types.plan(field.message)
        null_is_refused = field.kind not in _NULL_HAS_A_MEANING
        for index, value in enumerate(tree):
            try:
                if value is None and null_is_refused:
                    raise Refusal("expected an element, got null")
                if plan is not None:
                    self._fill(content.add(), plan, value, level + 1, wire_level)
                else:
                    content.append(READERS[field.kind](field, value))
            except Refusal as refusal:
                if not self._forgives(refusal):
                    refusal.steps.append(index)
                    raise

    def _fill_map(self, content: Any, field: FieldPlan, tree: Any, level: int, wire_level: int) -> None:
        """``wire_level`` is that of the entries: a map is repeated messages of a key and a value."""
        self._check_object(tree, level)
        if wire_level > WIRE_DEPTH:
            raise too_deep_for_wire()
        key_field, value_field = field.key, field.value
        assert key_field is not None
        assert value_field is not None
        plan = None if value_field.message is None else self._types.plan(value_field.message)
        null_is_refused = value_field.kind not in _NULL_HAS_A_MEANING
        seen: set[str | int | bool] = set()
        for text, value in tree.items():
            try:
                key = read_key(key_field, text)
                if key in seen:
                    raise Refusal("expected a key once, got another spelling of it")
                seen.add(key)
                if value is None and null_is_refused:
                    raise Refusal("expected a value, got null")
                if plan is not None:
                    self._fill(content[key], plan, value, level + 1, wire_level + 1)
                else:
                    content[key] = READERS[value_field.kind](value_field, value)
            except Refusal as refusal:
                if not self._forgives(refusal):
                    refusal.steps.append(MapKey(text))
                    raise

    # google.protobuf.Any.

    def _fill_any(self, message: Any, tree: Any, level: int, _wire_level: int) -> None:
        self._check_object(tree, level)
        if not tree:
            return
        url = tree.get("@type")
        if url.__class__ is not str:
            raise Refusal(
                'expected an Any to name its type in "@type", got none', *(["@type"] if "@type" in tree else [])
            )
        authority, _, name = url.rpartition("/")
        if not authority or authority.startswith("/"):
            raise Refusal('expected a type URL such as "type.googleapis.com/package.Message"', "@type")
        plan = self._types.named(name)
        if plan is None:
            raise Refusal("expected the URL of a known type, got another", "@type")
        message_class = GetMessageClass(plan.descriptor)
        inner = message_class()
        if plan.kind is Kind.MESSAGE:
            self._fill_fields(inner, plan, tree, level, 0, skip="@type")
        else:
            self._fill_any_value(inner, plan, tree, level)
        message.type_url = url
        message.value = message_class.SerializePartialToString(inner, deterministic=True)

    def _fill_any_value(self, inner: Message, plan: MessagePlan, tree: Any, level: int) -> None:
        """A well-known type within an Any: its JSON stands under ``value``."""
        if not self._ignore_unknown:
            for key in tree:
                if key not in ("@type", "value"):
                    raise Refusal(f'expected only "@type" and "value" for {plan.full_name}, got another name', key)
        if "value" not in tree:
            raise Refusal(f'expected the JSON of {plan.full_name} in "value", got none')
        value = tree["value"]
        try:
            if value is None and plan.kind is not Kind.VALUE:
                raise Refusal("expected a value, got null")
            self._fill(inner, plan, value, level + 1, 0)
        except Refusal as refusal:
            refusal.steps.append("value")
            raise

    # google.protobuf.Struct, Value, ListValue: JSON itself.

    def _fill_struct(self, message: Any, tree: Any, level: int, wire_level: int) -> None:
        self._check_object(tree, level)
        fields = message.fields
        for key, value in tree.items():
            try:
                self._fill_value(fields[key], value, level + 1, wire_level + 2)
            except Refusal as refusal:
                refusal.steps.append(MapKey(key))
                raise

    def _fill_list_value(self, message: Any, tree: Any, level: int, wire_level: int) -> None:
        self._check_array(tree, level)
        add = message.values.add
        for index, value in enumerate(tree):
            try:
                self._fill_value(add(), value, level + 1, wire_level + 1)
            except Refusal as refusal:
                refusal.steps.append(index)
                raise

    def _fill_value(self, message: Any, tree: Any, level: int, wire_level: int) -> None:
        if wire_level > WIRE_DEPTH:
            raise too_deep_for_wire()
        kind = tree.__class__
        if kind is str:
            message.string_value = tree
        elif kind is bool:
            message.bool_value = tree
        elif tree is None:
            message.null_value = 0
        elif kind is dict:
            if wire_level >= WIRE_DEPTH:
                raise too_deep_for_wire()
            message.struct_value.SetInParent()
            self._fill_struct(message.struct_value, tree, level, wire_level + 1)
        elif kind is list:
            if wire_level >= WIRE_DEPTH:
                raise too_deep_for_wire()
            message.list_value.SetInParent()
            self._fill_list_value(message.list_value, tree, level, wire_level + 1)
        else:
            message.number_value = read_double(_NUMBER_FIELD, tree)


def _counts(field: FieldPlan, value: Any, seen: set[int | str]) -> bool:
    """Whether a key says anything about its field: ``null`` mostly does not. Refuses what was said before."""
    if field.number in seen:
        raise Refusal("expected a field once, got it under both of its names")
    seen.add(field.number)
    if value is None and (field.kind not in _NULL_HAS_A_MEANING or field.repeated or field.key is not None):
        return False
    if field.oneof:
        if field.oneof in seen:
            raise Refusal(f'expected one member of the oneof "{field.oneof}", got another')
        seen.add(field.oneof)
    return True


def _content(message: Any, field: FieldPlan) -> Any:
    """The sub-message, list or map of a field."""
    return getattr(message, field.name) if field.extension is None else _extensions(message)[field.extension]


def _extensions(message: Any) -> Any:
    """A field may be called ``Extensions``, or as any other member of a message: those are taken from the class."""
    return type(message).Extensions.__get__(message)


def _fill_seconds_and_nanos(
    read: Callable[[str], tuple[int, int]], expected: str
) -> Callable[[Any, Any, int, int], None]:
    def fill(message: Any, tree: Any, _level: int, _wire_level: int) -> None:
        if tree.__class__ is not str:
            raise Refusal(f"expected {expected} in a string, got {noun(tree)}")
        message.seconds, message.nanos = read(tree)

    return fill


def _fill_field_mask(message: Any, tree: Any, _level: int, _wire_level: int) -> None:
    if tree.__class__ is not str:
        raise Refusal(f"expected the paths of a FieldMask in one string, got {noun(tree)}")
    message.paths.extend(read_field_mask(tree))
