"""Where types are looked up, and what is remembered of what a peer asked for."""

from __future__ import annotations

from google.protobuf import duration_pb2
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pool import DescriptorPool

from asgi_grpc.codec._types import Types
from tests.codec import schemas


def typed(name: str) -> Descriptor:
    return schemas.pool().FindMessageTypeByName(name)


def test_plans_are_made_once() -> None:
    types = Types(schemas.pool())
    assert types.plan(typed("kinds.Kinds")) is types.plan(typed("kinds.Kinds"))
    assert types.named("kinds.Kinds") is types.plan(typed("kinds.Kinds"))


def test_strings_of_proto3_are_verified_by_protobuf() -> None:
    types = Types(schemas.pool())
    assert types.plan(typed("kinds.Kinds")).by_key["aString"].verified
    assert not types.plan(typed("legacy.Legacy")).by_key["name"].verified
    assert not types.plan(typed("editions.Edition")).by_key["implicitText"].verified
    wrapped = types.plan(typed("kinds.WellKnown")).by_key["stringValue"].wrapped
    assert wrapped is not None
    assert wrapped.verified


def test_well_known_types_are_known_to_an_empty_registry() -> None:
    plan = Types(DescriptorPool()).named("google.protobuf.Duration")
    assert plan is not None
    assert plan.descriptor is duration_pb2.Duration.DESCRIPTOR
    ours = Types(schemas.pool()).named("google.protobuf.Duration")
    assert ours is not None
    assert ours.descriptor is typed("google.protobuf.Duration")


def test_unknown_names_are_not_remembered() -> None:
    types = Types(schemas.pool())
    for number in range(100):
        assert types.named(f"no.Such{number}") is None
        assert types.extension(types.plan(typed("legacy.Legacy")), f"[no.such{number}]") is None
    assert types._named == {}
    assert types._extensions == {}


def test_extensions_are_found_by_key_and_by_descriptor() -> None:
    types = Types(schemas.pool())
    legacy = types.plan(typed("legacy.Legacy"))
    found = types.extension(legacy, "[legacy.extra_number]")
    assert found is not None
    assert types.field(legacy, schemas.pool().FindExtensionByName("legacy.extra_number")) is found
    assert types.extension(legacy, "[legacy.other_number]") is None  # of another message
    assert types.extension(legacy, "legacy.extra_number") is None
    assert types.extension(types.plan(typed("kinds.Kinds")), "[legacy.extra_number]") is None


def test_reachable_types_include_those_in_maps_and_leave_out_well_known_ones() -> None:
    types = Types(schemas.pool())
    assert {plan.full_name for plan in types.reachable(typed("kinds.Maps"))} == {"kinds.Maps", "kinds.Leaf"}
    assert {plan.full_name for plan in types.reachable(typed("samples.Event"))} == {"samples.Event"}
