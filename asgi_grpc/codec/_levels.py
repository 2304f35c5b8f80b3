"""How deep a schema lets JSON nest: where it can't pass a bound, generated code needs no counter."""

from __future__ import annotations

from google.protobuf.descriptor import Descriptor

from asgi_grpc.codec._plan import FieldPlan, Kind
from asgi_grpc.codec._refusal import WIRE_DEPTH
from asgi_grpc.codec._types import Types

_BOUNDLESS = (Kind.ANY, Kind.STRUCT, Kind.VALUE, Kind.LIST_VALUE)


class Levels:
    """Bounds by descriptor. Careful, not exact: what may be too deep is left to the complete path, which counts.

    Attributes:
        limit: the level of ``{`` and ``[`` that the fast path goes to. Of messages alone, the binary form has no more
            levels than JSON, but for up to two at its leaves: a well-known type, and that in a map.
    """

    def __init__(self, types: Types, max_depth: int) -> None:
        self._types = types
        self.limit = min(max_depth, WIRE_DEPTH - 2)
        self._bounds: dict[Descriptor, int | None] = {}

    def bound(self, descriptor: Descriptor) -> int | None:
        """The levels that a message takes at most, its own braces included; ``None`` if nothing bounds them."""
        if descriptor not in self._bounds:
            self._bounds[descriptor] = None  # a type that holds itself finds this
            self._bounds[descriptor] = self._measure(descriptor)
        return self._bounds[descriptor]

    def counted(self, descriptor: Descriptor) -> bool:
        """Whether the function of this type must be told its level."""
        bound = self.bound(descriptor)
        return bound is None or bound > self.limit // 2

    def margin(self, descriptor: Descriptor) -> int:
        """The levels that the uncounted things in a message take at most, its own braces not included."""
        return max((self._margin(field) for field in self._types.plan(descriptor).fields), default=0)

    def _measure(self, descriptor: Descriptor) -> int | None:
        deepest = 0
        for field in self._types.plan(descriptor).fields:
            inner = field.value or field
            below = 0
            if inner.kind in _BOUNDLESS:
                return None
            if inner.kind is Kind.MESSAGE:
                assert inner.message is not None
                bound = self.bound(inner.message)
                if bound is None:
                    return None
                below = bound
            deepest = max(deepest, below + _container(field))
        return 1 + deepest

    def _margin(self, field: FieldPlan) -> int:
        inner = field.value or field
        below = 0
        if inner.kind is Kind.MESSAGE:
            assert inner.message is not None
            if not self.counted(inner.message):
                below = self.bound(inner.message) or 0
        return below + _container(field)


def _container(field: FieldPlan) -> int:
    return 1 if field.repeated or field.key is not None else 0
