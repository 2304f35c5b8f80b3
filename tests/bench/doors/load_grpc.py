"""The floor of every channel: a bare ``grpc.aio`` client, told by a line of text what to do for how long."""

from __future__ import annotations

from tests.bench.doors.load_http import connect


class ToldLoad:
    """Has the client process do one row's work; its processor time counts, since a gateway is such a client.

    Args:
        address: where the client process takes orders.
        row: the row's name.
    """

    def __init__(self, address: str, row: str) -> None:
        self._connection = connect(address)
        self._row = row

    def run(self, seconds: float) -> int:
        """Order, wait."""
        self._connection.sendall(f"{self._row} {seconds}\n".encode())
        answer = self._connection.recv(100)
        assert answer.endswith(b"\n"), answer
        return int(answer)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
