"""The fast path out: for each message type a generated function that reads a message into a Struct for msgspec.

For ``message Line { string sku = 1; int64 id = 2; Money price = 4; repeated Line parts = 5; }`` it is

    def read(m):
     return S(
      m.sku or UNSET,
      str(v) if (v := m.id) else UNSET,
      S4((x := m.price).currency_code or UNSET, ...) if m.HasField('price') else UNSET,
      [*map(read7, v)] if (v := m.parts) else UNSET,
     )

where ``S`` has the JSON names, and ``UNSET`` is not written. A type of many fields, or one that may hold extensions,
is read by the fields that are set instead: one dict look-up for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from msgspec import UNSET

from asgi_grpc.codec._options import CodecOptions
from asgi_grpc.codec._plan import FieldPlan, Kind, MessagePlan
from asgi_grpc.codec._quick_out import (
    WRITE_BASE64,
    EnumNames,
    quick_double,
    quick_doubles,
    quick_float,
    quick_list,
    quick_struct,
    quick_text,
    quick_timestamp,
    quick_value,
    quick_wide_integers,
)
from asgi_grpc.codec._scalars import write_double, write_float
from asgi_grpc.codec._source import Source, read_attribute
from asgi_grpc.codec._types import Types
from asgi_grpc.codec._wellknown import write_duration, write_field_mask

Read = Callable[..., Any]

_STRUCT_MOST = 24  # fields: to look at more than that costs more than a dict of those that are set
_FLAT_MOST = 8  # fields of a message that is read within its parent's function
READ_WELL_KNOWN: dict[Kind, Read] = {
    Kind.TIMESTAMP: quick_timestamp,
    Kind.DURATION: lambda message: write_duration(message.seconds, message.nanos),
    Kind.FIELD_MASK: lambda message: write_field_mask(message.paths),
    Kind.STRUCT: quick_struct,
    Kind.VALUE: quick_value,
    Kind.LIST_VALUE: quick_list,
}
_AS_THEY_ARE = (Kind.STRING, Kind.BOOL)


class Shapes:
    """The Struct types that messages are read into; the caller holds the lock."""

    def __init__(self, options: CodecOptions) -> None:
        self._proto_names = options.proto_names
        self._made: dict[tuple[Descriptor, bool], type[msgspec.Struct] | None] = {}

    def of(self, plan: MessagePlan, *, in_any: bool = False) -> type[msgspec.Struct] | None:
        """A Struct type with an attribute for each field, by number, after ``@type`` where it is in an Any.

        ``None``: the message is read into a dict, because it has many fields or may have extensions, or because
        msgspec does not take its names.
        """
        key = (plan.descriptor, in_any)
        if key not in self._made:
            self._made[key] = self._define(plan, in_any=in_any)
        return self._made[key]

    def name(self, field: FieldPlan) -> str:
        """What a field is called in the JSON that is written."""
        return field.name if self._proto_names else field.json_name

    def _define(self, plan: MessagePlan, *, in_any: bool) -> type[msgspec.Struct] | None:
        rename = {"url": "@type"} if in_any else {}
        rename |= {f"f{field.number}": self.name(field) for field in plan.fields}
        if len(plan.fields) > _STRUCT_MOST or plan.extendable or len({*rename.values()}) < len(rename):
            return None
        try:
            return msgspec.defstruct("Fields", [(name, Any) for name in rename], rename=rename, gc=False)
        except ValueError:
            return None


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What generated functions lean on.

    Attributes:
        types: where plans are looked up.
        options: how JSON is written.
        shapes: what messages are read into.
        read_any: the JSON of an Any.
        read_message: what reads messages of a type, by the complete path.
        read_extension: the name and the JSON of an extension that is set, by the complete path.
    """

    types: Types
    options: CodecOptions
    shapes: Shapes
    read_any: Read
    read_message: Callable[[MessagePlan], Read]
    read_extension: Callable[[MessagePlan, FieldDescriptor, Any], tuple[str, Any]]


