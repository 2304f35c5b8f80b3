"""Generated source: names that are no identifiers never become text."""

from __future__ import annotations

import pytest

from asgi_grpc.codec._source import Source, assign_attribute, attribute, read_attribute


def test_lines_and_constants_become_a_function() -> None:
    source = Source("f(x)")
    table = {1: "one"}
    assert source.constant(table, "table") == source.constant(table, "table")
    source.add(0, "if x:")
    source.add(1, f"return {source.constant(table, 'table')}[x]")
    later = source.later("other")
    source.add(0, f"return {later}")
    function = source.build("a test")
    assert function(1) == "one"
    source.give(later, "later")
    assert function(0) == "later"


def test_a_traceback_names_the_title() -> None:
    source = Source("f()")
    source.add(0, "raise ValueError")
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - our own, from above
        source.build("title: a.B")()
    assert caught.traceback[-1].path == "<title: a.B>" or str(caught.traceback[-1].path).endswith("<title: a.B>")


@pytest.mark.parametrize("name", ["class", "None", "__init__", "é", "a b", "1a", "a;b", "'"])
def test_odd_names_go_in_as_literals(name: str) -> None:
    assert attribute("m", name) is None
    assert read_attribute("m", name) == f"getattr(m, {name!r})"
    assert assign_attribute("m", name, "v") == f"setattr(m, {name!r}, v)"


def test_plain_names_are_attributes() -> None:
    assert (read_attribute("m", "a_b"), assign_attribute("m", "_a", "v")) == ("m.a_b", "m._a = v")
