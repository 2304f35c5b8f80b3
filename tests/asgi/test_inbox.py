"""How much is read ahead, counted in what it takes."""

from __future__ import annotations

import asyncio

import pytest

from asgi_grpc.asgi._inbox import Inbox
from asgi_grpc.asgi._types import Event


@pytest.mark.parametrize(("size", "most"), [(1000, 10), (1, 154)])
async def test_short_items_count_for_more_than_their_bytes(size: int, most: int) -> None:
    taken: list[int] = []

    async def receive() -> Event:
        await asyncio.sleep(0)
        taken.append(size)
        return {"type": "http.request", "body": b"x" * size}

    inbox = Inbox(
        receive,
        lambda event: (event["body"], False),
        read_ahead_bytes=10_000,
        on_end=lambda _: None,
        on_event=lambda: None,
    )
    inbox.watch()
    for _ in range(500):
        await asyncio.sleep(0)
    assert (len(taken), inbox.held_bytes) == (most, most * size)
    assert len(await inbox.read()) == most
    for _ in range(500):
        await asyncio.sleep(0)
    assert len(taken) == 2 * most
    await inbox.stop()
