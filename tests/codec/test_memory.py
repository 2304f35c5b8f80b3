"""Nothing that passes through stays."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from contextlib import suppress

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool

from asgi_grpc.codec import Codec, CodecOptions, _machinery
from asgi_grpc.errors import DecodeError
from tests.codec import samples, schemas

LEAK = 100_000  # bytes: a thousand times less than what has passed through; caches may still grow a little


def growth(work: Callable[[], object], rounds: int) -> int:
    """Bytes that are still held after more rounds than warm everything up."""
    work()
    gc.collect()
    tracemalloc.start()
    try:
        work()
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(rounds):
            work()
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


def test_a_million_messages_leave_no_growth() -> None:
    codec = Codec(schemas.message_class("samples.Hello"))
    frames = samples.texts("hello", 1000)
    assert growth(lambda: codec.encode_batch(codec.decode_batch(frames)[0]), 1) < LEAK
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(1000):
        codec.decode_batch(frames)
    gc.collect()
    assert len(gc.get_objects()) - before < 100


@pytest.mark.parametrize("name", ["chat", "event", "metric", "order", "document", "tree"])
def test_other_traffic_leaves_no_growth(name: str) -> None:
    codec = Codec(schemas.message_class(samples.MAKERS[name][0]))
    frames = samples.texts(name, 20)
    assert growth(lambda: codec.encode_batch(codec.decode_batch(frames)[0]), 20) < LEAK


def test_bad_documents_leave_no_growth() -> None:
    codec = Codec(schemas.message_class("kinds.WellKnown"))
    frames = [f'{{"any":{{"@type":"x/a.B{n}"}}}}'.encode() for n in range(200)]

    def work() -> None:
        for frame in frames:
            codec.decode_batch([frame])

    assert growth(work, 20) < LEAK


def test_machinery_of_old_schemas_is_dropped() -> None:
    """A gateway that reloads its schema for weeks holds the last few, not all."""
    for number in range(_machinery._MOST + 20):
        file = descriptor_pb2.FileDescriptorProto(name=f"old{number}.proto", syntax="proto3")
        file.message_type.add(name="M")
        pool = descriptor_pool.DescriptorPool()
        pool.Add(file)
        codec = Codec(pool.FindMessageTypeByName("M"), CodecOptions(max_depth=7))
        assert codec.encode(codec.decode(b"{}")) == b"{}"
    assert len(_machinery._kept) == _machinery._MOST


BAD = [
    ("kinds.Kinds", b'{"anInt32":"x"}'),
    ("kinds.Kinds", b'{"anInt32":'),
    ("kinds.Kinds", b'{"nested":{"nested":{"aBool":1}}}'),
    ("kinds.Kinds", b"[" * 10_000),
    ("kinds.Kinds", b'{"nested":' * 200 + b"{}" + b"}" * 200),
    ("kinds.Lists", b'{"int32s":[1,"x"]}'),
    ("kinds.Lists", b'{"empties":[{},{},{},{},{},{},{},{},{}]}'),
    ("kinds.Lists", b'{"values":[' + b"1," * 50 + b"1]}"),
    ("kinds.WellKnown", b'{"time":"x"}'),
    ("kinds.WellKnown", b'{"any":{"@type":"x/google.protobuf.Timestamp","value":"x"}}'),
]


@pytest.mark.parametrize(("name", "text"), BAD)
def test_what_a_bad_document_left_is_gone_without_a_collection(name: str, text: bytes) -> None:
    codec = Codec(schemas.message_class(name), CodecOptions(max_objects=10 if name == "kinds.Lists" else None))

    def refuse() -> None:
        with suppress(DecodeError):  # pytest.raises() makes circles of its own
            codec.decode(text)
            pytest.fail("it was taken")
        _, error = codec.decode_batch([b"{}", text])
        assert error is not None

    def left_by(documents: int) -> int:
        gc.collect()
        for _ in range(documents):
            refuse()
        return gc.collect()

    left_by(2)
    gc.disable()
    try:
        assert left_by(40) == left_by(4)
    finally:
        gc.enable()


@pytest.mark.parametrize(("name", "text"), BAD)
def test_an_error_does_not_hold_the_document(name: str, text: bytes) -> None:
    """Who raises what a batch gave back makes a circle of it and a frame: only what that holds would wait."""
    codec = Codec(schemas.message_class(name), CodecOptions(max_objects=10 if name == "kinds.Lists" else None))
    for _ in range(2):  # the first compiles
        with pytest.raises(DecodeError) as caught:
            codec.decode(text)
        assert (caught.value.__context__, caught.value.__cause__) == (None, None)
        messages, error = codec.decode_batch([b"{}", text])
        assert len(messages) == 1
        assert error is not None
        assert (str(error), error.code, error.http_status) == (
            str(caught.value),
            caught.value.code,
            caught.value.http_status,
        )
        assert (error.__traceback__, error.__context__, error.__cause__) == (None, None, None)
