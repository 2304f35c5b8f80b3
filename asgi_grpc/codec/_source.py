"""Source of one generated function: lines, and the constants that they name.

Names and constants come from descriptors, never from a peer's bytes; whatever is not a plain identifier goes in as a
constant, never as text.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable
from typing import Any


class Source:
    """Lines of one function, small functions beside it, their constants, and what they compile to."""

    def __init__(self, signature: str) -> None:
        self._lines = [f"def {signature}:"]
        self._asides: list[str] = []
        self._constants: dict[str, Any] = {}
        self._named: dict[int, str] = {}

    def add(self, depth: int, text: str) -> None:
        """Append a line, ``depth`` levels within the function."""
        self._lines.append(" " * (depth + 1) + text)

    def aside(self, parameter: str, expression: str) -> str:
        """The name of a function of one expression, compiled along with this one."""
        name = f"aside{len(self._asides)}"
        self._asides += [f"def {name}({parameter}):", f" return {expression}"]
        return name

    def constant(self, value: Any, hint: str) -> str:
        """The name of a constant; of one object always the same."""
        name = self._named.get(id(value))
        if name is None:
            name = self._named[id(value)] = f"{hint}{len(self._constants)}"
            self._constants[name] = value
        return name

    def later(self, hint: str) -> str:
        """The name of a constant that ``give`` will bring."""
        name = f"{hint}{len(self._constants)}"
        self._constants[name] = None
        return name

    def give(self, name: str, value: Any) -> None:
        """The value of a constant that was named before it was there."""
        self._constants[name] = value

    def build(self, title: str) -> Callable[..., Any]:
        """Compile; ``title`` is what a traceback shows for a file."""
        text = "\n".join([*self._asides, *self._lines]) + "\n"
        exec(compile(text, f"<{title}>", "exec"), self._constants)  # noqa: S102 - made from descriptors alone
        name = self._lines[0].removeprefix("def ").partition("(")[0]
        function: Callable[..., Any] = self._constants[name]
        return function


def attribute(owner: str, name: str) -> str | None:
    """``owner.name``, if it can be written so."""
    if name.isascii() and name.isidentifier() and not keyword.iskeyword(name) and not name.startswith("__"):
        return f"{owner}.{name}"
    return None


def read_attribute(owner: str, name: str) -> str:
    """An expression for the field of a message."""
    return attribute(owner, name) or f"getattr({owner}, {name!r})"


def assign_attribute(owner: str, name: str, value: str) -> str:
    """A statement that sets the field of a message."""
    target = attribute(owner, name)
    return f"{target} = {value}" if target else f"setattr({owner}, {name!r}, {value})"
