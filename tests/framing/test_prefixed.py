"""Length-prefixed messages: the same bytes, cut otherwise, give the same events."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi_grpc.errors import UsageError
from asgi_grpc.framing import Broken, Fault, FlaggedFrame, PrefixedFramer
from asgi_grpc.testing import chunkings, play
from tests.framing.models import model_prefixed

LIMIT = 24


def make() -> PrefixedFramer:
    return PrefixedFramer(max_frame_bytes=LIMIT)


def message(data: bytes, flags: int = 0) -> bytes:
    return bytes([flags]) + len(data).to_bytes(4) + data


MESSAGES = st.builds(message, st.binary(max_size=LIMIT + 1), st.sampled_from([0, 0, 0, 1, 2, 0x80]))


@given(chunkings(st.lists(st.one_of(MESSAGES, MESSAGES, st.binary(max_size=3)), max_size=8).map(b"".join)))
def test_every_chunking_agrees_with_the_model(chunks: list[bytes]) -> None:
    assert play(make, chunks, most_held=LIMIT + 5) == model_prefixed(b"".join(chunks), LIMIT)


def test_other_protocols_have_other_flags() -> None:
    framer = PrefixedFramer(max_frame_bytes=LIMIT, flags=(0, 0x80))
    assert framer.feed(message(b"grpc-status: 0", 0x80)) == [FlaggedFrame(b"grpc-status: 0", 5, 0x80)]
    assert framer.feed(message(b"", 1)) == [Broken(Fault.BAD_FLAGS, 19)]


def test_nothing_is_taken_after_the_end() -> None:
    framer = make()
    framer.feed(b"\0")
    assert framer.close() == [Broken(Fault.TRUNCATED, 0)]
    assert framer.held_bytes == 0
    with pytest.raises(UsageError, match="after the end"):
        framer.feed(b"")
    with pytest.raises(UsageError, match="after the end"):
        framer.close()
