"""Any bytes, as a body of RFC 7464 records. The first byte picks the limit and the cuts.

Legal: every ``Broken``. A find: events that depend on the chunking, or differ from the model's; bytes held over the
limit; any exception.
"""

from __future__ import annotations

from asgi_grpc.framing import JsonSeqFramer
from fuzz.engine import run
from fuzz.oracles import agree
from tests.framing.models import model_json_seq


def one_input(data: bytes) -> None:
    """Play one input."""
    seed, body = (data[0] if data else 0), data[1:]
    limit = [24, 64, 1000, 3][seed % 4]
    agree(
        lambda: JsonSeqFramer(max_frame_bytes=limit),
        lambda text: model_json_seq(text, limit),
        body,
        seed,
        most_held=limit,
    )


if __name__ == "__main__":
    run(one_input, "json_seq")
