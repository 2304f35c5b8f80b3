"""Length-prefixed messages: the same bytes, cut otherwise, give the same events."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi_grpc.errors import UsageError
from asgi_grpc.framing import Broken, End, Event, Fault, FlaggedFrame, PrefixedFramer
from asgi_grpc.testing import chunkings, play
from tests.framing.models import model_prefixed

LIMIT = 24


def make() -> PrefixedFramer:
    return PrefixedFramer(max_frame_bytes=LIMIT)


def message(data: bytes, flags: int = 0) -> bytes:
    return bytes([flags]) + len(data).to_bytes(4) + data


CASES = [
    pytest.param(b"", [End()], id="nothing"),
    pytest.param(message(b"abc") + message(b"", 1) + message(b"x" * LIMIT),
                 [FlaggedFrame(b"abc", 5, 0), FlaggedFrame(b"", 13, 1), FlaggedFrame(b"x" * LIMIT, 18, 0), End()],
                 id="messages"),
    pytest.param(message(b"a") + b"\0\0\0\0\x19", [FlaggedFrame(b"a", 5, 0), Broken(Fault.FRAME_TOO_LARGE, 6)],
                 id="one-over"),
    pytest.param(b"\x02" + b"\xff" * 4, [Broken(Fault.BAD_FLAGS, 0)], id="flags-come-first"),
    pytest.param(message(b"a") + b"\0\0", [FlaggedFrame(b"a", 5, 0), Broken(Fault.TRUNCATED, 6)], id="half-a-prefix"),
    pytest.param(message(b"ab")[:-1], [Broken(Fault.TRUNCATED, 0)], id="half-a-message"),
    pytest.param(b'{"a":1}', [Broken(Fault.BAD_FLAGS, 0)], id="text"),
]  # fmt: skip


@pytest.mark.parametrize(("wire", "events"), CASES)
def test_a_cut_anywhere_changes_nothing(wire: bytes, events: list[Event]) -> None:
    assert model_prefixed(wire, LIMIT) == events
    for cut in range(len(wire) + 1):
        assert play(make, [wire[:cut], b"", wire[cut:]], most_held=LIMIT + 5) == events, f"cut at {cut}"
    assert play(make, [wire[at : at + 1] for at in range(len(wire))]) == events


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
