"""Documents drawn from descriptors: protobuf's own reader is the oracle, and ours agrees with it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.protobuf import duration_pb2, json_format, struct_pb2, timestamp_pb2, wrappers_pb2
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from asgi_grpc.codec import Codec
from asgi_grpc.errors import DecodeError
from asgi_grpc.testing import json_messages, messages, wrong_json_messages
from tests.codec import schemas
from tests.codec.strategies import descriptors

TYPES = [
    *("kinds.Kinds", "kinds.Lists", "kinds.Maps", "kinds.WellKnown", "kinds.Oneofs", "kinds.Names", "kinds.Empty"),
    *("legacy.Legacy", "editions.Edition"),
]
BRIEFLY = settings(max_examples=settings().max_examples // 3, deadline=None, suppress_health_check=list(HealthCheck))


def typed(name: str) -> Descriptor:
    return schemas.pool().FindMessageTypeByName(name)


def parsed(descriptor: Descriptor, document: bytes) -> Message:
    """What protobuf's own reader makes of a document."""
    empty = GetMessageClass(descriptor)()
    return json_format.Parse(document, empty, descriptor_pool=descriptor.file.pool)


def plain(message: Message) -> Any:
    """A message as Python values: NaN equals itself there, and the order of an ``Any``'s bytes does not matter."""
    pool: Any = message.DESCRIPTOR.file.pool  # two classes of pools have no common base
    return json_format.MessageToDict(message, descriptor_pool=pool)


def check_right(descriptor: Descriptor, document: bytes) -> None:
    assert b"\n" not in document
    expected = parsed(descriptor, document)
    note(document.decode())
    assert plain(Codec(descriptor).decode(document)) == plain(expected)


def check_wrong(descriptor: Descriptor, document: bytes) -> None:
    note(repr(document))
    with pytest.raises((json_format.ParseError, UnicodeDecodeError)):
        parsed(descriptor, document)
    with pytest.raises(DecodeError):
        Codec(descriptor).decode(document)


@pytest.mark.parametrize("name", TYPES)
def test_documents_are_read_alike_by_protobuf_and_by_us(name: str) -> None:
    @BRIEFLY
    @given(json_messages(typed(name)))
    def check(document: bytes) -> None:
        check_right(typed(name), document)

    check()


@pytest.mark.parametrize("name", TYPES)
def test_near_misses_are_refused_by_protobuf_and_by_us(name: str) -> None:
    @BRIEFLY
    @given(wrong_json_messages(typed(name)))
    def check(document: bytes) -> None:
        check_wrong(typed(name), document)

    check()


@BRIEFLY
@given(st.data())
def test_any_message_type_will_do(data: st.DataObject) -> None:
    descriptor = data.draw(descriptors())
    check_right(descriptor, data.draw(json_messages(descriptor)))
    check_wrong(descriptor, data.draw(wrong_json_messages(descriptor)))


def drawn(strategy: st.SearchStrategy[Any], count: int = 400) -> list[Any]:
    """Some draws, the same at every run."""
    found: list[Any] = []

    @settings(BRIEFLY, max_examples=count, derandomize=True, database=None)
    @given(strategy)
    def collect(document: Any) -> None:
        found.append(document)

    collect()
    return found


