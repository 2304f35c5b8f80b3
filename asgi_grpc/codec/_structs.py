"""Descriptors in, msgspec Struct types out: what a typed JSON decoder needs to know about a message.

A Struct has the attribute ``f<number>`` for each field, so that no name in a .proto file matters. The types are
chosen so that lax decoding, which reads ``"123"`` and ``1e5`` as integers in C, never reads anything that the
complete path refuses:

* ``None`` stands in no union with a type that the *string* ``"null"`` could be taken for; ``str`` is put beside
  messages, lists and dicts so that a string stays one, and fails when it is used;
* booleans are decoded as they come: lax mode takes ``"true"`` and ``1`` for them;
* floats stand beside ``str``: lax mode takes ``"nan"``.

Source: msgspec's documentation of ``strict=False``, and tests/codec/test_structs.py, which holds it to that.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from google.protobuf.descriptor import Descriptor
from msgspec import UNSET, Meta, Raw

from asgi_grpc.codec._plan import FieldPlan, Kind, MessagePlan
from asgi_grpc.codec._types import Types

AS_IT_COMES = (Kind.NULL, Kind.STRUCT, Kind.VALUE, Kind.LIST_VALUE)
_LIST: Any = list  # to a type checker their elements' types, made at run time, are values
_DICT: Any = dict
_INT64_MAX = 2**63 - 1


class StructTypes:
    """The Struct types of one pool; the caller holds the lock.

    Args:
        types: where plans are looked up.
        proto_names: keys are the names of the .proto file; else the JSON names.
        ignore_unknown: unknown keys are skipped; a key in the *other* spelling is then put into ``g<number>``, so
            that it is never skipped as unknown.
        text_bytes: bytes stay base64 text; else msgspec decodes them.
    """

    def __init__(self, types: Types, *, proto_names: bool, ignore_unknown: bool, text_bytes: bool) -> None:
        self._types = types
        self._proto_names = proto_names
        self._ignore_unknown = ignore_unknown
        self._text_bytes = text_bytes
        self._made: dict[tuple[Descriptor, bool], type[msgspec.Struct] | None] = {}

    def of(self, descriptor: Descriptor, *, in_any: bool = False) -> type[msgspec.Struct] | None:
        """The Struct type of an ordinary message; ``None`` if its names do not allow one.

        Args:
            descriptor: of a message that is not well known.
            in_any: with one more attribute, ``url``, for the key ``@type``.
        """
        key = (descriptor, in_any)
        if key not in self._made:
            self._made[key] = None
            plan = self._types.plan(descriptor)
            made = self._made[key] = self._define(plan, in_any=in_any)
            if made is not None:
                # Only now: a message may hold itself, and msgspec reads annotations when the first decoder is made.
                made.__annotations__.update({f"f{field.number}": self._annotation(field) for field in plan.fields})
        return self._made[key]

    def aliases(self, plan: MessagePlan) -> list[int]:
        """The numbers of the fields that have an attribute ``g<number>``."""
        if not self._ignore_unknown:
            return []
        return [field.number for field in plan.fields if self._other_name(plan, field)]

    def _name(self, field: FieldPlan) -> str:
        return field.name if self._proto_names else field.json_name

    def _other_name(self, plan: MessagePlan, field: FieldPlan) -> str | None:
        other = field.json_name if self._proto_names else field.name
        return other if other != self._name(field) and plan.by_key[other] is field else None

    def _define(self, plan: MessagePlan, *, in_any: bool) -> type[msgspec.Struct] | None:
        rename = {"url": "@type"} if in_any else {}
        attributes: list[tuple[str, Any, Any]] = [("url", Any, None)] if in_any else []
        for field in plan.fields:
            if plan.by_key[self._name(field)] is not field:
                return None  # this spelling of the name belongs to another field
            attributes.append((f"f{field.number}", Any, _default(field)))
            rename[f"f{field.number}"] = self._name(field)
        for number in self.aliases(plan):
            attributes.append((f"g{number}", Any, UNSET))
            rename[f"g{number}"] = self._other_name(plan, plan.by_number[number]) or ""
        if len({*rename.values()}) < len(rename):
            return None
        try:
            return msgspec.defstruct(
                "Fields", attributes, rename=rename, forbid_unknown_fields=not self._ignore_unknown, gc=False
            )
        except ValueError:
            return None  # msgspec takes no name with a quote, a backslash or a control character

    def _annotation(self, field: FieldPlan) -> Any:
        if field.key is not None:
            assert field.value is not None
            return _DICT[str, self._element(field.value)] | str | None
        element = self._element(field)
        if field.repeated:
            return _LIST[element] | str | None
        scalar = field.wrapped or field
        if scalar.kind is Kind.INT or field.kind is Kind.ANY or element is bytes or element is Any:
            return element
        return element | str | None

    def _element(self, field: FieldPlan) -> Any:
        field = field.wrapped or field
        match field.kind:
            case Kind.STRING | Kind.TIMESTAMP | Kind.DURATION | Kind.FIELD_MASK:
                return str
            case Kind.INT:
                # msgspec's bounds are int64; protobuf checks the upper bound of uint64 itself.
                high = field.high if field.high <= _INT64_MAX else None
                return Annotated[int, Meta(ge=field.low, le=high)]
            case Kind.DOUBLE | Kind.FLOAT:
                return float | str
            case Kind.ENUM:
                return str | int
            case Kind.BYTES:
                return str if self._text_bytes else bytes
            case Kind.ANY:
                return Raw
            case Kind.MESSAGE:
                assert field.message is not None
                return self.of(field.message) or Any
            case _:
                return Any


def _default(field: FieldPlan) -> Any:
    if field.repeated or field.key is not None:
        return None
    if field.kind in AS_IT_COMES or field.kind is Kind.ANY:
        return UNSET
    return 0 if field.kind is Kind.INT and not field.presence else None
