"""The scripted WebSocket client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from asgi_grpc.testing import WebSocketExchange

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
ACCEPT = {"type": "websocket.accept"}
TEXT = {"type": "websocket.send", "text": "x"}
CLOSE = {"type": "websocket.close", "code": 1000}
DENIAL = {"type": "websocket.http.response.start", "status": 404}
DENIAL_MORE = {"type": "websocket.http.response.body", "body": b"x", "more_body": True}
DENIAL_LAST = {"type": "websocket.http.response.body"}


async def echo(scope: Any, receive: Receive, send: Send) -> None:
    """Accept, and send everything back until the client goes."""
    assert await receive() == {"type": "websocket.connect"}
    await send(ACCEPT)
    while (event := await receive())["type"] == "websocket.receive":
        await send(TEXT | {"text": event.get("text") or event["bytes"].decode()})
    await send(TEXT | {"text": str(event["code"])})


async def test_a_conversation_is_played_step_by_step() -> None:
    async with WebSocketExchange(echo, path="/a?b=c", subprotocols=["v1"]) as x:
        assert await x.receive() == ACCEPT
        assert x.accepted
        await x.send_text("1")
        await x.send_bytes(b"2")
        await x.receive()
        await x.receive()
        assert x.texts == ["1", "2"]
        await x.disconnect(1000, "bye")
    assert x.close_code is None
    assert x.unheard == [TEXT | {"text": "1000"}]
    keys = ["type", "scheme", "path", "query_string", "subprotocols", "extensions"]
    assert [x.scope[k] for k in keys] == ["websocket", "ws", "/a", b"b=c", ["v1"], {"websocket.http.response": {}}]


async def test_leaving_the_block_vanishes() -> None:
    async with WebSocketExchange(echo) as x:
        await x.receive()
    assert x.unheard == [TEXT | {"text": "1006"}]


async def play(exchange: WebSocketExchange) -> None:
    async with exchange as x:
        await x.ended()


@pytest.mark.parametrize(
    ("events", "violation"),
    [
        pytest.param([TEXT], "websocket.send before websocket.accept", id="send-before-accept"),
        pytest.param([ACCEPT, ACCEPT], "websocket.accept behind websocket.accept", id="two-accepts"),
        pytest.param([ACCEPT, CLOSE, TEXT], "websocket.send behind the last event", id="send-behind-close"),
        pytest.param([ACCEPT, DENIAL], "websocket.http.response.start behind websocket.accept", id="late-denial"),
        pytest.param([CLOSE, CLOSE], "websocket.close behind the last event", id="two-closes"),
        pytest.param([DENIAL, ACCEPT], "websocket.accept in the body of a denial", id="accept-in-denial"),
        pytest.param([DENIAL, DENIAL_MORE, DENIAL_LAST, DENIAL_LAST],
                     "websocket.http.response.body behind the last event", id="denial-ended"),
    ],
)  # fmt: skip
async def test_events_out_of_order_are_found(events: list[Any], violation: str) -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        for event in events:
            await send(event)

    x = WebSocketExchange(app)
    with pytest.raises(RuntimeError, match=violation):
        await play(x)
    assert x.violations == [violation]
    assert x.sent == events[:-1]


async def test_a_server_without_the_extension_takes_no_denial() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        with pytest.raises(RuntimeError):
            await send(DENIAL)

    with pytest.raises(AssertionError, match=r"before websocket\.accept"):
        async with WebSocketExchange(app, extensions={}) as x:
            await x.ended()


async def test_the_end_of_the_application_is_a_disconnect_for_itself() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        await send(TEXT | {"bytes": b"x", "text": None})
        await send(CLOSE)
        assert await receive() == {"type": "websocket.disconnect", "code": 1000, "reason": ""}

    async with WebSocketExchange(app) as x:
        await x.ended()
        assert (x.close_code, x.texts) == (1000, [])
