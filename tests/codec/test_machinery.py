"""What codecs share, and how long it is kept."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from google.protobuf.descriptor_pool import DescriptorPool

from asgi_grpc.codec import Codec, CodecOptions
from asgi_grpc.codec import _machinery as module
from asgi_grpc.codec._machinery import machinery
from tests.codec import schemas


def test_codecs_of_one_pool_and_one_set_of_options_share_everything() -> None:
    hello = schemas.pool().FindMessageTypeByName("samples.Hello")
    order = schemas.pool().FindMessageTypeByName("samples.Order")
    assert machinery(hello, CodecOptions()) is machinery(order, CodecOptions())
    assert machinery(hello, CodecOptions()) is not machinery(hello, CodecOptions(proto_names=True))
    assert Codec(hello)._machinery is Codec(order)._machinery


def test_the_least_used_is_dropped_first() -> None:
    hello = schemas.pool().FindMessageTypeByName("samples.Hello")
    used = machinery(hello, CodecOptions(max_depth=11))
    unused = machinery(hello, CodecOptions(max_depth=12))
    for number in range(module._MOST - 1):
        machinery(hello, CodecOptions(registry=DescriptorPool(), max_depth=13 + number))
        assert machinery(hello, CodecOptions(max_depth=11)) is used
    assert machinery(hello, CodecOptions(max_depth=12)) is not unused


def test_a_codec_keeps_its_own() -> None:
    codec = Codec(schemas.message_class("samples.Hello"))
    text = codec.encode(codec.decode(b'{"name":"a"}'))
    module._kept.clear()
    assert codec.encode(codec.decode(text)) == text


def test_nothing_is_compiled_before_it_is_used() -> None:
    code = (
        "import builtins\n"
        "exec_ = builtins.exec\n"
        "import asgi_grpc.codec, msgspec\n"
        "from google.protobuf import type_pb2\n"
        "made = []\n"
        "import asgi_grpc.codec._source as source\n"
        "build = source.Source.build\n"
        "source.Source.build = lambda self, title: made.append(title) or build(self, title)\n"
        "codec = asgi_grpc.codec.Codec(type_pb2.Type)\n"
        "assert made == []\n"
        "codec.decode(b'{}')\n"
        "assert made and all(title.startswith('asgi_grpc.codec in') for title in made), made\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=True)
