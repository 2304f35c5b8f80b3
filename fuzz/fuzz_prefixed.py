"""Any bytes, as length-prefixed messages. The first byte picks the limit and the cuts.

Legal: every ``Broken``. A find: events that depend on the chunking, or differ from the model's; bytes held over the
limit; any exception.
"""

from __future__ import annotations

from asgi_grpc.framing import PrefixedFramer
from fuzz.engine import run
from fuzz.oracles import agree
from tests.framing.models import model_prefixed


def one_input(data: bytes) -> None:
    """Play one input."""
    seed, body = (data[0] if data else 0), data[1:]
    limit = [24, 0, 1000, 3][seed % 4]
    agree(
        lambda: PrefixedFramer(max_frame_bytes=limit),
        lambda wire: model_prefixed(wire, limit),
        body,
        seed,
        most_held=limit + 5,
    )


if __name__ == "__main__":
    run(one_input, "prefixed")
