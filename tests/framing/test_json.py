"""Values and arrays: the same bytes, cut otherwise, give the same events."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi_grpc.errors import UsageError
from asgi_grpc.framing import Broken, End, Fault, Frame, JsonFramer, cut_long_message, cut_message
from asgi_grpc.testing import array_bodies, chunkings, json_values, ndjson_bodies, play, play_prefixes
from tests.framing.models import model_json

LIMIT, DEPTH = 24, 3
BODIES = st.one_of(
    ndjson_bodies(limit=LIMIT, depth=DEPTH),
    ndjson_bodies(limit=LIMIT, depth=DEPTH),
    array_bodies(limit=LIMIT, depth=DEPTH),
)


def make() -> JsonFramer:
    return JsonFramer(max_frame_bytes=LIMIT, max_depth=DEPTH)


@given(chunkings(BODIES), st.sampled_from([(LIMIT, DEPTH), (1000, DEPTH), (LIMIT, 100), (3, 1)]))
def test_every_chunking_agrees_with_the_model(chunks: list[bytes], limits: tuple[int, int]) -> None:
    framer = JsonFramer(max_frame_bytes=limits[0], max_depth=limits[1])
    assert play(lambda: framer, chunks, most_held=limits[0]) == model_json(b"".join(chunks), *limits)
    assert framer.held_bytes == 0


@given(BODIES)
def test_the_events_so_far_depend_on_the_bytes_so_far_only(body: bytes) -> None:
    for at, count in enumerate(play_prefixes(make, body), 1):
        assert len(make().feed(body[:at])) == count


@given(
    st.lists(json_values(limit=1000, depth=20), max_size=9), st.sampled_from([b"\n", b"\r\n", b" ", b"\n\n", b"\t\n "])
)
def test_valid_values_are_cut_where_a_decoder_cuts_them(values: list[bytes], separator: bytes) -> None:
    values = [value for value in values if json.loads(value) is not None]
    body = separator.join([b"{}", *values, b""])
    framer = JsonFramer(max_frame_bytes=1001, max_depth=21)
    frames = [event.data for event in play(lambda: framer, [body]) if isinstance(event, Frame)]
    assert frames == [b"{}", *values]


@given(ndjson_bodies(limit=LIMIT, depth=DEPTH))
def test_a_message_is_cut_as_the_model_says(text: bytes) -> None:
    assert cut_message(text, max_frame_bytes=LIMIT, max_depth=DEPTH) == model_json(text, LIMIT, DEPTH, message=True)


@pytest.mark.parametrize("one", ["{}", '{"a":[1,"}"]}', '"\u00e9"', "1", '{"a":\n"' + "x" * 20_000 + '"}'])
@pytest.mark.parametrize("between", ["\n", " ", "\r\n"])
@pytest.mark.parametrize("last", ["", "\n", "{", "]"])
def test_a_long_message_is_cut_as_if_it_were_cut_at_once(one: str, between: str, last: str) -> None:
    text = (between.join([one] * (200_000 // len(one))) + last).encode()
    pieces = list(cut_long_message(text, max_frame_bytes=30_000, max_depth=DEPTH))
    assert [event for events in pieces for event in events] == cut_message(
        text, max_frame_bytes=30_000, max_depth=DEPTH
    )
    assert max(map(len, pieces)) <= 32_769


def test_a_long_message_may_be_one_value() -> None:
    text = b'{"a":"' + b"x" * 100_000 + b'"}'
    assert list(cut_long_message(text, max_frame_bytes=len(text), max_depth=1)) == [[Frame(text, 0), End()]]
    short = len(text) - 1
    assert list(cut_long_message(text, max_frame_bytes=short, max_depth=1))[-1] == [Broken(Fault.FRAME_TOO_LARGE, 0)]


def test_a_very_deep_message_is_refused_quietly() -> None:
    text = b"[" * 20000 + b"]" * 20000
    assert cut_message(text, max_frame_bytes=len(text), max_depth=100) == [Broken(Fault.TOO_DEEP, 0)]


@pytest.mark.parametrize("last", [b"[1]x", None])
def test_nothing_is_taken_after_the_end(last: bytes | None) -> None:
    framer = make()
    if last is None:
        framer.close()
    else:
        framer.feed(last)
    with pytest.raises(UsageError, match="after the end"):
        framer.feed(b"")
    with pytest.raises(UsageError, match="after the end"):
        framer.close()


def test_a_value_comes_out_with_its_last_byte() -> None:
    framer = make()
    assert framer.feed(b'{"a":1') == []
    assert framer.held_bytes == 6
    assert framer.feed(b"}") == [Frame(b'{"a":1}', 0)]
    assert framer.held_bytes == 0
    assert framer.feed(b" 1") == []
    assert framer.feed(b"2\n") == [Frame(b"12", 8)]


def test_nothing_is_held_behind_the_end() -> None:
    framer = make()
    framer.feed(b'{"a":1')
    assert framer.close() == [Broken(Fault.TRUNCATED, 0)]
    assert framer.held_bytes == 0


def test_a_limit_trips_at_the_first_byte_over_it() -> None:
    framer = make()
    assert framer.feed(b"9" * LIMIT) == []
    assert framer.feed(b"9") == [Broken(Fault.FRAME_TOO_LARGE, 0)]
    framer = make()
    assert framer.feed(b'{"a":[[') == []
    assert framer.feed(b"[") == [Broken(Fault.TOO_DEEP, 0)]


@pytest.mark.parametrize(("limit", "depth"), [(0, 1), (1, 0)])
def test_a_limit_of_nothing_is_a_mistake(limit: int, depth: int) -> None:
    with pytest.raises(UsageError, match="at least 1"):
        JsonFramer(max_frame_bytes=limit, max_depth=depth)


def test_half_a_mark_is_counted_like_any_garbage() -> None:
    framer = JsonFramer(max_frame_bytes=1, max_depth=1)
    assert framer.feed(b"\xef\xbb") == []
    assert framer.held_bytes == 2
    assert framer.close() == [Broken(Fault.FRAME_TOO_LARGE, 0)]
