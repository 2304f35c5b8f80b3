"""How deep a schema lets JSON nest."""

from __future__ import annotations

import pytest

from asgi_grpc.codec._levels import Levels
from asgi_grpc.codec._types import Types
from tests.codec import schemas


@pytest.mark.parametrize(
    ("message", "bound", "margin"),
    [
        ("samples.Hello", 1, 0),
        ("samples.Chat", 2, 1),
        ("samples.Address", 2, 1),
        ("samples.Customer", 3, 2),
        ("samples.Order", 4, 3),
        ("samples.Tree", None, 1),
        ("samples.Event", None, 0),
        ("samples.Document", None, 0),
        ("kinds.Maps", None, 2),
        ("kinds.Empty", 1, 0),
    ],
)
def test_levels_are_bounded_where_the_schema_bounds_them(message: str, bound: int | None, margin: int) -> None:
    levels = Levels(Types(schemas.pool()), 100)
    descriptor = schemas.pool().FindMessageTypeByName(message)
    assert (levels.bound(descriptor), levels.margin(descriptor)) == (bound, margin)
    assert levels.counted(descriptor) is (bound is None)


def test_a_low_limit_is_counted_everywhere() -> None:
    levels = Levels(Types(schemas.pool()), 5)
    assert levels.limit == 5
    assert levels.counted(schemas.pool().FindMessageTypeByName("samples.Order"))
    assert not levels.counted(schemas.pool().FindMessageTypeByName("samples.Hello"))
    assert Levels(Types(schemas.pool()), 1000).limit == 98
