"""Refusals on their way out: what is wrong, and the path to it, built only once something is wrong."""

from __future__ import annotations

import re

from asgi_grpc.errors import AsgiGrpcError

WIRE_DEPTH = 100
"""Levels of sub-messages that protobuf parsers read, in every language; deeper ones can be written, but not read."""

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SHOWN_KEY = 40  # characters
_SHOWN_STEPS = 20


class EncodeError(AsgiGrpcError, ValueError):
    """A message has no JSON form: the fault of who made the message.

    Attributes:
        message: full name of the protobuf message.
        path: where in the document it would have stood, e.g. ``"$.pages[3].due"``.
        problem: what is wrong there, a sentence without the path.
    """

    def __init__(self, message: str, path: str, problem: str) -> None:
        super().__init__(f"{message}: {problem} at {path}")
        self.message = message
        self.path = path
        self.problem = problem


class Refusal(Exception):  # noqa: N818 - never leaves the room
    """One value can't be taken. Each level that it passes on its way out appends its step.

    Attributes:
        problem: a sentence: what was expected, what came. Never the value itself.
        steps: the path from the value outwards: ``str`` for an object's key, ``int`` for an array's index.
    """

    def __init__(self, problem: str, *steps: str | int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.steps: list[str | int] = list(steps)

    @property
    def path(self) -> str:
        """The path from the root, e.g. ``$.items[3].price`` or ``$.metadata["a b"]``; of a long one both ends."""
        steps = [*map(_step, reversed(self.steps))]
        if len(steps) > _SHOWN_STEPS:
            steps = [*steps[: _SHOWN_STEPS // 2], "…", *steps[-_SHOWN_STEPS // 2 :]]
        return "$" + "".join(steps)


class UnknownEnumName(Refusal):
    """A string is not the name of any value of an enum: dropped where unknown things are ignored."""


class TooMany(Refusal):
    """More in one document than the options allow."""


class MapKey(str):
    """A step that is a map's key, not a field's name: shown in brackets whatever it looks like."""

    __slots__ = ()


def _step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    if not isinstance(step, MapKey) and len(step) <= _SHOWN_KEY and _PLAIN_KEY.fullmatch(step):
        return "." + step
    shown = step if len(step) <= _SHOWN_KEY else step[: _SHOWN_KEY - 1] + "…"
    shown = "".join(c if c.isprintable() else "�" for c in shown)
    return '["' + shown.replace("\\", "\\\\").replace('"', '\\"') + '"]'


def too_deep(max_depth: int) -> Refusal:
    """More levels of JSON than the options allow."""
    return Refusal(f"expected at most {max_depth} levels of objects and arrays, got more")


def too_deep_for_wire() -> Refusal:
    """More levels of messages than any protobuf parser reads."""
    return Refusal(f"expected at most {WIRE_DEPTH} levels of protobuf messages, got more")


def too_many(most: int, of_what: str) -> TooMany:
    """More of something in one document than the options allow."""
    return TooMany(f"expected at most {most} {of_what} in one message, got more")


def noun(value: object) -> str:
    """What a JSON value is, for people; never what it holds."""
    return _NOUNS.get(value.__class__, "a number")


_NOUNS: dict[type, str] = {
    dict: "an object",
    list: "an array",
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    type(None): "null",
}