@pytest.mark.parametrize(
    ("message", "some"),
    [
        pytest.param(wrappers_pb2.Int64Value, [b"9223372036854775807", b'"-9223372036854775808"', b"1.0"], id="int64"),
        pytest.param(wrappers_pb2.UInt32Value, [b"4294967295", b"0e0", b'"1"'], id="uint32"),
        pytest.param(wrappers_pb2.DoubleValue, [b'"NaN"', b'"-Infinity"', b"5e-324", b"1E+21", b"0"], id="double"),
        pytest.param(wrappers_pb2.FloatValue, [b"3.4028234663852886e+38", b'"1.5"'], id="float"),
        pytest.param(wrappers_pb2.BytesValue, [b'"+//+"', b'"-__-"', b'""'], id="bytes"),
        pytest.param(wrappers_pb2.StringValue, ['"\u2028"'.encode(), b'"\\u2028"', b'"null"'], id="string"),
        pytest.param(timestamp_pb2.Timestamp, [b'"0001-01-01T00:00:00Z"'], id="timestamp"),
        pytest.param(duration_pb2.Duration, [b'"-315576000000s"'], id="duration"),
    ],
)
def test_the_edges_of_every_kind_are_drawn(message: type[Message], some: list[bytes]) -> None:
    documents = set(drawn(json_messages(message), 500))
    assert [document for document in some if document not in documents] == []


def test_enum_values_are_drawn_by_name_alias_and_number() -> None:
    trees = [json.loads(document) for document in drawn(json_messages(typed("kinds.Lists"), depth=0), 600)]
    values = [value for tree in trees for value in tree.get("colors") or []]
    assert {"COLOR_RED", "COLOR_CRIMSON", -1, 77} <= set(values)


def test_documents_nest_as_deep_as_they_may_and_no_deeper() -> None:
    def depth(tree: Any) -> int:
        inner = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
        return (1 if isinstance(tree, dict) else 0) + max(map(depth, inner), default=0)

    for levels in (0, 1, 2):
        trees = map(json.loads, drawn(json_messages(typed("kinds.Kinds"), depth=levels), 300))
        assert max(map(depth, trees)) == levels + 1


def test_required_fields_are_always_there() -> None:
    documents = drawn(json_messages(typed("legacy.Part"), depth=0))
    assert all(Codec(typed("legacy.Part")).decode(document).IsInitialized() for document in documents)


def test_an_any_holds_what_it_is_told_to_hold() -> None:
    leaf = typed("kinds.Leaf")
    trees = [json.loads(document) for document in drawn(json_messages(typed("google.protobuf.Any"), any_types=[leaf]))]
    assert {tree.get("@type") for tree in trees} == {None, "type.googleapis.com/kinds.Leaf"}
    assert {"@type", "text"} <= {key for tree in trees for key in tree}
    nothing = drawn(json_messages(typed("google.protobuf.Any"), any_types=[]), 20)
    assert set(nothing) == {b"{}"}


def test_generated_classes_are_described_by_themselves() -> None:
    bools = drawn(json_messages(wrappers_pb2.BoolValue), 20)
    assert set(bools) == {b"true", b"false"}
    times = drawn(messages(timestamp_pb2.Timestamp), 50)
    assert {type(time) for time in times} == {timestamp_pb2.Timestamp}
    assert min(time.seconds for time in times) < 0 < max(time.seconds for time in times)
    kinds = {value.WhichOneof("kind") for value in drawn(messages(struct_pb2.Value))}
    assert kinds == {"null_value", "bool_value", "number_value", "string_value", "struct_value", "list_value"}


def refusals(message: type[Message] | Descriptor) -> str:
    """All that our codec says of some near-misses."""
    codec = Codec(message)
    told: set[str] = set()
    for document in drawn(wrong_json_messages(message)):
        with pytest.raises(DecodeError) as caught:
            codec.decode(document)
        told.add(str(caught.value))
    return "\n".join(sorted(told))


@pytest.mark.parametrize(
    ("name", "problems"),
    [
        pytest.param(
            "kinds.Leaf",
            ["an integer", "a string", "a boolean", "an unknown name", "got nothing", "one outside"],
            id="fields",
        ),
        pytest.param("kinds.Oneofs", ["oneof"], id="oneofs"),
        pytest.param("google.protobuf.Any", ["@type"], id="any"),
    ],
)
def test_near_misses_break_every_rule(name: str, problems: list[str]) -> None:
    told = refusals(typed(name))
    assert [problem for problem in problems if problem not in told] == [], told
