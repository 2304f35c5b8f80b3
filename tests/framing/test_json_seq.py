"""Record separators: the same bytes, cut otherwise, give the same events."""

from __future__ import annotations

import pytest
from hypothesis import given

from asgi_grpc.errors import UsageError
from asgi_grpc.framing import Frame, JsonSeqFramer
from asgi_grpc.testing import chunkings, json_seq_bodies, play, play_prefixes
from tests.framing.models import model_json_seq

LIMIT = 24


def make() -> JsonSeqFramer:
    return JsonSeqFramer(max_frame_bytes=LIMIT)


@given(chunkings(json_seq_bodies(limit=LIMIT)))
def test_every_chunking_agrees_with_the_model(chunks: list[bytes]) -> None:
    assert play(make, chunks, most_held=LIMIT) == model_json_seq(b"".join(chunks), LIMIT)


@given(json_seq_bodies(limit=LIMIT))
def test_the_events_so_far_depend_on_the_bytes_so_far_only(body: bytes) -> None:
    for at, count in enumerate(play_prefixes(make, body), 1):
        assert len(make().feed(body[:at])) == count


def test_a_value_comes_out_with_its_last_byte() -> None:
    framer = make()
    assert framer.feed(b'\x1e{"a":1') == []
    assert framer.held_bytes == 6
    assert framer.feed(b"}") == [Frame(b'{"a":1}', 1)]
    assert framer.feed(b"\n\x1e1") == []
    assert framer.feed(b"\n") == [Frame(b"1", 10)]


@pytest.mark.parametrize("last", [b"x", None])
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
