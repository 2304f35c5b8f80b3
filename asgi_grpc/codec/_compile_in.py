"""The fast path in: for each message type a generated function that moves a decoded Struct into a message.

For ``message Line { string sku = 1; int64 id = 2; Money price = 4; repeated Line parts = 5; }`` it is

    def fill(m, s, d):
     if d > 97: miss()
     if (v := s.f1) is not None: m.sku = v
     if v := s.f2: m.id = v
     if (v := s.f4) is not None:
      x = m.price
      x.SetInParent()
      if (q := v.f1) is not None: x.currency_code = q
     if (v := s.f5) is not None:
      if v.__class__ is not list: miss()
      y = m.parts.add
      for z in v:
       fill7(y(), z, d + 2)

Why source is generated: against closures for each field it takes 0.4 of the time on a two-field message and 0.5 on an
order of nine types (CPython 3.11, x86-64; tests/bench/codec.py measures the whole, the complete path is its oracle).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import Descriptor
from msgspec import UNSET

from asgi_grpc.codec._levels import Levels
from asgi_grpc.codec._plan import FieldPlan, Kind, MessagePlan
from asgi_grpc.codec._quick import (
    BOOLEANS,
    KEYS,
    EnumNumbers,
    miss,
    quick_bools,
    quick_float,
    quick_floats,
    quick_null,
    quick_timestamp,
)
from asgi_grpc.codec._quick_json import quick_list, quick_struct, quick_value
from asgi_grpc.codec._source import Source, assign_attribute, read_attribute
from asgi_grpc.codec._structs import AS_IT_COMES
from asgi_grpc.codec._types import Types
from asgi_grpc.codec._wellknown import read_duration, read_field_mask

Fill = Callable[..., None]
_INLINE_MOST = 8  # fields of a message that is filled within its parent's function
FILL_JSON = {Kind.STRUCT: quick_struct, Kind.VALUE: quick_value, Kind.LIST_VALUE: quick_list}
_PAIRS = {Kind.TIMESTAMP: quick_timestamp, Kind.DURATION: read_duration}
_WHOLE_LISTS = {Kind.BOOL: quick_bools, Kind.FLOAT: quick_floats}
_EXTENDED_AS_IT_IS = (Kind.INT, Kind.STRING, Kind.DOUBLE)


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What generated functions lean on.

    Attributes:
        types: where plans are looked up.
        levels: how deep they nest.
        possible: whether a type has a fast path.
        aliases: of a plan, the numbers whose other spelling is an attribute ``g<number>``.
        read_any: raw JSON and its level to a type URL and bytes, or None for null.
        decode_base64: text to bytes; None where the JSON decoder did it.
        allow_partial: required fields may be missing.
    """

    types: Types
    levels: Levels
    possible: Callable[[MessagePlan], bool]
    aliases: Callable[[MessagePlan], list[int]]
    read_any: Callable[[Any, int], tuple[str, bytes] | None]
    decode_base64: Callable[[str], bytes] | None
    allow_partial: bool


