"""How a dialect spells, as JSON Schemas: found by asking it to spell samples, so that dialects of users work too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from asgi_grpc.dialects import Dialect, Failure
from asgi_grpc.errors import Code
from asgi_grpc.openapi._values import Json

# Strings that stand for a message and for an Any in the samples; private characters, which no dialect writes itself.
_MESSAGE, _ANY = "\ue000message", "\ue000any"

_TRAILERS: Sequence[Mapping[str, str]] = ({}, {"a": "1"}, {"b": "2"})
_FAILURES = tuple(
    Failure(
        code=code,
        message=code.name.lower(),
        details=(msgspec.json.encode(_ANY),) * count,
        http_status=code.http_status,
        trailers=_TRAILERS[count],
    )
    for count, code in enumerate((Code.NOT_FOUND, Code.INTERNAL, Code.UNAVAILABLE))
)


class Spelling:
    """The schemas of answers and records in one dialect.

    Args:
        dialect: is asked once for each kind of record, with samples of messages and failures.
        detail: the schema of a failure's detail, a ``google.protobuf.Any``.

    Attributes:
        failure: of an answer that failed before it began.
        success_record: of a stream's last record; None where the dialect has none.
        failure_record: of a stream's last record; None where the connection is broken off instead.
        failure_event: of the data of an SSE event named ``error``.
    """

    def __init__(self, dialect: Dialect, detail: Json) -> None:
        holes = {_ANY: detail}
        self._message = msgspec.json.encode(_MESSAGE)
        self._dialect = dialect
        self.failure = _infer([_parse(dialect.unary_failure(failure)) for failure in _FAILURES], holes)
        self.failure_event = _infer([_parse(dialect.event_failure(failure)) for failure in _FAILURES], holes)
        self.success_record = _of_records([dialect.success(trailers) for trailers in _TRAILERS], holes)
        self.failure_record = _of_records([dialect.failure(failure) for failure in _FAILURES], holes)

    def answer(self, message: Json) -> Json:
        """The schema of an answer that is one message, from the message's."""
        return _infer([_parse(self._dialect.unary(self._message))], {_MESSAGE: message})

    def record(self, message: Json) -> Json:
        """The schema of a stream's record that carries a message, from the message's."""
        return _infer([_parse(record) for record in self._dialect.messages([self._message])], {_MESSAGE: message})


def success_event() -> Json:
    """The schema of the data of an SSE event named ``complete``."""
    return {"type": "object", "properties": {"trailers": {"type": "object", "additionalProperties": _TEXT}}}


_TEXT: Json = {"type": "string"}


def _parse(record: bytes) -> Any:
    return msgspec.json.decode(record)


def _of_records(records: Sequence[bytes | None], holes: Mapping[str, Json]) -> Json | None:
    found = [_parse(record) for record in records if record is not None]
    return _infer(found, holes) if found else None


def _infer(samples: Sequence[Any], holes: Mapping[str, Json]) -> Json:
    """The schema that all samples of one place have in common; what is always the same is a constant.

    Args:
        samples: JSON values, at least one.
        holes: schemas of the strings that stand for something else.
    """
    first = samples[0]
    kinds = {sample.__class__ for sample in samples}
    if kinds == {dict}:
        return _infer_object(samples, holes)
    if kinds == {list}:
        elements = [element for sample in samples for element in sample]
        return {"type": "array", "items": _infer(elements, holes)} if elements else {"type": "array"}
    if len(kinds) == 1 and all(sample == first for sample in samples):
        return holes[first] if first.__class__ is str and first in holes else {"const": first}
    if kinds == {str}:
        codes = set(samples) <= set(Code.__members__)
        return {"type": "string", "enum": list(Code.__members__)} if codes else _TEXT
    return {"type": "integer"} if kinds == {int} else {}


def _infer_object(samples: Sequence[Json], holes: Mapping[str, Json]) -> Json:
    keys = dict.fromkeys(key for sample in samples for key in sample)
    always = [key for key in keys if all(key in sample for sample in samples)]
    if keys and not always:  # other names in each sample: a map
        values = [value for sample in samples for value in sample.values()]
        return {"type": "object", "additionalProperties": _infer([*values, ""], holes)}
    properties = {key: _infer([sample[key] for sample in samples if key in sample], holes) for key in keys}
    return {"type": "object", "properties": properties, "required": always}
