"""The OpenAPI document of a gateway, served at a path."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import msgspec

from asgi_grpc.asgi._head import quote, routing_path
from asgi_grpc.asgi._types import ResponseBody, ResponseStart, Scope, Send
from asgi_grpc.errors import ConfigurationError

_MOST_PREFIXES = 8  # of ``root_path``: an application is seldom mounted twice, but a path with a variable has no end


class DocumentResponder:
    """Answers GET and HEAD at one path with a document that is made when it is first asked for.

    Args:
        path: below ``root_path``.
        build: makes the document for URLs of servers, which are none or the ``root_path``.

    Raises:
        ConfigurationError: the path does not begin with a slash.
    """

    def __init__(self, path: str, build: Callable[[Sequence[str]], object]) -> None:
        if not path.startswith("/"):
            raise ConfigurationError(f"openapi_path: expected a path that begins with '/', got {path!r}")
        self._path = quote(path)
        # The paths of a document are below the prefix that we are mounted at, which only a request tells.
        self._document = lru_cache(_MOST_PREFIXES)(
            lambda root_path: msgspec.json.encode(build([root_path] if root_path else []))
        )

    def takes(self, scope: Scope) -> bool:
        """Whether a request of HTTP asks for the document."""
        return scope["method"] in ("GET", "HEAD") and routing_path(scope) == self._path

    async def answer(self, scope: Scope, send: Send) -> None:
        """Answer such a request."""
        body = self._document(quote(scope.get("root_path", "").rstrip("/")).decode())
        length = (b"content-length", b"%d" % len(body))
        headers = [(b"content-type", b"application/json"), length]
        try:
            await send(ResponseStart(type="http.response.start", status=200, headers=headers))
            if scope["method"] == "HEAD":
                body = b""
            await send(ResponseBody(type="http.response.body", body=body, more_body=False))
        except OSError:
            pass  # what ASGI says of a client that is gone; there is nothing to end
