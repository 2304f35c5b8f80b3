"""``Router``: a request line to a method, and its request to messages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

from google.protobuf.message import Message

from asgi_grpc.codec import CodecOptions
from asgi_grpc.errors import ConfigurationError, MethodNotAllowed, NoSuchRoute
from asgi_grpc.routing._binding import Binder, Bound
from asgi_grpc.routing._escapes import Unescape, multi_segment_table, variable_text
from asgi_grpc.routing._plan import Plan
from asgi_grpc.routing._reply import Reply
from asgi_grpc.routing._table import Table
from asgi_grpc.routing._template import Template, parse_template
from asgi_grpc.schema import Binding, Method

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, section 5.6.2
_CONSTANT = re.compile(rb"[A-Za-z0-9/._:-]+")  # nothing in it that stands for something else
_EVERY_METHOD = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_BY_KIND = ("bidirectional", "client_streaming", "server_streaming", "unary")
_BY_VERB = ("GET", "POST", "PUT", "PATCH", "DELETE")


class Route:
    """One binding of one method, compiled.

    Attributes:
        method: the method.
        binding: the rule.
        shadowed_by: another route that takes every path of this one; None if it can be reached.
        reply: writes replies.
        is_unary_json: the method is unary, and a request is one JSON document.
        takes_form: a body may be a form: ``Bound.form``.
        takes_wire: a body may be in the protobuf wire form: ``Bound.wire``.
        takes_bytes: bodies are raw bytes, for a ``google.api.HttpBody``: ``Bound.pieces``.
    """

    def __init__(
        self, method: Method, binding: Binding, template: Template, *, options: CodecOptions, ignore_unknown_query: bool
    ) -> None:
        self.method = method
        self.binding = binding
        self.shadowed_by: Route | None = None
        self.template = template
        self.http_method: str = binding.http_method.upper()  # as ASGI servers hand it over
        plan = Plan(method, binding, template, options=options, ignore_unknown_query=ignore_unknown_query)
        self.binder: Binder = Binder(plan)
        self.reply: Reply = Reply(method.output, binding.response_body, options)
        self.is_unary_json: bool = method.kind == "unary" and bool(binding.body) and not plan.takes_bytes
        self.takes_form: bool = plan.takes_all
        self.takes_wire: bool = plan.takes_wire
        self.takes_bytes: bool = plan.takes_bytes

    def __repr__(self) -> str:
        return f"<{self.binding.http_method} {self.binding.template} -> {self.method.full_name}>"

    def encode(self, messages: Sequence[Message]) -> list[bytes]:
        """Write replies as JSON: all of each, or the field that ``response_body`` names.

        Raises:
            EncodeError: a reply has no JSON form.
        """
        return self.reply.encode(messages)

    @property
    def _streaming_first(self) -> tuple[int, int, str]:
        """Which of several routes at one path a WebSocket gets: the least."""
        verb = _BY_VERB.index(self.http_method) if self.http_method in _BY_VERB else len(_BY_VERB)
        return _BY_KIND.index(self.method.kind), verb, self.http_method


class Match:
    """What serves a request.

    Attributes:
        route: the binding.
        variables: of the path, decoded, by field path, e.g. ``{"book.name": "a b"}``.
    """

    __slots__ = ("route", "variables")

    def __init__(self, route: Route, variables: Mapping[str, str]) -> None:
        self.route: Route = route
        self.variables: Mapping[str, str] = variables

    def bind(self, query: bytes, *, strict: bool, whole: bool = False) -> Bound:
        """Read the path variables and the query, once for the whole request.

        Args:
            query: percent-encoded, without ``?``. Ignored where the binding's body is ``*``.
            strict: refuse bodies that contradict path or query (streams); else they are overwritten.
            whole: bodies are whole requests, whatever the binding says (messages of a WebSocket); path and query are
                set in each.

        Raises:
            RequestError: a value that is not one of its field's type; a parameter that is malformed, unknown,
                repeated, or contradicts another one or the path.
        """
        return self.route.binder.bind(self.variables, query, strict=strict, whole=whole)


class Router:
    """All bindings of some methods, compiled to one table.

    Args:
        methods: whose bindings are served.
        codec_options: how JSON is read and written.
        own_codec_options: instead of them, for single methods by full name.
        ignore_unknown_query: skip query parameters that name no field; default: refuse them.
        ignore_trailing_slash: let ``/a/`` match what ``/a`` does; default: another path.
        unescape: which escapes of variables that hold several segments are decoded.

    Attributes:
        routes: one for each binding, in the order of the methods.

    Raises:
        ConfigurationError: a template that is none, a field that is missing or unfit, two equal bindings; the text
            names the methods.
    """

    def __init__(
        self,
        methods: Iterable[Method],
        *,
        codec_options: CodecOptions = CodecOptions(),  # noqa: B008 - frozen
        own_codec_options: Mapping[str, CodecOptions] = MappingProxyType({}),
        ignore_unknown_query: bool = False,
        ignore_trailing_slash: bool = False,
        unescape: Literal["except_reserved", "except_slash", "all"] = "except_reserved",
    ) -> None:
        self._ignore_trailing_slash = ignore_trailing_slash
        if unescape not in (modes := [mode.value for mode in Unescape]):
            raise ConfigurationError(f"unescape: expected one of {', '.join(modes)}, got {unescape!r}")
        self._multi = multi_segment_table(Unescape(unescape))
        self._single = multi_segment_table(Unescape.ALL)
        self._table: Table[Route] = Table()
        routes: list[Route] = []
        for method in methods:
            for binding in method.bindings:
                rule = f"{method.full_name}: {binding.http_method} {binding.template}"
                if not _TOKEN.fullmatch(binding.http_method):
                    raise ConfigurationError(f"{rule}: expected an HTTP method or *")
                try:
                    route = Route(
                        method,
                        binding,
                        parse_template(binding.template),
                        options=own_codec_options.get(method.full_name, codec_options),
                        ignore_unknown_query=ignore_unknown_query,
                    )
                except ConfigurationError as problem:
                    raise ConfigurationError(f"{rule}: {problem}") from None
                other = self._table.add(route.template, route.http_method, route)
                if other is not route:
                    raise ConfigurationError(
                        f"{rule}: expected each path once, but {other.method.full_name} has "
                        f"{other.binding.http_method} {other.binding.template}"
                    )
                routes.append(route)
        for route in routes:
            route.shadowed_by = self._table.shadow_of(route.template, _served_by(route.http_method))
        self.routes: tuple[Route, ...] = tuple(routes)
        self._exact = self._constant_paths()

    def match(self, http_method: str, raw_path: bytes) -> Match:
        """Find the binding that serves a request.

        Args:
            http_method: upper case, as in the ASGI scope. ``HEAD`` is served from ``GET``, unless it is bound itself.
            raw_path: percent-encoded, without the query and without the ``root_path``.

        Raises:
            NoSuchRoute: no template matches.
            MethodNotAllowed: some do; their methods are in ``allow``.
            RequestError: one does, but the path has a malformed escape or is not UTF-8.

        Source: google/api/http.proto, the ``Template`` grammar; the order of precedence is ``Table``'s.
        """
        if (known := self._exact.get((http_method, raw_path))) is not None:
            return known
        return self._search(http_method, raw_path)

    def _search(self, http_method: str, raw_path: bytes) -> Match:
        """Do as ``match`` does, by the table alone."""
        served_by = _served_by(http_method)
        seen: set[str] = set()
        for routes, segments in self._table.candidates(self._normal(raw_path)):
            for key in served_by:
                if key in routes:
                    return self._matched(routes[key], segments)
            seen.update(routes)
        if seen:
            allow = _allow(seen)
            raise MethodNotAllowed(f"this path is served under {', '.join(allow)} only", allow=allow)
        raise NoSuchRoute("no method is bound to this path")

    def match_any(self, raw_path: bytes) -> Match:
        """Find the binding for a WebSocket: whichever HTTP method it is for.

        Of several at one path that with the most streaming is taken: bidirectional, client streaming, server
        streaming, unary; of equals GET, POST, PUT, PATCH, DELETE, others by name.

        Raises:
            NoSuchRoute: no template matches.
            RequestError: one does, but the path has a malformed escape or is not UTF-8.
        """
        for routes, segments in self._table.candidates(self._normal(raw_path)):
            return self._matched(min(routes.values(), key=lambda route: route._streaming_first), segments)  # noqa: SLF001
        raise NoSuchRoute("no method is bound to this path")

    def allowed(self, raw_path: bytes) -> list[str]:
        """List the HTTP methods that a path is served under, sorted, for ``OPTIONS``; empty if there is none."""
        candidates = self._table.candidates(self._normal(raw_path))
        return _allow({http_method for routes, _ in candidates for http_method in routes})

    def _constant_paths(self) -> dict[tuple[str, bytes], Match]:
        """The matches of templates without variables and wildcards: the table is not walked again for those."""
        found: dict[tuple[str, bytes], Match] = {}
        for route in self.routes:
            path = route.binding.template.encode()
            if _CONSTANT.fullmatch(path):
                found[route.http_method, path] = self._search(route.http_method, path)
        return found

    def _normal(self, raw_path: bytes) -> bytes:
        """Drop the trailing slash, where it means nothing."""
        return (
            raw_path[:-1] if self._ignore_trailing_slash and len(raw_path) > 1 and raw_path[-1:] == b"/" else raw_path
        )

    def _matched(self, route: Route, segments: list[bytes]) -> Match:
        """Cut and decode the variables."""
        for segment in segments:
            if b"%" in segment:
                variable_text(segment)  # also where no variable takes it
        variables = {
            variable.field_path: variable_text(variable.cut(segments), self._multi if variable.multi else self._single)
            for variable in route.template.variables
        }
        return Match(route, variables)


def _served_by(http_method: str) -> tuple[str, ...]:
    """The methods of bindings that serve requests of one, best first."""
    return ("HEAD", "GET", "*") if http_method == "HEAD" else (http_method, "*")


def _allow(bound: set[str]) -> list[str]:
    """Bindings' methods as a client may use them."""
    allow = set(bound)
    if "*" in allow:
        allow.remove("*")
        allow.update(_EVERY_METHOD)
    if "GET" in allow:
        allow.add("HEAD")
    return sorted(allow)
