"""How soon a servicer sees that its client is gone: from the client's RST to the servicer's ``CancelledError``.

Run it alone: ``python -m tests.bench.cancellation [--samples N] [--only TEXT]``. Each kind of call, over HTTP and
WebSocket, under two stacks of uvicorn, in process, there in threads, through a channel and over HTTP/2 of our own,
at every place where a servicer may be:

    reading     it waits for its next request; the body is unfinished
    busy        it waits for something else; the body is unfinished
    full        the same, and the client has sent all that is taken ahead: nobody reads the connection
    complete    it waits for something else; the body is complete
    unread      it sends, and the client reads nothing

A bare ASGI application that does nothing but wait for the disconnect shows what the server and the machine take.
"""

from __future__ import annotations

import argparse
import random
import socket
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Protocol

from tests.bench.doors.load_http import connect
from tests.bench.doors.load_ws import MASK, upgraded
from tests.bench.doors.wire import SERVICE, head
from tests.processes import UVICORN, Started, started

SAMPLES = 20
PATIENCE_S = 5.0
SETTLED_S = 0.08
"""The client goes at any moment up to so long after the servicer is at its place."""

STACKS = {"httptools": ("httptools", "websockets-sansio", "uvloop"), "h11": ("h11", "wsproto", "asyncio")}
UNREAD = 1_000_000  # replies, and each is long
BULK = b'{"name":"' + b"x" * 8000 + b'"}'
FULL_S = 0.1  # the connection takes no more for so long

PLACES = {
    "Echo": ("complete",),
    "Down": ("complete", "unread"),
    "Up": ("reading", "busy", "full", "complete"),
    "Both": ("reading", "busy", "full", "complete"),
}
KINDS = {"Echo": "unary", "Down": "server stream", "Up": "client stream", "Both": "both ways"}


class Client(Protocol):
    """A client that has begun a call.

    Attributes:
        socket: its connection.
    """

    socket: socket.socket

    def __init__(self, address: str, method: str, place: str) -> None: ...

    @staticmethod
    def framed(document: bytes) -> bytes:
        """A document as it is sent."""
        ...


class HttpClient:
    """Requests in chunks."""

    def __init__(self, address: str, method: str, place: str) -> None:
        self.socket = connect(address)
        self._streams = method in ("Up", "Both")
        content_type = "application/x-ndjson" if self._streams else "application/json"
        fields = (f"content-type: {content_type}", "transfer-encoding: chunked")
        self.socket.sendall(head(SERVICE + method, *fields) + b"\r\n" + self.framed(first(method, place)))
        if not self._streams or place == "complete":
            self.socket.sendall(b"0\r\n\r\n")

    @staticmethod
    def framed(document: bytes) -> bytes:
        """One chunk."""
        return b"%x\r\n%b\n\r\n" % (len(document) + 1, document)


class SocketClient:
    """Requests in text messages."""

    def __init__(self, address: str, method: str, place: str) -> None:
        self.socket = upgraded(address, SERVICE + method)
        self.socket.sendall(self.framed(first(method, place)))
        if method in ("Up", "Both") and place == "complete":
            self.socket.sendall(self.framed(b""))

    @staticmethod
    def framed(document: bytes) -> bytes:
        """One masked frame."""
        size = len(document)
        length = bytes([0x80 | size]) if size < 126 else bytes([0x80 | 126]) + size.to_bytes(2)
        masked = bytes(byte ^ MASK[at % 4] for at, byte in enumerate(document))
        return b"\x81" + length + MASK + masked


CLIENTS: dict[str, type[Client]] = {"HTTP": HttpClient, "WebSocket": SocketClient}


def first(method: str, place: str) -> bytes:
    """The first request."""
    if method == "Down":
        return b'{"count":%d}' % (UNREAD if place == "unread" else 0)
    return b'{"name":"%b"}' % place.encode()


def fill(connection: socket.socket, piece: bytes) -> None:
    """Send until nothing more is taken."""
    connection.settimeout(FULL_S)
    block = piece * 16
    try:
        while True:
            connection.sendall(block)
    except TimeoutError:
        pass


