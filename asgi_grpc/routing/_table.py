"""The compiled table of templates: a raw path to the bindings that match it, best first.

Templates are merged into one tree, a level for each segment; a look-up goes down it by dictionary steps. Nothing in it
depends on the order in which templates were added:

- segment by segment a literal comes before ``*``, and ``*`` before ``**``;
- after ``**``, more literals come before fewer;
- a template with the path's verb comes before one without a verb.

Cost: a node is visited at most once for each path, since its depth fixes the segment; literals behind a ``**`` are read
backwards from the path's end. So a look-up is linear in the path for any table, and independent of the number of
templates, except those that differ from the path's best match in nothing but wildcards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Generic, TypeVar

from asgi_grpc.routing._escapes import plain_segment
from asgi_grpc.routing._template import Template, Wild

T = TypeVar("T")


class Node(Generic[T]):
    """A place in the tree.

    Attributes:
        literals: the next segment's plain bytes to the next node.
        one: the next node after ``*``.
        many: after ``**``: a tree of its own, whose literals run from the path's end towards here.
        leaves: what ends here: verb to HTTP method to value.
    """

    __slots__ = ("leaves", "literals", "many", "one")

    def __init__(self) -> None:
        self.literals: dict[bytes | None, Node[T]] = {}
        self.one: Node[T] | None = None
        self.many: Node[T] | None = None
        self.leaves: dict[bytes, dict[str, T]] = {}


class Table(Generic[T]):
    """Templates, each with a value for each HTTP method."""

    def __init__(self) -> None:
        self.root: Node[T] = Node()
        self._verbs: set[bytes] = set()

    def add(self, template: Template, http_method: str, value: T) -> T:
        """Add a value; return the one that an equal template (names of variables aside) has had already, or the new."""
        node = self.root
        steps = template.steps
        if Wild.MANY in steps:
            at = steps.index(Wild.MANY)
            # What follows is literals only, and is looked up from the path's end.
            steps = (*steps[: at + 1], *reversed(steps[at + 1 :]))
        for step in steps:
            if step is Wild.ONE:
                node.one = node = node.one or Node()
            elif step is Wild.MANY:
                node.many = node = node.many or Node()
            else:
                node = node.literals.setdefault(step, Node())
        if template.verb:
            self._verbs.add(template.verb)
        return node.leaves.setdefault(template.verb, {}).setdefault(http_method, value)

    def shadow_of(self, template: Template, http_methods: Sequence[str]) -> T | None:
        """Find a value that is taken wherever this template matches (but for paths with empty segments).

        Since the special comes before the general, only one kind of template can be shadowed wholly: ``/a/**/b`` by
        ``/a/*/**``.

        Args:
            template: one that was added.
            http_methods: under any of them the other value counts.
        """
        if Wild.MANY not in template.steps:
            return None
        at = template.steps.index(Wild.MANY)
        node = self.root
        for step in template.steps[:at]:
            child = node.one if isinstance(step, Wild) else node.literals[step]
            assert child is not None  # the template was added
            node = child
        tail: list[bytes | None] = [step for step in template.steps[:at:-1] if not isinstance(step, Wild)]
        while tail and node.one is not None:
            node = node.one
            tail.pop()  # ``*`` takes the first segment from the literals, or from ``**``
            here = node.many
            for literal in [*tail, None]:
                if here is None:
                    break
                leaves = here.leaves.get(template.verb, {})
                for http_method in http_methods:
                    if http_method in leaves:
                        return leaves[http_method]
                here = here.literals.get(literal)
        return None

    def candidates(self, raw_path: bytes) -> Iterator[tuple[Mapping[str, T], list[bytes]]]:
        """Find everything that matches a path, best first.

        Args:
            raw_path: percent-encoded, without the query.

        Yields:
            Values by HTTP method, with the raw segments that they match (the last one without the verb).
        """
        if not raw_path.startswith(b"/"):
            return
        segments = raw_path[1:].split(b"/") if raw_path != b"/" else []
        if self._verbs and segments:
            before, colon, verb = segments[-1].rpartition(b":")
            plain = plain_segment(verb)
            if colon and plain in self._verbs:
                assert plain is not None  # None is no verb
                yield from self._walk([*segments[:-1], before], plain)
        yield from self._walk(segments, b"")

    def _walk(self, segments: list[bytes], verb: bytes) -> Iterator[tuple[Mapping[str, T], list[bytes]]]:
        """Find what matches segments and a verb, best first."""
        plain = [plain_segment(segment) for segment in segments]
        # What is still to be tried, best last; a negative depth ~n stands for the node's ``**`` at depth n.
        todo: list[tuple[Node[T], int]] = [(self.root, 0)]
        while todo:
            node, depth = todo.pop()
            if depth < 0:
                for leaf in _behind_many(node, segments, plain, ~depth, verb):
                    yield leaf, segments
                continue
            if node.many is not None:
                todo.append((node.many, ~depth))
            if depth == len(segments):
                if verb in node.leaves:
                    yield node.leaves[verb], segments
                continue
            if node.one is not None and segments[depth]:
                todo.append((node.one, depth + 1))
            literal = node.literals.get(plain[depth])
            if literal is not None:
                todo.append((literal, depth + 1))


def _behind_many(
    node: Node[T], segments: list[bytes], plain: list[bytes | None], start: int, verb: bytes
) -> list[Mapping[str, T]]:
    """Find what matches from a ``**`` at ``start`` on, longest run of literals first.

    ``**`` takes empty segments too, but does not begin with one unless that is the end of the path (a trailing
    slash): a variable's value never begins with a slash.
    """
    found: list[Mapping[str, T]] = []
    stop = len(segments)
    here: Node[T] | None = node
    while here is not None:
        if verb in here.leaves and (stop == start or segments[start] or stop == start + 1 == len(segments)):
            found.append(here.leaves[verb])
        if stop == start:
            break
        stop -= 1
        here = here.literals.get(plain[stop])
    return found[::-1]
