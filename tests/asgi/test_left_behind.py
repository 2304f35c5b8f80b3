"""What a call has read or written is gone when it has ended: a collector finds it only when many have piled up."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from google.protobuf.message import Message

from asgi_grpc import CallError, Code
from asgi_grpc.testing import HttpExchange, WebSocketExchange
from tests.asgi.fakes import BIDI, DOWN, HELLO, UP, FakeCall, Handler, gateway, greet
from tests.asgi.test_http import hang

OURS = {"Inbox", "StreamResponse", "SingleResponse", "WebSocketAnswer"}


async def fail(call: FakeCall) -> AsyncIterator[list[Message]]:
    async for _ in call.names():
        pass
    raise CallError(Code.NOT_FOUND, "nobody here")
    yield []


async def by_http(app: Any, path: str, text: str, *, leaves: bool) -> None:
    async with HttpExchange(app, method="POST", path=path) as x:
        await x.send_body(text.encode(), more=leaves)
        if leaves:
            await x.disconnect()
        await x.ended()


async def by_websocket(app: Any, path: str, text: str, *, leaves: bool) -> None:
    async with WebSocketExchange(app, path=path) as x:
        await x.send_text(text)
        if leaves:
            await x.disconnect()
        elif path in (UP, BIDI):
            await x.send_text("")
        await x.ended()


def held() -> Counter[str]:
    """What is there of answers and inboxes."""
    kinds = (type(each) for each in gc.get_objects())
    return Counter(kind.__name__ for kind in kinds if kind.__name__ in OURS and "asgi_grpc.asgi" in kind.__module__)


@pytest.mark.parametrize("path", [HELLO, DOWN, UP, BIDI])
@pytest.mark.parametrize("ask", [by_http, by_websocket])
@pytest.mark.parametrize(
    ("handler", "text", "leaves"),
    [(greet, '{"name":"Ada"}', False), (fail, '{"name":"Ada"}', False), (hang, "{}", True)],
    ids=["fine", "fails", "leaves"],
)
async def test_an_exchange_that_ended_is_gone(handler: Handler, text: str, leaves: bool, ask: Any, path: str) -> None:
    app, backend = gateway(handler)
    gc.collect()
    before = held()
    gc.disable()
    try:
        await ask(app, path, text, leaves=leaves)
        backend.calls.clear()  # which it keeps for tests to look at
        for _ in range(3):  # tasks that were cancelled end
            await asyncio.sleep(0)
        assert held() == before
    finally:
        gc.enable()
