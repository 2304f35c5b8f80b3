"""An HTTP/1.1 client for one connection that lets both bodies flow at the same time."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import h11

from asgi_grpc.client._address import Address, parse_url
from asgi_grpc.client._errors import ConnectionLostError, PeerError
from asgi_grpc.client._pipe import Pipe
from asgi_grpc.client._transport import Transport
from asgi_grpc.errors import UsageError

Headers = Iterable[tuple[str | bytes, str | bytes]]
"""Header fields in order; text is sent as Latin-1."""

_MAX_HEAD_BYTES = 64 << 10
_BEFORE_HEAD = {h11.IDLE, h11.SEND_RESPONSE}
_ENDED = {h11.DONE, h11.MUST_CLOSE, h11.CLOSED, h11.SWITCHED_PROTOCOL}
_Held = h11.Event | ConnectionLostError | PeerError | UsageError


@dataclass(frozen=True)
class ResponseHead:
    """The head of an answer.

    Attributes:
        status: the HTTP status; 101 where the server switches protocols, never another 1xx.
        headers: names in lower case, in the order sent.
    """

    status: int
    headers: tuple[tuple[bytes, bytes], ...]

    def header(self, name: str) -> str | None:
        """All values under a name, joined by commas; None where it is absent."""
        wanted = name.lower().encode("latin-1")
        values = [value.decode("latin-1") for found, value in self.headers if found == wanted]
        return ", ".join(values) if values else None


class HttpConnection:
    """One HTTP/1.1 connection, byte by byte where wanted.

    The sending and the receiving side are independent: one task may send while another reads, and an answer may be
    read before, while or after the request is sent. When both bodies have ended, the next request may follow.

        async with await HttpConnection.open("http://localhost:8000") as connection:
            await connection.send_head("POST", "/echo", [("content-type", "application/x-ndjson")])
            await connection.send_chunk(b"{}\\n")
            head = await connection.read_head()
            first = await connection.read_chunk()
            await connection.end()

    Leaving the ``async with`` closes the connection, by ``abort()`` if an exception leaves it.
    """

    def __init__(self, pipe: Transport, address: Address) -> None:
        self._pipe = pipe
        self._address = address
        self._h11 = _new_h11()
        self._held: _Held | None = None  # polled, but not yet handed out
        self._eof = False
        self._trailers: tuple[tuple[bytes, bytes], ...] = ()

    @classmethod
    async def open(cls, url: str, *, ssl_context: ssl.SSLContext | None = None, timeout_s: float | None = 10.0) -> Self:
        """Connect.

        Args:
            url: http or https (ws and wss mean the same connection); its path is the default of ``send_head``.
            ssl_context: for https; None trusts what the system trusts.
            timeout_s: for the name, the connection and TLS together; None waits as long as the system does.

        Raises:
            AddressError: the URL can't be used.
            ConnectError: nobody answers there.
        """
        address = parse_url(url)
        return cls(await Pipe.open(address, ssl_context=ssl_context, timeout_s=timeout_s), address)

    @classmethod
    def over(cls, transport: Transport, url: str) -> Self:
        """Speak HTTP over a connection that exists, e.g. one that leads straight into an application.

        Args:
            transport: carries the bytes; closed and aborted with the connection.
            url: gives the ``Host`` header, and the default of ``send_head``'s target.

        Raises:
            AddressError: the URL can't be used.
        """
        return cls(transport, parse_url(url))

    @property
    def trailers(self) -> tuple[tuple[bytes, bytes], ...]:
        """The trailer fields of the answer, once ``read_chunk`` has returned ``b""``; names in lower case."""
        return self._trailers

    async def send_head(
        self, method: str, target: str | None = None, headers: Headers = (), *, body: bool = True
    ) -> None:
        """Send the head of a request.

        Args:
            method: e.g. ``"POST"``.
            target: path and query; None: the URL's.
            headers: ``Host`` is added where it is missing.
            body: whether ``send_chunk`` may follow; the body is chunked unless the headers give its length. Without
                one the request is complete: ``end()`` is neither needed nor allowed.

        Raises:
            UsageError: the last exchange is not over, or something can't be sent as HTTP.
            ConnectionLostError: the connection is gone.
        """
        self._begin()
        fields = [(_latin(name), _latin(value)) for name, value in headers]
        names = {name.lower() for name, _ in fields}
        if b"host" not in names:
            fields.insert(0, (b"Host", self._address.authority.encode()))
        if body and not names & {b"content-length", b"transfer-encoding"}:
            fields.append((b"Transfer-Encoding", b"chunked"))
        try:
            request = h11.Request(method=method, target=target or self._address.target, headers=fields)
        except h11.LocalProtocolError as exc:
            raise UsageError(f"this request can't be sent: {exc}") from exc
        await self._send(request, *([] if body else [h11.EndOfMessage()]))

    async def send_chunk(self, data: bytes) -> None:
        """Send a part of the body, as one chunk; nothing for no bytes.

        Returns when the kernel has taken all of it: a server that does not read holds the sender back.

        Raises:
            UsageError: no body is being sent, or it is longer than its Content-Length.
            ConnectionLostError: the connection is gone. An answer may still be readable.
        """
        await self._send(h11.Data(data=data))

    async def end(self, trailers: Headers = ()) -> None:
        """End the body.

        Raises:
            UsageError: no body is being sent, or it is shorter than its Content-Length.
            ConnectionLostError: the connection is gone. An answer may still be readable.
        """
        await self._send(h11.EndOfMessage(headers=[(_latin(name), _latin(value)) for name, value in trailers]))

    async def send_raw(self, data: bytes) -> None:
        """Send exactly these bytes, whatever HTTP says of them. Answers are read as usual.

        Raises:
            ConnectionLostError: the connection is gone. An answer may still be readable.
        """
        await self._pipe.send(data)

    async def send_eof(self) -> None:
        """End our direction of the connection, as a client does that vanishes politely.

        Raises:
            ConnectionLostError: the connection is gone.
        """
        await self._pipe.send_eof()

    async def read_head(self) -> ResponseHead:
        """Wait for the head of the answer; interim answers (1xx) are passed over.

        Raises:
            ConnectionLostError: the connection ended before it.
            PeerError: it is not HTTP/1.1, or its head is larger than 64 KiB.
            UsageError: it has been read, and its body has not.
        """
        self._begin()
        while isinstance(event := await self._next_event(), h11.InformationalResponse):
            if event.status_code == 101:
                break
        if not isinstance(event, h11.Response | h11.InformationalResponse):
            self._held = event
            raise UsageError("the head of the answer has been read")
        return ResponseHead(event.status_code, tuple((bytes(name), bytes(value)) for name, value in event.headers))

    async def read_chunk(self) -> bytes:
        """What has come of the answer's body, at least a byte; empty at its proper end.

        Bounds between the server's chunks are not kept.

        Raises:
            ConnectionLostError: the connection ended before the body did.
            PeerError: the body's framing is broken.
            UsageError: the head has not been read, or the end has.
        """
        event = await self._next_event()
        if isinstance(event, h11.EndOfMessage):
            self._trailers = tuple((bytes(name), bytes(value)) for name, value in event.headers)
            return b""
        if not isinstance(event, h11.Data):
            self._held = event
            raise UsageError("no body is being read")
        parts = [bytes(event.data)]
        while isinstance(following := self._poll(), h11.Data):
            parts.append(bytes(following.data))
        self._held = following
        return b"".join(parts)

    async def read_body(self, *, max_bytes: int) -> bytes:
        """The rest of the body, at once.

        Raises:
            PeerError: it is longer, or broken.
            ConnectionLostError, UsageError: as ``read_chunk``.
        """
        body = bytearray()
        while chunk := await self.read_chunk():
            body += chunk
            if len(body) > max_bytes:
                raise PeerError(f"the answer is larger than {max_bytes} bytes")
        return bytes(body)

    async def read_beginning(self, *, max_bytes: int) -> bytes:
        """What can be had of the body, up to a length: for an error's text. A body that breaks off is no error here.

        Raises:
            UsageError: as ``read_chunk``.
        """
        body = bytearray()
        with suppress(ConnectionLostError, PeerError):
            while len(body) < max_bytes and (chunk := await self.read_chunk()):
                body += chunk
        return bytes(body[:max_bytes])

    def close(self) -> None:
        """End the connection properly. Twice is once."""
        self._pipe.close()

    def abort(self) -> None:
        """Reset the connection, as a client does that crashes. What another task waits for raises. Twice is once."""
        self._pipe.abort()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abort()

    def switch(self) -> tuple[Transport, bytes]:
        """After status 101: the connection itself, and what has been read of the new protocol."""
        return self._pipe, self._h11.trailing_data[0]

    def _begin(self) -> None:
        """Start over after a whole exchange, also after one whose request was sent raw."""
        if self._h11.their_state is h11.DONE and self._h11.our_state in {h11.DONE, h11.IDLE}:
            following = self._h11.trailing_data[0]
            self._h11 = _new_h11()
            self._held = None
            if following:
                self._h11.receive_data(following)

    async def _send(self, *events: h11.Event) -> None:
        try:
            data = b"".join(self._h11.send(event) or b"" for event in events)
        except h11.LocalProtocolError as exc:
            raise UsageError(f"this can't be sent now: {exc}") from exc
        await self._pipe.send(data)

    async def _next_event(self) -> h11.Event:
        """The next event, waiting for bytes as needed."""
        event = self._poll()
        while event is None:
            data = await self._pipe.receive()
            self._eof = not data
            self._h11.receive_data(data)
            event = self._poll()
        if isinstance(event, Exception):
            self._held = event
            raise event
        return event

    def _poll(self) -> _Held | None:
        """The next event, or exception, that needs no more bytes; None: there is none."""
        if self._held is not None:
            held, self._held = self._held, None
            return held
        state = self._h11.their_state
        if state in _ENDED:
            return UsageError("the answer has been read to its end")
        if state in _BEFORE_HEAD and not b"HTTP/".startswith(self._h11.trailing_data[0][:5]):
            return PeerError("what the server sends is not HTTP/1.1")  # at once: the end of such a head may never come
        try:
            event = self._h11.next_event()
        except h11.RemoteProtocolError:
            if self._eof:
                return ConnectionLostError("the server closed the connection before its answer was whole")
            return PeerError("what the server sends is not HTTP/1.1")
        if isinstance(event, h11.ConnectionClosed):
            return ConnectionLostError("the server closed the connection without an answer")
        return event if isinstance(event, h11.Event) else None


def _new_h11() -> h11.Connection:
    return h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD_BYTES)


def _latin(text: str | bytes) -> bytes:
    return text.encode("latin-1") if isinstance(text, str) else text
