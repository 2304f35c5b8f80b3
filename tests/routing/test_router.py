"""The router: request lines to routes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from asgi_grpc.errors import Code, ConfigurationError, MethodNotAllowed, NoSuchRoute, RequestError
from asgi_grpc.routing import Router
from asgi_grpc.schema import Binding, Schema
from tests.routing.library import METHODS, SCHEMA, method, plain, rule


def router_of(*lines: str, **options: Any) -> Router:
    """A router of lines such as ``GET /a/{name} -> Hear``; without an arrow, of the unary method."""
    methods = []
    for line in lines:
        binding, _, name = line.partition(" -> ")
        http_method, template = binding.split(" ")
        methods.append(method(name or "Do", rule(template, http_method=http_method)))
    return Router(methods, **options)


def served(router: Router, http_method: str, path: str) -> tuple[str, dict[str, str]]:
    """Which rule serves a request, and with which variables."""
    match = router.match(http_method, path.encode())
    binding = match.route.binding
    return f"{binding.http_method} {binding.template}", dict(match.variables)


def test_every_binding_of_a_schema_is_a_route() -> None:
    router = Router(SCHEMA.methods)
    assert [repr(route) for route in router.routes][:2] == [
        "<POST /library.Library/Do -> library.Library.Do>",
        "<POST /library.Library/Old -> library.Library.Old>",
    ]
    match = router.match("POST", b"/library.Library/Do")
    assert (match.route, match.variables) == (router.routes[0], {})
    assert match.route.method is METHODS["Do"]
    assert match.route.binding == Binding(
        http_method="POST", template="/library.Library/Do", body="*", source="default"
    )


def test_variables_come_decoded_by_field_path() -> None:
    router = router_of("GET /v1/{name=shelves/*}/{book.name}:read")
    assert served(router, "GET", "/v1/shelves/a%20%2Fb/c%2Fd%2b:read") == (
        "GET /v1/{name=shelves/*}/{book.name}:read",
        {"name": "shelves/a %2Fb", "book.name": "c/d+"},
    )


@pytest.mark.parametrize(
    ("unescape", "name"), [("except_reserved", "%2f%23/ %23"), ("except_slash", "%2f#/ %23"), ("all", "/#/ %23")]
)
def test_variables_of_several_segments_keep_reserved_escapes_by_option(unescape: str, name: str) -> None:
    router = router_of("GET /{name=**}", unescape=unescape)
    assert served(router, "GET", "/%2f%23/%20%2523")[1] == {"name": name}


def test_a_wildcard_serves_what_the_literal_does_not() -> None:
    router = router_of("GET /a/b", "POST /a/{name}", "PUT /{name=**}", "DELETE /a/b/c", "GET /a/{name}/d")
    assert [served(router, verb, "/a/b")[0] for verb in ("GET", "POST", "PUT")] == [
        "GET /a/b",
        "POST /a/{name}",
        "PUT /{name=**}",
    ]
    assert served(router, "GET", "/a/b/d")[0] == "GET /a/{name}/d"


def test_a_verb_that_does_not_serve_the_method_is_part_of_the_value() -> None:
    router = router_of("POST /a/{name}:v", "GET /a/{name}")
    assert served(router, "POST", "/a/x:v") == ("POST /a/{name}:v", {"name": "x"})
    assert served(router, "GET", "/a/x:v") == ("GET /a/{name}", {"name": "x:v"})
    assert served(router, "GET", "/a/x:w") == ("GET /a/{name}", {"name": "x:w"})


def test_other_methods_get_405_with_allow() -> None:
    router = router_of("POST /a/b", "GET /a/{name}", "LOCK /{name=**}", "PUT /x")
    with pytest.raises(MethodNotAllowed) as caught:
        router.match("DELETE", b"/a/b")
    assert (caught.value.allow, caught.value.headers, caught.value.http_status, caught.value.code) == (
        ("GET", "HEAD", "LOCK", "POST"),
        ((b"allow", b"GET, HEAD, LOCK, POST"),),
        405,
        Code.UNIMPLEMENTED,
    )
    assert str(caught.value) == "this path is served under GET, HEAD, LOCK, POST only"


@pytest.mark.parametrize("path", ["/", "/b", "/a/", "/a/b/", "a/b", "", "*", "/A", "/a/%zz/c", "//a"])
def test_unknown_paths_are_no_route(path: str) -> None:
    router = router_of("GET /a/{name}", "GET /a")
    with pytest.raises(NoSuchRoute, match=r"^no method is bound to this path$") as caught:
        router.match("GET", path.encode())
    assert caught.value.http_status == 404
    with pytest.raises(NoSuchRoute):
        router.match_any(path.encode())
    assert router.allowed(path.encode()) == []


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        (b"/a/%zz", "the path has a '%' without two hexadecimal digits after it"),
        (b"/a/%ff", "the path is not UTF-8"),
        (b"/a/\xff", "the path is not UTF-8"),
        (b"/b/%zz/x", "the path has a '%' without two hexadecimal digits after it"),
        (b"/c/%2/x", "the path has a '%' without two hexadecimal digits after it"),
    ],
)
def test_a_malformed_path_that_matches_is_refused(path: bytes, problem: str) -> None:
    router = router_of("GET /a/{name}", "GET /b/*/{name}", "GET /c/**")
    with pytest.raises(RequestError) as caught:
        router.match("GET", path)
    assert (str(caught.value), caught.value.http_status) == (problem, 400)
    with pytest.raises(RequestError) as caught:
        router.match_any(path)
    assert (str(caught.value), caught.value.http_status) == (problem, 400)


def test_head_is_served_from_get_unless_bound() -> None:
    router = router_of("GET /a", "GET /b", "HEAD /b", "POST /c", "GET /d/e", "HEAD /d/{name}")
    assert [served(router, "HEAD", path)[0] for path in ("/a", "/b", "/d/e", "/d/f")] == [
        "GET /a",
        "HEAD /b",
        "GET /d/e",
        "HEAD /d/{name}",
    ]
    with pytest.raises(MethodNotAllowed):
        router.match("HEAD", b"/c")


def test_custom_methods_are_compared_as_servers_spell_them() -> None:
    router = router_of("lock /a", "M-SEARCH /a")
    assert [served(router, verb, "/a")[0] for verb in ("LOCK", "M-SEARCH")] == ["lock /a", "M-SEARCH /a"]


def test_kind_star_matches_every_method_after_the_others() -> None:
    router = router_of("* /a", "GET /a", "* /b/{name}", "POST /b/c", "GET /b/**")
    assert [served(router, verb, "/a")[0] for verb in ("GET", "HEAD", "POST", "X")] == [
        "GET /a",
        "GET /a",
        "* /a",
        "* /a",
    ]
    assert served(router, "POST", "/b/c")[0] == "POST /b/c"
    assert served(router, "GET", "/b/c")[0] == "* /b/{name}"
    assert served(router, "GET", "/b/c/d")[0] == "GET /b/**"
    assert router.allowed(b"/a") == ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]


def test_allowed_lists_every_method_of_a_path() -> None:
    router = router_of("GET /a/b", "POST /a/{name}", "LOCK /a/{name}:v")
    assert router.allowed(b"/a/b") == ["GET", "HEAD", "POST"]
    assert router.allowed(b"/a/c") == ["POST"]
    assert router.allowed(b"/a/c:v") == ["LOCK", "POST"]


def test_a_websocket_gets_the_best_template_then_the_most_streaming() -> None:
    lines = ["GET /a -> Do", "POST /a -> Tell", "PUT /a -> Hear", "X /a -> Talk", "* /{name} -> Talk"]
    lines += ["GET /b -> Do", "POST /b -> Do", "LOCK /c -> Do", "DELETE /c -> Do", "X /d -> Do", "A /d -> Do"]
    for order in (lines, lines[::-1]):
        router = router_of(*order)
        best = [repr(router.match_any(path).route).partition(" -> ")[0] for path in (b"/a", b"/b", b"/c", b"/d", b"/e")]
        assert best == ["<X /a", "<GET /b", "<DELETE /c", "<A /d", "<* /{name}"]
    kinds = ["unary -> Do", "server_streaming -> Hear", "client_streaming -> Tell", "bidirectional -> Talk"]
    for count in range(1, 5):
        router = router_of(*(f"X{n} /a -> {kind.split(' ')[-1]}" for n, kind in enumerate(kinds[:count])))
        assert router.match_any(b"/a").route.method.kind == kinds[count - 1].split(" ")[0]


def test_a_trailing_slash_is_another_path_unless_ignored() -> None:
    lines = ["GET /a/{name}", "GET /", "GET /b/{name=**}"]
    strict, lax = router_of(*lines), router_of(*lines, ignore_trailing_slash=True)
    with pytest.raises(NoSuchRoute):
        strict.match("GET", b"/a/1/")
    assert served(lax, "GET", "/a/1/") == ("GET /a/{name}", {"name": "1"})
    assert served(lax, "GET", "/")[0] == served(strict, "GET", "/")[0] == "GET /"
    assert (served(strict, "GET", "/b/1/")[1], served(lax, "GET", "/b/1/")[1]) == ({"name": "1/"}, {"name": "1"})
    assert lax.allowed(b"/a/1/") == ["GET", "HEAD"]
    with pytest.raises(NoSuchRoute):
        lax.match("GET", b"/a/1//")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("GET /a/{name}", "GET /a/{note}"),
        ("GET /a/*:v", "get /a/{name=*}:%76"),
        ("* /{name=a/**}", "* /a/**"),
    ],
)
def test_two_equal_bindings_are_refused_with_both_names(one: str, other: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        router_of(one, f"{other} -> Talk")
    assert (
        str(caught.value) == f"library.Library.Talk: {other}: expected each path once, but library.Library.Do has {one}"
    )


def test_an_annotation_on_another_methods_default_path_is_refused() -> None:
    other = replace(METHODS["Old"], bindings=(rule("/library.Library/Do", "*", "POST"),))
    with pytest.raises(ConfigurationError, match=r"library\.Library\.Old: .* but library\.Library\.Do has POST"):
        Router([METHODS["Do"], other])


@pytest.mark.parametrize("http_method", ["", "A B", "GET,POST", "\u00c9", "A\r\n"])
def test_an_http_method_is_a_token(http_method: str) -> None:
    with pytest.raises(ConfigurationError, match=r"expected an HTTP method or \*$"):
        Router([method("Do", rule("/a", http_method=http_method))])


def test_shadowed_bindings_are_reported() -> None:
    router = router_of(
        "GET /a/**/b", "HEAD /a/**/b", "POST /a/**/b", "GET /a/*/**", "GET /a/**", "* /c/*/**", "X /c/**/d"
    )
    assert [(repr(route), repr(route.shadowed_by)) for route in router.routes if route.shadowed_by] == [
        (
            f"<{verb} /{path}/** -> library.Library.Do>".replace("**", f"**/{last}"),
            f"<{other} /{path}/*/** -> library.Library.Do>",
        )
        for verb, path, last, other in (("GET", "a", "b", "GET"), ("HEAD", "a", "b", "GET"), ("X", "c", "d", "*"))
    ]


def test_ten_thousand_services_give_ten_thousand_routes() -> None:
    methods = [
        replace(METHODS["Do"], bindings=(rule(f"/v1/{{name=things{n}/*}}"), rule(f"/S{n}/Do", "*", "POST")))
        for n in range(5000)
    ]
    router = Router(methods)
    assert len(router.routes) == 10_000
    match = router.match("GET", b"/v1/things4999/x")
    assert match.route.method is methods[-1]
    assert plain(match.bind(b"", strict=False).empty()) == {"name": "things4999/x"}


def test_an_empty_schema_matches_nothing() -> None:
    router = Router(Schema.merge().methods)
    assert router.routes == ()
    with pytest.raises(NoSuchRoute):
        router.match("GET", b"/")
