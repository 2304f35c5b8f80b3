"""One direction of a connection in memory."""

from __future__ import annotations

import asyncio

import pytest

from asgi_grpc.client import ConnectionLostError
from asgi_grpc.testing._lanes import Lane, _there


async def test_nothing_is_no_piece() -> None:
    lane = Lane(4)
    lane.post(b"")
    waiting = asyncio.create_task(lane.take())
    await asyncio.sleep(0)
    lane.post(b"ab")
    assert await waiting == b"ab"


async def test_after_the_end_nothing_can_be_put_in() -> None:
    lane = Lane(4)
    lane.end()
    assert await lane.take() == b""
    with pytest.raises(ConnectionResetError):
        lane.post(b"a")


def test_a_connection_that_was_closed_gives_nothing() -> None:
    assert _there(b"a") == b"a"
    with pytest.raises(ConnectionLostError, match="closed on our side"):
        _there(None)