class Fillers:
    """The generated functions of one pool and one set of options; the caller holds the lock."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._around = surroundings
        self._made: dict[Descriptor, Fill] = {}

    def of(self, descriptor: Descriptor) -> Fill:
        """The function ``fill(message, struct)``, or ``fill(message, struct, level)`` where levels are counted."""
        if descriptor not in self._made:
            # Functions may call one another in circles: all are made, then linked. Flat messages have none.
            bodies = {descriptor: _Body(self._around, descriptor)}
            waiting = [descriptor]
            built: dict[Descriptor, Fill] = {}
            while waiting:
                body = bodies[waiting.pop()]
                built[body.descriptor] = body.build()
                for needed in body.needs:
                    if needed not in self._made and needed not in bodies:
                        bodies[needed] = _Body(self._around, needed)
                        waiting.append(needed)
            for body in bodies.values():
                body.link(self._made | built)
            self._made |= built
        return self._made[descriptor]


class _Body:
    """The source of one type's function. In it ``m`` is the message, ``s`` the Struct, ``d`` the level of both."""

    def __init__(self, around: Surroundings, descriptor: Descriptor) -> None:
        self.descriptor = descriptor
        self._around = around
        self._plan = plan = around.types.plan(descriptor)
        self._counted = around.levels.counted(descriptor)
        self._source = Source("fill(m, s, d=1)" if self._counted else "fill(m, s)")
        self._later: dict[Descriptor, str] = {}
        self._groups = {number: numbers[0] for numbers in plan.oneofs for number in numbers}
        self._miss = self._source.constant(miss, "miss")
        self._unset = self._source.constant(UNSET, "UNSET")

    def build(self) -> Fill:
        """Compile the function; it works once it is linked."""
        if self._around.possible(self._plan):
            self._message(self._plan)
        else:
            self._source.add(0, f"{self._miss}()")
        return self._source.build(f"asgi_grpc.codec in: {self._plan.full_name}")

    @property
    def needs(self) -> Iterable[Descriptor]:
        """The messages within whose functions ``link`` must bring."""
        return self._later

    def link(self, made: Mapping[Descriptor, Fill]) -> None:
        """Bring the functions of the messages within."""
        for descriptor, name in self._later.items():
            self._source.give(name, made[descriptor])

    def _message(self, plan: MessagePlan) -> None:
        add = self._source.add
        if self._counted:
            add(0, f"if d > {self._around.levels.limit - self._around.levels.margin(plan.descriptor)}: {self._miss}()")
        if not plan.fields:
            add(0, f"if s.__class__ is str: {self._miss}()")
        self._refuse_aliases(0, plan, "s")
        for number, *_ in plan.oneofs:
            add(0, f"o{number} = 0")
        self._fields(0, plan, "m", "s", "v")

    def _refuse_aliases(self, depth: int, plan: MessagePlan, struct: str) -> None:
        aliases = self._around.aliases(plan)
        if aliases:
            present = " or ".join(f"{struct}.g{number} is not {self._unset}" for number in aliases)
            self._source.add(depth, f"if {present}: {self._miss}()")

    def _fields(self, depth: int, plan: MessagePlan, owner: str, struct: str, value: str) -> None:
        """Statements for all fields, and one that makes the message present, if that has a field to stand on."""
        marker = _marker(plan)
        for field in plan.fields:
            if field is marker:
                found = f"{struct}.f{field.number}" + (" or ''" if field.kind is Kind.STRING else "")
                self._source.add(depth, assign_attribute(owner, field.name, found))
            else:
                self._field(depth, field, owner, struct, value)

    def _field(self, depth: int, field: FieldPlan, owner: str, struct: str, value: str) -> None:
        """Statements that look for one field and set it; ``value`` is the variable for its JSON."""
        add = self._source.add
        add(depth, f"if {self._present(field, struct, value)}:")
        group = self._groups.get(field.number) if field.oneof else None
        if group is not None:
            add(depth + 1, f"if o{group}: {self._miss}()")
            add(depth + 1, f"o{group} = 1")
        place = read_attribute(owner, field.name)
        if field.key is not None:
            self._map(depth + 1, field, place, value)
        elif field.repeated:
            self._list(depth + 1, field, place, value)
        elif field.message is not None:
            self._sub_message(depth + 1, field, place, value, 1)
        else:
            add(depth + 1, assign_attribute(owner, field.name, self._scalar(field, value)))
        if field.required and not self._around.allow_partial:
            add(depth, f"else: {self._miss}()")

    def _present(self, field: FieldPlan, struct: str, value: str) -> str:
        """A condition: the JSON says something about the field. Anything more than None depends on its default."""
        found = f"({value} := {struct}.f{field.number})"
        if not field.repeated and field.key is None:
            if field.kind is Kind.INT and not field.presence:
                return found
            if field.kind in (Kind.VALUE, Kind.NULL, Kind.ANY):
                return f"{found} is not {self._unset}"
            if field.kind in AS_IT_COMES:
                return f"{found} is not {self._unset} and {value} is not None"
        return f"{found} is not None"

    def _scalar(self, field: FieldPlan, value: str) -> str:
        """An expression that protobuf takes as it is, or that raises."""
        match field.kind:
            case Kind.BOOL:
                return f"{value} if {value} is True or {value} is False else {self._miss}()"
            case Kind.ENUM:
                assert field.enum is not None
                return f"{self._source.constant(EnumNumbers(field.enum), 'names')}[{value}]"
            case Kind.FLOAT:
                return f"{self._source.constant(quick_float, 'float')}({value})"
            case Kind.NULL:
                return f"{self._source.constant(quick_null, 'null')}({value})"
            case Kind.BYTES if self._around.decode_base64 is not None:
                return f"{self._source.constant(self._around.decode_base64, 'base')}({value})"
            case _:
                return value

    def _list(self, depth: int, field: FieldPlan, place: str, value: str) -> None:
        add = self._source.add
        add(depth, f"if {value}.__class__ is not list: {self._miss}()")
        if field.message is not None:
            add(depth, f"y = {place}.add")
            add(depth, f"for z in {value}:")
            self._sub_message(depth + 1, field, "y()", "z", 2)
        elif field.kind in _WHOLE_LISTS:
            add(depth, f"{place}.extend({self._source.constant(_WHOLE_LISTS[field.kind], 'list')}({value}))")
        else:
            one = self._scalar(field, "z")
            add(depth, f"{place}.extend({value if one == 'z' else f'[{one} for z in {value}]'})")

    def _map(self, depth: int, field: FieldPlan, place: str, value: str) -> None:
        add = self._source.add
        assert field.key is not None
        assert field.value is not None
        key = "k"
        if field.key.kind is not Kind.STRING:
            key = self._source.constant(BOOLEANS if field.key.kind is Kind.BOOL else KEYS, "keys") + "[k]"
        add(depth, f"y = {place}")
        add(depth, f"for k, z in {value}.items():")
        if field.value.message is None:
            add(depth + 1, f"y[{key}] = {self._scalar(field.value, 'z')}")
        else:
            self._sub_message(depth + 1, field.value, f"y[{key}]", "z", 2)

    def _sub_message(self, depth: int, field: FieldPlan, place: str, value: str, levels: int) -> None:
        """Statements that fill the message at ``place``, ``levels`` below ``d``, from the JSON in ``value``."""
        source = self._source
        if field.wrapped is not None:
            source.add(depth, f"{place}.value = {self._scalar(field.wrapped, value)}")
            return
        source.add(depth, f"x = {place}")
        if field.kind in _PAIRS:
            source.add(depth, f"x.seconds, n = {source.constant(_PAIRS[field.kind], 'pair')}({value})")
            source.add(depth, "if n: x.nanos = n")
        elif field.kind is Kind.ANY:
            read = source.constant(self._around.read_any, "any")
            source.add(depth, f"x.type_url, x.value = {read}({value}, d + {levels})")
        elif field.kind is Kind.MESSAGE:
            assert field.message is not None
            self._message_within(depth, self._around.types.plan(field.message), value, levels)
        else:
            source.add(depth, "x.SetInParent()")
            if field.kind is Kind.FIELD_MASK:
                source.add(depth, f"x.paths.extend({source.constant(read_field_mask, 'mask')}({value}))")
            else:
                room = f"{self._around.levels.limit - levels} - d"
                source.add(depth, f"{source.constant(FILL_JSON[field.kind], 'json')}(x, {value}, {room})")

    def _message_within(self, depth: int, plan: MessagePlan, value: str, levels: int) -> None:
        """Statements that fill ``x``, an ordinary message: here if it is small and flat, else in its own function."""
        add = self._source.add
        if _marker(plan) is None or not self._around.possible(plan):
            add(depth, "x.SetInParent()")
        if self._is_flat(plan):
            self._refuse_aliases(depth, plan, value)
            self._fields(depth, plan, "x", value, "q")
            return
        if plan.descriptor not in self._later:
            self._later[plan.descriptor] = self._source.later("fill")
        level = f", d + {levels}" if self._around.levels.counted(plan.descriptor) else ""
        add(depth, f"{self._later[plan.descriptor]}(x, {value}{level})")

    def _is_flat(self, plan: MessagePlan) -> bool:
        if not 1 <= len(plan.fields) <= _INLINE_MOST or not self._around.possible(plan):
            return False
        if self._around.levels.counted(plan.descriptor):
            return False
        return not any(
            field.presence or field.repeated or field.key is not None or field.message is not None
            for field in plan.fields
        )


def _marker(plan: MessagePlan) -> FieldPlan | None:
    """A field that is always set: to set one, even to its default, makes a message present, and costs half of
    ``SetInParent``."""
    for field in plan.fields:
        if field.kind in (Kind.STRING, Kind.INT) and not (field.presence or field.repeated or field.key is not None):
            return field
    return None
