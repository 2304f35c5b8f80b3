"""One TCP connection, with or without TLS: bytes out, bytes in, at the same time.

It stands on the loop's socket calls and not on a transport: a transport that can't write any more stops reading too,
so that the answer of a server that refused early, and closed, would be lost.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import struct
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Self, TypeVar

from asgi_grpc.client._address import Address
from asgi_grpc.client._errors import ConnectError, ConnectionLostError
from asgi_grpc.client._tls import Tls

_READ_BYTES = 64 << 10
_TURN_BYTES = 256 << 10  # moved without a pause before other tasks get their turn: about a millisecond of work
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER for no time at all: close() sends RST
_LOST = "the connection was lost"

_T = TypeVar("_T")


class Pipe:
    """A connected socket. One task may send while another receives."""

    def __init__(self, sock: socket.socket, tls: Tls | None = None) -> None:
        self._sock = sock
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._out = bytearray()  # encrypted already, in the order in which it has to leave
        self._one_sender = asyncio.Lock()
        self._waiting: set[asyncio.Task[Any]] = set()
        self._moved_bytes = 0  # since the last turn
        self._ended = False  # the peer's direction, by a TLS goodbye
        self._torn = False  # nobody knows how much of a send has left
        self._closed = False

    @classmethod
    async def open(cls, address: Address, *, ssl_context: ssl.SSLContext | None, timeout_s: float | None) -> Self:
        """Connect to the first of the host's addresses that accepts.

        Raises:
            ConnectError: none accepts within the time, or TLS can't be agreed on.
        """
        where = f"{address.host}:{address.port}"
        try:
            async with asyncio.timeout(timeout_s):
                sock = await _connect(address)
                pipe = cls(
                    sock, Tls(ssl_context or ssl.create_default_context(), address.host) if address.tls else None
                )
                try:
                    await pipe._shake_hands()
                except BaseException:
                    pipe.abort()
                    raise
                return pipe
        except TimeoutError as exc:
            raise ConnectError(f"{where} did not answer within {timeout_s} s") from exc
        except ssl.SSLCertVerificationError as exc:
            raise ConnectError(f"the certificate of {where} is not trusted: {exc.verify_message}") from exc
        except (ssl.SSLError, ConnectionLostError) as exc:
            raise ConnectError(f"{where} does not answer in TLS") from exc
        except OSError as exc:
            raise ConnectError(f"can't connect to {where}: {_reason(exc)}") from exc

    async def send(self, data: bytes) -> None:
        """Send bytes; returns when the kernel has taken all of them, which is the backpressure.

        Sends of two tasks never mix.

        Raises:
            ConnectionLostError: the peer, or we, ended the connection; or an earlier send was cancelled half-way.
        """
        self._put(data)
        async with self._one_sender:
            while self._out:
                await self._flush()

    def post(self, data: bytes) -> None:
        """Send bytes without waiting: what finds no room leaves before whatever is sent next.

        For answers that a reader owes, such as a pong: if the reader waited for room, two peers that both write and
        do not read could block each other for ever.

        Raises:
            ConnectionLostError: as ``send``.
        """
        self._put(data)
        self._push()

    async def receive(self) -> bytes:
        """Up to 64 KiB of what came, waiting for at least one byte; empty at the end of the stream.

        Raises:
            ConnectionLostError: the connection was reset, or aborted by another task of ours.
        """
        while not self._ended:
            raw = await self._receive_raw()
            if self._tls is None or not raw:
                return raw
            try:
                data, self._ended = self._tls.decrypt(raw)
            except ssl.SSLError as exc:
                raise ConnectionLostError(f"{_LOST}: its encryption is damaged") from exc
            self._out += self._tls.reply()
            self._push()
            if data:
                return data
        return b""

    async def send_eof(self) -> None:
        """End our direction; the other one stays open.

        Raises:
            ConnectionLostError: as ``send``.
        """
        if self._tls is not None:
            self._out += self._tls.say_goodbye()
        await self.send(b"")
        with suppress(OSError):  # lost already, which shows to the reader
            self._sock.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """End the connection properly; what was sent still arrives. Twice is once."""
        if self._tls is not None and not self._closed:
            with suppress(ssl.SSLError):  # in the middle of a handshake there is nothing to end
                self._out += self._tls.say_goodbye()
            self._push()
        self._close()

    def abort(self) -> None:
        """Reset the connection: the peer sees an error, not an end. Twice is once."""
        if not self._closed:
            with suppress(OSError):  # the peer was faster
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._close()

    def _put(self, data: bytes) -> None:
        if self._torn or self._closed:
            raise ConnectionLostError(
                "nothing can be sent: the connection was closed, or a send was cancelled half-way"
            )
        try:
            self._out += self._tls.encrypt(data) if self._tls is not None and data else data
        except ssl.SSLError as exc:
            raise ConnectionLostError(f"{_LOST}: its encryption has ended") from exc

    def _push(self) -> None:
        """Send what finds room, unless a task is sending: that one takes it along."""
        if self._out and not self._torn and not self._one_sender.locked():
            with suppress(OSError):  # lost, which shows to the reader
                del self._out[: self._send_now(self._out)]

    def _send_now(self, data: bytes | bytearray) -> int:
        """Send what finds room: the number of bytes."""
        try:
            return self._sock.send(data)
        except BlockingIOError:
            return 0

    async def _flush(self) -> None:
        """Send what waits now."""
        data, self._out = self._out, bytearray()
        try:
            if rest := memoryview(data)[self._send_now(data) :]:
                await self._wait(self._loop.sock_sendall(self._sock, rest))
        except BaseException as exc:
            self._torn = True
            if isinstance(exc, OSError):
                raise ConnectionLostError(f"{_LOST}: {_reason(exc)}") from exc
            raise
        await self._give_turn(len(data))

    async def _receive_raw(self) -> bytes:
        try:
            data = self._sock.recv(_READ_BYTES)
        except BlockingIOError:
            data = await self._receive_later()
        except OSError as exc:
            raise ConnectionLostError(f"{_LOST}: {_reason(exc)}") from exc
        await self._give_turn(len(data))
        return data

    async def _receive_later(self) -> bytes:
        try:
            return await self._wait(self._loop.sock_recv(self._sock, _READ_BYTES))
        except OSError as exc:
            raise ConnectionLostError(f"{_LOST}: {_reason(exc)}") from exc

    async def _wait(self, operation: Coroutine[object, object, _T]) -> _T:
        """Wait for a socket operation, which ``abort()`` by another task ends."""
        task = self._loop.create_task(operation)
        self._waiting.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            if self._closed and task.cancelled():
                raise ConnectionLostError(f"{_LOST}: closed on our side") from None
            raise
        finally:
            self._waiting.discard(task)

    async def _give_turn(self, moved_bytes: int) -> None:
        """A socket that is never full or empty never suspends: let others run now and then."""
        self._moved_bytes += moved_bytes
        if self._moved_bytes >= _TURN_BYTES:
            self._moved_bytes = 0
            await asyncio.sleep(0)

    async def _shake_hands(self) -> None:
        if self._tls is None:
            return
        received = b""
        done = False
        while not done:
            reply, done = self._tls.shake_hands(received)
            self._out += reply
            while self._out:
                await self._flush()
            if not done and not (received := await self._receive_raw()):
                raise ConnectionLostError("the connection ended during the TLS handshake")

    def _close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if not self._waiting:
            self._sock.close()
            return
        for task in self._waiting:
            task.cancel()
        self._loop.call_soon(self._sock.close)  # after the loop has forgotten the socket: its number may be used again


async def _connect(address: Address) -> socket.socket:
    """Try each address of the host in turn: ``localhost`` may be 127.0.0.1, ::1, or both."""
    loop = asyncio.get_running_loop()
    problem: OSError | None = None
    for family, kind, protocol, _, where in await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(0)
            await loop.sock_connect(sock, where)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a small message must not wait for a larger one
        except OSError as exc:
            sock.close()
            problem = problem or exc
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise problem or OSError("the name has no address")


def _reason(error: OSError) -> str:
    """What the operating system says, without numbers and addresses."""
    if error.errno is not None and not isinstance(error, socket.gaierror):  # whose numbers are others
        return os.strerror(error.errno).lower()
    return (error.strerror or str(error)).lower()
