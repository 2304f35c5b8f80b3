"""A client of real sockets, for all doors."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self

from asgi_grpc.client import ConnectionLostError, HttpConnection, WebSocket
from asgi_grpc.testing import websocket_frame
from tests.faults.cells import Way
from tests.faults.speaking import Answer, Headers, Speaker, http_answer, socket_answer


class WireClient(Speaker):
    """A call over a connection of its own. What comes is read all the time.

    Args:
        port: of the server.
        way: see ``Speaker``.
        cell: see ``Speaker``.
        headers: see ``Speaker``.
    """

    def __init__(self, port: int, way: Way, cell: str, headers: Headers) -> None:
        super().__init__(way, cell, headers)
        self._port = port
        self._http: HttpConnection | None = None
        self._socket: WebSocket | None = None
        self._body = bytearray()
        self._texts: list[str] = []
        self._answer: Answer | None = None
        self._news = asyncio.Event()
        self._reader: asyncio.Task[Answer] | None = None

    async def __aenter__(self) -> Self:
        """Connect, and send the head of the request."""
        url = f"http://127.0.0.1:{self._port}{self.path}"
        if self.way.door.is_socket:
            self._socket = await WebSocket.connect(url, subprotocols=self.subprotocols, headers=self.headers)
            self._reader = asyncio.create_task(self._read_socket(self._socket))
        else:
            self._http = await HttpConnection.open(url)
            await self._http.send_head("POST", headers=self.headers)
            self._reader = asyncio.create_task(self._read_http(self._http))
        self._reader.add_done_callback(lambda _: self._news.set())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.reset()
        assert self._reader is not None
        await asyncio.gather(self._reader, return_exceptions=True)

    @property
    def connection(self) -> HttpConnection | WebSocket:
        """What it speaks over."""
        found = self._http or self._socket
        assert found is not None
        return found

    def reset(self) -> None:
        """Send RST."""
        self.connection.abort()

    async def half_close(self) -> None:
        """Send FIN, and go on reading."""
        if self._http is not None:
            await self._http.send_eof()
        elif self._socket is not None:
            await self._socket._pipe.send_eof()

    async def send_body(self, body: bytes, *, more: bool) -> None:
        """See ``Speaker``."""
        assert self._http is not None
        if body:
            await self._http.send_chunk(body)
        if not more:
            await self._http.end()

    async def send_text(self, text: str) -> None:
        """See ``Speaker``."""
        assert self._socket is not None
        await self._socket.send_text(text)

    async def trickle(self, document: bytes) -> None:
        """Send a request as the wire's single bytes."""
        if self._http is not None:
            wire = self.framed(document)
            for place in range(len(wire)):
                await self._http.send_raw(b"1\r\n%b\r\n" % wire[place : place + 1])
                await asyncio.sleep(0)
        elif self._socket is not None:
            wire = websocket_frame(1, self.wrapped(document).encode())
            for place in range(len(wire)):
                await self._socket.send_raw(wire[place : place + 1])
                await asyncio.sleep(0)

    async def send_bytes(self, data: bytes) -> None:
        """A binary message."""
        assert self._socket is not None
        await self._socket.send_bytes(data)

    def output(self) -> bytes:
        """See ``Speaker``."""
        return "".join(self._texts).encode() or bytes(self._body)

    @property
    def over(self) -> bool:
        """See ``Speaker``."""
        assert self._reader is not None
        return self._reader.done()

    async def more(self) -> None:
        """See ``Speaker``."""
        self._news.clear()
        await self._news.wait()

    async def answer(self) -> Answer:
        """See ``Speaker``."""
        assert self._reader is not None
        return await self._reader

    async def _read_http(self, connection: HttpConnection) -> Answer:
        with suppress(ConnectionLostError):
            head = await connection.read_head()
            while chunk := await connection.read_chunk():
                self._body += chunk
                self._news.set()
            return http_answer(self.way, head.status, bytes(self._body))
        return Answer(None)

    async def _read_socket(self, socket: WebSocket) -> Answer:
        with suppress(ConnectionLostError):
            async for text in socket:
                assert isinstance(text, str)
                self._texts.append(text)
                self._news.set()
            assert socket.close_code is not None
            return socket_answer(self._texts, socket.close_code)
        return Answer(None)
