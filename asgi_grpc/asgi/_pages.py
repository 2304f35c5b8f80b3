"""Small pages of the gateway itself, each at its own path: health, metrics, the OpenAPI document."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from asgi_grpc.asgi._head import quote, routing_path
from asgi_grpc.asgi._types import ResponseBody, ResponseStart, Scope, Send
from asgi_grpc.errors import ConfigurationError
from asgi_grpc.telemetry import Observer


class Content(NamedTuple):
    """What a page says.

    Attributes:
        status: of the answer.
        media_type: of the body.
        body: all of it.
        of_this_moment: it may be another the next moment, so nobody should keep it.
    """

    status: int
    media_type: str
    body: bytes
    of_this_moment: bool = True


Page = Callable[[Scope], Awaitable[Content]]


class Pages:
    """Finds the page of a request, by its whole path below ``root_path``."""

    def __init__(self) -> None:
        self._by_path: dict[bytes, Page] = {}

    def __len__(self) -> int:
        return len(self._by_path)

    def add(self, option: str, path: str, page: Page) -> None:
        """Put a page at a path.

        Args:
            option: the user's name for it.
            path: where.
            page: what.

        Raises:
            ConfigurationError: the path does not begin with a slash, or has a page.
        """
        if not path.startswith("/"):
            raise ConfigurationError(f"{option}: expected a path that begins with '/', got {path!r}")
        if self._by_path.setdefault(quote(path), page) is not page:
            raise ConfigurationError(f"{option}: there is another page at {path!r}")

    def find(self, scope: Scope) -> Page | None:
        """The page that a request of HTTP asks for, if it asks for one."""
        return self._by_path.get(routing_path(scope)) if scope["method"] in ("GET", "HEAD") else None


def metrics_page(observers: Sequence[Observer]) -> tuple[Page, Sequence[Observer]]:
    """The page of Prometheus metrics.

    Args:
        observers: given by the user.

    Returns:
        The page, and the observers with one that counts what it shows.

    Raises:
        ConfigurationError: prometheus-client is not installed.
    """
    from asgi_grpc.telemetry import PrometheusMetrics  # noqa: PLC0415 - it imports what few users install

    metrics = next((each for each in observers if isinstance(each, PrometheusMetrics)), None)
    if metrics is None:
        metrics = PrometheusMetrics()
        observers = [*observers, metrics]

    async def page(scope: Scope) -> Content:
        accept = b",".join(value for name, value in scope["headers"] if name == b"accept").decode("latin-1")
        return Content(200, *await asyncio.to_thread(metrics.page, accept))  # a large registry takes long to write

    return page, observers


async def answer_with(page: Page, scope: Scope, send: Send) -> None:
    """Answer a request with a page."""
    status, media_type, body, of_this_moment = await page(scope)
    headers = [(b"content-type", media_type.encode("ascii")), (b"content-length", b"%d" % len(body))]
    if of_this_moment:
        headers.append((b"cache-control", b"no-store"))
    try:
        await send(ResponseStart(type="http.response.start", status=status, headers=headers))
        if scope["method"] == "HEAD":
            body = b""
        await send(ResponseBody(type="http.response.body", body=body, more_body=False))
    except OSError:
        pass  # what ASGI says of a client that is gone; there is nothing to end
