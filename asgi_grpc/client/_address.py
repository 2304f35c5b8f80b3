"""A URL, taken apart."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from asgi_grpc.client._errors import AddressError

_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
_KEPT = "!$&'()*+,;=:@/?%-._~[]"  # RFC 3986: what may stand in a path or a query, and what is encoded already


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a URL points to.

    Attributes:
        scheme: ``"http"``, ``"https"``, ``"ws"`` or ``"wss"``.
        host: a name or an IP address, without brackets.
        port: the scheme's own where the URL names none.
        target: path and query as they stand in a request line; ``"/"`` at least; without a fragment.
    """

    scheme: str
    host: str
    port: int
    target: str

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.scheme in {"https", "wss"}

    @property
    def authority(self) -> str:
        """The ``Host`` header: without the port where it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def parse_url(url: str) -> Address:
    """Take a URL apart.

    Args:
        url: absolute, with one of the schemes http, https, ws, wss. Characters that a URL can't carry are
            percent-encoded as UTF-8; what is percent-encoded stays so.

    Raises:
        AddressError: it has another scheme, no host, a bad port, or a password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode()
    except ValueError as exc:  # a bad port, bracket or host name; the text of it names our internals
        raise AddressError(f"{url!r} is not a URL") from exc
    if parts.scheme not in _PORTS or not host:
        raise AddressError(f"{url!r}: expected http://, https://, ws:// or wss:// and a host")
    if parts.username is not None:
        raise AddressError("a URL with a user's name or password is not supported; send an Authorization header")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Address(
        scheme=parts.scheme,
        host=host,
        port=_PORTS[parts.scheme] if port is None else port,
        target=quote(target, safe=_KEPT),
    )
