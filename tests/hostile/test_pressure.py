"""Clients that are slow, many, or gone: each is bounded in time and memory, and others are served meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from asgi_grpc import Limits
from tests.hostile.cases import failed, ok, refused, response
from tests.hostile.conftest import Attacked
from tests.hostile.server import IDLE_S
from tests.hostile.wire import PING, TEXT, Closed, Peer, closed, frame, handshake, replies, request, text

NDJSON = ("Content-Type", "application/x-ndjson")
LENGTH = ("Content-Length", "100000")
IDLE = f"no input and no output for {IDLE_S:g} s"
LATE = refused(504, "DEADLINE_EXCEEDED", IDLE)
LATE_SOCKET = failed("DEADLINE_EXCEEDED", 4004, IDLE)
LATE_RECORD = LATE_SOCKET.records[0]
MANY = 200
PACE_S = 0.02


@asynccontextmanager
async def peer_of(attacked: Attacked) -> AsyncIterator[Peer]:
    """A connection, which ends with the test."""
    peer = await Peer.connect(attacked.address)
    try:
        yield peer
    finally:
        peer.abort()


async def check(attacked: Attacked) -> None:
    """Nothing runs on, nothing was logged, others are served."""
    after = await attacked.look()
    assert (after.alive, after.errors) == (True, [])
    assert after.grown_mib < 32


class TestSilence:
    async def test_bodies_that_stop_are_given_up(self, attacked: Attacked) -> None:
        async def given_up(path: str, start: bytes) -> list[tuple[int, Any]]:
            async with peer_of(attacked) as peer:
                await peer.write(request("POST", path, LENGTH, body=start, host="idle"))
                return [(each.status, each.body) for each in replies(await peer.hear_out())]

        whole = [(LATE[0].status, LATE[0].body)]
        expected = {
            (path, start): whole if path in ("/v1/echo", "/v1/up") else [(200, [LATE_RECORD])]  # its head has left
            for path in ("/v1/echo", "/v1/up", "/v1/chat", "/v1/down")
            for start in (b"", b"{", b'{"text":"a"}')
        }
        expected["/v1/chat", b'{"text":"a"}'] = [(200, [response({"text": "a"}), LATE_RECORD])]
        found = await asyncio.gather(*(given_up(*key) for key in expected))
        assert dict(zip(expected, found, strict=True)) == expected
        await check(attacked)

    async def test_sockets_that_stop_are_given_up(self, attacked: Attacked) -> None:
        async def given_up(begun: bytes) -> Closed:
            async with peer_of(attacked) as peer:
                await peer.write(handshake("/v1/chat", host="idle"))
                await peer.hear(b"\r\n\r\n")
                await peer.write(begun)
                return await peer.hear_close()

        begun = [b"", b"\x81", frame(PING, b"x"), frame(TEXT, b"{", fin=False), frame(TEXT, b"", length=1000)]
        assert await asyncio.gather(*(given_up(each) for each in begun)) == [LATE_SOCKET] * len(begun)
        await check(attacked)

    async def test_pings_are_no_sign_of_life(self, attacked: Attacked) -> None:
        async with peer_of(attacked) as peer:
            await peer.write(handshake("/v1/chat", host="idle"))
            await peer.hear(b"\r\n\r\n")
            ending = asyncio.create_task(peer.hear_out(is_socket=True))
            while not ending.done():
                await peer.write(frame(PING, b"x"))
                await asyncio.wait([ending], timeout=PACE_S)
            assert closed(await ending).code == LATE_SOCKET.code
        await check(attacked)

    async def test_a_client_that_reads_nothing_is_given_up_and_its_connection_too(self, attacked: Attacked) -> None:
        query = f"/v1/down?number={2**31 - 1}&text={'a' * 4000}"
        for opening in (request("GET", query, host="idle"), handshake(query, host="idle")):
            async with peer_of(attacked) as peer:
                await peer.write(opening)
                await peer.hear(b"\r\n\r\n")
                await check(attacked)  # waits until the call has ended, while nobody reads
                await peer.reset()


class TestTrickles:
    @pytest.mark.parametrize("path", ["/v1/echo", "/v1/up"])
    async def test_a_body_that_never_ends_meets_the_deadline(self, attacked: Attacked, path: str) -> None:
        async with peer_of(attacked) as peer:
            await peer.write(request("POST", path, NDJSON, LENGTH, body=b'{"text":"', host="brief"))
            ending = asyncio.create_task(peer.hear_out())
            while not ending.done():
                await peer.write(b"a")
                await asyncio.wait([ending], timeout=PACE_S)
            assert replies(await ending)[0].body["status"] == "DEADLINE_EXCEEDED"
        await check(attacked)

    async def test_a_socket_that_never_ends_meets_the_deadline(self, attacked: Attacked) -> None:
        async with peer_of(attacked) as peer:
            await peer.write(handshake("/v1/up", host="brief"))
            await peer.hear(b"\r\n\r\n")
            ending = asyncio.create_task(peer.hear_out(is_socket=True))
            while not ending.done():
                await peer.write(text("{}"))
                await asyncio.wait([ending], timeout=PACE_S)
            assert closed(await ending) == failed("DEADLINE_EXCEEDED", 4004, "Deadline Exceeded")
        await check(attacked)

    async def test_a_message_in_small_pieces_is_not_kept_beyond_its_limit(self, attacked: Attacked) -> None:
        async with peer_of(attacked) as peer:
            await peer.write(request("POST", "/v1/up", NDJSON, ("Content-Length", "100000000"), body=b'{"text":"'))
            ending = asyncio.create_task(peer.hear_out())
            for _ in range(Limits().max_message_bytes // 100 + 1):  # more would be unread at the close, and reset it
                await peer.write(b"a" * 100)
                await asyncio.wait([ending], timeout=0)
            assert replies(await ending)[0].status == 413
        await check(attacked)


class TestFloods:
    async def test_more_calls_than_allowed_are_refused_until_one_ends(self, attacked: Attacked) -> None:
        hold = request("GET", "/v1/hold", ("Grpc-Timeout", "1H"), host="busy")
        full = refused(503, "UNAVAILABLE", "too many streams: try again in a second")
        async with AsyncExitStack() as held:
            for _ in range(2):
                peer = await held.enter_async_context(peer_of(attacked))
                await peer.write(hold)
            while True:  # until both are seen
                (found,) = replies(await attacked.ask(request("GET", "/v1/echo", host="busy")))
                if found.status == 503:
                    break
            assert (found.body, found.headers["retry-after"]) == (full[0].body, "1")
            (found,) = replies(await attacked.ask(handshake("/v1/chat", host="busy")))
            assert (found.status, found.body, found.headers["retry-after"]) == (503, full[0].body, "1")
            assert (
                replies(await attacked.ask(request("GET", "/v1/echo")))[0].status == 200
            )  # other gateways have their own
        while replies(await attacked.ask(request("GET", "/v1/echo", host="busy")))[0].status == 503:
            pass  # until the servers have seen that both are gone
        await check(attacked)

    async def test_heads_that_never_end_do_not_keep_others_out(self, attacked: Attacked) -> None:
        async with AsyncExitStack() as held:
            for _ in range(MANY):
                peer = await held.enter_async_context(peer_of(attacked))
                await peer.write(b"GET /v1/echo HTTP/1.1\r\nHost: plain\r\nX-Slow: ")
            await check(attacked)
        await check(attacked)

    async def test_sockets_without_number_are_given_up(self, attacked: Attacked) -> None:
        async def one() -> Closed:
            async with peer_of(attacked) as peer:
                await peer.write(handshake("/v1/chat", host="idle"))
                await peer.hear(b"\r\n\r\n")
                return closed(await peer.hear_out(is_socket=True))

        assert await asyncio.gather(*(one() for _ in range(MANY))) == [LATE_SOCKET] * MANY
        await check(attacked)

    async def test_clients_that_leave_at_once_leave_nothing(self, attacked: Attacked) -> None:
        async def one(sent: bytes) -> None:
            async with peer_of(attacked) as peer:
                await peer.write(sent)

        hold = request("GET", "/v1/hold")
        half = request("POST", "/v1/chat", NDJSON, LENGTH, body=b'{"text":"a"}\n{"te')
        await asyncio.gather(*(one(sent) for sent in [hold, half, handshake("/v1/chat"), b"GET"] * (MANY // 4)))
        await check(attacked)

    async def test_requests_in_one_piece_are_answered_one_by_one(self, attacked: Attacked) -> None:
        many = request("GET", "/v1/echo/a", last=False) * (MANY - 1) + request("GET", "/v1/echo/a")
        assert [each.body for each in replies(await attacked.ask(many))] == [ok({"text": "a"})[0].body] * MANY
        await check(attacked)
