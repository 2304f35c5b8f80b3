"""The head of a request, read once: its header fields by name, and its path."""

from __future__ import annotations

import urllib.parse
from typing import NamedTuple

from asgi_grpc.asgi._types import Scope


class Head(NamedTuple):
    """What a scope says of a request.

    Attributes:
        scope: the ASGI scope.
        pairs: its header fields as they came.
        fields: the same by name, the lines of each joined by commas. Source: RFC 9110, section 5.3.
    """

    scope: Scope
    pairs: list[tuple[bytes, bytes]]
    fields: dict[bytes, bytes]

    def get(self, name: bytes) -> str | None:
        """A field's value; None where there is none."""
        found = self.fields.get(name)
        return None if found is None else found.decode("latin-1")

    @property
    def is_ambiguous(self) -> bool:
        """Its body's length is told in two ways, and a proxy before us may have read the other one.

        Such a request is served by its Transfer-Encoding, where the server lets it pass, and is the last of its
        connection. There are clients that send both: httpx, given a stream and a length. Source: RFC 9112, section 6.3.
        """
        return b"transfer-encoding" in self.fields and b"content-length" in self.fields


def read_head(scope: Scope) -> Head:
    """The head of a request."""
    pairs = [*scope["headers"]]
    fields = dict(pairs)
    if len(fields) != len(pairs):  # seldom: some name has several lines
        lines: dict[bytes, list[bytes]] = {}
        for name, value in pairs:
            lines.setdefault(name, []).append(value)
        fields = {name: b", ".join(values) for name, values in lines.items()}
    return Head(scope, pairs, fields)


def routing_path(scope: Scope) -> bytes:
    """The percent-encoded path below ``root_path``, from ``raw_path`` where the server gives it."""
    raw: bytes = scope.get("raw_path") or quote(scope["path"])
    prefix = scope.get("root_path")
    if not prefix:
        return raw
    root = quote(prefix).rstrip(b"/")
    below = raw.removeprefix(root)
    return below if below.startswith(b"/") or not root else raw


def quote(path: str) -> bytes:
    """A decoded path, percent-encoded again; its slashes stay."""
    return urllib.parse.quote(path, safe="/:@!$&'()*+,;=-._~").encode("ascii")
