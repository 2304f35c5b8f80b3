"""A back end's connections, over real sockets, to services that follow a script."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from asgi_grpc.errors import Code, ConfigurationError
from asgi_grpc.http2 import Http2Backend, _backend
from asgi_grpc.http2._frames import MAX_WINDOW, settings_frame
from tests.calls.facts import Outcome, outcome_of
from tests.calls.servers import BIDI, DOWN, UNARY, UP, source
from tests.http2.servers import Handler, Service, packed, serving, text

UNREACHABLE = Outcome(code=Code.UNAVAILABLE, message="the upstream service can't be reached")
CLOSED = Outcome(code=Code.CANCELLED, message="the channel to the service was closed")
BROKE = "the upstream connection broke"


@asynccontextmanager
async def backend(handle: Handler, **options: Any) -> AsyncIterator[Http2Backend]:
    """A service and the back end that reaches it."""
    async with serving(handle) as port:
        made = Http2Backend(f"127.0.0.1:{port}", **options)
        await made.open()
        try:
            yield made
        finally:
            await made.close()
            await asyncio.sleep(0)


def calling(made: Http2Backend, value: str = "hi", method: Any = UNARY, **options: Any) -> asyncio.Task[Outcome]:
    return asyncio.create_task(outcome_of(made.start(method, source([value]), **options)))


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await Service(reader, writer).answer_all()


async def test_calls_share_a_connection() -> None:
    connected = 0

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connected
        connected += 1
        await echo(reader, writer)

    async with backend(count) as made:
        outcomes = await asyncio.gather(*[calling(made, str(number)) for number in range(9)])
        assert outcomes == [Outcome([str(number)]) for number in range(9)]
        assert await calling(made) == Outcome(["hi"])
    assert connected == 1


async def test_nobody_there_is_unavailable_for_all_who_wait() -> None:
    async with serving(echo) as port:
        pass
    made = Http2Backend(f"127.0.0.1:{port}")
    assert [*await asyncio.gather(calling(made), calling(made))] == [UNREACHABLE] * 2
    await made.close()


async def test_a_socket_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    made = Http2Backend(f"unix:{tmp_path}/none")
    assert await calling(made) == UNREACHABLE


async def test_a_service_that_is_back_is_found_again() -> None:
    async with serving(echo) as port:
        made = Http2Backend(f"127.0.0.1:{port}")
        assert await calling(made) == Outcome(["hi"])
    await asyncio.sleep(0)
    while (outcome := await calling(made)).message == BROKE:
        pass
    assert outcome == UNREACHABLE
    async with serving(echo, port=port):
        assert await calling(made) == Outcome(["hi"])
        await made.close()
        await asyncio.sleep(0)


async def test_a_server_of_http_1_is_unavailable() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 505 HTTP Version Not Supported\r\ncontent-length: 0\r\n\r\n")
        await reader.read()

    async with backend(answer) as made:
        outcome = await calling(made)
        assert (outcome.code, outcome.message) == (
            Code.UNAVAILABLE,
            "the upstream service breaks the rules of HTTP/2",
        )


async def test_a_server_that_closes_at_once_is_unavailable() -> None:
    async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with backend(leave) as made:
        assert await calling(made) == Outcome(code=Code.UNAVAILABLE, message=BROKE)


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    await asyncio.Event().wait()


async def test_a_silent_server_is_waited_for_until_the_deadline() -> None:
    async with backend(silent) as made:
        outcome = await calling(made, deadline_s=0.05)
        assert outcome == Outcome(code=Code.DEADLINE_EXCEEDED, message="Deadline Exceeded")


async def test_a_silent_server_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_backend, "_CONNECT_TIMEOUT_S", 0.05)
    async with backend(silent) as made:
        assert await calling(made) == UNREACHABLE


@pytest.mark.parametrize("begin", [settings_frame([(3, 0)]), settings_frame([]) + b"\0\0\x08\7\0\0\0\0\0" + bytes(8)])  # type: ignore[list-item]  # as numbers
async def test_a_server_that_takes_no_calls_is_asked_once_for_each(begin: bytes) -> None:
    connected = 0

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connected
        connected += 1
        writer.write(begin)
        await reader.read()

    async with backend(refuse) as made:
        expected = Outcome(code=Code.UNAVAILABLE, message="the upstream service takes no calls")
        assert [await calling(made), await calling(made)] == [expected] * 2
    assert connected == 2


async def test_a_leaving_service_finishes_what_it_has_and_new_calls_go_elsewhere() -> None:
    services: list[Service] = []
    left, may_end = asyncio.Event(), asyncio.Event()

    async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        services.append(service := Service(reader, writer))
        if len(services) > 1:
            await service.answer_all()
        await service.asked(1)
        service.head(1)
        await service.send(1, packed(text("first")))
        writer.write(b"\0\0\x08\7\0\0\0\0\0\0\0\0\1\0\0\0\0")  # h2 would send nothing behind its own
        left.set()
        await may_end.wait()
        await service.send(1, packed(text("last")))
        service.end(1)
        await reader.read()

    async with backend(leave) as made:
        old = calling(made, method=DOWN)
        await left.wait()
        while made._connections:
            await asyncio.sleep(0)
        assert await calling(made, "new") == Outcome(["new"])
        may_end.set()
        assert await old == Outcome(["first", "last"])
    assert len(services) == 2


@pytest.mark.parametrize(("method", "asked"), [(UNARY, 2), (DOWN, 2), (UP, 1), (BIDI, 1)])
async def test_a_refused_call_is_made_again_if_its_request_is_still_there(method: Any, asked: int) -> None:
    numbers: list[int] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        service = Service(reader, writer)
        for number in (1, 3, 5):
            await service.asked(number)
            numbers.append(number)
            service.h2.reset_stream(number, 7)
            service.flush()

    async with backend(refuse) as made:
        outcome = await calling(made, method=method)
        assert (outcome.code, outcome.message) == (Code.UNAVAILABLE, "the upstream service takes no more calls")
    assert numbers == [1, 3, 5][:asked]


async def test_a_connection_that_breaks_ends_the_stream_behind_what_came() -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        service = Service(reader, writer)
        await service.asked(1)
        service.head(1)
        await service.send(1, packed(text("a"), text("b")) + b"\0\0")
        await writer.drain()
        writer.close()

    async with backend(cut) as made:
        assert await calling(made, method=DOWN) == Outcome(["a", "b"], Code.UNAVAILABLE, BROKE)


async def test_a_service_of_few_streams_gets_more_connections_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_backend, "_MOST_CONNECTIONS", 3)
    may_answer, asked = asyncio.Event(), asyncio.Semaphore(0)
    connected = 0

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connected
        connected += 1
        service = Service(reader, writer, MAX_CONCURRENT_STREAMS=1)
        await service.asked(1)
        asked.release()
        await may_answer.wait()
        await service.answer_all()

    async with backend(one) as made:
        calls = [calling(made, str(number)) for number in range(3)]
        for _ in calls:
            await asked.acquire()
        assert await calling(made) == Outcome(
            code=Code.UNAVAILABLE, message="the upstream service takes no more calls at once"
        )
        may_answer.set()
        assert await asyncio.gather(*calls) == [Outcome([str(number)]) for number in range(3)]
        assert await calling(made, "again") == Outcome(["again"])
    assert connected == 3


async def test_closing_while_it_connects_ends_all_who_wait() -> None:
    async with backend(silent) as made:
        calls = [calling(made), calling(made, method=BIDI)]
        while made._connecting is None:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        await made.close()
        assert await asyncio.gather(*calls) == [CLOSED] * 2


async def test_closing_ends_the_calls_that_run_and_may_be_done_twice() -> None:
    async def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        service = Service(reader, writer)
        await service.asked(1, 3)
        service.head(1)
        asked.set()
        await reader.read()

    asked = asyncio.Event()
    async with backend(begin) as made:
        calls = [calling(made), calling(made, method=DOWN)]
        await asked.wait()
        await made.close()
        await made.close()
        assert await asyncio.gather(*calls) == [CLOSED] * 2


async def test_who_is_cancelled_while_it_connects_leaves_it_to_others() -> None:
    may_begin, connected = asyncio.Event(), 0

    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connected
        connected += 1
        await may_begin.wait()
        await echo(reader, writer)

    async with backend(late) as made:
        first, second = calling(made, "first"), calling(made, "second")
        while connected == 0:
            await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait({first})
        may_begin.set()
        assert (first.cancelled(), await second, connected) == (True, Outcome(["second"]), 1)


async def test_a_connection_that_nobody_waits_for_any_more_is_kept() -> None:
    may_begin, connected = asyncio.Event(), 0

    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connected
        connected += 1
        await may_begin.wait()
        await echo(reader, writer)

    async with backend(late) as made:
        only = calling(made)
        while connected == 0:
            await asyncio.sleep(0)
        only.cancel()
        await asyncio.wait({only})
        may_begin.set()
        assert (await calling(made), connected) == (Outcome(["hi"]), 1)


async def test_a_system_that_can_not_watch_a_connection_connects_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "TCP_USER_TIMEOUT", raising=False)
    async with backend(echo) as made:
        assert await calling(made) == Outcome(["hi"])


@pytest.mark.parametrize("window_bytes", [0, -1, MAX_WINDOW + 1])
def test_a_window_out_of_its_range_is_refused(window_bytes: int) -> None:
    with pytest.raises(ConfigurationError, match="window_bytes is 1 to 2147483647, got"):
        Http2Backend("host:1", window_bytes=window_bytes)
