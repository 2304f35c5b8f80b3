"""What is known of one call: its method, its way, its counts, its times, its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

from asgi_grpc.errors import Code
from asgi_grpc.schema import Method

Transport = Literal["http", "sse", "websocket"]
"""How a client speaks: ``"sse"`` where the answer is an event stream, ``"http"`` for every other body."""


class CallRecord:
    """One call, from the request that matched its method to the end of its answer. Its counts grow while it runs.

    Args:
        method: that is called.
        route: the template that matched, e.g. ``"/v1/helloworld/{name}"``.
        transport: as far as the request's head tells.
        scope: of the ASGI connection.

    Attributes:
        method: as above.
        route: as above.
        transport: as above; final when ``Observer.started`` is called.
        scope: as above, with the client's headers. It is the server's: look, and change nothing.
        metadata: what observers put here goes to the service, instead of what the client sent under the same keys. Keys
            are lower-case, values printable ASCII.
        received: messages that the service's side took from the client.
        received_bytes: of the request's body, or of the text messages; as they came, so compressed ones are small.
        sent: replies.
        sent_bytes: of the answer's body, or of the text messages; with what stands round the messages.
        started_at: when the request had been matched, in seconds of ``time.monotonic``.
        first_sent_at: when the first reply was there to be sent; None: there was none yet.
        ended_at: None while the call runs.
        code: how the call ended: what the client was told, or CANCELLED where it was gone. None while the call runs.
    """

    __slots__ = (
        "_held",
        "code",
        "ended_at",
        "first_sent_at",
        "metadata",
        "method",
        "received",
        "received_bytes",
        "route",
        "scope",
        "sent",
        "sent_bytes",
        "started_at",
        "transport",
    )

    def __init__(self, method: Method, *, route: str, transport: Transport, scope: Mapping[str, Any]) -> None:
        self.method: Method = method
        self.route: str = route
        self.transport = transport
        self.scope: Mapping[str, Any] = scope
        self.metadata: dict[str, str] = {}
        self.received: int = 0
        self.received_bytes: int = 0
        self.sent: int = 0
        self.sent_bytes: int = 0
        self.started_at: float = time.monotonic()
        self.first_sent_at: float | None = None
        self.ended_at: float | None = None
        self.code: Code | None = None
        self._held: Callable[[], int] | None = None

    @property
    def service(self) -> str:
        """The service's full name, e.g. ``"helloworld.Greeter"``."""
        return self.method.full_name.rpartition(".")[0]

    @property
    def name(self) -> str:
        """The method's own name, e.g. ``"SayHello"``."""
        return self.method.full_name.rpartition(".")[2]

    @property
    def peer(self) -> str:
        """The client's address as the ASGI server tells it, e.g. ``"127.0.0.1:50000"``; ``""`` where it tells none."""
        client = self.scope.get("client")
        if not client:
            return ""
        host, port = client
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    @property
    def duration_s(self) -> float:
        """Seconds from the start to the end, or to now."""
        return (self.ended_at or time.monotonic()) - self.started_at

    @property
    def first_message_s(self) -> float | None:
        """Seconds from the start to the first reply; None: there was none yet."""
        return None if self.first_sent_at is None else self.first_sent_at - self.started_at

    @property
    def held_bytes(self) -> int:
        """What was read from the client and not yet taken by the service's side, at this moment."""
        held = self._held  # a scrape on another thread may look while the call ends
        return 0 if held is None else held()

    def hold(self, held: Callable[[], int] | None) -> None:
        """Say where ``held_bytes`` comes from; None: nowhere any more."""
        self._held = held
