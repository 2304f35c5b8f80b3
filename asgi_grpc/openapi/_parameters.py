"""Parameters of path and query: the fields that the router would bind from them, and how their texts look.

Source: google/api/http.proto; the names of query parameters are ProtoJSON names joined by dots.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from google.protobuf.descriptor import Descriptor

from asgi_grpc.codec import FieldPlan, Kind, MessagePlan
from asgi_grpc.openapi._components import Components, is_deprecated
from asgi_grpc.openapi._paths import PathParameter, PathTemplate
from asgi_grpc.openapi._values import Json

MOST_PARAMETERS = 200
"""Of one operation's query: messages within messages can have any number, and the shallow ones come first."""

_JSON_AS_TEXT = (Kind.STRUCT, Kind.VALUE, Kind.LIST_VALUE)
_TEXTUAL = (Kind.WRAPPER, Kind.TIMESTAMP, Kind.DURATION, Kind.FIELD_MASK, *_JSON_AS_TEXT)

_JSON_TEXT: Json = {"type": "string", "contentMediaType": "application/json"}

_Steps = tuple[FieldPlan, ...]


class Parameters:
    """The parameters of operations whose requests are of one type.

    Args:
        message: the request's type.
        components: holds the schemas that parameters refer to.
    """

    def __init__(self, message: Descriptor, components: Components) -> None:
        self._components = components
        self._plan = components.plan(message)

    def of_path(self, template: PathTemplate, names: Sequence[str]) -> list[Json]:
        """The parameters of a path.

        Args:
            template: the path.
            names: of its parameters.
        """
        found = []
        for parameter, name in zip(template.parameters, names, strict=True):
            notes = ["Any number of segments, with their slashes as they are."] if parameter.many else []
            shown: Json = {"name": name, "in": "path", "required": True}
            if parameter.whole:
                plan, steps = self._variable(parameter)
                notes.insert(0, self._components.described(f"{plan.full_name}.{steps[-1].name}").get("description", ""))
                if name != parameter.name:
                    notes.append(f"The field {parameter.variable}.")
                shown |= self._form(steps[-1])
                if steps[-1].kind is Kind.STRING and not parameter.many:
                    shown["schema"]["minLength"] = 1
            else:
                if parameter.variable:
                    notes.append(f"A part of {parameter.variable}, which is {template.part(parameter, names)}.")
                shown["schema"] = {"type": "string"} if parameter.many else {"type": "string", "minLength": 1}
            text = "\n\n".join(note for note in notes if note)
            found.append({**shown, "description": text} if text else shown)
        return found

    def of_query(self, template: PathTemplate, body: str) -> list[Json]:
        """The parameters of a query: every field that neither the path nor the body sets.

        Args:
            template: the path.
            body: the field that the body sets, or nothing.
        """
        variables = [variable.split(".") for variable in template.variables]
        found: list[Json] = []
        todo: deque[tuple[MessagePlan, _Steps, str]] = deque([(self._plan, (), "")])
        while todo and len(found) < MOST_PARAMETERS:
            plan, above, prefix = todo.popleft()
            for field in plan.fields:
                steps = (*above, field)
                name = _spelled(plan, field)
                if name is None or _is_set_elsewhere(plan, steps, variables, body):
                    continue
                if _has_text(field):
                    found.append(self._query_parameter(plan, field, prefix + name))
                elif field.message is not None and not field.repeated and field.key is None:
                    inner = self._components.plan(field.message)
                    if inner.full_name not in {plan.full_name, self._plan.full_name, *_types(above)}:
                        todo.append((inner, steps, f"{prefix}{name}."))
        return found[:MOST_PARAMETERS]

    def form(self, template: PathTemplate) -> Json:
        """The content of a body that is a form: fields as in a query, whose text of JSON has no form of its own."""
        properties: Json = {}
        encoding: Json = {}
        for parameter in self.of_query(template, ""):
            properties[parameter["name"]] = parameter["schema"] if "schema" in parameter else dict(_JSON_TEXT)
            if "style" in parameter:
                encoding[parameter["name"]] = {"style": parameter["style"], "explode": parameter["explode"]}
        schema = self._components.closed({"type": "object", "properties": properties})
        if not template.variables:
            schema = self._components.shared(f"form-{self._plan.full_name}", schema)
        content: Json = {"schema": schema}
        return {**content, "encoding": encoding} if encoding else content

    def _variable(self, parameter: PathParameter) -> tuple[MessagePlan, _Steps]:
        """The message that a path variable is in, and the fields that lead to it."""
        plan = self._plan
        steps: _Steps = ()
        for n, name in enumerate(parameter.variable.split(".")):
            if n:
                assert steps[-1].message is not None
                plan = self._components.plan(steps[-1].message)
            steps = (*steps, next(field for field in plan.fields if field.name == name))
        return plan, steps

    def _query_parameter(self, plan: MessagePlan, field: FieldPlan, name: str) -> Json:
        shown: Json = {"name": name, "in": "query"}
        if field.required and plan is self._plan:
            shown["required"] = True
        if is_deprecated(plan.descriptor.fields_by_name[field.name]):
            shown["deprecated"] = True
        return shown | self._components.described(f"{plan.full_name}.{field.name}") | self._form(field)

    def _form(self, field: FieldPlan) -> Json:
        """How the value of a parameter is written."""
        if field.key is not None:
            assert field.value is not None
            entries = {"type": "object", "additionalProperties": self._text(field.value)}
            return {"style": "deepObject", "explode": True, "schema": entries}
        if field.repeated:
            return {"schema": {"type": "array", "items": self._text(field)}}
        if field.kind in _JSON_AS_TEXT:
            return {"content": {"application/json": {"schema": self._components.value(field)}}}
        return {"schema": self._text(field)}

    def _text(self, field: FieldPlan) -> Json:
        """The schema of one text."""
        if field.kind is Kind.ENUM:
            assert field.enum is not None
            return {"type": "string", "enum": list(field.enum.by_number.values())}
        if field.kind is Kind.NULL:
            return {"type": "string", "enum": ["null"]}
        if field.kind in _JSON_AS_TEXT:
            return dict(_JSON_TEXT)
        return self._components.value(field)


def _types(steps: _Steps) -> list[str]:
    """The messages that some fields hold."""
    return [step.message.full_name for step in steps if step.message is not None]


def _has_text(field: FieldPlan) -> bool:
    """Whether a query can set the field, or the entries of the map, by itself."""
    value = field.value or field
    return value.message is None or value.kind in _TEXTUAL


def _spelled(plan: MessagePlan, field: FieldPlan) -> str | None:
    """A name by which a query can reach the field: the JSON name, if it can be told from a path of names."""
    for name in (field.json_name, field.name):
        if plan.by_key[name] is field and not set(name) & set(".["):
            return name
    return None


def _is_set_elsewhere(plan: MessagePlan, steps: _Steps, variables: Sequence[Sequence[str]], body: str) -> bool:
    """Whether the path or the body sets the last of the steps, which is in this message, or the path its oneof."""
    *parents, name = [step.name for step in steps]
    if not parents and name == body:
        return True
    beside = [variable[len(parents)] for variable in variables if [*variable[: len(parents)]] == parents]
    oneof = steps[-1].oneof
    taken = {field.oneof for field in plan.fields if field.name in beside} if oneof else set()
    return [*parents, name] in variables or (oneof in taken and name not in beside)
