"""The OpenAPI document of a gateway, as a page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import msgspec

from asgi_grpc.asgi._head import quote
from asgi_grpc.asgi._pages import Content, Page
from asgi_grpc.asgi._types import Scope

_MOST_PREFIXES = 8  # of ``root_path``: an application is seldom mounted twice, but a path with a variable has no end


def document_page(build: Callable[[Sequence[str]], object]) -> Page:
    """The page of a document that is made when it is first asked for.

    Args:
        build: makes the document for URLs of servers, which are none or the ``root_path``.
    """

    @lru_cache(_MOST_PREFIXES)
    def document(root_path: str) -> bytes:
        # The paths of a document are below the prefix that we are mounted at, which only a request tells.
        return msgspec.json.encode(build([root_path] if root_path else []))

    async def page(scope: Scope) -> Content:
        body = document(quote(scope.get("root_path", "").rstrip("/")).decode())
        return Content(200, "application/json", body, of_this_moment=False)

    return page
