"""One binding of one method to an OpenAPI operation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from google.protobuf.descriptor import Descriptor, MethodDescriptor

from asgi_grpc.codec import CodecOptions, FieldPlan
from asgi_grpc.dialects import Dialect
from asgi_grpc.openapi._components import Components, is_deprecated
from asgi_grpc.openapi._contents import BYTES, answer, answers, one, request
from asgi_grpc.openapi._parameters import Parameters
from asgi_grpc.openapi._paths import PathTemplate
from asgi_grpc.openapi._spelling import Spelling
from asgi_grpc.openapi._values import Json
from asgi_grpc.routing import Route
from asgi_grpc.schema import Method

FAILURE = "failure"
"""The name of the response that every operation has by default."""

_LONGEST_SUMMARY = 120

_BODY = {
    (False, True): "The request.",
    (False, False): "The field {} of the request.",
    (True, True): "The requests, one after the other.",
    (True, False): "The field {} of each request, one after the other.",
}


class Operations:
    """Makes operations that share schemas.

    Args:
        dialect: of the answers.
        options: of the codec that prints.
        comments: by full name; see ``Schema.comments``.
    """

    def __init__(self, dialect: Dialect, options: CodecOptions, comments: Mapping[str, str]) -> None:
        self._dialect = dialect
        self._comments = comments
        self._components = Components(options, comments)
        detail = self._components.any()
        self._spelling = Spelling(dialect, detail)
        self._ends = [
            self._components.shared(f"end-{name}", record)
            for name, record in (
                ("success", self._spelling.success_record),
                ("failure", self._spelling.failure_record),
            )
            if record is not None
        ]
        self._failure = self._components.shared("call-failure", self._spelling.failure)

    def operation(self, route: Route, template: PathTemplate, names: Sequence[str], operation_id: str) -> Json:
        """Describe one binding.

        Args:
            route: the binding.
            template: its path.
            names: of the path's parameters.
            operation_id: unique in the document.
        """
        method, binding = route.method, route.binding
        parameters = Parameters(method.input, self._components)
        found = parameters.of_path(template, names)
        if binding.body != "*":
            found += parameters.of_query(template, binding.body)
        shown: Json = {"tags": [method.full_name.rpartition(".")[0]], **self._text(method)}
        shown["operationId"] = operation_id
        if found:
            shown["parameters"] = found
        if binding.body:
            shown["requestBody"] = self._request(route, template, parameters)
        failure = {"$ref": f"#/components/responses/{FAILURE}"}
        shown["responses"] = {"200": self._answer(route), "default": failure}
        if _is_deprecated(method):
            shown["deprecated"] = True
        return {**shown, "x-grpc-method": method.full_name, "x-grpc-kind": method.kind}

    def finish(self) -> Json:
        """The components that operations refer to."""
        text = "The call failed, or the request was refused before it: the status says how."
        responses = {FAILURE: {"description": text, "content": one(self._failure)}}
        return {"schemas": self._components.finish(), "responses": responses}

    def _request(self, route: Route, template: PathTemplate, parameters: Parameters) -> Json:
        method, body = route.method, route.binding.body
        text = _BODY[method.client_streaming, body == "*"].format(body)
        if template.variables and body == "*":
            text += f" The path sets {', '.join(template.variables)}: leave it out here."
        if route.takes_bytes:
            return {"description": text, "content": BYTES}
        schema = self._part(method.input, "" if body == "*" else body)
        return {"description": text, "content": request(route, schema, parameters.form(template))}

    def _answer(self, route: Route) -> Json:
        method, field = route.method, route.binding.response_body
        text = "The replies, one after the other." if method.server_streaming else "The reply."
        if route.reply.gives_bytes:
            return {"description": text, "content": BYTES}
        message = self._part(method.output, field)
        if field and _is_null_unset(self._field(method.output, field)):
            message = {"anyOf": [message, {"type": "null"}]}
        if not method.server_streaming:
            return {"description": text, "content": answer(route, message, self._spelling)}
        record = self._spelling.record(message)
        if self._ends:
            name = f"stream-{method.output.full_name}" + (f"-{field}" if field else "")
            record = self._components.shared(name, {"anyOf": [record, *self._ends]})
        return {"description": text, "content": answers(message, record, self._dialect, self._spelling)}

    def _part(self, message: Descriptor, name: str) -> Json:
        """The schema of a message, or of one field of it."""
        return self._components.field(self._field(message, name)) if name else self._components.message(message)

    def _field(self, message: Descriptor, name: str) -> FieldPlan:
        """A field by its proto name."""
        return next(field for field in self._components.plan(message).fields if field.name == name)

    def _text(self, method: Method) -> Json:
        """The method's comment: its first sentence, if that is short, and all of it."""
        text = self._comments.get(method.full_name, "")
        if not text:
            return {}
        first = " ".join(text.partition("\n\n")[0].split())
        summary = first.partition(". ")[0].removesuffix(".")
        return {"summary": summary, "description": text} if len(summary) <= _LONGEST_SUMMARY else {"description": text}


def _is_null_unset(field: FieldPlan) -> bool:
    """Whether a reply's field that is printed alone is null where it is not set: not if it is a plain message."""
    well_known = field.message is None or field.message.full_name.startswith("google.protobuf.")
    return field.presence and well_known


def _is_deprecated(method: Method) -> bool:
    """Whether the method or its service has the option ``deprecated``; not known if only the messages have a pool."""
    try:
        found: MethodDescriptor = method.input.file.pool.FindMethodByName(method.full_name)
    except KeyError:
        return False
    return is_deprecated(found) or is_deprecated(found.containing_service)
