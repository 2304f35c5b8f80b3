"""Event streams: the same bytes, cut otherwise, give the same events."""

from __future__ import annotations

import pytest
from hypothesis import given

from asgi_grpc.errors import UsageError
from asgi_grpc.framing import Broken, Fault, SseReader, SseStreamEvent
from asgi_grpc.testing import chunkings, play, sse_bodies
from tests.framing.models import model_sse

LIMIT = 24


def read(chunks: list[bytes]) -> list[SseStreamEvent]:
    return play(lambda: SseReader(max_event_bytes=LIMIT), chunks, most_held=LIMIT)


@given(chunkings(sse_bodies(limit=LIMIT)))
def test_every_chunking_agrees_with_the_model(chunks: list[bytes]) -> None:
    assert read(chunks) == model_sse(b"".join(chunks), LIMIT)


def test_nothing_is_taken_after_the_end() -> None:
    reader = SseReader(max_event_bytes=LIMIT)
    reader.close()
    with pytest.raises(UsageError, match="after the end"):
        reader.feed(b"")
    with pytest.raises(UsageError, match="after the end"):
        reader.close()


def test_nothing_is_held_behind_the_end() -> None:
    reader = SseReader(max_event_bytes=LIMIT)
    reader.feed(b"data:1\ndata")
    assert reader.held_bytes == 10
    assert reader.close() == [Broken(Fault.TRUNCATED, 0)]
    assert reader.held_bytes == 0
    reader = SseReader(max_event_bytes=LIMIT)
    assert reader.feed(b"data:1\n" + b"x" * LIMIT) == [Broken(Fault.FRAME_TOO_LARGE, 0)]
    assert reader.held_bytes == 0
