"""Where the codec looks up types: plans by descriptor, the types inside Any by name, extensions by key."""

from __future__ import annotations

from google.protobuf import (
    any_pb2,
    duration_pb2,
    empty_pb2,
    field_mask_pb2,
    struct_pb2,
    timestamp_pb2,
    wrappers_pb2,
)
from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor
from google.protobuf.descriptor_pool import DescriptorPool

from asgi_grpc.codec._plan import FieldPlan, Kind, MessagePlan, is_proto3, plan_field, plan_message

WELL_KNOWN: dict[str, Descriptor] = {
    descriptor.full_name: descriptor
    for file in (any_pb2, duration_pb2, empty_pb2, field_mask_pb2, struct_pb2, timestamp_pb2, wrappers_pb2)
    for descriptor in file.DESCRIPTOR.message_types_by_name.values()
}
"""The types that every Any may hold, whether its registry has them or not."""


class Types:
    """Plans, each made once. Keyed by descriptor, never by name: two pools may hold different types of one name.

    What a peer writes is only remembered if it names something that exists, so the schema bounds every table.
    Safe from several threads without a lock: two threads may both make a plan, one is kept.
    """

    def __init__(self, registry: DescriptorPool) -> None:
        self._registry = registry
        self._proto3: dict[FileDescriptor, bool] = {}
        self._plans: dict[Descriptor, MessagePlan] = {}
        self._named: dict[str, MessagePlan] = {}
        self._extensions: dict[tuple[Descriptor, str], FieldPlan] = {}

    def plan(self, descriptor: Descriptor) -> MessagePlan:
        """The plan of a message type."""
        plan = self._plans.get(descriptor)
        if plan is None:
            proto3 = self._proto3.get(descriptor.file)
            if proto3 is None:
                proto3 = self._proto3[descriptor.file] = is_proto3(descriptor.file)
            plan = self._plans.setdefault(descriptor, plan_message(descriptor, proto3=proto3))
        return plan

    def named(self, full_name: str) -> MessagePlan | None:
        """The plan of a type that an Any may hold: from the registry, or well known."""
        plan = self._named.get(full_name)
        if plan is None:
            try:
                descriptor = self._registry.FindMessageTypeByName(full_name)
            except KeyError:
                if full_name not in WELL_KNOWN:
                    return None
                descriptor = WELL_KNOWN[full_name]
            plan = self._named.setdefault(descriptor.full_name, self.plan(descriptor))
        return plan

    def extension(self, plan: MessagePlan, key: str) -> FieldPlan | None:
        """The plan of the extension that a key such as ``"[library.v1.shelf_mark]"`` names."""
        if not plan.extendable or not (key.startswith("[") and key.endswith("]")):
            return None
        found = self._extensions.get((plan.descriptor, key))
        if found is None:
            try:
                extension = plan.descriptor.file.pool.FindExtensionByName(key[1:-1])
            except KeyError:
                return None
            if extension.containing_type is not plan.descriptor:
                return None
            found = self._extensions.setdefault((plan.descriptor, f"[{extension.full_name}]"), plan_field(extension))
        return found

    def field(self, plan: MessagePlan, descriptor: FieldDescriptor) -> FieldPlan:
        """The plan of a field or an extension that is set in a message."""
        if not descriptor.is_extension:
            return plan.by_number[descriptor.number]
        key = f"[{descriptor.full_name}]"
        found = self._extensions.get((plan.descriptor, key))
        return found or self._extensions.setdefault((plan.descriptor, key), plan_field(descriptor))

    def reachable(self, descriptor: Descriptor) -> list[MessagePlan]:
        """The ordinary messages that a message can hold at any depth, itself included, whatever is in an Any not."""
        found = {descriptor: self.plan(descriptor)}
        waiting = [descriptor]
        while waiting:
            for field in found[waiting.pop()].fields:
                inner = field.value or field
                if inner.kind is Kind.MESSAGE and inner.message is not None and inner.message not in found:
                    found[inner.message] = self.plan(inner.message)
                    waiting.append(inner.message)
        return [*found.values()]
