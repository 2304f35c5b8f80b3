"""``FieldPath``: one field of a request, however deep, with what must be known to set, copy and compare it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from asgi_grpc.codec import CodecOptions, set_text

# Messages that one text can hold. Source: the ProtoJSON format; see ``asgi_grpc.codec.set_text``.
_INTEGER_WRAPPERS = {f"google.protobuf.{scalar}Value" for scalar in ("Int64", "UInt64", "Int32", "UInt32")}
_TEXTUAL = {
    *_INTEGER_WRAPPERS,
    *("google.protobuf.Timestamp", "google.protobuf.Duration", "google.protobuf.FieldMask"),
    *("google.protobuf.Struct", "google.protobuf.Value", "google.protobuf.ListValue"),
    *(f"google.protobuf.{scalar}Value" for scalar in ("Double", "Float", "Bool", "String", "Bytes")),
}
_INTEGERS = {
    *(FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64),
    *(FieldDescriptor.CPPTYPE_UINT32, FieldDescriptor.CPPTYPE_UINT64),
}
_LEADING_ZEROS = re.compile(r"^(-?)0+(?=[0-9])")


HTTP_BODY = "google.api.HttpBody"
"""Bytes with a content type, which HTTP carries as they are. Source: google/api/httpbody.proto."""


def is_single_message(field: FieldDescriptor) -> bool:
    """Tell a field that holds one message from others."""
    return field.message_type is not None and not field.is_repeated


def is_map(field: FieldDescriptor) -> bool:
    """Tell a map from other fields."""
    entry = field.message_type
    return bool(field.is_repeated and entry is not None and entry.has_options and entry.GetOptions().map_entry)


@dataclass(frozen=True, slots=True, eq=False)
class FieldPath:
    """A field of a message, however deep; all but the last step are singular messages.

    Attributes:
        text: proto names joined by dots, e.g. ``"book.name"``.
        fields: one for each step.
        parents: the names of all but the last.
        oneofs: for each step that shares a oneof with others: the oneof's place, and the step's name.
        is_map: the field is a map.
        repeated: the field is repeated, and no map.
        integer: one text of it is an integer.
    """

    text: str
    fields: tuple[FieldDescriptor, ...]
    parents: tuple[str, ...]
    oneofs: tuple[tuple[str, str], ...]
    is_map: bool
    repeated: bool
    integer: bool

    @property
    def field(self) -> FieldDescriptor:
        """The field itself."""
        return self.fields[-1]

    # Messages are ``Any`` here: their attributes are known only to their descriptors.

    def parent(self, message: Any) -> Any:
        """The message that holds the field; it needs not be present."""
        for name in self.parents:
            message = getattr(message, name)
        return message

    def value(self, message: Any) -> Any:
        """What the field holds: its default, if it is not set."""
        return getattr(self.parent(message), self.field.name)

    def set_text(self, message: Any, text: str, options: CodecOptions) -> None:
        """Set the field, or append to it, from the text of a path or a query.

        Raises:
            ValueError: the text is not one of the field's type; a sentence, without the text.
        """
        if self.integer:
            # JSON has no leading zeros, but URLs do (/archive/2026/01), and they never mean base 8.
            text = _LEADING_ZEROS.sub(r"\1", text)
        set_text(self.parent(message), self.field, text, options)

    def setter(self, source: Any) -> Callable[[Any], None]:
        """Make a function that gives messages what ``source`` has there; every message of a stream goes through it."""
        parents, name, value = self.parents, self.field.name, self.value(source)
        if self.is_map or self.repeated:

            def replace(message: Any) -> None:
                holder = self.parent(message)
                holder.ClearField(name)
                getattr(holder, name).MergeFrom(value)

            return replace
        if self.field.message_type is not None:
            return lambda message: getattr(self.parent(message), name).CopyFrom(value)  # present then, even if empty
        if not parents:
            return lambda message: setattr(message, name, value)

        def put(message: Any) -> None:
            for parent in parents:
                message = getattr(message, parent)
            setattr(message, name, value)

        return put

    def contradiction(self, source: Any) -> Callable[[Any], bool]:
        """Make a function that tells whether a body sets the field to something else than ``source`` does, or another
        member of its oneof.

        A field without presence that holds its default counts as not set: that can't be told apart.
        """
        name, value, has_presence = self.field.name, self.value(source), self.field.has_presence
        if not self.parents and not has_presence:

            def differs(body: Any) -> bool:
                held = getattr(body, name)  # a list or a map is true if it holds anything
                return bool(held) and not _same(value, held)

            return differs

        def contradicts(body: Any) -> bool:
            for step in self.fields:
                if step.has_presence and not body.HasField(step.name):
                    oneof = step.containing_oneof
                    return oneof is not None and body.WhichOneof(oneof.name) is not None
                body = getattr(body, step.name)
            return bool(has_presence or body) and not _same(value, body)

        return contradicts

    def difference(self, source: Any) -> Callable[[Any], bool]:
        """Make a function that tells whether messages have something else there than ``source`` has."""
        value = self.value(source)
        return lambda message: not _same(value, self.value(message))


def _same(left: Any, right: Any) -> bool:
    """Equality in which NaN equals itself."""
    return bool(left == right) or (left.__class__ is float and left != left and right != right)  # noqa: PLR0124


def resolve(
    message: Descriptor, steps: list[str], look_up: Callable[[Descriptor, str], FieldDescriptor | None]
) -> FieldPath | None:
    """Follow names from a message to a field.

    Args:
        message: where to begin.
        steps: names, one for each level.
        look_up: finds a field by one spelling of its name.

    Returns:
        The path, or None if a name is unknown.

    Raises:
        ValueError: a step but the last is not a singular message; a sentence.
    """
    here: Descriptor | None = message
    fields: list[FieldDescriptor] = []
    oneofs: list[tuple[str, str]] = []
    place = ""
    for name in steps:
        if here is None:
            raise ValueError(f"expected a message before the '.', got the field {fields[-1].name}, which has no parts")
        field = look_up(here, name)
        if field is None:
            return None
        oneof = field.containing_oneof
        if oneof is not None:
            oneofs.append((f"{place}{oneof.name}", field.name))
        fields.append(field)
        place += f"{field.name}."
        here = None if field.is_repeated else field.message_type
    leaf = fields[-1]
    wrapped = leaf.message_type is not None and leaf.message_type.full_name in _INTEGER_WRAPPERS
    return FieldPath(
        text=place[:-1],
        fields=tuple(fields),
        parents=tuple(field.name for field in fields[:-1]),
        oneofs=tuple(oneofs),
        is_map=is_map(leaf),
        repeated=leaf.is_repeated and not is_map(leaf),
        integer=wrapped or leaf.cpp_type in _INTEGERS,
    )


def by_proto_name(message: Descriptor, name: str) -> FieldDescriptor | None:
    """Find a field as templates and rules spell it."""
    return message.fields_by_name.get(name)


def by_either_name(message: Descriptor, name: str) -> FieldDescriptor | None:
    """Find a field as clients spell it; a JSON name wins over another field's proto name, as in bodies."""
    proto = message.fields_by_name.get(name)
    if proto is not None and proto.json_name == name:
        return proto
    return next((field for field in message.fields if field.json_name == name), proto)


def resolve_variable(message: Descriptor, text: str) -> FieldPath:
    """Find the field of a path variable.

    Raises:
        ValueError: there is none, or a path can't set it; a sentence.

    Source: google/api/http.proto: not repeated, not a message (but for those that have one text).
    """
    path = resolve(message, text.split("."), by_proto_name)
    if path is None:
        raise ValueError(f"expected a field of {message.full_name}, but it has no {text}")
    if path.is_map or path.repeated:
        raise ValueError(f"expected a singular field in the path, but {text} is repeated")
    kind = path.field.message_type
    if kind is not None and kind.full_name not in _TEXTUAL:
        raise ValueError(f"expected a field in the path that one text can hold, but {text} is a {kind.full_name}")
    return path


def resolve_top_level(message: Descriptor, name: str, what: str) -> FieldDescriptor:
    """Find the field that ``body`` or ``response_body`` names.

    Raises:
        ValueError: there is none; a sentence.
    """
    if "." in name:
        raise ValueError(f"expected {what} to name a field at the top level, not {name}")
    field = message.fields_by_name.get(name)
    if field is None:
        raise ValueError(f"expected {what} to name a field of {message.full_name}, but it has no {name}")
    return field
