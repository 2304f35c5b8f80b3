"""A mailbox keeps order, is bounded, and never loses anything in silence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import grpc
import pytest
from streaming_calls import Refused, invalid
from streaming_mailbox import Group, Mailbox, converse


async def read(mailbox: Mailbox[int]) -> list[int | str]:
    """All items, and the refusal that ended them, if any."""
    items: list[int | str] = []
    try:
        async for item in mailbox:
            items.append(item)  # noqa: PERF401  # what came before an error counts
    except Refused as refusal:
        items += [refusal.code.name, str(refusal)]
    return items


async def test_what_was_put_in_comes_out_in_order() -> None:
    mailbox: Mailbox[int] = Mailbox()
    reading = asyncio.create_task(read(mailbox))
    for number in range(3):
        mailbox.put(number)
        await asyncio.sleep(0)
    mailbox.put(3)
    mailbox.close()
    mailbox.put(4)
    assert await reading == [0, 1, 2, 3]


async def test_an_overflow_is_told_after_what_was_in_it() -> None:
    mailbox: Mailbox[int] = Mailbox(capacity=2)
    for number in range(4):
        mailbox.put(number)
    problem = "the reader is too slow: more than 2 messages were waiting for it"
    assert await read(mailbox) == [0, 1, "RESOURCE_EXHAUSTED", problem]


async def test_a_reader_that_gives_up_waiting_loses_nothing() -> None:
    mailbox: Mailbox[int] = Mailbox()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await anext(mailbox)
    mailbox.put(1)
    assert await anext(mailbox) == 1


async def test_a_group_is_told_but_for_one() -> None:
    group: Group[int] = Group()
    with group.joined() as one, group.joined() as two:
        assert len(group) == 2
        group.tell(1)
        group.tell(2, but=one)
    assert len(group) == 0
    group.tell(3)
    assert (await read(one), await read(two)) == ([1], [1, 2])


class FakeContext:
    """Records what is written; a write may be made to wait for ever."""

    def __init__(self, *, stuck: bool = False) -> None:
        self.written: list[int] = []
        self._stuck = stuck

    async def write(self, item: int) -> None:
        self.written.append(item)
        if self._stuck:
            await asyncio.Event().wait()


async def said(*items: int, then: asyncio.Event | None = None) -> AsyncIterator[int]:
    for item in items:
        yield item
    if then:
        await then.wait()


async def test_a_conversation_ends_with_its_input_once_the_mailbox_is_written() -> None:
    mailbox: Mailbox[int] = Mailbox()
    context = FakeContext()
    await converse(cast(Any, context), 1, said(2, 3), mailbox.put, mailbox)
    assert context.written == [1, 2, 3]


async def test_a_refused_input_is_raised_after_the_mailbox_is_written() -> None:
    mailbox: Mailbox[int] = Mailbox()
    context = FakeContext()

    def hear(item: int) -> None:
        mailbox.put(item)
        if item == 2:
            raise invalid("two")

    with pytest.raises(Refused, match="two"):
        await converse(cast(Any, context), 1, said(2, 3), hear, mailbox)
    assert context.written == [1, 2]


async def test_an_overflow_ends_the_listening_too() -> None:
    mailbox: Mailbox[int] = Mailbox(capacity=1)
    context = FakeContext()
    with pytest.raises(Refused) as caught:
        await converse(cast(Any, context), 1, said(2, 3, then=asyncio.Event()), mailbox.put, mailbox)
    assert caught.value.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert context.written == [1]


async def test_a_conversation_that_is_cancelled_stops_listening() -> None:
    mailbox: Mailbox[int] = Mailbox()
    context = FakeContext(stuck=True)
    before = asyncio.all_tasks()
    talking = asyncio.create_task(converse(cast(Any, context), 1, said(then=asyncio.Event()), mailbox.put, mailbox))
    while not context.written:
        await asyncio.sleep(0)
    talking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await talking
    assert asyncio.all_tasks() == before
