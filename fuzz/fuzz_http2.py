"""Any bytes, as what a service sends to three streams. The first byte picks the beginning and the cuts.

Legal: every end of a stream or of the connection. A find: answers, ends or bytes sent that depend on the chunking; a
stream that does not end once and for all; more kept of a stream than its window; any exception out of the connection.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from fuzz.engine import run
from fuzz.oracles import cut
from tests.http2.peer import REQUEST, Peer, settings, taken

WINDOW = 300
MOST_HELD = 9 + (1 << 14)
BODIES = [b"", None, bytes(70_000)]  # said at once; not yet; more than the window takes
BEGINNINGS = [
    b"",
    settings(),
    settings(MAX_CONCURRENT_STREAMS=2, INITIAL_WINDOW_SIZE=10),
    settings() + b"\0\0\1\1\4\0\0\0\1\x88",
]


async def play(chunks: list[bytes]) -> tuple[Any, ...]:
    """All that a service can cause: what is sent, how the connection and each stream end."""
    peer = Peer(window_bytes=WINDOW, greet=False)
    streams = [peer.connection.open(REQUEST, body) for body in BODIES]
    unread = asyncio.create_task(peer.connection.send(streams[2], bytes(70_000), end=True))
    await asyncio.sleep(0)
    for chunk in chunks:
        peer.feed(chunk)
        assert peer.connection._reader.held_bytes < MOST_HELD
    ended = list(peer.transport.ends)
    sent = bytes(peer.transport.written)
    peer.connection.connection_lost(None)
    answers = []
    for stream in streams:
        found = await taken(stream)
        assert len(b"".join(piece for piece in found if isinstance(piece, bytes))) <= WINDOW
        last = found[-1] if found else None
        assert [str(each) for each in await taken(stream)] == ([str(last)] if isinstance(last, Exception) else [])
        answers.append(([str(each) for each in found], stream.head, stream.trailers, stream.has_ended))
    await unread
    return sent, ended, answers, peer.connection.ready.exception() is None


def one_input(data: bytes) -> None:
    """Play one input."""
    seed, wire = (data[0] if data else 0), data[1:]
    wire = BEGINNINGS[seed % len(BEGINNINGS)] + wire
    with asyncio.Runner() as runner:
        expected = runner.run(play([wire]))
        assert runner.run(play(cut(wire, seed))) == expected, "cut"
        assert runner.run(play(cut(wire, 0))) == expected, "cut otherwise"


if __name__ == "__main__":
    logging.disable()  # a line for each rule that is broken
    run(one_input, "http2")
