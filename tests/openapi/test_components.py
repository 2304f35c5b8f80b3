"""Schemas of messages: what the codec prints validates, what it never prints does not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from asgi_grpc.codec import Codec, CodecOptions, EncodeError
from asgi_grpc.openapi._components import Components
from tests.codec.schemas import pool
from tests.codec.strategies import descriptors, messages
from tests.openapi.everything import everything, of_methods

OPTIONS = [
    CodecOptions(),
    CodecOptions(proto_names=True, enums_as_numbers=True, int64_as_numbers=True),
    CodecOptions(print_defaults=True, ignore_unknown=True),
]
NAMES = [
    *("kinds.Kinds", "kinds.Lists", "kinds.Maps", "kinds.WellKnown", "kinds.Oneofs", "kinds.Names", "kinds.Leaf"),
    *("google.protobuf.Any", "google.protobuf.Value", "google.protobuf.Int64Value", "google.protobuf.Timestamp"),
]


def validator_of(descriptor: Descriptor, options: CodecOptions = OPTIONS[0]) -> Any:
    """Validates messages of a type."""
    components = Components(options, {})
    reference = components.message(descriptor)
    schemas = components.finish()
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    return Draft202012Validator({**reference, "components": {"schemas": schemas}})


def schemas_of(name: str, options: CodecOptions = OPTIONS[0]) -> dict[str, Any]:
    """The schemas of a type and of all that it refers to."""
    components = Components(options, everything().comments)
    components.message(everything().pool.FindMessageTypeByName(name))
    return components.finish()


def check(draw: Any, descriptor: Descriptor, options: CodecOptions) -> None:
    """Draw a message, print it, and validate what was printed."""
    message = draw(messages(descriptor, 2))
    try:
        printed = Codec(descriptor, options).encode(message)
    except EncodeError:
        return  # it has no JSON form
    validator_of(descriptor, options).validate(json.loads(printed))


@pytest.mark.parametrize("options", OPTIONS, ids=["default", "numbers", "defaults"])
@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_is_printed_validates(name: str, options: CodecOptions, data: st.DataObject) -> None:
    check(data.draw, pool().FindMessageTypeByName(name), options)


@given(data=st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_is_printed_of_types_made_at_run_time_validates(data: st.DataObject) -> None:
    check(data.draw, data.draw(descriptors()), data.draw(st.sampled_from(OPTIONS)))


def test_every_type_of_the_test_schemas_has_one() -> None:
    for file in ("kinds", "samples", "legacy", "editions", "conformance"):
        for descriptor in pool().FindFileByName(f"{file}.proto").message_types_by_name.values():
            validator_of(descriptor)


@pytest.mark.parametrize(
    ("message", "value"),
    [
        ("Request", {"anInt64": 1}),
        ("Request", {"anInt64": "1.0"}),
        ("Request", {"anInt64": "01"}),
        ("Request", {"aUint64": "-1"}),
        ("Request", {"anInt32": 2147483648}),
        ("Request", {"aUint32": -1}),
        ("Request", {"anInt32": "1"}),
        ("Request", {"aDouble": "nan"}),
        ("Request", {"aBool": 1}),
        ("Request", {"aBytes": [1]}),
        ("Request", {"light": "LOUD"}),
        ("Request", {"light": 2147483648}),
        ("Request", {"words": "one"}),
        ("Request", {"leaves": [{"name": 1}]}),
        ("Request", {"counts": {"a": 1}}),
        ("Request", {"byFlag": {"yes": {}}}),
        ("Request", {"lights": {"1.5": "DARK"}}),
        ("Request", {"text": "a", "number": 1}),
        ("Request", {"number": 1, "grown": {}}),
        ("Request", {"wait": "PT1S"}),
        ("Request", {"struct": []}),
        ("Request", {"list": {}}),
        ("Request", {"nothing": 0}),
        ("Request", {"unknown": 1}),
        ("Request", {"an_int32": 1}),
        ("Request", []),
        ("Leaf", {"next": {"next": {"next": 1}}}),
    ],
)
def test_what_is_never_printed_is_refused(message: str, value: Any) -> None:
    descriptor = everything().pool.FindMessageTypeByName(f"every.v1.{message}")
    assert not validator_of(descriptor).is_valid(value)


@pytest.mark.parametrize(
    "value",
    [
        *({"aDouble": number} for number in ("NaN", "Infinity", "-Infinity", 0, -1.5, 1e308)),
        *({"aFloat": number} for number in ("NaN", "Infinity", "-Infinity", 0.5)),
        {"anInt64": "-9223372036854775808", "aUint64": "18446744073709551615"},
        {"anInt32": -2147483648, "aUint32": 4294967295},
        {"byFlag": {"true": {}, "false": {}}, "lights": {"-1": 7}},
        {"wait": "-315576000000.999999999s", "time": "0001-01-01T00:00:00Z", "mask": ""},
        {"nothing": None, "value": None, "list": [None], "struct": {"a": None}, "empty": {}, "any": {}},
        {},
    ],
)
def test_the_edges_of_what_is_printed_validate(value: Any) -> None:
    validator_of(everything().pool.FindMessageTypeByName("every.v1.Request")).validate(value)
    Codec(everything().pool.FindMessageTypeByName("every.v1.Request")).decode(json.dumps(value))


def test_unknown_fields_are_fine_where_the_codec_ignores_them() -> None:
    descriptor = everything().pool.FindMessageTypeByName("every.v1.Leaf")
    assert validator_of(descriptor, CodecOptions(ignore_unknown=True)).is_valid({"unknown": 1})


class TestSchemas:
    def test_of_a_message_that_holds_itself(self) -> None:
        assert schemas_of("every.v1.Leaf") == {
            "every.v1.Leaf": {
                "type": "object",
                "description": "A leaf. It grows.",
                "properties": {
                    "name": {"type": "string"},
                    "next": {"$ref": "#/components/schemas/every.v1.Leaf", "description": "again"},
                    "size": {
                        "type": "integer", "format": "int32", "minimum": -(2**31), "maximum": 2**31 - 1,
                        "deprecated": True,
                    },
                },
                "additionalProperties": False,
            }
        }  # fmt: skip

    def test_of_a_oneof(self) -> None:
        members = [{"required": ["text"]}, {"required": ["number"]}, {"required": ["grown"]}]
        schema = schemas_of("every.v1.Request")["every.v1.Request"]
        assert schema["oneOf"] == [*members, {"not": {"anyOf": members}}]
        assert schema["description"] == "At most one of text, number, grown."

    def test_of_two_oneofs(self) -> None:
        components = Components(CodecOptions(), {})
        components.message(pool().FindMessageTypeByName("kinds.Oneofs"))
        schema = components.finish()["kinds.Oneofs"]
        assert [len(oneof["oneOf"]) for oneof in schema["allOf"]] == [16, 3]

    def test_of_an_enum(self) -> None:
        schema = schemas_of("every.v1.Request")["every.v1.Light"]
        number = {"type": "integer", "format": "int32", "minimum": -(2**31), "maximum": 2**31 - 1}
        assert schema == {
            "anyOf": [{"type": "string", "enum": ["DARK", "DIM", "BRIGHT"]}, number],
            "description": "How much light.\n\n- DIM: As in the shade.",
        }
        numbers = schemas_of("every.v1.Request", CodecOptions(enums_as_numbers=True))["every.v1.Light"]
        assert numbers == {**number, "description": schema["description"]}

    def test_of_closed_enums_extensions_and_required_fields(self) -> None:
        file = pool().FindFileByName("legacy.proto")
        plain, numbers = (Components(options, {}) for options in OPTIONS[:2])
        for components in (plain, numbers):
            for descriptor in file.message_types_by_name.values():
                components.message(descriptor)
        schemas, numbered = plain.finish(), numbers.finish()
        closed = [name for name, descriptor in file.enum_types_by_name.items() if descriptor.is_closed]
        full = {f"{file.package}.{name}" for name in closed} & set(schemas)
        assert full
        for name in full:
            assert set(schemas[name]) == {"type", "enum"}
            assert all(isinstance(number, int) for number in numbered[name]["enum"])
        extendable = [d.full_name for d in file.message_types_by_name.values() if d.is_extendable]
        assert [r"^\[.+\]$" in schemas[name]["patternProperties"] for name in extendable] == [True] * len(extendable)
        assert extendable
        required = {
            d.full_name: [field.json_name for field in d.fields if field.is_required]
            for d in file.message_types_by_name.values()
        }
        assert any(required.values())
        assert {name: schemas[name].get("required", []) for name in required} == required

    def test_of_a_deprecated_message(self) -> None:
        schema = of_methods("rpc A(M) returns (M);", "message M { option deprecated = true; }")
        components = Components(CodecOptions(), {})
        components.message(next(iter(schema.methods)).input)
        assert components.finish()["p.M"]["deprecated"] is True

    def test_of_64_bit_integers_as_numbers(self) -> None:
        properties = schemas_of("every.v1.Request", CodecOptions(int64_as_numbers=True))["every.v1.Request"][
            "properties"
        ]
        assert properties["aUint64"] == {"type": "integer", "format": "uint64", "minimum": 0, "maximum": 2**64 - 1}
