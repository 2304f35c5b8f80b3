"""A WebSocket client that is gone when we write, before anything else says so: the end of the call, and no error."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.asgi.fakes import BIDI, gateway


@pytest.mark.parametrize("broken", ["websocket.accept", "websocket.send"])
async def test_a_pipe_that_breaks_while_we_write_ends_the_call(broken: str, caplog: pytest.LogCaptureFixture) -> None:
    app, _ = gateway()
    script = [{"type": "websocket.connect"}, {"type": "websocket.receive", "text": '{"name":"Ada"}'}]
    sent: list[str] = []

    async def receive() -> Any:
        if not script:
            await asyncio.get_running_loop().create_future()
        return script.pop(0)

    async def send(event: Any) -> None:
        sent.append(event["type"])
        if event["type"] == broken:
            raise BrokenPipeError

    scope = {"type": "websocket", "path": BIDI, "headers": [], "query_string": b"", "subprotocols": []}
    await asyncio.wait_for(app(scope, receive, send), 5)
    assert sent == ["websocket.accept", "websocket.send"][: sent.index(broken) + 1]
    assert caplog.records == []
