"""Work grows with what a client sends, and no faster: counted in calls of functions, not by a clock."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from asgi_grpc import GrpcMiddleware, Limits
from asgi_grpc.testing import HttpExchange, WebSocketExchange
from tests.hostile.server import servicers
from tests.hostile.service import SCHEMA

SMALL, LARGE = 200, 1600
MOST = 1.5 * LARGE / SMALL  # quadratic work would be LARGE / SMALL times as much again


@dataclass
class Work:
    """What was done.

    Attributes:
        calls: of functions.
    """

    calls: int = 0


@contextmanager
def counted() -> Iterator[Work]:
    """Count the calls of a block, of all tasks that run meanwhile."""
    work = Work()

    def note(frame: object, event: str, argument: object) -> None:
        if event in ("call", "c_call"):
            work.calls += 1

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield work
    finally:
        sys.setprofile(before)


def gateway() -> GrpcMiddleware:
    """The service, without any limit in the way."""
    return GrpcMiddleware(schema=SCHEMA, servicers=servicers(), limits=Limits(max_message_bytes=64 << 20))


Play = Callable[[Any, int], Awaitable[object]]


def http(path: str, headers: Callable[[int], list[tuple[bytes, bytes]]], chunks: Callable[[int], list[bytes]]) -> Play:
    """A request that grows with a number."""

    async def play(app: Any, size: int) -> object:
        method = "GET" if path.startswith("GET ") else "POST"
        target = path.removeprefix("GET ")
        if "%s" in target:
            target %= "&".join(f"tags={n}" for n in range(size))
        async with HttpExchange(app, method=method, path=target, headers=headers(size)) as exchange:
            for chunk in chunks(size):
                await exchange.send_body(chunk)
            await exchange.send_body(b"", more=False)
            await exchange.ended()
        return exchange.status

    return play


def sockets(texts: Callable[[int], list[str]]) -> Play:
    """Messages whose number grows, or their size."""

    async def play(app: Any, size: int) -> object:
        async with WebSocketExchange(app, path="/v1/up") as exchange:
            for text in [*texts(size), ""]:
                await exchange.send_text(text)
            await exchange.ended()
        return exchange.close_code

    return play


def nothing(size: int) -> list[Any]:
    """No headers, or no body."""
    return []


def fields(name: bytes, value: bytes) -> Callable[[int], list[tuple[bytes, bytes]]]:
    """One header so many times."""
    return lambda size: [(name, value)] * size


def one(name: bytes, make: Callable[[int], bytes]) -> Callable[[int], list[tuple[bytes, bytes]]]:
    """One header that grows."""
    return lambda size: [(name, make(size))]


def byte_by_byte(body: bytes) -> list[bytes]:
    """As slow as it gets."""
    return [body[at : at + 1] for at in range(len(body))]


EMPTY = [b"{}"]
CASES: dict[str, tuple[Play, object]] = {
    "parameters": (http("GET /v1/echo?%s", nothing, nothing), 200),
    "equal headers": (http("/v1/echo", fields(b"x-a", b"1"), lambda _: EMPTY), 200),
    "equal metadata": (http("/v1/echo", fields(b"grpc-metadata-a", b"1"), lambda _: EMPTY), 200),
    "base64 in metadata": (http("/v1/echo", one(b"grpc-metadata-a-bin", lambda n: b"AA==," * n), lambda _: EMPTY), 200),
    "ranges": (http("/v1/down", one(b"accept", lambda n: b"a/b;q=0.1," * n + b"*/*"), lambda _: EMPTY), 200),
    "parameters of a range": (http("/v1/down", one(b"accept", lambda n: b"*/*" + b";q=1" * n), lambda _: EMPTY), 200),
    "a body byte by byte": (http("/v1/echo", nothing, lambda n: byte_by_byte(b'{"text":"%b"}' % (b"a" * n))), 200),
    "messages": (http("/v1/up", nothing, lambda n: [b"{}\n" * n]), 200),
    "messages byte by byte": (http("/v1/up", nothing, lambda n: byte_by_byte(b"{}\n" * n)), 200),
    "a message byte by byte": (http("/v1/up", nothing, lambda n: byte_by_byte(b'{"text":"%b"}' % (b"a" * n))), 200),
    "an array byte by byte": (http("/v1/up", nothing, lambda n: byte_by_byte(b"[" + b"{}," * n + b"{}]")), 200),
    "blank lines": (http("/v1/up", nothing, lambda n: [b"\n"] * n), 200),
    "empty chunks": (http("/v1/up", nothing, lambda n: [b""] * n), 200),
    "equal keys": (http("/v1/echo", nothing, lambda n: [b'{%b"number":2}' % (b'"number":1,' * n)]), 200),
    "keys of a map": (
        http("/v1/echo", nothing, lambda n: [b'{"labels":{%b"":""}}' % b"".join(b'"%d":"",' % k for k in range(n))]),
        200,
    ),
    "unknown fields": (
        http("/v1/echo", nothing, lambda n: [b"{%b}" % b",".join(b'"x%d":1' % k for k in range(n))]),
        400,
    ),
    "replies": (http("/v1/down", nothing, lambda n: [b'{"number":%d}' % n]), 200),
    "texts": (sockets(lambda n: ["{}"] * n), 1000),
    "messages in a text": (sockets(lambda n: ["{}" * n]), 1000),
    "texts of white space": (sockets(lambda n: [" "] * n), 1000),
}


@pytest.mark.parametrize(("play", "end"), CASES.values(), ids=list(CASES))
async def test_work_grows_with_the_input_and_no_faster(play: Play, end: object) -> None:
    app = gateway()
    await play(app, 1)  # what is worked out once
    with counted() as small:
        assert await play(app, SMALL) == end
    with counted() as large:
        assert await play(app, LARGE) == end
    assert large.calls < MOST * small.calls


async def test_the_count_would_show_work_that_grows_faster() -> None:
    async def play(app: Any, size: int) -> None:
        for length in range(size):
            [len(str(number)) for number in range(length // 50)]

    with counted() as small:
        await play(None, SMALL)
    with counted() as large:
        await play(None, LARGE)
    assert large.calls > MOST * small.calls
