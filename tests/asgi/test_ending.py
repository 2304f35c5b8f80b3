"""Blocks that others end."""

from __future__ import annotations

import asyncio

import pytest

from asgi_grpc.asgi._ending import ClientGone, Ending


async def test_a_block_that_is_ended_raises_the_first_reason() -> None:
    ending = Ending()
    loop = asyncio.get_running_loop()
    loop.call_soon(ending.end, ClientGone("first"))
    loop.call_soon(ending.end, ClientGone("second"))
    with pytest.raises(ClientGone, match="first"), ending:
        await asyncio.Event().wait()
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await asyncio.sleep(0)  # nothing is left to be delivered


async def test_a_block_that_ends_by_itself_is_left_alone() -> None:
    ending = Ending()
    with ending:
        pass
    ending.end(ClientGone())
    await asyncio.sleep(0)


async def test_a_block_s_own_error_is_its_own() -> None:
    with pytest.raises(ValueError, match="own"), Ending():
        raise ValueError("own")


async def test_a_cancellation_from_outside_stays_one() -> None:
    entered = asyncio.Event()

    async def block() -> None:
        with Ending() as ending:
            asyncio.get_running_loop().call_later(3600, ending.end, ClientGone())
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(block())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_from_outside_wins_over_ours() -> None:
    entered = asyncio.Event()
    ending = Ending()

    async def block() -> None:
        with ending:
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(block())
    await entered.wait()
    ending.end(ClientGone())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_block_that_ends_by_itself_when_asked_is_not_cancelled() -> None:
    asked = asyncio.Event()

    def soft() -> bool:
        asked.set()
        return True

    async def block() -> None:
        with Ending() as ending:
            asyncio.get_running_loop().call_soon(ending.end, ClientGone(), soft)
            await asked.wait()
            raise ValueError("what it awaited has failed")

    with pytest.raises(ClientGone):
        await block()


async def test_a_block_that_cannot_is_cancelled() -> None:
    async def block() -> None:
        with Ending() as ending:
            asyncio.get_running_loop().call_soon(ending.end, ClientGone(), lambda: False)
            await asyncio.Event().wait()

    with pytest.raises(ClientGone):
        await block()


async def test_a_cancellation_from_outside_wins_over_a_soft_end() -> None:
    entered = asyncio.Event()
    ending = Ending()

    async def block() -> None:
        with ending:
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(block())
    await entered.wait()
    ending.end(ClientGone(), lambda: True)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
