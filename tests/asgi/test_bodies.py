"""Framers of bytes: however the network cut them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi_grpc.asgi._bodies import BytesFramer, PieceFramer
from asgi_grpc.framing import Broken, End, Event, Fault, Frame
from asgi_grpc.testing import chunkings

WIRES = st.binary(max_size=40)
WIRE = st.shared(WIRES, key="wire")


def fed(framer: BytesFramer | PieceFramer, chunks: list[bytes]) -> list[Event]:
    """All events."""
    events = [event for chunk in chunks for event in framer.feed(chunk)]
    return events + framer.close()


@given(WIRE, WIRE.flatmap(chunkings))
def test_a_whole_body_is_one_frame(wire: bytes, chunks: list[bytes]) -> None:
    frames: list[Event] = [Frame(wire, 0)] if wire else []
    assert fed(BytesFramer(max_frame_bytes=40), chunks) == [*frames, End()]


@given(WIRE, WIRE.flatmap(chunkings))
def test_pieces_are_the_body_and_none_is_too_long(wire: bytes, chunks: list[bytes]) -> None:
    *events, end = fed(PieceFramer(max_frame_bytes=7), chunks)
    frames = [event for event in events if isinstance(event, Frame)]
    assert (len(frames), end) == (len(events), End())
    assert b"".join(frame.data for frame in frames) == wire
    assert all(1 <= len(frame.data) <= 7 for frame in frames) or frames == [Frame(b"", 0)]
    assert all(wire[frame.offset :].startswith(frame.data) for frame in frames)


@pytest.mark.parametrize("chunks", [[b"12345"], [b"1234", b"5"], [b"", b"1", b"2345"]])
def test_the_limit_fires_at_the_first_byte_over_it(chunks: list[bytes]) -> None:
    framer = BytesFramer(max_frame_bytes=4)
    *before, last = chunks
    assert [framer.feed(chunk) for chunk in before] == [[]] * len(before)
    assert framer.feed(last) == [Broken(Fault.FRAME_TOO_LARGE, 0)]
