"""Messages and enums to the document's ``components.schemas``, each once, whoever refers to it."""

from __future__ import annotations

from collections.abc import Mapping

from google.protobuf.any_pb2 import Any
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor, ServiceDescriptor

from asgi_grpc.codec import CodecOptions, FieldPlan, Kind, MessagePlan, plan_message
from asgi_grpc.openapi._values import Json, at_most_one, enum_schema, key_schema, scalar_schema, well_known_schema


class Components:
    """The schemas of messages and enums by full name, collected while references to them are asked for.

    Args:
        options: of the codec that prints.
        comments: by full name; see ``Schema.comments``.
    """

    def __init__(self, options: CodecOptions, comments: Mapping[str, str]) -> None:
        self._options = options
        self._comments = comments
        self._schemas: dict[str, Json] = {}
        self._plans: dict[str, MessagePlan] = {}
        self._waiting: list[Descriptor] = []  # types may nest deeper than Python may call

    def plan(self, descriptor: Descriptor) -> MessagePlan:
        """What the codec knows of a message; worked out once."""
        found = self._plans.get(descriptor.full_name)
        if found is None:
            found = self._plans[descriptor.full_name] = plan_message(descriptor)
        return found

    def message(self, descriptor: Descriptor) -> Json:
        """A reference to a message's schema."""
        name = descriptor.full_name
        if name not in self._schemas:
            self._schemas[name] = {}
            self._waiting.append(descriptor)
        return _reference(name)

    def any(self) -> Json:
        """A reference to the schema of ``google.protobuf.Any``, which need not be one of the messages."""
        return self.message(Any.DESCRIPTOR)

    def field(self, field: FieldPlan) -> Json:
        """The schema of a field: of one value, a list or a map."""
        if field.key is not None:
            assert field.value is not None
            keys = key_schema(field.key)
            entries: Json = {"type": "object", "additionalProperties": self.value(field.value)}
            return entries if keys is None else {**entries, "propertyNames": keys}
        return {"type": "array", "items": self.value(field)} if field.repeated else self.value(field)

    def value(self, field: FieldPlan) -> Json:
        """The schema of one value of a field."""
        if field.message is not None:
            return self.message(field.message)
        if field.kind is not Kind.ENUM:
            return scalar_schema(field, self._options)
        assert field.enum is not None
        name = field.enum.full_name
        if name not in self._schemas:
            self._schemas[name] = enum_schema(field, self._options) | self._described(self._enum_text(field))
        return _reference(name)

    def shared(self, name: str, schema: Json) -> Json:
        """A reference to a schema of our own, kept under a name that no message has (it has a hyphen)."""
        self._schemas[name] = schema
        return _reference(name)

    def property_name(self, field: FieldPlan) -> str:
        """The name under which a field is printed."""
        return field.name if self._options.proto_names else field.json_name

    def closed(self, schema: Json) -> Json:
        """An object's schema, without other properties where the codec refuses them."""
        return schema if self._options.ignore_unknown else {**schema, "additionalProperties": False}

    def described(self, full_name: str) -> Json:
        """The description that a comment makes; empty where there is none."""
        return self._described([self._comments.get(full_name, "")])

    def finish(self) -> dict[str, Json]:
        """All schemas, sorted by name, with those that they refer to."""
        while self._waiting:
            descriptor = self._waiting.pop()
            self._schemas[descriptor.full_name] = self._of_message(self.plan(descriptor))
        return dict(sorted(self._schemas.items()))

    def _of_message(self, plan: MessagePlan) -> Json:
        if plan.wrapped is not None:
            return scalar_schema(plan.wrapped, self._options) | {"description": "May be absent, unlike its plain type."}
        if plan.kind is not Kind.MESSAGE:
            return well_known_schema(plan.kind)
        oneofs = [[self.property_name(plan.by_number[number]) for number in numbers] for numbers in plan.oneofs]
        schema: Json = {"type": "object", "properties": self._properties(plan)}
        if plan.required:
            schema["required"] = [self.property_name(field) for field in plan.required]
        schema = self.closed(schema)
        if plan.extendable:
            schema["patternProperties"] = {r"^\[.+\]$": {"description": "An extension, by its full name."}}
        if len(oneofs) == 1:
            schema |= at_most_one(oneofs[0])
        elif oneofs:
            schema["allOf"] = [at_most_one(names) for names in oneofs]
        if is_deprecated(plan.descriptor):
            schema["deprecated"] = True
        rules = [f"At most one of {', '.join(names)}." for names in oneofs]
        return schema | self._described([self._comments.get(plan.full_name, ""), *rules])

    def _properties(self, plan: MessagePlan) -> Json:
        properties: Json = {}
        for field in plan.fields:
            schema = self.field(field) | self.described(f"{plan.full_name}.{field.name}")
            if is_deprecated(plan.descriptor.fields_by_name[field.name]):
                schema["deprecated"] = True
            properties[self.property_name(field)] = schema
        return properties

    def _enum_text(self, field: FieldPlan) -> list[str]:
        """An enum's comment, then those of its values."""
        assert field.enum is not None
        names = field.enum.by_number.values()
        values = [(name, self._comments.get(f"{field.enum.full_name}.{name}")) for name in names]
        listed = "\n".join(f"- {name}: {' '.join(text.split())}" for name, text in values if text)
        return [self._comments.get(field.enum.full_name, ""), listed]

    def _described(self, paragraphs: list[str]) -> Json:
        text = "\n\n".join(paragraph for paragraph in paragraphs if paragraph)
        return {"description": text} if text else {}


def is_deprecated(descriptor: Descriptor | FieldDescriptor | MethodDescriptor | ServiceDescriptor) -> bool:
    """Tell whether something has the option ``deprecated``."""
    return bool(descriptor.has_options and descriptor.GetOptions().deprecated)


def _reference(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}
