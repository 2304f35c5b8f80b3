"""Unary bodies."""

from __future__ import annotations

import pytest

from asgi_grpc.errors import UsageError
from asgi_grpc.framing import Broken, Fault, WholeFramer


def test_a_limit_trips_at_the_first_byte_over_it() -> None:
    framer = WholeFramer(max_frame_bytes=4)
    assert framer.feed(b"1234") == []
    assert framer.held_bytes == 4
    assert framer.feed(b"5") == [Broken(Fault.FRAME_TOO_LARGE, 0)]
    assert framer.held_bytes == 0
    with pytest.raises(UsageError, match="after the end"):
        framer.feed(b"")


def test_nothing_is_taken_after_the_end() -> None:
    framer = WholeFramer(max_frame_bytes=4)
    framer.close()
    with pytest.raises(UsageError, match="after the end"):
        framer.close()
