"""What the wire form of a message would become is counted before it is parsed, as its JSON is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.protobuf import any_pb2, empty_pb2, struct_pb2
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError as WireError
from hypothesis import given
from hypothesis import strategies as st

from asgi_grpc.codec import Codec, CodecOptions, check_wire
from asgi_grpc.codec._count import holds_more
from asgi_grpc.codec._types import Types
from asgi_grpc.codec._weight import Weigher
from asgi_grpc.errors import Code, DecodeError
from tests.codec import schemas
from tests.codec.strategies import messages

WEIGHER = Weigher(Types(schemas.pool()))
TYPES = ["kinds.Lists", "kinds.Maps", "kinds.WellKnown", "kinds.Oneofs", "kinds.Kinds", "legacy.Other"]


def refused(descriptor: Descriptor, data: bytes, most: int) -> str | None:
    """What is said of it."""
    try:
        check_wire(descriptor, data, CodecOptions(max_objects=most))
    except DecodeError as error:
        return str(error).removeprefix(f"{descriptor.full_name}: ").removesuffix(" at $")
    return None


@pytest.mark.parametrize(
    ("name", "text", "fits", "what"),
    [
        ("kinds.Lists", '{"empties":[' + ",".join(["{}"] * 9) + "]}", 9, "9 messages"),
        ("kinds.Lists", '{"nested":[{"nested":[{"leaves":[{},{}]}]},{"leaves":[{},{},{}]}]}', 8, "8 messages"),
        ("kinds.Lists", '{"structs":[{},{"a":{},"b":[]}],"listValues":[[]],"anys":[{}]}', 6, "6 messages"),
        ("kinds.Kinds", '{"nested":{"nested":{"nested":{"nested":{"nested":{}}}}}}', 5, "5 messages"),
        ("kinds.Lists", '{"values":[' + ",".join(["1"] * 16) + "]}", 4, "16 values"),
        ("kinds.Lists", '{"boolValues":[' + ",".join(["true"] * 16) + "]}", 4, "16 values"),
        ("kinds.Lists", '{"times":[' + ",".join(['"2026-01-31T23:59:59Z"'] * 8) + "]}", 4, "16 values"),
        ("kinds.Maps", json.dumps({"stringString": {str(n): "a" for n in range(8)}}), 4, "16 values"),
        ("kinds.Maps", json.dumps({"stringLeaf": {str(n): {} for n in range(5)}}), 5, "5 messages"),
        ("kinds.WellKnown", json.dumps({"struct": {str(n): 1 for n in range(8)}}), 4, "16 values"),
        ("kinds.WellKnown", '{"any":{"@type":"x/kinds.Lists","empties":[{},{},{}]}}', 4, "4 messages"),
        ("legacy.Other", '{"[legacy.other_values]":[' + ",".join(["1"] * 16) + "]}", 4, "16 values"),
    ],
)
def test_exactly_the_limit_passes_and_one_less_does_not(name: str, text: str, fits: int, what: str) -> None:
    descriptor = schemas.message_class(name).DESCRIPTOR
    number, kind = what.split()
    message = Codec(descriptor).decode(text)
    data = (
        message.SerializeToString() + b"\xd2\xfd\x03\x40" + b"a" * 64
    )  # an unknown field: short ones are not looked at
    assert refused(descriptor, data, fits) is None
    problem = refused(descriptor, data, fits - 1)
    less = int(number) * (fits - 1) // fits
    assert problem is not None
    assert problem.startswith(f"expected at most {less} {kind}")


def test_it_is_refused_as_too_much_and_not_as_wrong() -> None:
    descriptor = schemas.message_class("kinds.Lists").DESCRIPTOR
    with pytest.raises(
        DecodeError, match=r"^kinds\.Lists: expected at most 5 messages in one message, got more"
    ) as caught:
        check_wire(descriptor, b"\x72\x00" * 6, CodecOptions(max_objects=5))
    assert (caught.value.code, caught.value.http_status) == (Code.RESOURCE_EXHAUSTED, 413)


@pytest.mark.parametrize(
    "data",
    [
        b"\x72\x00" * 5 + b"\x72\x7f",  # a length past the end
        b"\x6a\x02\x72\x7f" + b"\x72\x00" * 4,  # the same further in
        b"\x6a\x80" * 50,
    ],
)
def test_what_is_no_wire_form_is_refused_as_that(data: bytes) -> None:
    descriptor = schemas.message_class("kinds.Lists").DESCRIPTOR
    with pytest.raises(DecodeError, match="expected the protobuf wire form of the message") as caught:
        check_wire(descriptor, data, CodecOptions(max_objects=5))
    assert caught.value.code is Code.INVALID_ARGUMENT


def test_what_a_malformed_message_takes_of_the_next_is_not_reached_by_a_parser() -> None:
    kind = schemas.message_class("kinds.Lists")
    data = b"\x6a\x02\x72\x02" + b"\x6a\x02\x72\x00" * 2
    assert refused(kind.DESCRIPTOR, data, 5) is None
    with pytest.raises(WireError):
        kind.FromString(data)


def test_deeper_than_any_parser_reads_is_refused_before_it_gets_slow() -> None:
    descriptor = schemas.message_class("kinds.Kinds").DESCRIPTOR

    def nested(levels: int) -> bytes:
        data = b""
        for _ in range(levels):
            size, length = len(data), b""
            while size > 127:
                length += bytes([size & 127 | 128])
                size >>= 7
            data = b"\xa2\x01" + length + bytes([size]) + data
        return data

    assert refused(descriptor, nested(100), 120) is None
    assert refused(descriptor, nested(20_000), 19_000) == "expected the protobuf wire form of the message"


def test_an_any_of_anys_has_an_end_too() -> None:
    message: Any = any_pb2.Any()
    for _ in range(200):
        message = any_pb2.Any(type_url="x/google.protobuf.Any", value=message.SerializeToString())
    problem = refused(any_pb2.Any.DESCRIPTOR, message.SerializeToString(), 1000)
    assert problem == "expected the protobuf wire form of the message"


def test_an_any_of_an_unknown_type_is_only_bytes() -> None:
    message = any_pb2.Any(type_url="x/no.Such", value=b"\x72\x00" * 9)
    assert refused(any_pb2.Any.DESCRIPTOR, message.SerializeToString(), 5) is None


@pytest.mark.parametrize("most", [None, 9])
def test_what_is_short_enough_is_not_looked_at(most: int | None) -> None:
    for descriptor in (schemas.message_class("kinds.Lists").DESCRIPTOR, empty_pb2.Empty.DESCRIPTOR):
        check_wire(descriptor, b"\xff" * 18, CodecOptions(max_objects=most))


def test_numbers_and_strings_count_for_nothing() -> None:
    message = schemas.message_class("kinds.Lists")(int32s=[1] * 500, strings=["a"] * 500, blobs=[b"a"] * 500)
    assert refused(message.DESCRIPTOR, message.SerializeToString(), 1) is None
    assert refused(struct_pb2.Value.DESCRIPTOR, struct_pb2.Value(string_value="a" * 50).SerializeToString(), 0) is None


@given(data=st.data(), name=st.sampled_from(TYPES))
def test_what_may_come_as_json_may_come_as_protobuf(data: st.DataObject, name: str) -> None:
    descriptor = schemas.message_class(name).DESCRIPTOR
    message = data.draw(messages(descriptor))
    text = Codec(descriptor).encode(message)
    tree = json.loads(text)
    most = next(
        most for most in range(10_000) if not holds_more(text, most) and not WEIGHER.exceeds(descriptor, tree, 4 * most)
    )
    assert refused(descriptor, message.SerializeToString(), most) is None


@given(data=st.data(), name=st.sampled_from(["kinds.Kinds", "samples.Order", "samples.Tree", "legacy.Legacy"]))
def test_only_what_no_parser_reads_is_refused_as_no_wire_form(data: st.DataObject, name: str) -> None:
    kind = schemas.message_class(name)
    raw = bytearray(data.draw(messages(kind.DESCRIPTOR, 4)).SerializePartialToString() * 2)
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(raw)))
        raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    if refused(kind.DESCRIPTOR, bytes(raw), len(raw) // 2 - 1) == "expected the protobuf wire form of the message":
        with pytest.raises(WireError):
            kind.FromString(bytes(raw))
