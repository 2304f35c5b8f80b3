from __future__ import annotations

import errno
import socket
from collections.abc import Iterator

import pytest

from asgi_grpc.cli import _loopback
from asgi_grpc.cli._loopback import PortTaken, bind_loopback

IPV4 = (socket.AF_INET, "127.0.0.1")


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        yield sock.getsockname()[1]


def release(sockets: list[socket.socket]) -> set[int]:
    """Close them; their ports."""
    ports = {sock.getsockname()[1] for sock in sockets}
    for sock in sockets:
        sock.close()
    return ports


def test_every_loopback_address_gets_the_same_port() -> None:
    sockets = bind_loopback(0)
    families = [sock.family for sock in sockets]
    (port,) = release(sockets)
    assert families in ([socket.AF_INET, socket.AF_INET6], [socket.AF_INET])
    assert release(bind_loopback(port)) == {port}


def test_a_port_in_use_is_said_in_a_sentence(taken: int) -> None:
    with pytest.raises(PortTaken) as caught:
        bind_loopback(taken)
    assert str(caught.value) == f"port {taken} is in use; choose another one with --port"


def test_a_port_that_is_taken_on_one_address_only_is_in_use(taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    families = ((socket.AF_INET, "127.0.0.2"), IPV4)
    monkeypatch.setattr(_loopback, "_FAMILIES", families)
    with pytest.raises(PortTaken, match="is in use"):
        bind_loopback(taken)


def test_a_free_port_is_looked_for_until_both_addresses_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts: list[int] = []

    def bind(port: int) -> list[socket.socket]:
        attempts.append(port)
        if len(attempts) < 3:
            raise OSError(errno.EADDRINUSE, "taken")
        return []

    monkeypatch.setattr(_loopback, "_bind_both", bind)
    assert bind_loopback(0) == []
    assert attempts == [0, 0, 0]


def test_a_port_that_is_not_ours_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(port: int) -> list[socket.socket]:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(_loopback, "_bind_both", refuse)
    with pytest.raises(PortTaken, match="can't listen on port 80: permission denied"):
        bind_loopback(80)


def test_a_machine_without_one_family_uses_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    for missing in ((socket.AF_INET, "192.0.2.1"), (-2, "::1")):
        monkeypatch.setattr(_loopback, "_FAMILIES", (missing, IPV4))
        sockets = bind_loopback(0)
        assert [sock.family for sock in sockets] == [socket.AF_INET]
        release(sockets)
    monkeypatch.setattr(_loopback, "_FAMILIES", ())
    with pytest.raises(PortTaken, match="can't listen on port 0: this machine has no loopback address"):
        bind_loopback(0)
