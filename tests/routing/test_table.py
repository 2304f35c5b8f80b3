"""The table against a slow matcher, and its precedence case by case."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from asgi_grpc.routing._escapes import plain_segment
from asgi_grpc.routing._table import Table
from asgi_grpc.routing._template import Step, Template, Wild, parse_template


def table_of(*templates: str) -> Table[str]:
    table: Table[str] = Table()
    for text in templates:
        table.add(parse_template(text), "GET", text)
    return table


def found(table: Table[str], path: str) -> list[str]:
    return [by_method["GET"] for by_method, _ in table.candidates(path.encode())]


@pytest.mark.parametrize(
    ("best_first", "path"),
    [
        (["/a/b", "/a/*", "/a/**", "/*/b", "/*/*", "/*/**", "/**/b", "/**"], "/a/b"),
        (["/a/*/c", "/a/**/b/c", "/a/**/c", "/a/**", "/**/b/c"], "/a/b/c"),
        (["/a", "/a/**", "/*", "/**/a", "/**"], "/a"),
        (["/", "/**"], "/"),
        (["/a/b:v", "/a/*:v", "/a/**:v", "/**:v", "/a/*", "/**"], "/a/b:v"),
        (["/a/**:v", "/**:v", "/a/*", "/a/**"], "/a/:v"),
        (["/a:v", "/a/**:v", "/*:v", "/*", "/**"], "/a:v"),
        (["/**:v", "/*", "/**"], "/:v"),
        (["/a:b/c", "/a:b/*", "/*/c"], "/a:b/c"),
    ],
)
def test_the_special_comes_before_the_general_whatever_was_first(best_first: list[str], path: str) -> None:
    for order in [best_first, best_first[::-1], *list(permutations(best_first))[:: len(best_first) ** 3]]:
        assert found(table_of(*order), path) == best_first


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("/a/*", "/a/"),
        ("/a/*", "/a"),
        ("/a/*", "/a/b/"),
        ("/a/*", "/a//"),
        ("/a/*", "//a/b"),
        ("/a", "/a/"),
        ("/a", "a"),
        ("/a", ""),
        ("/a", "*"),
        ("/", ""),
        ("/a", "/"),
        ("/*", "/"),
        ("/a/**", "/a//b"),
        ("/a/**/b", "/a//b"),
        ("/**", "//"),
        ("/**/b", "/b/"),
        ("/a:v", "/a"),
        ("/a/*:v", "/a/:v"),
        ("/a", "/a:v"),
        ("/a", "/A"),
        ("/a", "/%6"),
        ("/%2541", "/A"),
        ("/%2541", "/%41"),
    ],
)
def test_what_does_not_match(template: str, path: str) -> None:
    assert found(table_of(template), path) == []


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("/a/**", "/a/"),
        ("/a/**", "/a/b/"),
        ("/a/**", "/a/b//c"),
        ("/a/**/b", "/a/x//b"),
        ("/a%20b", "/a%20b"),
        ("/ab", "/%61b"),
        ("/%61b", "/ab"),
        ("/a%2Fb", "/a%2fb"),
        ("/%E2%82%AC", "/\u20ac"),
        ("/a:b%20c", "/a:b%20c"),
        ("/a:bc", "/a:%62c"),
        ("/*", "/%zz"),
        ("/*", "/%2F"),
    ],
)
def test_what_does_match(template: str, path: str) -> None:
    assert found(table_of(template), path) == [template]


def test_a_suffix_that_is_no_verb_is_part_of_the_value() -> None:
    table = table_of("/a/*:v", "/a/*")
    assert [segments for _, segments in table.candidates(b"/a/x:y")] == [[b"a", b"x:y"]]
    assert [segments for _, segments in table.candidates(b"/a/x:v")] == [[b"a", b"x"], [b"a", b"x:v"]]
    assert [segments for _, segments in table.candidates(b"/a/x%3Av")] == [[b"a", b"x%3Av"]]


def test_an_equal_template_keeps_the_first_value() -> None:
    table: Table[int] = Table()
    assert table.add(parse_template("/a/{x}"), "GET", 1) == 1
    assert table.add(parse_template("/a/{y=*}"), "POST", 2) == 2
    assert table.add(parse_template("/a/*"), "GET", 3) == 1
    assert [dict(by_method) for by_method, _ in table.candidates(b"/a/b")] == [{"GET": 1, "POST": 2}]


@pytest.mark.parametrize(
    ("template", "other", "shadow"),
    [
        ("/a/**/b", "/a/*/**", True),
        ("/a/**/b/c", "/a/*/**", True),
        ("/a/**/b/c", "/a/*/**/c", True),
        ("/a/**/b/c", "/a/*/*/**", True),
        ("/a/**/b:v", "/a/*/**:v", True),
        ("/*/**/b", "/*/*/**", True),
        ("/a/**/b", "/a/*/**/b", False),
        ("/a/**/b", "/a/*/*/**", False),
        ("/a/**/b", "/a/*/**:v", False),
        ("/a/**/b", "/a/**", False),
        ("/a/**", "/a/*/**", False),
        ("/a/**/b", "/a/*", False),
        ("/a/**/b/c", "/a/*/**/d", False),
        ("/a/*", "/**", False),
    ],
)
def test_only_a_star_before_a_double_star_shadows(template: str, other: str, *, shadow: bool) -> None:
    table = table_of(template, other)
    assert table.shadow_of(parse_template(template), ["POST", "GET"]) == (other if shadow else None)
    assert table.shadow_of(parse_template(template), ["POST"]) is None


# The slow matcher: each template by itself, then sorted by what the rules say.

SEGMENTS = st.sampled_from([b"a", b"b", b"", b"a:v", b"b:w:v", b":v", b"%61", b"%zz"])
LITERALS = st.sampled_from(["a", "b", "a:v"])


@st.composite
def templates(draw: st.DrawFn) -> str:
    """Draw a template over few literals, so that many match one path."""
    parts = draw(st.lists(LITERALS | st.just("*"), max_size=3))
    if draw(st.booleans()):
        parts = [*parts, "**", *draw(st.lists(LITERALS, max_size=2))]
    if parts and parts[-1] == "a:v":
        parts[-1] = "a"
    return "/" + "/".join(parts) + (draw(st.sampled_from(["", "", ":v", ":w"])) if parts else "")


def rank(steps: tuple[Step, ...], segments: list[bytes], start: int = 0) -> list[int] | None:
    """How specially steps match segments: smaller first; None if they don't."""
    if not steps:
        return [] if start == len(segments) else None
    step, rest = steps[0], steps[1:]
    if step is Wild.MANY:
        stop = len(segments) - len(rest)
        taken = segments[start:stop]
        if stop < start or (taken and not taken[0] and (len(taken) > 1 or rest)):
            return None
        return [2, -len(rest)] if [plain_segment(s) for s in segments[stop:]] == list(rest) else None
    if start == len(segments):
        return None
    if step is Wild.ONE:
        first, fits = 1, bool(segments[start])
    else:
        first, fits = 0, plain_segment(segments[start]) == step
    others = rank(rest, segments, start + 1) if fits else None
    return None if others is None else [first, *others]


