"""Sockets that ``localhost`` reaches, whichever address a client takes it for."""

from __future__ import annotations

import errno
import os
import socket

_FAMILIES = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
_MISSING = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.ENODEV}  # this machine has no such loopback
_ATTEMPTS = 20
_REUSE = int(os.name == "posix")  # a demo can follow a demo at once; elsewhere it would share the port with strangers


class PortTaken(Exception):  # noqa: N818 - it says what happened
    """The port can't be used; the text says why, and what to do."""


def bind_loopback(port: int) -> list[socket.socket]:
    """Bind one port on 127.0.0.1, and on ::1 where there is one.

    Both: browsers and curl take ``localhost`` for either, and another program on the other one would answer them.

    Args:
        port: 0 picks one that is free on both.

    Raises:
        PortTaken: it is in use, or not ours to use.
    """
    problem: OSError | None = None
    for _ in range(_ATTEMPTS if port == 0 else 1):
        try:
            return _bind_both(port)
        except OSError as exc:
            problem = exc
            if exc.errno != errno.EADDRINUSE:  # with port 0: free on one address, taken on the other
                break
    assert problem is not None
    if problem.errno == errno.EADDRINUSE:
        raise PortTaken(f"port {port} is in use; choose another one with --port") from problem
    raise PortTaken(f"can't listen on port {port}: {(problem.strerror or str(problem)).lower()}") from problem


def _bind_both(port: int) -> list[socket.socket]:
    bound: list[socket.socket] = []
    for family, address in _FAMILIES:
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
        except OSError:  # the kernel has no such family
            continue
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, _REUSE)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind((address, port))
            sock.listen()  # only now is it known to be ours
        except OSError as exc:
            sock.close()
            if exc.errno in _MISSING:
                continue
            for other in bound:
                other.close()
            raise
        port = sock.getsockname()[1]
        bound.append(sock)
    if not bound:
        raise OSError(errno.EADDRNOTAVAIL, "this machine has no loopback address")
    return bound
