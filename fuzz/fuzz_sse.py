"""Any bytes, as an event stream. The first byte picks the limit and the cuts.

Legal: every ``Broken``. A find: events that depend on the chunking, or differ from the model's; bytes held over the
limit; any exception.
"""

from __future__ import annotations

from asgi_grpc.framing import SseReader
from asgi_grpc.testing import play
from fuzz.engine import run
from fuzz.oracles import cut
from tests.framing.models import model_sse


def one_input(data: bytes) -> None:
    """Play one input."""
    seed, body = (data[0] if data else 0), data[1:]
    limit = [24, 64, 1000, 6][seed % 4]
    expected = model_sse(body, limit)
    for chunks in ([body], cut(body, seed), cut(body, 0)):
        assert play(lambda: SseReader(max_event_bytes=limit), chunks, most_held=limit) == expected


if __name__ == "__main__":
    run(one_input, "sse")
