"""The pages, as the tests of this folder read them.

A fence's language is its mark: ``sh`` is pasted into a shell beside the demo, ``python`` runs, ``py`` is only compiled,
and ``text`` is exactly what the ``sh`` or ``python`` block before it prints. Others (``console``, ``js``, ``json``) are
for people.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from tests.processes import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        name: page and line, e.g. ``"websocket.md:12"``.
        language: of the fence.
        code: what is in it.
        output: what it prints; None where the page does not say.
    """

    name: str
    language: str
    code: str
    output: str | None


def blocks(*languages: str) -> list[Block]:
    """All blocks of some languages, in the order of the pages."""
    found: list[Block] = []
    for page in PAGES:
        text = page.read_text()
        fences = list(_FENCE.finditer(text))
        for fence, following in zip_longest(fences, fences[1:]):
            name = f"{page.name}:{text.count(chr(10), 0, fence.start()) + 2}"
            output = following[2] if following is not None and following[1] == "text" else None
            if fence[1] in languages:
                found.append(Block(name, fence[1], fence[2], output))
    return found


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", page.read_text())


def all_text() -> str:
    """Everything that the pages say."""
    return "\n".join(page.read_text() for page in PAGES)
