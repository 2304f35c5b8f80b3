"""The scripted HTTP client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from asgi_grpc.testing import ExchangeEndedError, HttpExchange

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


async def echo(scope: Any, receive: Receive, send: Send) -> None:
    """Answer with every piece of the body, as it comes."""
    await send({"type": "http.response.start", "status": 201, "headers": [(b"a", b"b")]})
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            return
        await send({"type": "http.response.body", "body": event["body"], "more_body": event["more_body"]})
        if not event["more_body"]:
            return


async def test_a_request_is_played_step_by_step() -> None:
    async with HttpExchange(echo, method="POST", path="/a%20b?c=%2F", headers=[(b"x", b"y")], state={"s": 1}) as x:
        assert [x.status, x.headers, x.body, x.complete] == [None, [], b"", False]
        assert await x.receive() == {"type": "http.response.start", "status": 201, "headers": [(b"a", b"b")]}
        await x.starved()
        await x.send_body(b"1")
        assert (await x.receive())["body"] == b"1"
        await x.send_body(b"2")
        await x.send_body(b"3", more=False)
        assert await x.read_body() == b"23"
        assert [x.status, x.headers, x.body, x.complete] == [201, [(b"a", b"b")], b"123", True]
        await x.ended()
        with pytest.raises(ExchangeEndedError):
            await x.receive()
    keys = ["type", "method", "path", "raw_path", "query_string", "headers", "state"]
    assert [x.scope[key] for key in keys] == ["http", "POST", "/a b", b"/a%20b", b"c=%2F", [(b"x", b"y")], {"s": 1}]


async def test_a_disconnect_stands_behind_the_script() -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        seen.extend([(await receive())["type"] for _ in range(3)])

    async with HttpExchange(app) as x:
        await x.send_body(b"1")
        await x.disconnect()
        await x.ended()
    assert seen == ["http.request", "http.disconnect", "http.disconnect"]


async def test_leaving_the_block_disconnects() -> None:
    async with HttpExchange(echo) as x:
        pass
    assert x.unheard == [{"type": "http.response.start", "status": 201, "headers": [(b"a", b"b")]}]
    assert x.sent == []


async def test_a_vanished_client_hears_nothing() -> None:
    async with HttpExchange(echo) as x:
        await x.starved()
        await x.send_body(b"1")
        await x.disconnect()
    assert [event["type"] for event in x.sent] == ["http.response.start"]
    assert [event["type"] for event in x.unheard] == ["http.response.body"]


async def test_a_broken_pipe_raises() -> None:
    async with HttpExchange(echo, broken_pipe=True) as x:
        await x.disconnect()
        with pytest.raises(OSError, match="disconnected"):
            await x.ended()


async def test_what_the_application_raises_is_raised() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        async with HttpExchange(app) as x:
            await x.receive()
    with pytest.raises(ValueError, match="mine"):
        async with HttpExchange(app):
            pass


async def test_a_failing_test_cancels_the_application() -> None:
    cancelled = asyncio.Event()

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        try:
            await receive()
        finally:
            cancelled.set()

    async def fail() -> None:
        async with HttpExchange(app) as x:
            await x.starved()
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    assert cancelled.is_set()


async def test_a_wait_in_vain_fails() -> None:
    async with HttpExchange(echo, patience_s=0.01) as x:
        await x.receive()
        with pytest.raises(TimeoutError):
            await x.receive()


async def test_a_client_that_does_not_read_holds_the_sends() -> None:
    returned: list[int] = []

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})
        for n in range(3):
            await send({"type": "http.response.body", "body": b"%d" % n, "more_body": n < 2})
            returned.append(n)

    async with HttpExchange(app) as x:
        x.hold_sends()
        assert (await x.receive())["status"] == 200
        assert returned == []
        x.release_sends()
        assert await x.read_body() == b"012"
        await x.ended()
    async with HttpExchange(app) as x:
        x.hold_sends()
        await x.receive()
    assert [event["type"] for event in x.unheard] == ["http.response.body"] * 3


START = {"type": "http.response.start", "status": 200}
MORE = {"type": "http.response.body", "body": b"x", "more_body": True}
LAST = {"type": "http.response.body"}
TRAILERS = {"type": "http.response.trailers"}


@pytest.mark.parametrize(
    ("events", "violation"),
    [
        pytest.param([LAST], "http.response.body no event yet", id="no-head"),
        pytest.param([START, START], "http.response.start behind http.response.start", id="two-heads"),
        pytest.param([START, MORE, LAST, LAST], "http.response.body behind the last event", id="after-the-end"),
        pytest.param([START, TRAILERS], "http.response.trailers behind http.response.start", id="unannounced"),
        pytest.param(
            [START | {"trailers": True}, LAST, LAST],
            "http.response.body behind the body, trailers were announced",
            id="body-behind-body",
        ),
    ],
)
async def test_events_out_of_order_are_found(events: list[Any], violation: str) -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        for event in events:
            try:
                await send(event)
            except RuntimeError:
                return

    with pytest.raises(AssertionError, match=violation):
        async with HttpExchange(app) as x:
            await x.ended()
    assert x.violations == [violation]
    assert x.sent == events[:-1]


async def test_trailers_end_the_response() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        assert scope["extensions"] == {"http.response.trailers": {}}
        await send(START | {"trailers": True})
        await send(LAST)
        await send(TRAILERS | {"more_trailers": True})
        await send(TRAILERS)
        assert await receive() == {"type": "http.disconnect"}

    async with HttpExchange(app, extensions={"http.response.trailers": {}}) as x:
        await x.ended()
        assert x.complete


async def test_an_unfinished_body_is_read_to_the_end_of_the_application() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await send(START)
        await send(MORE)

    async with HttpExchange(app) as x:
        assert await x.read_body() == b"x"
        assert not x.complete


async def test_nothing_is_sent_by_a_client_that_has_vanished() -> None:
    async with HttpExchange(echo) as x:
        await x.disconnect()
        with pytest.raises(AssertionError, match="vanished"):
            await x.send_body(b"")
    with pytest.raises(AssertionError, match="async with"):
        await HttpExchange(echo).receive()
