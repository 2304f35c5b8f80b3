"""Any bytes, as a body of JSON values or as one WebSocket message. The first byte picks the limits and the cuts.

Legal: every ``Broken``. A find: events that depend on the chunking, or differ from the model's; bytes held over a
limit; any exception.
"""

from __future__ import annotations

from asgi_grpc.framing import JsonFramer, cut_long_message, cut_message
from fuzz.engine import run
from fuzz.oracles import agree
from tests.framing.models import model_json

LIMITS = [(24, 3), (64, 4), (1000, 100), (3, 1)]


def one_input(data: bytes) -> None:
    """Play one input."""
    seed, body = (data[0] if data else 0), data[1:]
    limit, depth = LIMITS[seed % len(LIMITS)]
    agree(
        lambda: JsonFramer(max_frame_bytes=limit, max_depth=depth),
        lambda text: model_json(text, limit, depth),
        body,
        seed,
        most_held=limit,
    )
    expected = model_json(body, limit, depth, message=True)
    assert cut_message(body, max_frame_bytes=limit, max_depth=depth) == expected
    pieces = cut_long_message(body, max_frame_bytes=limit, max_depth=depth)
    assert [event for events in pieces for event in events] == expected


if __name__ == "__main__":
    run(one_input, "json")
