"""A WebSocket client: whole messages, and every frame that one wants to send."""

from __future__ import annotations

import base64
import os
import ssl
from collections import deque
from collections.abc import AsyncIterator, Sequence
from hashlib import sha1
from types import TracebackType
from typing import Self

from wsproto import ConnectionType
from wsproto.connection import Connection, ConnectionState
from wsproto.events import BytesMessage, CloseConnection, Event, Message, Ping, Pong, TextMessage
from wsproto.utilities import LocalProtocolError

from asgi_grpc.client._errors import ConnectionLostError, HandshakeError, PeerError
from asgi_grpc.client._http import Headers, HttpConnection, ResponseHead
from asgi_grpc.client._transport import Transport
from asgi_grpc.errors import UsageError

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3
_MAX_REFUSAL_BYTES = 64 << 10
_PONGS_KEPT = 64


class WebSocket:
    """One WebSocket connection, without extensions.

    One task may send while another receives. Pings are answered while ``receive()`` is waiting.

        async with await WebSocket.connect("ws://localhost:8000/chat", subprotocols=["v1"]) as socket:
            await socket.send_text("{}")
            async for message in socket:
                print(message)
        print(socket.close_code, socket.close_reason)

    Leaving the ``async with`` closes the TCP connection, by ``abort()`` if an exception leaves it; the closing
    handshake is ``close()``.

    Attributes:
        head: the server's answer to the handshake.
        subprotocol: the one that the server chose, None for none.
        close_code: the peer's, once ``receive()`` has returned None; 1005 where it gave none.
        close_reason: the peer's text.
        pongs: payloads of the last 64 pongs that ``receive()`` has met.
    """

    def __init__(self, pipe: Transport, head: ResponseHead, *, received: bytes, max_message_bytes: int) -> None:
        self.head = head
        self.subprotocol: str | None = head.header("sec-websocket-protocol")
        self.close_code: int | None = None
        self.close_reason: str = ""
        self.pongs: deque[bytes] = deque(maxlen=_PONGS_KEPT)
        self._pipe = pipe
        self._max_message_bytes = max_message_bytes
        self._protocol = Connection(ConnectionType.CLIENT, trailing_data=received)
        self._events: deque[Event] = deque(self._protocol.events())
        self._parts: list[str | bytes] = []  # of the message that is coming in
        self._parts_bytes = 0

    @classmethod
    async def connect(
        cls,
        url: str,
        *,
        subprotocols: Sequence[str] = (),
        headers: Headers = (),
        max_message_bytes: int = 64 << 20,
        ssl_context: ssl.SSLContext | None = None,
        timeout_s: float | None = 10.0,
    ) -> Self:
        """Connect, and agree on a WebSocket.

        Args:
            url: ws or wss (http and https mean the same connection).
            subprotocols: offered, the preferred one first.
            headers: sent beside those of the handshake.
            max_message_bytes: a longer message from the peer is an error, however it is fragmented.
            ssl_context: for wss; None trusts what the system trusts.
            timeout_s: for the name, the connection and TLS; the handshake itself may take as long as the server likes.

        Raises:
            AddressError: the URL can't be used.
            ConnectError: nobody answers there.
            HandshakeError: the server refused; its status and the beginning of its body say why.
            ConnectionLostError, PeerError: the answer was cut off, or is not one to our question.
        """
        connection = await HttpConnection.open(url, ssl_context=ssl_context, timeout_s=timeout_s)
        return await cls.over(
            connection, subprotocols=subprotocols, headers=headers, max_message_bytes=max_message_bytes
        )

    @classmethod
    async def over(
        cls,
        connection: HttpConnection,
        *,
        subprotocols: Sequence[str] = (),
        headers: Headers = (),
        max_message_bytes: int = 64 << 20,
    ) -> Self:
        """Agree on a WebSocket over an HTTP connection that exists, whose URL is asked for; it is used up by that.

        Args:
            connection: aborted if the server refuses.
            subprotocols: as for ``connect``.
            headers: as for ``connect``.
            max_message_bytes: as for ``connect``.

        Raises:
            HandshakeError, ConnectionLostError, PeerError: as ``connect``.
        """
        try:
            head = await _shake_hands(connection, subprotocols, headers)
        except BaseException:
            connection.abort()
            raise
        pipe, received = connection.switch()
        return cls(pipe, head, received=received, max_message_bytes=max_message_bytes)

    async def send_text(self, text: str) -> None:
        """Send one text message, as one frame.

        Returns when the kernel has taken all of it: a server that does not read holds the sender back.

        Raises:
            UsageError: one side has closed, or the text has a lone surrogate.
            ConnectionLostError: the connection is gone. Messages may still be readable.
        """
        try:
            await self._send(TextMessage(data=text))
        except UnicodeEncodeError as exc:
            raise UsageError("this text can't be sent: it has a lone surrogate") from exc

    async def send_bytes(self, data: bytes) -> None:
        """Send one binary message, as one frame. Raises as ``send_text``."""
        await self._send(BytesMessage(data=data))

    async def send_fragment(self, data: str | bytes, *, last: bool) -> None:
        """Send one frame of a message in several; all of one kind. Raises as ``send_text``."""
        kind = (
            TextMessage(data, message_finished=last)
            if isinstance(data, str)
            else BytesMessage(data, message_finished=last)
        )
        await self._send(kind)

    async def ping(self, payload: bytes = b"") -> None:
        """Send a ping of at most 125 bytes; its pong appears in ``pongs``. Raises as ``send_text``."""
        await self._send(Ping(payload=payload))

    async def send_raw(self, data: bytes) -> None:
        """Send exactly these bytes, whatever RFC 6455 says of them: they are not masked or framed.

        Raises:
            ConnectionLostError: the connection is gone.
        """
        await self._pipe.send(data)

    async def receive(self) -> str | bytes | None:
        """The next message, put together; None when the peer has closed. A close is answered.

        Raises:
            ConnectionLostError: the connection ended without a close frame.
            PeerError: a frame is broken, or a message is larger than the limit.
            UsageError: the end has been received.
        """
        if self.close_code is not None:
            raise UsageError("the peer has closed")
        while True:
            while self._events:
                message, whole = self._take(self._events.popleft())
                if whole:
                    return message
            data = await self._pipe.receive()
            if not data:
                raise ConnectionLostError("the server ended the connection without closing the WebSocket")
            self._protocol.receive_data(data)
            self._events.extend(self._protocol.events())

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        """Every message until the peer closes. Raises as ``receive``."""
        while (message := await self.receive()) is not None:
            yield message

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Begin to close: the peer's close is then found by ``receive()``. Twice, or after the peer's, is nothing.

        Args:
            code: 1000, or 3000 to 4999.
            reason: text for people; cut at 123 bytes.

        Raises:
            ConnectionLostError: the connection is gone.
        """
        if self._protocol.state is ConnectionState.OPEN:
            await self._send(CloseConnection(code=code, reason=reason))

    def abort(self) -> None:
        """Reset the connection, as a client does that crashes. What another task waits for raises. Twice is once."""
        self._pipe.abort()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._pipe.close()
        else:
            self._pipe.abort()

    async def _send(self, event: Event) -> None:
        await self._pipe.send(self._encode(event))

    def _encode(self, event: Event) -> bytes:
        try:
            return self._protocol.send(event)
        except LocalProtocolError as exc:
            raise UsageError("this can't be sent: the WebSocket is closing") from exc

    def _take(self, event: Event) -> tuple[str | bytes | None, bool]:
        """Take one event in: the message that it completes, None for the close; and whether it completes anything."""
        if isinstance(event, Message):
            return self._take_part(event.data, last=event.message_finished)
        if isinstance(event, Ping):
            if self._protocol.state is ConnectionState.OPEN:
                self._pipe.post(self._encode(event.response()))
        elif isinstance(event, Pong):
            self.pongs.append(bytes(event.payload))
        elif isinstance(event, CloseConnection):
            if self._protocol.state is ConnectionState.OPEN:  # wsproto's way to report a frame that it can't read
                raise PeerError(f"what the server sends is not a WebSocket frame: {event.reason}")
            if self._protocol.state is ConnectionState.REMOTE_CLOSING:
                self._pipe.post(self._encode(event.response()))
            self.close_code, self.close_reason = int(event.code), event.reason or ""
            return None, True
        return None, False

    def _take_part(self, data: str | bytes, *, last: bool) -> tuple[str | bytes | None, bool]:
        """Add to the message that is coming in."""
        self._parts_bytes += len(data.encode()) if isinstance(data, str) and not data.isascii() else len(data)
        if self._parts_bytes > self._max_message_bytes:
            raise PeerError(f"a message is larger than {self._max_message_bytes} bytes")
        self._parts.append(data)
        if not last:
            return None, False
        nothing: str | bytes = "" if isinstance(data, str) else b""  # wsproto's bytes may be a bytearray
        whole = nothing.join(self._parts)  # type: ignore[arg-type]  # wsproto never mixes text and bytes
        self._parts, self._parts_bytes = [], 0
        return whole, True


async def _shake_hands(connection: HttpConnection, subprotocols: Sequence[str], headers: Headers) -> ResponseHead:
    """Ask for a WebSocket, and check the answer. Source: RFC 6455, section 4.1."""
    key = base64.b64encode(os.urandom(16))
    offer: list[tuple[str | bytes, str | bytes]] = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", key),
        ("Sec-WebSocket-Version", "13"),
    ]
    if subprotocols:
        offer.append(("Sec-WebSocket-Protocol", ", ".join(subprotocols)))
    await connection.send_head("GET", headers=[*offer, *headers], body=False)
    head = await connection.read_head()
    if head.status != 101:
        raise HandshakeError(
            f"the server refused the WebSocket with HTTP status {head.status}",
            status=head.status,
            headers=head.headers,
            body=await connection.read_beginning(max_bytes=_MAX_REFUSAL_BYTES),
        )
    accepted = base64.b64encode(sha1(key + _GUID, usedforsecurity=False).digest()).decode()
    if head.header("sec-websocket-accept") != accepted or (head.header("upgrade") or "").lower() != "websocket":
        raise PeerError("the server's answer does not accept our WebSocket: it was made for another request")
    if head.header("sec-websocket-extensions"):
        raise PeerError("the server chose a WebSocket extension that was not offered")
    if (chosen := head.header("sec-websocket-protocol")) is not None and chosen not in subprotocols:
        raise PeerError("the server chose a WebSocket subprotocol that was not offered")
    return head
