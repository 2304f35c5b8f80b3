"""Answers that are raw bytes: the ``google.api.HttpBody`` of a reply, or of a stream of them."""

from __future__ import annotations

from google.protobuf.message import Message

from asgi_grpc.asgi._gateway import Gateway
from asgi_grpc.asgi._head import Head
from asgi_grpc.asgi._response import Content, HttpResponse
from asgi_grpc.asgi._types import Send
from asgi_grpc.calls import Call
from asgi_grpc.routing import Reply

_UNKNOWN = "application/octet-stream"


def bytes_of(reply: Reply, message: Message) -> Content:
    """The bytes of a reply, and their media type: that of unknown bytes, where the service gave none that HTTP carries.

    Source: RFC 9110, section 8.3.
    """
    media_type, data = reply.content(message)
    legal = media_type.isascii() and media_type.isprintable() and media_type.strip()
    return (media_type.strip() if legal else _UNKNOWN).encode("ascii"), data


class BytesResponse(HttpResponse):
    """The answer of a method that replies with a stream of bytes. See ``asgi_grpc.asgi._exchange.Answer``.

    The bytes follow each other with nothing in between; the first reply gives the media type, and so the head waits for
    it. Bytes have no room for a failure: behind the head, the connection is broken off.
    """

    def __init__(self, gateway: Gateway, head: Head, send: Send, reply: Reply) -> None:
        super().__init__(gateway, head, send)
        self._reply = reply

    async def accepted(self, call: Call) -> None:
        """Nothing leaves before the first reply."""
        self._call = call

    async def messages(self, messages: list[Message]) -> None:
        """Send the bytes of some replies."""
        for message in messages:
            media_type, data = bytes_of(self._reply, message)
            if self._waiting:
                await self._stream(media_type)
            if data:
                await self._piece(data)

    async def success(self) -> None:
        """End the bytes."""
        assert self._call is not None
        if self._waiting:
            await self._stream(_UNKNOWN.encode())
        await self._write(*self._end(b"", self._call.trailers))

    async def stop(self) -> None:
        """No timer runs here."""
