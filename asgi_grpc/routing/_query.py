"""Query strings to fields of a message: what a key means is worked out once for each route.

Source: google/api/http.proto; where it is silent, the rules of our ``docs`` on mapping URLs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from asgi_grpc.codec import CodecOptions, set_map_text
from asgi_grpc.errors import Code, RequestError
from asgi_grpc.routing._escapes import query_pairs
from asgi_grpc.routing._fields import FieldPath, by_either_name, resolve

_MOST_KEYS = 256  # remembered for one route; recursive messages have more than can be
_MOST_PARAMETERS = 10_000  # in one form: each takes some 5 us, and 4 MiB could hold two million; queries are short
_VALUES = 4  # for each object that a message may have: in JSON, commas stand between them
_MOST_SHOWN = 60  # characters of a parameter's name that an error repeats


class _Key(NamedTuple):
    """What a parameter's name means: a field, and whether the path or the body has the say over it."""

    path: FieldPath
    in_path: bool
    in_body: bool


class QueryBinder:
    """Sets the fields of one request type from query strings.

    Args:
        message: the request type.
        variables: of the path: a query may repeat, but not change them.
        body: the field that the body sets: a query may repeat, but not change it.
        ignore_unknown: skip parameters that name no field.
        options: of the codec.
    """

    def __init__(
        self,
        message: Descriptor,
        *,
        variables: Sequence[FieldPath],
        body: FieldDescriptor | None,
        ignore_unknown: bool,
        options: CodecOptions,
    ) -> None:
        self._message = message
        self._class = GetMessageClass(message)
        self._variables = {variable.text: variable for variable in variables}
        self._body = body.name if body is not None else None
        self._ignore_unknown = ignore_unknown
        self._options = options
        self._known: dict[str, _Key] = {}

    def bind(
        self, query: bytes, message: Message, expected: Message, *, form: bool = False
    ) -> tuple[list[FieldPath], list[FieldPath]]:
        """Set what a query says.

        Args:
            query: percent-encoded, without ``?``.
            message: gets the fields; the path's variables are set in it already.
            expected: an empty message; gets the fields at or under the body field, for a comparison with the body.
            form: it is the body of a form, and errors say so.

        Returns:
            The fields set in ``message``, and those set in ``expected``.

        Raises:
            RequestError: the parameter that is malformed, unknown, repeated, or contradicts the path or another one; or
                a form has too many.
        """
        taken: dict[str, str] = {place: member for path in self._variables.values() for place, member in path.oneofs}
        found: dict[str, FieldPath] = {}
        found_in_body: dict[str, FieldPath] = {}
        where, what = ("the form", "the form field") if form else ("the query", "the query parameter")
        if form and query.count(b"&") >= _MOST_PARAMETERS:
            problem = f"the form: expected at most {_MOST_PARAMETERS} parameters, got more"
            raise RequestError(problem, code=Code.RESOURCE_EXHAUSTED, http_status=413)
        for key, text in self._bounded(query, where):
            try:
                known, entry = self._resolve(key)
                if known is None:
                    continue
                path = known.path
                if known.in_path:
                    self._compare(path, entry, text, message)
                    continue
                seen, target = (found_in_body, expected) if known.in_body else (found, message)
                for place, member in path.oneofs:
                    if taken.setdefault(place, member) != member:
                        raise ValueError("expected one member of a oneof, got another one as well")
                if path.text in seen and not (path.repeated or path.is_map):
                    raise ValueError("expected a singular field once, got it again")
                seen[path.text] = path
                self._set(path, entry, text, target)
            except ValueError as problem:
                raise RequestError(f"{what} {_shown(key)}: {problem}") from None
        return list(found.values()), list(found_in_body.values())

    def _bounded(self, query: bytes, where: str) -> Iterator[tuple[str, str]]:
        """The parameters. What the codec lets a JSON text hold, all such texts together may hold."""
        most = self._options.max_objects
        values = 0
        for key, text in query_pairs(query, where):
            if most is not None and text.startswith(("[", "{")):
                values += text.count(",")
                if values > most * _VALUES:
                    problem = f"{where}: expected at most {most * _VALUES} values, got more"
                    raise RequestError(problem, code=Code.RESOURCE_EXHAUSTED, http_status=413)
            yield key, text

    def _resolve(self, key: str) -> tuple[_Key | None, str | None]:
        """A key to its field and, of a map, the entry; no field if the key is unknown and that is fine."""
        name, bracket, rest = key.partition("[")
        known = self._known.get(name) or self._work_out(name)
        if known is None:
            if self._ignore_unknown:
                return None, None
            raise ValueError(f"expected a field of {self._message.full_name}, got an unknown name")
        if known.path.is_map and (not bracket or not rest.endswith("]")):
            raise ValueError("expected a map's parameter to be written name[key]=value")
        if bracket and not known.path.is_map:
            raise ValueError("expected a '[' only after a map, got one after another field")
        return known, rest[:-1] if bracket else None

    def _work_out(self, name: str) -> _Key | None:
        """A name to its field, remembered; None if there is no such field."""
        if name.count(".") >= self._options.max_depth:
            raise ValueError(f"expected at most {self._options.max_depth} levels, got more")
        path = resolve(self._message, name.split("."), by_either_name)
        if path is None:
            return None
        steps = path.text.split(".")
        in_path = any(".".join(steps[:n]) in self._variables for n in range(1, len(steps) + 1))
        key = _Key(path, in_path, in_body=steps[0] == self._body)
        if len(self._known) < _MOST_KEYS:
            self._known[name] = key
        return key

    def _compare(self, path: FieldPath, entry: str | None, text: str, message: Message) -> None:
        """Refuse a parameter that says something else than the path."""
        again = self._class()
        if path.text in self._variables:
            self._set(path, entry, text, again)
            if not path.difference(again)(message):
                return
        raise ValueError("expected what the path says, got something else")

    def _set(self, path: FieldPath, entry: str | None, text: str, message: Message) -> None:
        """Set, or append to, a field, or add an entry of a map."""
        if entry is None:
            path.set_text(message, text, self._options)
            return
        entries = path.value(message)
        before = len(entries)
        set_map_text(path.parent(message), path.field, entry, text, self._options)
        if len(entries) == before:
            raise ValueError("expected a map's key once, got it again")


def _shown(key: str) -> str:
    """A parameter's name for people, whatever the peer put into it."""
    short = key if len(key) <= _MOST_SHOWN else key[: _MOST_SHOWN - 1] + "…"
    return '"' + "".join(c if c.isprintable() and c != '"' else "\N{REPLACEMENT CHARACTER}" for c in short) + '"'
