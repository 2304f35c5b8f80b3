"""What single values of a JSON tree cost: those that become messages, or entries of maps, though they are no objects.

One unit is half a microsecond, and 50 bytes of the message; measured with 4 MiB of each, CPython 3.11, protobuf 7.36:

| value | unit | ns | bytes |
| --- | --- | --- | --- |
| an element of a list in a ``Value``, a wrapper | 1 | 220 to 740 | 34 to 60 |
| ``bytes``, which go through base64 one by one | 1 | 370 to 570 | 16 to 41 |
| a member of a ``Struct``, an entry of a map | 2 | 710 to 1440 | 67 to 115 |
| ``Timestamp``, ``Duration``, ``FieldMask`` | 2 | 730 to 1500 | 43 to 137 |

Numbers, booleans and strings take 40 to 120 ns, and weigh nothing. The rest of a document are objects and arrays, which
``_count`` counts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from google.protobuf.descriptor import Descriptor

from asgi_grpc.codec._plan import FieldPlan, Kind, MessagePlan
from asgi_grpc.codec._types import Types

WEIGHTS = {
    Kind.VALUE: 1,
    Kind.WRAPPER: 1,
    Kind.BYTES: 1,
    Kind.TIMESTAMP: 2,
    Kind.DURATION: 2,
    Kind.FIELD_MASK: 2,
}
ENTRY = 2
WEIGHT = 4
"""Units for each object that is allowed."""
_JSON = (Kind.STRUCT, Kind.VALUE, Kind.LIST_VALUE)
_Part = tuple[Collection[Any], int, MessagePlan | None]
"""Some values, the weight of each, and the type within, as in ``_Cost``."""


class _Cost(NamedTuple):
    """Of a field: it, the weight of each value, and the type within, if that weighs more the more is in it."""

    field: FieldPlan
    each: int
    within: MessagePlan | None


class Weigher:
    """Weighs trees of JSON values before they become messages. Safe from several threads, as ``Types`` is.

    Args:
        types: where types are looked up.
    """

    def __init__(self, types: Types) -> None:
        self._types = types
        self._matter: dict[Descriptor, bool] = {}
        self._costs: dict[Descriptor, Mapping[str, _Cost]] = {}

    def matters(self, descriptor: Descriptor) -> bool:
        """Whether any JSON of a type weighs anything."""
        found = self._matter.get(descriptor)
        if found is None:
            kind = self._types.plan(descriptor).kind
            found = kind in (*_JSON, Kind.ANY, Kind.FIELD_MASK) or any(
                plan.extendable or any(map(_weighs, plan.fields)) for plan in self._types.reachable(descriptor)
            )
            self._matter[descriptor] = found
        return found

    def exceeds(self, descriptor: Descriptor, tree: Any, most: int) -> bool:
        """Whether the JSON of a type weighs more than this. What does not fit the type may weigh nothing.

        It looks at each object and array once, and not much further than to the first unit too many.
        """
        total = 0
        waiting = [(self._types.plan(descriptor), tree)]
        while waiting and total <= most:
            for values, each, within in self._parts(*waiting.pop()):
                total += len(values) * each
                if within is not None and total <= most:
                    waiting += _containers(within, values)
        return total > most

    def _parts(self, plan: MessagePlan, tree: Any) -> Iterable[_Part]:
        """What the JSON of a type has directly in it."""
        kind = tree.__class__
        if kind is list:
            return [(tree, WEIGHTS[Kind.VALUE], plan)] if plan.kind in _JSON else []
        if kind is str:  # the first path is in the weight of the mask
            return [(range(tree.count(",")), 1, None)] if plan.kind is Kind.FIELD_MASK else []
        if kind is not dict:
            return []
        if plan.kind is Kind.MESSAGE:
            return self._fields(plan, tree)
        if plan.kind in _JSON:
            return [(tree.values(), ENTRY, plan)]
        return [self._in_any(tree)] if plan.kind is Kind.ANY else []

    def _fields(self, plan: MessagePlan, tree: dict[str, Any]) -> Iterator[_Part]:
        costs = self._costs_of(plan)
        for key, value in tree.items():
            cost = costs.get(key) or self._of_extension(plan, key)
            if cost is not None:
                yield _values(cost.field, value), cost.each, cost.within

    def _in_any(self, tree: dict[str, Any]) -> _Part:
        url = tree.get("@type")
        plan = self._types.named(url.rpartition("/")[2]) if url.__class__ is str else None
        return (tree if plan is not None and plan.kind is Kind.MESSAGE else tree.get("value"),), 0, plan

    def _costs_of(self, plan: MessagePlan) -> Mapping[str, _Cost]:
        costs = self._costs.get(plan.descriptor)
        if costs is None:
            found = {key: self._cost(field) for key, field in plan.by_key.items()}
            costs = {key: cost for key, cost in found.items() if cost.each or cost.within is not None}
            self._costs[plan.descriptor] = costs
        return costs

    def _cost(self, field: FieldPlan) -> _Cost:
        inner = field.value or field
        each = WEIGHTS.get(inner.kind, 0) + (ENTRY if field.key is not None else 0)
        within = inner.message is not None and self.matters(inner.message)
        return _Cost(field, each, self._types.plan(inner.message) if inner.message is not None and within else None)

    def _of_extension(self, plan: MessagePlan, key: str) -> _Cost | None:
        field = self._types.extension(plan, key)
        return None if field is None else self._cost(field)


def _weighs(field: FieldPlan) -> bool:
    inner = field.value or field
    return field.key is not None or inner.kind in WEIGHTS or inner.kind in (*_JSON, Kind.ANY)


def _values(field: FieldPlan, value: Any) -> Collection[Any]:
    if field.key is not None:
        return value.values() if value.__class__ is dict else ()
    if field.repeated:
        return value if value.__class__ is list else ()
    return (value,)


def _containers(plan: MessagePlan, values: Collection[Any]) -> list[tuple[MessagePlan, Any]]:
    """Those of some values that may weigh something by what is in them."""
    if plan.kind is Kind.FIELD_MASK:
        return [(plan, value) for value in values if value.__class__ is str and "," in value]
    return [(plan, value) for value in values if value.__class__ is dict or value.__class__ is list]
