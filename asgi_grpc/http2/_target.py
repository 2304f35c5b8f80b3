"""Where a service is: the text that users type to an address, and an address to a connection."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from asgi_grpc.errors import ConfigurationError
from asgi_grpc.http2._connection import Connection

_HOST_AND_PORT = re.compile(r"(?:dns:(?:///)?)?(\[[0-9A-Fa-f:.]+(?:%[\w.-]+)?\]|[^:/\[\]\s]+):([0-9]{1,5})")
_ZONE = re.compile(r"%[^\]]*")
_PATH = re.compile(r"unix:(?://(?=/))?(.+)")
_SILENT_MS = 20_000  # until the system gives up a connection on which nothing is acknowledged


@dataclass(frozen=True)
class Target:
    """One place.

    Attributes:
        authority: as requests name it.
        host: a name or an address.
        port: 1 to 65535.
        path: of a socket in the file system, instead of host and port.
    """

    authority: str
    host: str = ""
    port: int = 0
    path: str | None = None

    @classmethod
    def parse(cls, text: str) -> Target:
        """Read a target.

        Raises:
            ConfigurationError: it has another form.

        Source: gRPC Name Resolution, of which this is the part without a resolver of its own.
        """
        if (found := _PATH.fullmatch(text)) is not None:
            return cls("localhost", path=found[1])
        found = _HOST_AND_PORT.fullmatch(text)
        try:
            if found is None or not 0 < int(found[2]) < 65536:
                raise ValueError
            host = found[1].encode("idna").decode()
        except ValueError as exc:  # a UnicodeError is one
            raise ConfigurationError(
                f"Http2Backend connects to one place: expected host:port, dns:///host:port or unix:path, got {text!r}"
            ) from exc
        authority = _ZONE.sub("", host)  # RFC 6874, section 4: it means something here only
        return cls(f"{authority}:{found[2]}", host=host.strip("[]"), port=int(found[2]))

    async def connect(self, make: Callable[[], Connection], tls: ssl.SSLContext | None) -> Connection:
        """Make a connection.

        Raises:
            OSError: it can't be made, or the other end does not want HTTP/2.
        """
        loop = asyncio.get_running_loop()
        name = None if tls is None else self.host or "localhost"
        if self.path is not None:
            transport, connection = await loop.create_unix_connection(make, self.path, ssl=tls, server_hostname=name)
        else:
            transport, connection = await loop.create_connection(
                make, self.host, self.port, ssl=tls, server_hostname=name
            )
            _watch(transport.get_extra_info("socket"))
        if tls is not None and transport.get_extra_info("ssl_object").selected_alpn_protocol() != "h2":
            transport.abort()
            raise OSError("the other end does not offer HTTP/2")
        return connection


def _watch(connected: socket.socket) -> None:
    """Have the system notice a service that vanished without a word."""
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _SILENT_MS)
