"""What can go wrong for a client: one class for each different reaction."""

from __future__ import annotations

from asgi_grpc.errors import AsgiGrpcError


class ClientError(AsgiGrpcError):
    """The base of what these clients raise on purpose, ``UsageError`` aside. The text is a plain sentence."""


class AddressError(ClientError):
    """Write the URL differently: it is not one that these clients can open."""


class ConnectError(ClientError):
    """Look whether the server runs: nobody answers at that host and port, or not in the expected way (TLS or not)."""


class ConnectionLostError(ClientError):
    """Try again: the connection ended before the exchange did."""


class PeerError(ClientError):
    """Mend the server, or a limit of ours: what came breaks HTTP or WebSocket, or is larger than was allowed."""


class HandshakeError(ClientError):
    """Read the answer: the server refused the WebSocket.

    Attributes:
        status: the HTTP status of the refusal.
        headers: its headers, names in lower case.
        body: its body, of which at most the first 64 KiB are kept.
    """

    def __init__(self, message: str, *, status: int, headers: tuple[tuple[bytes, bytes], ...], body: bytes) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers
        self.body = body
