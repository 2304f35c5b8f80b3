"""The connection below ASGI: is the client still there, while nothing is read; and the end of one that stalls."""

from __future__ import annotations

import os
import select
import socket
import struct
from typing import Any

from asgi_grpc.asgi._types import Receive

_RESET = select.POLLERR | select.POLLHUP
_ENDED = getattr(select, "POLLRDHUP", 0)

_NO_LINGER = struct.pack("ii", 1, 0)  # what was written and not read is dropped by the close, and the peer is told


def is_broken(receive: Receive, *, by_reset: bool = False) -> bool:
    """Ask the operating system about the connection that a ``receive`` reads; False where it can't be found.

    ASGI tells of a disconnect behind everything that was sent before it, so nobody who does not read hears of one.
    uvicorn's ``receive`` is a method of an object that has the transport; behind an application that wraps ``receive``
    it is not found. Costs a few microseconds.

    Args:
        receive: of the connection.
        by_reset: only a reset counts, not a client that has sent all and closed its end.
    """
    transport = _transport(receive)
    try:
        connection = transport.get_extra_info("socket")
        poll = select.poll()
        poll.register(connection.fileno(), 0 if by_reset else _ENDED)  # a reset shows unasked
        return any(found & (_RESET | _ENDED) for _, found in poll.poll(0))
    except (AttributeError, OSError, ValueError):
        return False


def break_off(receive: Receive) -> None:
    """Reset the connection that a ``receive`` reads, if it can be found, as ``is_broken`` finds it.

    For a client that does not read: a server can only close, which first waits until the client has read what is
    written already, and so for ever.
    """
    transport = _transport(receive)
    try:
        with socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno())) as same:
            same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    except (AttributeError, OSError):
        pass  # the system drops what is unread by itself, after a while
    abort = getattr(transport, "abort", None)
    if abort is not None:
        abort()


def _transport(receive: Receive) -> Any:
    """What carries the connection; None where it can't be found."""
    return getattr(getattr(receive, "__self__", None), "transport", None)
