"""The blocking iterator of a sync servicer's requests, driven by hand."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, cast

import grpc
import pytest

from asgi_grpc.calls._sync import ThreadRequests


class FakeCall:
    """What the iterator needs of a call: requests that came, and how to wait for more."""

    def __init__(self, *items: str) -> None:
        self.items = deque(items)
        self.asked = asyncio.Event()
        self.more = asyncio.Event()

    async def fill(self) -> bool:
        self.asked.set()
        await self.more.wait()
        self.items.append("later")
        return True


def requests_of(call: FakeCall) -> ThreadRequests:
    return ThreadRequests(cast(Any, call), asyncio.get_running_loop())


async def test_a_call_that_has_ended_gives_no_more_of_what_came() -> None:
    requests = requests_of(FakeCall("a", "b"))
    assert next(requests) == "a"
    requests.close()
    with pytest.raises(grpc.RpcError):
        next(requests)


async def test_a_thread_that_is_woken_for_nothing_goes_on_waiting() -> None:
    call = FakeCall()
    requests = requests_of(call)
    waiting = asyncio.create_task(asyncio.to_thread(next, requests))
    await call.asked.wait()
    with requests._changed:
        requests._changed.notify_all()
    await asyncio.sleep(0.02)
    assert not waiting.done()
    call.more.set()
    assert await waiting == "later"


async def test_nothing_is_fetched_for_a_call_that_has_ended() -> None:
    call = FakeCall()
    requests = requests_of(call)
    requests.close()
    requests._start()
    await asyncio.sleep(0)
    assert not call.asked.is_set()
