"""Parsing of path templates."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi_grpc.errors import ConfigurationError
from asgi_grpc.routing._template import Template, Variable, Wild, parse_template

ONE, MANY = Wild.ONE, Wild.MANY


def variable(field_path: str, start: int, stop: int, *, multi: bool = False) -> Variable:
    return Variable(field_path, start, stop, multi)


@pytest.mark.parametrize(
    ("text", "template"),
    [
        ("/", Template((), (), b"")),
        ("/a", Template((b"a",), (), b"")),
        ("/a/*/b", Template((b"a", ONE, b"b"), (), b"")),
        ("/**", Template((MANY,), (), b"")),
        ("/a:b", Template((b"a",), (), b"b")),
        ("/a:b:c", Template((b"a:b",), (), b"c")),
        ("/a:b/c", Template((b"a:b", b"c"), (), b"")),
        ("/*:b", Template((ONE,), (), b"b")),
        ("/a%20%2F/b:c%20d", Template((b"a /", b"b"), (), b"c d")),
        ("/!$&'()+,;=@-._~/b", Template((b"!$&'()+,;=@-._~", b"b"), (), b"")),
        ("/{x}", Template((ONE,), (variable("x", 0, 1),), b"")),
        ("/{x=*}", Template((ONE,), (variable("x", 0, 1),), b"")),
        ("/{x=a}", Template((b"a",), (variable("x", 0, 1),), b"")),
        ("/{x=a:b}", Template((b"a:b",), (variable("x", 0, 1),), b"")),
        ("/{x}:read", Template((ONE,), (variable("x", 0, 1),), b"read")),
        (
            "/v1/{book.shelf_name=shelves/*}/books/{_id9}",
            Template(
                (b"v1", b"shelves", ONE, b"books", ONE),
                (variable("book.shelf_name", 1, 3, multi=True), variable("_id9", 4, 5)),
                b"",
            ),
        ),
        ("/a/{x=**}", Template((b"a", MANY), (variable("x", 1, 0, multi=True),), b"")),
        ("/a/{x=b/**}", Template((b"a", b"b", MANY), (variable("x", 1, 0, multi=True),), b"")),
        ("/a/{x=**/b}/c:v", Template((b"a", MANY, b"b", b"c"), (variable("x", 1, -1, multi=True),), b"v")),
        ("/{x}/**/b", Template((ONE, MANY, b"b"), (variable("x", 0, 1),), b"")),
    ],
)
def test_a_template_is_steps_and_ranges(text: str, template: Template) -> None:
    assert parse_template(text) == template


SEGMENT = "expected no empty segment"
AFTER = "expected only literals after '**'"
BRACE = "expected a variable to be closed by '}' and to be the whole segment"
NAMED = "expected a variable to be named by a field path, like {book.name}"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "expected a '/' at the start"),
        ("a", "expected a '/' at the start"),
        ("{x}", "expected a '/' at the start"),
        ("//", SEGMENT),
        ("/a/", SEGMENT),
        ("/a//b", SEGMENT),
        ("/:v", SEGMENT),
        ("/a/:v", SEGMENT),
        ("/{x=}", SEGMENT),
        ("/{x=/a}", SEGMENT),
        ("/{x=a/}", SEGMENT),
        ("/a:", "expected no empty verb"),
        ("/{x}:", "expected no empty verb"),
        ("/{x}:a:b", BRACE),
        ("/a:b%3Ac", "expected a verb without ':'"),
        ("/a/**/*", AFTER),
        ("/a/**/**", AFTER),
        ("/{x=**}/{y}", AFTER),
        ("/**/{y=a}", AFTER),
        ("/{x=**/*}", AFTER),
        ("/{x={y}}", "expected no variable inside a variable"),
        ("/{x", BRACE),
        ("/{x/a", BRACE),
        ("/x}", BRACE),
        ("/{x}y", BRACE),
        ("/a{x}", BRACE),
        ("/{x}}", BRACE),
        ("/a:{v}", BRACE),
        ("/{}", NAMED),
        ("/{=a}", NAMED),
        ("/{a..b}", NAMED),
        ("/{.a}", NAMED),
        ("/{a.}", NAMED),
        ("/{9a}", NAMED),
        ("/{a b}", NAMED),
        ("/{a}/{a}", "expected each field to be bound once, but a is bound twice"),
        ("/{a}/{a.b}", "expected each field to be bound once, but a.b is bound twice"),
        ("/{a.b}/{a}", "expected each field to be bound once, but a is bound twice"),
    ],
)
def test_what_is_no_template_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_template(text)
    assert str(caught.value) == f"the path template {text!r}: {problem}"


@pytest.mark.parametrize("literal", ["a b", "a*", "***", "a%2", "a%zz", "a?b", "a#b", "\u00e9", 'a"', "a\\b", "[a]"])
def test_a_literal_is_of_path_characters(literal: str) -> None:
    problem = f"expected the literal segment {literal!r} to be of RFC 3986's path characters, others percent-encoded"
    with pytest.raises(ConfigurationError) as caught:
        parse_template(f"/x/{literal}/y")
    assert str(caught.value) == f"the path template {f'/x/{literal}/y'!r}: {problem}"


def test_fields_whose_names_only_begin_alike_may_both_be_bound() -> None:
    assert [v.field_path for v in parse_template("/{a.b}/{a.bc}/{a_b}").variables] == ["a.b", "a.bc", "a_b"]


@pytest.mark.parametrize(
    ("text", "segments", "raw"),
    [
        ("/a/{x=**}", ["a"], ""),
        ("/a/{x=**}", ["a", "b", "c"], "b/c"),
        ("/a/{x=**/b}/c", ["a", "b", "c"], "b"),
        ("/a/{x=**/b}/c", ["a", "1", "2", "b", "c"], "1/2/b"),
        ("/{x=s/*}/**", ["s", "1", "2"], "s/1"),
        ("/{x}", ["%2F"], "%2F"),
    ],
)
def test_a_variable_cuts_its_segments(text: str, segments: list[str], raw: str) -> None:
    assert parse_template(text).variables[0].cut([s.encode() for s in segments]) == raw.encode()


PIECES = st.sampled_from(["/", "*", "**", "{", "}", "=", ":", "a", "b.c", ".", "%41", "%", " ", "{x}", "{y=a/*}", "/a"])


@given(st.lists(PIECES, max_size=8).map("".join) | st.text(max_size=10))
def test_any_text_is_a_template_or_refused(text: str) -> None:
    try:
        template = parse_template(text)
    except ConfigurationError:
        return
    assert Wild.MANY not in template.steps[:-1] or Wild.ONE not in template.steps[template.steps.index(Wild.MANY) :]
    segments = [step if isinstance(step, bytes) else b"x" for step in template.steps]
    assert all(variable.cut(segments) for variable in template.variables)
