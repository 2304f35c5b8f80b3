from __future__ import annotations

import asyncio

import pytest

from asgi_grpc import UsageError
from asgi_grpc.client import ConnectionLostError, HttpConnection, PeerError
from tests.client.peers import http_to, once, reset, serving

CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


async def read_all(connection: HttpConnection) -> bytes:
    """The rest of a body."""
    return await connection.read_body(max_bytes=1 << 20)


async def read_answer(connection: HttpConnection) -> bytes:
    """Head and body."""
    await connection.read_head()
    return await read_all(connection)


async def send_for_ever(connection: HttpConnection) -> None:
    """Send until something is wrong."""
    while True:
        await connection.send_chunk(b"x" * 65536)


async def test_both_bodies_flow_at_the_same_time() -> None:
    heard: list[bytes] = []

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(CHUNKED)
        for _ in range(3):
            heard.append(await reader.readexactly(8))
            writer.write(heard[-1])
            await writer.drain()
        heard.append(await reader.readexactly(5))
        writer.write(b"0\r\nX-Sum: 3\r\n\r\n")

    async with serving(echo) as port, await HttpConnection.open(f"http://127.0.0.1:{port}/a?b") as connection:
        await connection.send_head("POST", headers=[("Content-Type", b"text/plain")])
        head = await connection.read_head()
        chunks = []
        for word in (b"one", b"two", b"six"):
            await connection.send_chunk(word)
            chunks.append(await connection.read_chunk())
        await connection.end()
        assert await connection.read_chunk() == b""
        assert connection.trailers == ((b"x-sum", b"3"),)
    assert head.status == 200
    assert head.headers == ((b"transfer-encoding", b"chunked"),)
    assert chunks == [b"one", b"two", b"six"]
    assert heard == [
        f"POST /a?b HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: text/plain\r\n"
        "Transfer-Encoding: chunked\r\n\r\n".encode(),
        b"3\r\none\r\n",
        b"3\r\ntwo\r\n",
        b"3\r\nsix\r\n",
        b"0\r\n\r\n",
    ]


async def test_several_exchanges_share_a_connection_whole_or_raw() -> None:
    heads: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for n in range(4):
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            if n == 1:
                assert await reader.readexactly(2) == b"ab"
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n%d" % n)
            await writer.drain()

    async with http_to(answer) as connection:
        bodies = []
        await connection.send_head("GET", "/first", body=False)
        await connection.read_head()
        bodies.append(await connection.read_body(max_bytes=10))
        await connection.send_head("POST", headers=[("host", "other"), ("content-length", "2")])
        await connection.send_chunk(b"ab")
        await connection.end()
        await connection.read_head()
        bodies.append(await connection.read_body(max_bytes=10))
        await connection.send_raw(
            b"WHATEVER / HTTP/1.1\r\n\r\nBAD\r\n\r\n"
        )  # two in one segment: answers may come glued
        for _ in range(2):
            await connection.read_head()
            bodies.append(await connection.read_body(max_bytes=10))
    assert bodies == [b"0", b"1", b"2", b"3"]
    assert [head.split(b"\r\n")[0] for head in heads] == [
        b"GET /first HTTP/1.1", b"POST / HTTP/1.1", b"WHATEVER / HTTP/1.1", b"BAD",
    ]  # fmt: skip
    assert b"\r\nhost: other\r\n" in heads[1]


async def test_a_glued_second_answer_is_kept_for_the_next_exchange() -> None:
    two = b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 205 Reset Content\r\ncontent-length: 0\r\n\r\n"
    async with http_to(once(two)) as connection:
        await connection.send_raw(b"GET / HTTP/1.1\r\n\r\n")
        statuses = []
        for _ in range(2):
            statuses.append((await connection.read_head()).status)
            assert await connection.read_chunk() == b""
    assert statuses == [204, 205]


async def test_headers_are_joined_by_name_and_interim_answers_passed_over() -> None:
    wire = b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nA: 1\r\na: 2\r\ncontent-length: 0\r\n\r\n"
    async with http_to(once(wire)) as connection:
        await connection.send_head("GET", body=False)
        head = await connection.read_head()
        assert (head.header("A"), head.header("b")) == ("1, 2", None)


