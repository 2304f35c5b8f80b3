"""Byte-level streaming clients: HTTP/1.1 on h11, WebSocket on wsproto, over asyncio sockets.

Bytes go out as they are given and are handed over as they come; nothing is buffered whole, both directions flow at the
same time, and a peer that does not read holds the sender back. Made for the command line and for tests: besides what
the protocols allow, both clients send any bytes one likes.
"""

from __future__ import annotations

from asgi_grpc.client._address import Address, parse_url
from asgi_grpc.client._errors import (
    AddressError,
    ClientError,
    ConnectError,
    ConnectionLostError,
    HandshakeError,
    PeerError,
)
from asgi_grpc.client._http import Headers, HttpConnection, ResponseHead
from asgi_grpc.client._transport import Transport
from asgi_grpc.client._websocket import WebSocket

__all__ = [
    "Address",
    "AddressError",
    "ClientError",
    "ConnectError",
    "ConnectionLostError",
    "HandshakeError",
    "Headers",
    "HttpConnection",
    "PeerError",
    "ResponseHead",
    "Transport",
    "WebSocket",
    "parse_url",
]
