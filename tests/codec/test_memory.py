"""Nothing that passes through stays."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool

from asgi_grpc.codec import Codec, CodecOptions, _machinery
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