async def test_many_small_chunks_are_handed_over_together_and_a_fault_after_them_is_not_lost() -> None:
    wire = CHUNKED + b"1\r\na\r\n" * 1000 + b"oh no\r\n"
    async with http_to(once(wire)) as connection:
        await connection.send_head("GET", body=False)
        await connection.read_head()
        body = b""
        while len(body) < 1000:
            body += await connection.read_chunk()
        assert body == b"a" * 1000
        for _ in range(2):
            with pytest.raises(PeerError, match=r"what the server sends is not HTTP/1\.1"):
                await connection.read_chunk()


@pytest.mark.parametrize(
    "wire",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nx",
        CHUNKED + b"3\r\nab",
        CHUNKED + b"2\r\nab\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab",
    ],
)
async def test_an_answer_that_is_cut_off_is_told_from_a_whole_one(wire: bytes) -> None:
    async with http_to(once(wire)) as connection:
        await connection.send_head("GET", body=False)
        with pytest.raises(ConnectionLostError, match="the server closed the connection before its answer was whole"):
            await read_answer(connection)


async def test_a_raw_request_that_nobody_answers_is_a_lost_connection() -> None:
    async def close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.read() == b"nonsense"

    async with http_to(close) as connection:
        await connection.send_raw(b"nonsense")
        await connection.send_eof()
        with pytest.raises(ConnectionLostError, match="without an answer"):
            await connection.read_head()


@pytest.mark.parametrize("wire", [b"220 mail.example ESMTP\r\n", b"\0\0\x12\4", b"HTTP/2 200\r\n\r\n"])
async def test_what_is_not_http_is_a_fault_of_the_server(wire: bytes) -> None:
    async with http_to(once(wire)) as connection:
        await connection.send_head("GET", body=False)
        with pytest.raises(PeerError, match=r"not HTTP/1\.1"):
            await connection.read_head()


async def test_a_body_over_the_limit_is_refused() -> None:
    async with http_to(once(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc")) as connection:
        await connection.send_head("GET", body=False)
        await connection.read_head()
        with pytest.raises(PeerError, match="larger than 2 bytes"):
            await connection.read_body(max_bytes=2)


async def test_calls_out_of_turn_are_refused_and_lose_nothing() -> None:
    async with http_to(once(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc")) as connection:
        with pytest.raises(UsageError, match="can't be sent"):
            await connection.send_head("GE T", body=False)
        await connection.send_head("GET", body=False)
        with pytest.raises(UsageError, match="no body is being read"):
            await connection.read_chunk()
        await connection.read_head()
        with pytest.raises(UsageError, match="has been read"):
            await connection.read_head()
        assert await connection.read_body(max_bytes=3) == b"abc"
        with pytest.raises(UsageError, match="has been read to its end"):
            await connection.read_chunk()
        with pytest.raises(UsageError, match="can't be sent now"):
            await connection.send_chunk(b"late")


async def test_an_early_answer_is_readable_after_the_server_has_stopped_reading() -> None:
    gone = asyncio.Event()

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\nconnection: close\r\n\r\nno!")
        await writer.drain()
        reset(writer)
        gone.set()

    async with http_to(refuse) as connection:
        await connection.send_head("POST")
        await gone.wait()
        with pytest.raises(ConnectionLostError):
            await send_for_ever(connection)
        assert (await connection.read_head()).status == 413
        assert await connection.read_body(max_bytes=10) == b"no!"


async def test_abort_resets_and_close_does_not() -> None:
    ends: asyncio.Queue[str] = asyncio.Queue()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read()
            ends.put_nowait("end")
        except ConnectionResetError:
            ends.put_nowait("reset")

    async with serving(listen) as port:
        connection = await HttpConnection.open(f"http://127.0.0.1:{port}")
        connection.close()
        connection.abort()
        assert await ends.get() == "end"
        connection = await HttpConnection.open(f"http://127.0.0.1:{port}")
        connection.abort()
        connection.close()
        assert await ends.get() == "reset"
        with pytest.raises(KeyError, match="mine"):
            async with await HttpConnection.open(f"http://127.0.0.1:{port}"):
                raise KeyError("mine")
        assert await ends.get() == "reset"


async def test_a_raw_upgrade_hands_over_what_follows() -> None:
    wire = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: echo\r\nconnection: upgrade\r\n\r\nhello"
    async with http_to(once(wire)) as connection:
        await connection.send_head("GET", headers=[("upgrade", "echo"), ("connection", "upgrade")], body=False)
        assert (await connection.read_head()).status == 101
        assert connection.switch()[1] == b"hello"
