"""TLS without a socket: encrypted bytes in, plain bytes out, and back."""

from __future__ import annotations

import ssl
from contextlib import suppress

_RECORD_BYTES = 16 << 10  # RFC 8446, section 5.1: no TLS record carries more


class Tls:
    """The client's side of one TLS connection. Every method may raise ``ssl.SSLError``."""

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._session = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)

    def shake_hands(self, data: bytes) -> tuple[bytes, bool]:
        """Go on with the handshake: what to send now, and whether it is complete."""
        self._incoming.write(data)
        try:
            self._session.do_handshake()
        except ssl.SSLWantReadError:
            return self._outgoing.read(), False
        return self._outgoing.read(), True

    def encrypt(self, data: bytes) -> bytes:
        """What to send for some plain bytes."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._session.write(rest) :]
        return self._outgoing.read()

    def decrypt(self, data: bytes) -> tuple[bytes, bool]:
        """The plain bytes that some received ones complete, and whether the peer has said goodbye."""
        self._incoming.write(data)
        parts: list[bytes] = []
        try:
            while part := self._session.read(_RECORD_BYTES):
                parts.append(part)
        except ssl.SSLWantReadError:
            return b"".join(parts), False
        except ssl.SSLZeroReturnError:
            pass
        return b"".join(parts), True

    def reply(self) -> bytes:
        """What TLS itself wants to send, e.g. a key update after ``decrypt``."""
        return self._outgoing.read()

    def say_goodbye(self) -> bytes:
        """What to send so that the peer knows that nothing was cut off."""
        with suppress(ssl.SSLWantReadError):  # the peer's own goodbye is not waited for
            self._session.unwrap()
        return self._outgoing.read()
