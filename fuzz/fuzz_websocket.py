"""Any bytes, as what a client sends over a WebSocket. The first byte picks deflate and the cuts.

Legal: every ``Broken``. A find: events that depend on the chunking, or differ from the model's; bytes held over the
limit; any exception.
"""

from __future__ import annotations

from asgi_grpc.framing import Broken, Closed, WebSocketEvent, WebSocketFramer
from fuzz.engine import run
from fuzz.oracles import cut
from tests.framing.model_websocket import model_websocket

LIMIT, DEPTH = 24, 3
MOST_HELD = LIMIT + 125 + 14 + 3


def replay(chunks: list[bytes], *, deflate: bool) -> list[WebSocketEvent]:
    """All events, to the last."""
    framer = WebSocketFramer(max_frame_bytes=LIMIT, max_depth=DEPTH, deflate=deflate)
    events: list[WebSocketEvent] = []
    for chunk in chunks:
        events += framer.feed(chunk)
        assert framer.held_bytes <= MOST_HELD
        if events and isinstance(events[-1], (Broken, Closed)):
            return events
    return events + framer.close()


def one_input(data: bytes) -> None:
    """Play one input."""
    seed, stream = (data[0] if data else 0), data[1:]
    deflate = seed % 2 == 1
    expected = model_websocket(stream, LIMIT, DEPTH, deflate=deflate)
    for chunks in ([stream], cut(stream, seed), cut(stream, 0)):
        assert replay(chunks, deflate=deflate) == expected


if __name__ == "__main__":
    run(one_input, "websocket")
