"""A client that never stops: ``python -m tests.bench.doors.flood ADDRESS up|down ndjson|connect``.

Sends messages as fast as they are taken, or takes them as fast as they are sent. Prints ``flooding`` after 1 MiB.
"""

from __future__ import annotations

import sys
from itertools import cycle

from tests.bench.doors.load_http import connect, receive
from tests.bench.doors.wire import BLOCK, SERVICE, chunked, item, prefixed, request

ENOUGH = 1 << 20
FOREVER = 2_000_000_000
TYPES = {"ndjson": "application/x-ndjson", "connect": "application/connect+json"}


def main(address: str, direction: str, form: str) -> None:
    """Flood until we are ended."""
    connection = connect(address)
    moved = 0

    def count(size: int) -> None:
        nonlocal moved
        if moved < ENOUGH <= moved + size:
            print("flooding", flush=True)
        moved += size

    if direction == "up":
        messages = (item(number) for number in range(BLOCK))
        body = b"".join(line + b"\n" if form == "ndjson" else prefixed(0, line) for line in messages)
        opening, *blocks, _ = chunked(SERVICE + "Up", body, TYPES[form])
        connection.sendall(opening)
        for block in cycle(blocks):
            connection.sendall(block)
            count(len(block))
    order = b'{"count":%d}' % FOREVER
    if form == "ndjson":
        connection.sendall(request(SERVICE + "Down", order, "application/json", f"accept: {TYPES[form]}"))
    else:
        connection.sendall(request(SERVICE + "Down", prefixed(0, order), TYPES[form]))
    while True:
        count(len(receive(connection)))


if __name__ == "__main__":
    main(*sys.argv[1:])