class Body:
    """The source of one function. In it ``m`` is the message; expressions use ``v``, and ``x`` for a message within."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._options = around.options
        self._source = Source("read(m, url=None)")
        self._unset = self._source.constant(UNSET, "UNSET")
        self._later: dict[Descriptor, str] = {}

    @property
    def needs(self) -> Iterable[Descriptor]:
        """The messages within whose functions ``link`` must bring."""
        return self._later

    def link(self, made: Mapping[Descriptor, Read]) -> None:
        """Bring the functions of the messages within: types may hold one another."""
        for descriptor, name in self._later.items():
            self._source.give(name, made[descriptor])

    def returning(self, expression: str, title: str) -> Read:
        """The function that has nothing but one expression."""
        self._source.add(0, f"return {expression}")
        return self._source.build(f"asgi_grpc.codec out: {title}")

    def message(self, plan: MessagePlan, *, in_any: bool = False) -> Read:
        """The function for an ordinary message: ``read(m)``, or ``read(m, url)`` in an Any."""
        if plan.shadowing:
            read = self._around.read_message(plan)
            return (lambda message, url: {"@type": url, **read(message)}) if in_any else read
        shape = self._around.shapes.of(plan, in_any=in_any)
        if shape is None:
            return self._sparse(plan)
        groups = {number: numbers[0] for numbers in plan.oneofs for number in numbers}
        for number in dict.fromkeys(groups.values()):
            self._source.add(0, f"o{number} = m.WhichOneof({plan.by_number[number].oneof!r})")
        items = ["url"] if in_any else []
        items += [self._field(field, "m", groups) for field in plan.fields]
        return self.returning(f"{self._source.constant(shape, 'S')}({', '.join(items)})", plan.full_name)

    # One field, looked for.

    def _field(self, field: FieldPlan, owner: str, groups: Mapping[int, int]) -> str:
        """An expression: what is written for a field, or UNSET."""
        place = read_attribute(owner, field.name)
        empty = self._unset
        if field.key is not None or field.repeated:
            if self._options.print_defaults:
                empty = "{}" if field.key is not None else "[]"
            return f"{self.present(field, 'v')} if (v := {place}) else {empty}"
        if field.presence:
            there = f"{owner}.HasField({field.name!r})"
            if field.oneof:
                there = f"o{groups[field.number]} == {field.name!r}"
            return (
                self._singular_message(field, place, there) or f"{self.present(field, place)} if {there} else {empty}"
            )
        if self._options.print_defaults:
            return self.scalar(field, place)
        return self._implicit(field, place)

    def _implicit(self, field: FieldPlan, place: str) -> str:
        """A scalar without presence: written unless it is the default."""
        source = self._source
        match field.kind:
            case Kind.DOUBLE:
                return f"{source.constant(quick_double, 'double')}({place})"
            case Kind.FLOAT:
                return f"{source.constant(quick_float, 'float')}({place})"
            case Kind.ENUM:
                return f"{self._enum_names(field, hide_zero=True)}[{place}]"
        written = self.scalar(field, "v")
        return f"{place} or {self._unset}" if written == "v" else f"{written} if (v := {place}) else {self._unset}"

    def _singular_message(self, field: FieldPlan, place: str, there: str) -> str | None:
        """A small flat message, read on the spot."""
        if field.kind is not Kind.MESSAGE:
            return None
        assert field.message is not None
        plan = self._around.types.plan(field.message)
        shape = self._around.shapes.of(plan)
        if shape is None or plan.shadowing or not 1 <= len(plan.fields) <= _FLAT_MOST:
            return None
        if any(inner.message is not None or inner.repeated or inner.oneof for inner in plan.fields):
            return None
        items = ", ".join(self._field(inner, "x", {}) for inner in plan.fields)
        made = f"{self._source.constant(shape, 'S')}({items})"
        return f"{made} if {there} and (x := {place}) is not None else {self._unset}"

    # One field that is there.

    def present(self, field: FieldPlan, value: str) -> str:
        """An expression: the JSON of a whole field that is set."""
        if field.key is not None:
            return self._map(field, value)
        if field.repeated:
            return self._list(field, value)
        return self._element(field, value)

    def _element(self, field: FieldPlan, value: str) -> str:
        if field.wrapped is not None:
            return self.scalar(field.wrapped, f"{value}.value")
        if field.message is not None:
            return f"{self._function(field)}({value})"
        return self.scalar(field, value)

    def scalar(self, field: FieldPlan, value: str) -> str:
        """An expression: the JSON of a scalar."""
        source = self._source
        match field.kind:
            case Kind.INT if field.wide and not self._options.int64_as_numbers:
                return f"{source.constant(str, 'str')}({value})"
            case Kind.DOUBLE:
                return f"{source.constant(write_double, 'double')}({value})"
            case Kind.FLOAT:
                return f"{source.constant(write_float, 'float')}({value})"
            case Kind.ENUM:
                return f"{self._enum_names(field, hide_zero=False)}[{value}]"
            case Kind.NULL:
                return "None"
            case Kind.STRING if not field.verified:
                return f"{source.constant(quick_text, 'text')}({value})"
            case Kind.BYTES if WRITE_BASE64 is not None:
                return f"{source.constant(WRITE_BASE64, 'base')}({value})"
            case _:
                return value

    def _enum_names(self, field: FieldPlan, *, hide_zero: bool) -> str:
        assert field.enum is not None
        names = EnumNames(field.enum, as_numbers=self._options.enums_as_numbers, hide_zero=hide_zero)
        return self._source.constant(names, "names")

    def _list(self, field: FieldPlan, value: str) -> str:
        if field.message is not None and field.wrapped is None:
            return f"[*map({self._function(field)}, {value})]"
        if field.kind is Kind.DOUBLE:
            return f"{self._source.constant(quick_doubles, 'doubles')}({value})"
        if field.kind is Kind.INT and field.wide and not self._options.int64_as_numbers:
            return f"{self._source.constant(quick_wide_integers, 'wide')}({value})"
        element = self._element(field, "z")
        return f"{value}[:]" if element == "z" else f"[{element} for z in {value}]"

    def _map(self, field: FieldPlan, value: str) -> str:
        """In a function of its own: a comprehension that names ``v`` would slow down every other use of it."""
        assert field.key is not None
        assert field.value is not None
        match field.key.kind:
            case Kind.BOOL:
                key = "'true' if k else 'false'"
            case Kind.STRING:
                key = self.scalar(field.key, "k")
            case _:
                key = f"{self._source.constant(str, 'str')}(k)"
        display = f"{{{key}: {self._element(field.value, 'v[k]')} for k in v}}"
        return f"{self._source.aside('v', display)}({value})"

    def _function(self, field: FieldPlan) -> str:
        """The name of what reads the message of a field."""
        assert field.message is not None
        if field.kind is Kind.ANY:
            return self._source.constant(self._around.read_any, "any")
        if field.kind is not Kind.MESSAGE:
            return self._source.constant(READ_WELL_KNOWN[field.kind], field.kind)
        if field.message not in self._later:
            self._later[field.message] = self._source.later("read")
        return self._later[field.message]

    # By the fields that are set.

    def _sparse(self, plan: MessagePlan) -> Read:
        """Read a message into a dict, looking only at what is set."""
        asides = {field.number: self._source.aside("v", self.present(field, "v")) for field in plan.fields}
        table = self.returning(
            f"{{{', '.join(f'{number}: {name}' for number, name in asides.items())}}}", plan.full_name
        )
        converters: dict[int, Read] = table(None)
        names = {field.number: self._around.shapes.name(field) for field in plan.fields}
        read_extension = self._around.read_extension
        implicit = [field for field in plan.fields if not field.presence] if self._options.print_defaults else []

        def read(message: Any, url: str | None = None) -> dict[str, Any]:
            tree: dict[str, Any] = {} if url is None else {"@type": url}
            for field, value in message.ListFields():
                convert = converters.get(field.number)
                if convert is None:
                    name, tree[name] = read_extension(plan, field, value)
                else:
                    tree[names[field.number]] = convert(value)
            for default in implicit:
                name = names[default.number]
                if name not in tree:
                    tree[name] = converters[default.number](getattr(message, default.name))
            return tree

        return read
