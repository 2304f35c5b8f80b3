"""Path templates of google.api.http to those of OpenAPI, whose parameters are single segments.

``{name=shelves/*}`` becomes ``shelves/{shelvesId}``: literals stay, and each wildcard is a parameter, named as Google's
discovery documents name them. A variable that is exactly one wildcard keeps its name: ``{name}``.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass

from google.protobuf.descriptor import Descriptor

from asgi_grpc.routing import Route

_NO_NAME = re.compile(r"[^A-Za-z0-9]+")
_PLAIN = re.compile(r"\w+")
_PCHAR = "~!$&'()+,;=:@*"  # besides letters, digits, "-", "." and "_". Source: RFC 3986, section 3.3


@dataclass(frozen=True)
class PathParameter:
    """One wildcard of a template.

    Attributes:
        name: in the document, where no other path of the same shape came first.
        variable: the field path that it is the value of, or a part of; empty if it is of none.
        whole: it is all of the variable.
        many: it stands for any number of segments.
        start: the first segment of the variable.
        stop: the segment after its last one.
    """

    name: str
    variable: str
    whole: bool
    many: bool
    start: int
    stop: int


@dataclass(frozen=True)
class PathTemplate:
    """A template in OpenAPI's form.

    Attributes:
        pieces: segments: literals, percent-encoded, and wildcards.
        verb: with its colon, or empty.
        variables: field paths that the path sets, by proto names; those without a wildcard too.
    """

    pieces: tuple[str | PathParameter, ...]
    verb: str
    variables: tuple[str, ...]

    @property
    def parameters(self) -> list[PathParameter]:
        """The wildcards, in order."""
        return [piece for piece in self.pieces if isinstance(piece, PathParameter)]

    @property
    def names(self) -> list[str]:
        """The names of the parameters, in order."""
        return [parameter.name for parameter in self.parameters]

    @property
    def has_many(self) -> bool:
        """A parameter stands for any number of segments."""
        return any(parameter.many for parameter in self.parameters)

    @property
    def shape(self) -> str:
        """The path without names: OpenAPI takes two paths of one shape for the same."""
        return self.path([""] * len(self.parameters))

    def path(self, names: Sequence[str]) -> str:
        """The path with these names of the parameters."""
        return "/" + "/".join(self._segments(names)) + self.verb

    def part(self, parameter: PathParameter, names: Sequence[str]) -> str:
        """The segments of a parameter's variable with these names, e.g. ``shelves/{shelvesId}``."""
        return "/".join(self._segments(names)[parameter.start : parameter.stop])

    def _segments(self, names: Sequence[str]) -> list[str]:
        left = iter(names)
        return [piece if isinstance(piece, str) else "{" + next(left) + "}" for piece in self.pieces]


def path_template(route: Route) -> PathTemplate:
    """Turn a route's template to OpenAPI's form."""
    steps = route.template.steps
    spans = [(v.field_path, v.start, v.stop if v.stop > 0 else len(steps) + v.stop) for v in route.template.variables]
    pieces: list[str | PathParameter] = []
    taken: set[str] = set()
    for place, step in enumerate(steps):
        if isinstance(step, bytes):
            pieces.append(_literal(step))
            continue
        many = step.value == "**"
        variable, start, stop = next((span for span in spans if span[1] <= place < span[2]), ("", place, place + 1))
        whole = bool(variable) and stop - start == 1
        name = _json_path(route.method.input, variable) if whole else _name(pieces, many=many)
        while name in taken:
            name += "_"
        taken.add(name)
        pieces.append(PathParameter(name, variable, whole, many, start, stop))
    verb = f":{_literal(route.template.verb)}" if route.template.verb else ""
    return PathTemplate(tuple(pieces), verb, tuple(variable for variable, _, _ in spans))


def _json_path(message: Descriptor | None, field_path: str) -> str:
    """A field path by JSON names; as it stands, where one of them is no name in a path."""
    names = []
    for name in field_path.split("."):
        assert message is not None  # the router has resolved it
        field = message.fields_by_name[name]
        names.append(field.json_name)
        message = field.message_type
    return ".".join(names) if all(map(_PLAIN.fullmatch, names)) else field_path


def _literal(step: bytes) -> str:
    return urllib.parse.quote(step, safe=_PCHAR)


def _name(before: Sequence[str | PathParameter], *, many: bool) -> str:
    """A name from the literal before: ``shelvesId``, or ``shelvesPath`` for many segments."""
    literal = before[-1] if before and isinstance(before[-1], str) else ""
    first, *others = [word for word in _NO_NAME.split(literal) if word] or ["segment"]
    return first + "".join(other.capitalize() for other in others) + ("Path" if many else "Id")
