"""Whether a client is still there, while nothing is read from it."""

from __future__ import annotations

import select
from typing import Any

from asgi_grpc.asgi._types import Receive

_RESET = select.POLLERR | select.POLLHUP
_ENDED = getattr(select, "POLLRDHUP", 0)


def is_broken(receive: Receive, *, by_reset: bool = False) -> bool:
    """Ask the operating system about the connection that a ``receive`` reads; False where it can't be found.

    ASGI tells of a disconnect behind everything that was sent before it, so nobody who does not read hears of one.
    uvicorn's ``receive`` is a method of an object that has the transport; behind an application that wraps ``receive``
    it is not found. Costs a few microseconds.

    Args:
        receive: of the connection.
        by_reset: only a reset counts, not a client that has sent all and closed its end.
    """
    transport: Any = getattr(getattr(receive, "__self__", None), "transport", None)
    try:
        connection = transport.get_extra_info("socket")
        poll = select.poll()
        poll.register(connection.fileno(), 0 if by_reset else _ENDED)  # a reset shows unasked
        return any(found & (_RESET | _ENDED) for _, found in poll.poll(0))
    except (AttributeError, OSError, ValueError):
        return False
