"""Tables on the fast path: right, strict, bounded."""

from __future__ import annotations

import base64
import sys
import types
from typing import Any

import pytest
from hypothesis import given, settings

from asgi_grpc.codec import Codec, CodecOptions, _compile_out, _fast_in, _quick, _quick_out
from asgi_grpc.codec._machinery import Machinery
from asgi_grpc.codec._plan import plan_message
from asgi_grpc.codec._quick import KEYS, EnumNumbers, Miss
from asgi_grpc.codec._wellknown import read_timestamp, write_timestamp
from tests.codec import schemas
from tests.codec.strategies import NANOS, SECONDS


@settings(max_examples=300, deadline=None)
@given(SECONDS, NANOS)
def test_times_from_tables_are_the_times(seconds: int, nanos: int) -> None:
    text = write_timestamp(seconds, nanos)
    message = schemas.message_class("google.protobuf.Timestamp")(seconds=seconds, nanos=nanos)
    assert _quick_out.quick_timestamp(message) == text
    assert _quick.quick_timestamp(text) == read_timestamp(text) == (seconds, nanos)


@pytest.mark.parametrize("nanos", [-1, 10**9])
def test_times_out_of_range_are_left_to_the_complete_path(nanos: int) -> None:
    with pytest.raises(Miss):
        _quick_out.quick_timestamp(schemas.message_class("google.protobuf.Timestamp")(nanos=nanos))


def test_tables_that_a_peer_can_fill_stay_bounded() -> None:
    stamp = schemas.message_class("google.protobuf.Timestamp")
    for minute in range(3 * _quick._MOST):
        assert _quick.quick_timestamp(write_timestamp(minute * 60, 0)) == (minute * 60, 0)
        _quick_out.quick_timestamp(stamp(seconds=minute * 60))
    assert len(_quick._minutes) <= _quick._MOST
    assert len(_quick_out._minutes) <= _quick_out._MOST
    for number in range(2 * _quick._MOST):
        assert KEYS[str(number)] == number
    assert len(KEYS) <= _quick._MOST


@pytest.mark.parametrize("key", ["", "01", "+1", " 1", "1 ", "1_0", "-0", "1.0", "\u0661"])
def test_only_canonical_keys_are_looked_up(key: str) -> None:
    with pytest.raises((Miss, ValueError)):
        KEYS[key]


def test_enum_numbers_are_found_by_name_and_number() -> None:
    color = plan_message(schemas.pool().FindMessageTypeByName("kinds.Kinds")).by_key["aColor"].enum
    size = plan_message(schemas.pool().FindMessageTypeByName("legacy.Legacy")).by_key["size"].enum
    assert color is not None
    assert size is not None
    assert [EnumNumbers(color)[value] for value in ("COLOR_CRIMSON", 2, 99, -(2**31))] == [1, 2, 99, -(2**31)]
    for names, value in ((color, "PINK"), (color, 2**31), (color, None), (size, 2)):
        with pytest.raises(Miss):
            EnumNumbers(names)[value]


def with_base64(monkeypatch: pytest.MonkeyPatch, module: Any) -> Codec:
    """A codec made as if pybase64 were this module; None: not installed."""
    monkeypatch.setitem(sys.modules, "pybase64", module)
    monkeypatch.setattr(_fast_in, "DECODE_BASE64", _quick._fastest_base64())
    monkeypatch.setattr(_compile_out, "WRITE_BASE64", _quick_out._fastest_base64())
    codec = Codec(schemas.message_class("kinds.Kinds"))
    codec._machinery = Machinery(schemas.pool(), CodecOptions())
    return codec


def fake() -> types.ModuleType:
    module: Any = types.ModuleType("pybase64")
    module.b64decode = lambda text, *, validate: base64.b64decode(text, validate=validate)
    module.b64encode = base64.b64encode
    return module  # type: ignore[no-any-return]


@pytest.mark.parametrize("installed", [False, True])
@pytest.mark.parametrize("size", [0, 1, 2, 3, 63, 64, 1000])
def test_bytes_are_the_same_with_pybase64_and_without(
    monkeypatch: pytest.MonkeyPatch, size: int, *, installed: bool
) -> None:
    codec = with_base64(monkeypatch, fake() if installed else None)
    message = codec.message_class(a_bytes=bytes(range(256))[:size] * 3)
    text = codec.encode(message)
    assert text == codec._machinery.print(message)
    assert codec.decode(text) == message
    for spelling in (text.replace(b"+", b"-").replace(b"/", b"_"), text.replace(b"=", b"")):
        assert codec.decode(spelling) == message
    assert (codec._machinery.fast_in._structs[False]._text_bytes) is installed
