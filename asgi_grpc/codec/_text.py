"""Text of paths and queries: one field of a message, set from a string by the rules of ProtoJSON for its type."""

from __future__ import annotations

import re
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from asgi_grpc.codec._machinery import Machinery, machinery
from asgi_grpc.codec._options import CodecOptions
from asgi_grpc.codec._plan import FieldPlan, Kind
from asgi_grpc.codec._refusal import Refusal
from asgi_grpc.codec._scalars import READERS, read_key
from asgi_grpc.codec._tree import read_tree

_DEFAULT = CodecOptions()
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_SURROGATE = re.compile("[\ud800-\udfff]")
_JSON_AS_TEXT = (Kind.STRUCT, Kind.VALUE, Kind.LIST_VALUE)
_STRINGS_IN_JSON = (Kind.TIMESTAMP, Kind.DURATION, Kind.FIELD_MASK)


def set_text(message: Message, field: FieldDescriptor, text: str, options: CodecOptions = _DEFAULT) -> None:
    """Set a singular field, or append to a repeated one, from the text of a path variable or a query parameter.

    Scalars, enums, bytes, wrappers, Timestamp, Duration and FieldMask have the text that ProtoJSON puts between
    quotes or writes as a number; ``1`` and ``0`` are also booleans; of an enum only declared numbers are taken.
    Struct, Value and ListValue are JSON.

    Args:
        message: of ``field.containing_type``.
        field: not a map (``set_map_text``), and of a type that has a text.
        text: decoded: no percent signs, no plus for a space.
        options: ``max_depth`` and ``max_objects`` for the JSON within.

    Raises:
        ValueError: the text is not one of the field's type, or the type has none; a sentence, without the text.
    """
    tools, plan = _tools(field, options)
    try:
        if plan.key is not None:
            raise Refusal("expected one entry of a map, got a text for the whole")
        value = _read(plan, text, tools)
        tools.walker.set_field(message, plan, [value] if plan.repeated else value)
    except Refusal as refusal:
        raise ValueError(refusal.problem) from None


def set_map_text(
    message: Message, field: FieldDescriptor, key: str, text: str, options: CodecOptions = _DEFAULT
) -> None:
    """Set one entry of a map field, as ``m[key]=text`` in a query says.

    Raises:
        ValueError: the field is no map, or one of the texts does not fit; a sentence, without the texts.
    """
    tools, plan = _tools(field, options)
    try:
        if plan.key is None or plan.value is None:
            raise Refusal("expected a map, got another field")
        read_key(plan.key, key)
        tools.walker.set_field(message, plan, {key: _read(plan.value, text, tools)})
    except Refusal as refusal:
        raise ValueError(refusal.problem) from None


def _tools(field: FieldDescriptor, options: CodecOptions) -> tuple[Machinery, FieldPlan]:
    owner = field.containing_type
    assert owner is not None
    tools = machinery(owner, options)
    return tools, tools.types.field(tools.types.plan(owner), field)


def _read(plan: FieldPlan, text: str, tools: Machinery) -> Any:
    """The JSON value that the text stands for."""
    if not text.isascii() and _SURROGATE.search(text):
        raise Refusal("expected Unicode text, got an unpaired surrogate")
    scalar = plan.wrapped or plan
    kind = scalar.kind
    if kind is Kind.BOOL:
        if text not in _BOOLEANS:
            raise Refusal("expected true or false, got another text")
        return _BOOLEANS[text]
    if kind is Kind.NULL:
        return READERS[kind](scalar, None if text == "null" else 0 if text == "0" else text)
    if kind is Kind.ENUM:
        number = READERS[kind](scalar, text)
        assert scalar.enum is not None
        if number not in scalar.enum.by_number:
            raise Refusal(f"expected a number of {scalar.enum.full_name}, got an unknown one")
        return number
    if kind in READERS:
        READERS[kind](scalar, text)
        return text
    if kind in _STRINGS_IN_JSON or kind in _JSON_AS_TEXT:
        assert scalar.message is not None
        return _read_bounded(scalar.message, text, tools, is_json=kind in _JSON_AS_TEXT)
    assert plan.message is not None
    raise Refusal(f"expected a type that one text can hold, not the message {plan.message.full_name}")


def _read_bounded(descriptor: Descriptor, text: str, tools: Machinery, *, is_json: bool) -> Any:
    """A tree, of a text that may be as long as an address, or a form."""
    if len(text) <= tools.short:
        return read_tree(text, tools.options.max_depth) if is_json else text
    raw = text.encode()
    if is_json:
        tools.count(raw)
    tree = read_tree(raw, tools.options.max_depth) if is_json else text
    if tools.may_weigh(raw):
        tools.weigh(descriptor, tree)
    return tree