def slowly(table: list[Template], path: bytes) -> list[Template]:
    """Every match, best first."""
    segments = path[1:].split(b"/") if path != b"/" else []
    ranked = []
    for template in table:
        given = segments
        if template.verb:
            before, colon, verb = segments[-1].rpartition(b":") if segments else (b"", b"", b"")
            if not colon or verb != template.verb:
                continue
            given = [*segments[:-1], before]
        order = rank(template.steps, given)
        if order is not None:
            ranked.append(((0 if template.verb else 1, order), template))
    return [template for _, template in sorted(ranked, key=lambda pair: pair[0])]


@given(st.lists(templates(), max_size=12, unique=True), st.lists(SEGMENTS, max_size=4))
@example(["/a/*/**", "/a/**/b", "/**/a/b"], [b"a", b"a", b"b"])
def test_the_table_agrees_with_trying_each_template(texts: list[str], segments: list[bytes]) -> None:
    path = b"/" + b"/".join(segments)
    table: Table[Template] = Table()
    parsed = [parse_template(text) for text in texts]
    for template in parsed:
        table.add(template, "GET", template)
    assert [by_method["GET"] for by_method, _ in table.candidates(path)] == slowly(parsed, path)


@given(st.lists(templates(), max_size=12, unique=True), templates(), st.data())
def test_an_expanded_template_matches(texts: list[str], text: str, data: st.DataObject) -> None:
    template = parse_template(text)
    segments: list[bytes] = []
    for step in template.steps:
        if step is Wild.MANY:
            segments += data.draw(st.lists(st.sampled_from([b"x", b"a", b"%2F"]), max_size=3))
        else:
            segments.append(data.draw(st.sampled_from([b"x", b"a", b"b:v"])) if step is Wild.ONE else step)
    path = b"/" + b"/".join(segments) + (b":" + template.verb if template.verb else b"")
    table: Table[Template] = Table()
    for other in [text, *texts]:
        table.add(parse_template(other), "GET", parse_template(other))
    assert template in [by_method["GET"] for by_method, _ in table.candidates(path)]


@given(st.lists(templates(), max_size=12, unique=True), st.lists(SEGMENTS, max_size=4))
def test_a_shadowed_template_is_never_first(texts: list[str], segments: list[bytes]) -> None:
    path = b"/" + b"/".join(segment for segment in segments if segment)
    table = table_of(*texts)
    first = found(table, path.decode())[:1]
    assert not first or table.shadow_of(parse_template(first[0]), ["GET"]) is None


def test_nested_wildcards_cost_no_more_than_the_table_has_places() -> None:
    # 2**10 templates of literals and stars; a path that fails at the end visits each place once.
    texts = ["/" + "/".join("a*"[n >> bit & 1] for bit in range(10)) + "/end" for n in range(1 << 10)]
    table = table_of(*texts)
    assert found(table, "/a" * 10 + "/other") == []
    assert len(found(table, "/a" * 10 + "/end")) == 1 << 10