def reset(connection: socket.socket) -> float:
    """Send RST instead of FIN; return when."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    begin = time.monotonic()
    connection.close()
    return begin


def news(program: Started, word: str, told: int) -> float:
    """When a program told something for the next time; infinite if it does not."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        found = [line.split()[1] for line in program.stdout.splitlines() if line.startswith(word + " ")]
        if len(found) > told:
            return float(found[told])
        time.sleep(0.001)
    return float("inf")


def delay_ms(client_class: type[Client], door: Door, method: str, place: str, wait_s: float) -> float:
    """Call, go away, and wait until the servicer sees it."""
    servicer = door.servicer
    there, gone = (sum(line.startswith(word) for line in servicer.stdout.splitlines()) for word in ("there", "gone"))
    client = client_class(door.address, method, place)
    assert news(servicer, "there", there) < float("inf"), (client_class, method, place)
    if place == "full":
        fill(client.socket, client.framed(BULK))
    time.sleep(wait_s + (SETTLED_S if place == "unread" else 0))
    begin = reset(client.socket)
    return (news(servicer, "gone", gone) - begin) * 1e3


@dataclass(frozen=True)
class Row:
    """A place, and how long it took there."""

    what: str
    delays_ms: list[float]

    def __str__(self) -> str:
        worst = max(self.delays_ms)
        late = sum(delay > 100 for delay in self.delays_ms)
        note = "" if not late else f"   {late} over 100 ms"
        return f"  {self.what:62}{median(self.delays_ms):>9.2f} ms{worst:>9.2f} ms{note}"


@dataclass(frozen=True)
class Door:
    """A gateway.

    Attributes:
        address: its own.
        servicer: the program in which the servicer runs.
    """

    address: str
    servicer: Started


@contextmanager
def opened(factory: str, stack: str) -> Iterator[Door]:
    """A gateway, and the server behind it."""
    http, ws, loop = STACKS[stack]
    options = ("--http", http, "--ws", ws, "--loop", loop, "--no-access-log", "--port", "0")
    with ExitStack() as programs:
        env = {}
        servicer = None
        if factory in ("through_channel", "over_http2"):
            servicer = programs.enter_context(started(sys.executable, "-m", "tests.bench.places.servicers"))
            env["BENCH_UPSTREAM"] = servicer.address
        kind = () if factory == "bare" else ("--factory",)
        command = (sys.executable, "-m", "uvicorn", f"tests.bench.places.servicers:{factory}", *kind, *options)
        gateway = programs.enter_context(started(*command, ready=UVICORN, env=env))
        yield Door(gateway.address, servicer or gateway)


def rows(samples: int, only: str) -> Iterator[Row]:
    """Every place of every kind, through every door."""
    for stack in STACKS:
        for factory in ("bare", "in_process", "in_threads", "through_channel", "over_http2"):
            with opened(factory, stack) as door:
                for protocol, client in CLIENTS.items():
                    for method, place in cells(factory):
                        what = f"{stack}, {factory.replace('_', ' ')}, {protocol}, {KINDS[method]}, {place}"
                        if factory == "bare":
                            what = f"{stack}, no gateway at all, {protocol}"
                        if only in what:
                            chance = random.Random(what)
                            waits = [chance.uniform(0, SETTLED_S) for _ in range(samples)]
                            yield Row(what, [delay_ms(client, door, method, place, wait_s) for wait_s in waits])


def cells(factory: str) -> list[tuple[str, str]]:
    """The kinds and their places."""
    if factory == "bare":
        return [("Echo", "complete")]
    return [(method, place) for method, places in PLACES.items() for place in places]


def main() -> None:
    """Measure, and print a line for each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--only", default="", help="rows whose text holds this")
    options = parser.parse_args()
    print(f"{f'from RST to the end in the servicer, {options.samples} resets each':64}{'median':>12}{'worst':>12}")
    for row in rows(options.samples, options.only):
        print(row, flush=True)


if __name__ == "__main__":
    main()
