"""Three answers to one question: the fast path, the complete path, and protobuf's own ``json_format``.

Where they answer, they agree; what ``json_format`` does otherwise on purpose is in test_differences.py.
"""

from __future__ import annotations

import copy
import json
import math
from typing import Any, cast

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asgi_grpc.codec import Codec, CodecOptions
from asgi_grpc.errors import DecodeError
from tests.codec import mutations, samples, schemas
from tests.codec.strategies import descriptors, messages

OPTIONS = [
    CodecOptions(),
    CodecOptions(proto_names=True),
    CodecOptions(enums_as_numbers=True),
    CodecOptions(print_defaults=True),
    CodecOptions(int64_as_numbers=True),
]
TYPES = [
    *("kinds.Kinds", "kinds.Lists", "kinds.Maps", "kinds.WellKnown", "kinds.Oneofs", "kinds.Names"),
    *("legacy.Legacy", "editions.Edition"),
]
_MOST = settings.default.max_examples if settings.default is not None else 0  # of the profile: thousands in fuzz
BRIEFLY = settings(max_examples=max(_MOST, 200), deadline=None, suppress_health_check=list(HealthCheck))


def typed(name: str) -> Descriptor:
    return schemas.pool().FindMessageTypeByName(name)


def described(message: Message) -> Descriptor:
    return cast(Descriptor, message.DESCRIPTOR)


def bytes_of(message: Message) -> bytes:
    return message.SerializePartialToString(deterministic=True)


def canonical(text: bytes | str) -> str:
    """JSON with sorted keys: -0.0 is not 0.0 here, and NaN is a string."""
    return json.dumps(json.loads(text), sort_keys=True)


def reference(message: Message, options: CodecOptions) -> str:
    return canonical(
        json_format.MessageToJson(
            message,
            preserving_proto_field_name=options.proto_names,
            use_integers_for_enums=options.enums_as_numbers,
            always_print_fields_with_no_presence=options.print_defaults,
            descriptor_pool=described(message).file.pool,
        )
    )


def check_written(message: Message, options: CodecOptions) -> bytes:
    """Both paths write the same, and what the reference writes."""
    codec = Codec(described(message), options)
    text = codec.encode(message)
    assert b"\n" not in text
    assert canonical(text) == canonical(codec._machinery.print(message))
    read = codec._machinery.fast_out.reader(codec.descriptor)
    read(message)  # what has a JSON form is never left to the complete path
    if not options.int64_as_numbers and not options.enums_as_numbers:
        assert canonical(text) == reference(message, options)
    return text


def check_read(descriptor: Descriptor, text: bytes, options: CodecOptions) -> Message | None:
    """What the complete path reads; the fast path, by either spelling of names, reads the same or nothing."""
    codec = Codec(descriptor, options)
    try:
        read: Message | None = codec._machinery.walk(codec.message_class, text)
    except DecodeError as error:
        read, problem = None, error
    reader = codec._machinery.fast_in.reader(descriptor)
    for decode in reader.decoders:
        message = codec.message_class()
        try:
            reader.fill(message, decode(text))
        except Exception:  # noqa: BLE001 - any refusal is legal here
            continue
        assert read is not None, (text, problem)
        assert bytes_of(message) == bytes_of(read), text
    if read is None:
        with pytest.raises(DecodeError) as caught:
            codec.decode(text)
        assert str(caught.value) == str(problem)
    else:
        assert bytes_of(codec.decode(text)) == bytes_of(read)
    return read


def check(message: Message) -> None:
    """Out in every way, in again from each."""
    descriptor = described(message)
    for options in OPTIONS:
        text = check_written(message, options)
        if options.proto_names and descriptor.name == "Names":
            continue  # has a proto name that is another field's JSON name: what is written so can't be read
        for ignore_unknown in (False, True):
            read = check_read(descriptor, text, CodecOptions(ignore_unknown=ignore_unknown))
            assert read is not None
            assert bytes_of(read) == bytes_of(message)


@BRIEFLY
@given(st.sampled_from(TYPES).map(typed).flatmap(lambda descriptor: messages(descriptor, 3)))
def test_any_message_of_our_schemas_is_written_and_read_by_all_paths(message: Message) -> None:
    check(message)


@BRIEFLY
@given(descriptors().flatmap(lambda descriptor: messages(descriptor, 5)))
def test_any_message_of_any_type_is_written_and_read_by_all_paths(message: Message) -> None:
    check(message)


@BRIEFLY
@given(st.data())
def test_what_is_nearly_right_is_read_alike_by_all_paths(data: st.DataObject) -> None:
    descriptor = typed(data.draw(st.sampled_from(TYPES)))
    message = data.draw(messages(descriptor, 2))
    tree = json.loads(Codec(descriptor).encode(message))
    for _ in range(8):
        text = data.draw(mutations.mutated(copy.deepcopy(tree), descriptor))
        for ignore_unknown in (False, True):
            check_read(descriptor, text, CodecOptions(ignore_unknown=ignore_unknown))


@pytest.mark.parametrize("name", TYPES)
def test_every_field_takes_every_odd_value_alike(name: str) -> None:
    descriptor = typed(name)
    for field in descriptor.fields:
        for value in mutations.ODD:
            for text in (f'{{"{field.json_name}":{value}}}', f'{{"{field.json_name}":[{value}]}}'):
                for ignore_unknown in (False, True):
                    check_read(descriptor, text.encode(), CodecOptions(ignore_unknown=ignore_unknown))


@pytest.mark.parametrize("name", samples.MAKERS)
def test_ordinary_traffic_takes_the_fast_path(name: str) -> None:
    message_class = schemas.message_class(samples.MAKERS[name][0])
    codec = Codec(message_class)
    for text in samples.texts(name, 3):
        message = codec.decode(text)
        fast = message_class()
        codec._fill(fast, codec._decode(text))
        assert fast == message
        assert message == json_format.Parse(text, message_class(), descriptor_pool=schemas.pool())
        check_written(message, OPTIONS[0])


def test_snake_case_takes_the_fast_path_too() -> None:
    codec = Codec(schemas.message_class("samples.Chat"))
    text = samples.texts("chat", 1)[0]
    snake = text.replace(b"roomId", b"room_id").replace(b"sentAt", b"sent_at")
    assert codec.decode(snake) == codec.decode(text) == codec.decode(snake)
    fast = codec.message_class()
    codec._fill(fast, codec._decode(snake))
    assert fast == codec.decode(text)


@settings(max_examples=max(_MOST, 300), deadline=None)
@given(st.floats(width=32))
def test_floats_have_the_shortest_text_that_comes_back(value: float) -> None:
    message = schemas.message_class("kinds.Kinds")(a_float=value, opt_float=value)
    codec = Codec(message.DESCRIPTOR)
    text = codec.encode(message)
    assert canonical(text) == reference(message, OPTIONS[0])
    read: Any = codec.decode(text)
    assert read.opt_float == value or math.isnan(value)


def test_the_classes_of_one_name_in_two_pools_are_kept_apart() -> None:
    ours = schemas.pool().FindMessageTypeByName("google.protobuf.Duration")
    from google.protobuf.duration_pb2 import Duration  # noqa: PLC0415 - the other pool's

    assert ours is not Duration.DESCRIPTOR
    assert type(Codec(ours).decode(b'"1s"')) is GetMessageClass(ours)
    assert type(Codec(Duration).decode(b'"1s"')) is Duration
