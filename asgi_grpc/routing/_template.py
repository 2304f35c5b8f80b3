"""Path templates: the text of one to its steps, its variables, its verb.

    Template  = "/" Segments [ Verb ] ;
    Segments  = Segment { "/" Segment } ;
    Segment   = "*" | "**" | LITERAL | Variable ;
    Variable  = "{" FieldPath [ "=" Segments ] "}" ;
    FieldPath = IDENT { "." IDENT } ;
    Verb      = ":" LITERAL ;

and ``/`` alone. A LITERAL is one or more of RFC 3986's ``pchar`` except ``*``. Source: google/api/http.proto.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from asgi_grpc.errors import ConfigurationError
from asgi_grpc.routing._escapes import plain_segment


class Wild(enum.Enum):
    """The steps that are no literals."""

    ONE = "*"
    MANY = "**"


Step = bytes | Wild
"""One step of a path: a literal, percent-decoded, or a wildcard."""


@dataclass(frozen=True, slots=True)
class Variable:
    """Which segments of a path are the value of which field.

    Attributes:
        field_path: e.g. ``"book.name"``.
        start: index of its first segment.
        stop: index after its last segment; counted from the path's end, and so zero or negative, if ``**`` is inside.
        multi: it may hold several segments: then reserved characters stay encoded.
    """

    field_path: str
    start: int
    stop: int
    multi: bool

    def cut(self, segments: list[bytes]) -> bytes:
        """The raw value in a path that the template matches."""
        stop = self.stop if self.stop > 0 else len(segments) + self.stop
        return b"/".join(segments[self.start : stop])


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template.

    Attributes:
        steps: after ``**`` there are only literals.
        variables: in the order of the text.
        verb: percent-decoded, or ``b""``.
    """

    steps: tuple[Step, ...]
    variables: tuple[Variable, ...]
    verb: bytes


_PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
_LITERAL = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()+,;=:@]|%[0-9A-Fa-f]{2})+")
# The slashes outside of braces; a brace that is never closed swallows the rest, and is refused then.
_SEGMENT = re.compile(r"(?:\{[^}]*\}?|[^/{])*")

_LOOSE_BRACE = "expected a variable to be closed by '}' and to be the whole segment"


def parse_template(text: str) -> Template:
    """Parse a template.

    Raises:
        ConfigurationError: it is not one; the text says why, and quotes it.
    """
    try:
        return _parse(text)
    except ValueError as exc:
        raise ConfigurationError(f"the path template {text!r}: {exc}") from None


def _parse(text: str) -> Template:
    """Parse a template; ValueError with a sentence."""
    if not text.startswith("/"):
        raise ValueError("expected a '/' at the start")
    if text == "/":
        return Template((), (), b"")
    *parts, last = _split(text[1:])
    verb = b""
    at = last.rfind(":")
    if at > last.rfind("}"):
        last, verb = last[:at], _literal(last[at + 1 :], "verb")
    if b":" in verb:
        raise ValueError("expected a verb without ':'")
    steps: list[Step] = []
    variables: list[tuple[str, int, int]] = []
    for part in [*parts, last]:
        if part.startswith("{"):
            start = len(steps)
            field_path, inner = _variable(part)
            if Wild.MANY in steps:
                raise ValueError("expected only literals after '**'")
            for step in inner:
                _append(steps, step)
            variables.append((field_path, start, len(steps)))
        else:
            _append(steps, _step(part))
    _refuse_overlaps([path for path, _, _ in variables])
    return Template(tuple(steps), tuple(_ranged(steps, *variable) for variable in variables), verb)


def _ranged(steps: list[Step], field_path: str, start: int, stop: int) -> Variable:
    """Count a variable's end from the side on which the number of segments is known."""
    inside = steps[start:stop]
    return Variable(
        field_path=field_path,
        start=start,
        stop=stop - len(steps) if Wild.MANY in inside else stop,
        multi=len(inside) > 1 or Wild.MANY in inside,
    )


def _split(text: str) -> list[str]:
    """Cut at the slashes that stand outside of braces."""
    parts = []
    at = 0
    while True:
        found = _SEGMENT.match(text, at)
        assert found is not None  # it matches the empty string
        parts.append(found[0])
        at = found.end() + 1
        if at > len(text):
            return parts


def _variable(part: str) -> tuple[str, list[Step]]:
    """``{a.b=c/*}`` to its field path and steps."""
    if "{" in part[1:]:
        raise ValueError("expected no variable inside a variable")
    if not part.endswith("}") or part.count("}") > 1:
        raise ValueError(_LOOSE_BRACE)
    field_path, equals, segments = part[1:-1].partition("=")
    if not _PATH.fullmatch(field_path):
        raise ValueError("expected a variable to be named by a field path, like {book.name}")
    return field_path, [_step(segment) for segment in segments.split("/")] if equals else [Wild.ONE]


def _step(segment: str) -> Step:
    """One segment that is no variable."""
    return Wild(segment) if segment in ("*", "**") else _literal(segment, "segment")


def _literal(text: str, what: str) -> bytes:
    """Percent-decode a literal."""
    if not text:
        raise ValueError(f"expected no empty {what}")
    if "{" in text or "}" in text:
        raise ValueError(_LOOSE_BRACE)
    if not _LITERAL.fullmatch(text):
        raise ValueError(
            f"expected the literal {what} {text!r} to be of RFC 3986's path characters, others percent-encoded"
        )
    plain = plain_segment(text.encode())
    assert plain is not None  # the pattern lets only well-formed escapes through
    return plain


def _append(steps: list[Step], step: Step) -> None:
    """Add a step, if it may stand there."""
    if Wild.MANY in steps and isinstance(step, Wild):
        raise ValueError("expected only literals after '**'")
    steps.append(step)


def _refuse_overlaps(field_paths: list[str]) -> None:
    """One field must not get two values."""
    for n, path in enumerate(field_paths):
        for other in field_paths[:n]:
            if f"{path}.".startswith(f"{other}.") or f"{other}.".startswith(f"{path}."):
                raise ValueError(f"expected each field to be bound once, but {path} is bound twice")
