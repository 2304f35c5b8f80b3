"""Connections that nobody reads."""

from __future__ import annotations

import asyncio
import socket
import struct
from types import SimpleNamespace
from typing import Any

import pytest

from asgi_grpc import Limits
from asgi_grpc.asgi import _exchange
from asgi_grpc.asgi._ending import ClientGone
from asgi_grpc.asgi._inbox import Inbox
from asgi_grpc.asgi._probe import is_broken
from asgi_grpc.asgi._watched import WatchedCall
from asgi_grpc.telemetry import Observers
from tests.asgi.fakes import HELLO, gateway


class Cycle:
    """What uvicorn's ``receive`` is a method of; only the transport is looked at."""

    def __init__(self, connection: Any) -> None:
        self.transport = SimpleNamespace(get_extra_info=lambda name: connection if name == "socket" else None)

    async def receive(self) -> dict[str, Any]:
        """More of a body, for ever."""
        return {"type": "http.request", "body": b"12345678", "more_body": True}

    async def hang(self) -> dict[str, Any]:
        """Nothing."""
        await asyncio.Event().wait()
        return {}


@pytest.fixture
def pair() -> Any:
    """Both ends of a TCP connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    with client, server:
        yield client, server


def reset(client: socket.socket) -> None:
    """End a connection without a word."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def test_a_reset_shows_though_there_is_something_to_read(pair: tuple[socket.socket, socket.socket]) -> None:
    client, server = pair
    cycle = Cycle(server)
    client.sendall(b"more")
    assert not is_broken(cycle.receive)
    reset(client)
    assert is_broken(cycle.receive)


def test_a_client_that_closed_shows(pair: tuple[socket.socket, socket.socket]) -> None:
    client, server = pair
    client.sendall(b"more")
    client.close()
    assert is_broken(Cycle(server).receive)
    assert not is_broken(Cycle(server).receive, by_reset=True)


def test_a_reset_is_told_from_an_end(pair: tuple[socket.socket, socket.socket]) -> None:
    client, server = pair
    client.sendall(b"more")
    assert not is_broken(Cycle(server).receive, by_reset=True)
    reset(client)
    assert is_broken(Cycle(server).receive, by_reset=True)


async def test_a_reset_ends_an_upload_before_all_that_was_sent_is_read(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    client, server = pair
    cycle = Cycle(server)
    inbox = Inbox(
        cycle.receive,
        lambda event: (event["body"], False),
        read_ahead_bytes=1 << 20,
        on_end=lambda _: None,
        on_event=lambda: None,
    )

    async def read_much() -> None:
        for _ in range(10_000):
            assert await inbox.read() == [b"12345678"]

    await read_much()
    reset(client)
    with pytest.raises(ClientGone):
        await read_much()


def test_an_observed_connection_is_found_too(pair: tuple[socket.socket, socket.socket]) -> None:
    client, server = pair
    app, _ = gateway()
    match = app._gateway.router.match("POST", HELLO.encode())
    watched = WatchedCall(Observers([]), match, {"type": "http"}, Cycle(server).receive, swallow)
    assert not is_broken(watched.receive)
    reset(client)
    assert is_broken(watched.receive)


async def swallow(_event: object) -> None:
    """What nobody reads."""


def test_what_is_no_socket_tells_nothing(pair: tuple[socket.socket, socket.socket]) -> None:
    async def receive() -> dict[str, Any]:
        return {}

    _, server = pair
    server.close()
    assert [is_broken(each) for each in (receive, Cycle(None).receive, Cycle(server).receive)] == [False] * 3


async def test_a_client_that_vanishes_while_read_ahead_is_full_is_noticed(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    client, server = pair
    reasons: list[Exception] = []
    inbox = Inbox(
        Cycle(server).receive,
        lambda event: (event["body"], False),
        read_ahead_bytes=4,
        on_end=reasons.append,
        on_event=lambda: None,
    )
    inbox.watch()
    assert await inbox.read() == [b"12345678"]
    reset(client)
    watcher = inbox._watcher
    assert watcher is not None
    await watcher.task
    assert [type(reason) for reason in reasons] == [ClientGone]
    await inbox.stop()


async def stalled(http_version: str, transport: object) -> None:
    """A stream to a client that reads the head, and then nothing."""

    async def send(event: dict[str, Any]) -> None:
        if event["type"] != "http.response.start":
            await asyncio.Event().wait()

    cycle = Cycle(None)
    cycle.transport = transport  # type: ignore[assignment]
    app, _ = gateway(limits=Limits(idle_timeout_s=0.02))
    scope = {
        "type": "http", "method": "GET", "path": "/v1/helloworld/Ada/stream", "headers": [], "query_string": b"",
        "http_version": http_version,
    }  # fmt: skip
    await app(scope, cycle.hang, send)


async def test_the_connection_of_a_client_that_does_not_read_is_broken_off(
    monkeypatch: pytest.MonkeyPatch, pair: tuple[socket.socket, socket.socket]
) -> None:
    monkeypatch.setattr(_exchange, "FAREWELL_S", 0.01)
    broken: list[str] = []
    for version in ("1.1", "2"):  # of HTTP/2 others would lose their streams
        await stalled(version, SimpleNamespace(abort=lambda version=version: broken.append(version)))
    await stalled("1.1", SimpleNamespace())  # no transport of asyncio
    await stalled("1.1", None)
    connection = Cycle(pair[1]).transport
    connection.abort = pair[1].close
    await stalled("1.1", connection)
    with pytest.raises(ConnectionResetError):
        pair[0].recv(1)
    assert broken == ["1.1"]
