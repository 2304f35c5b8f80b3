"""``Limits``: every bound of the gateway in one frozen class; the reason for each default stands beside it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Bounds on what one peer can make us hold, and on how long.

    Sizes are bytes, times are seconds, ``None`` for a time means no bound.

    Attributes:
        max_message_bytes: one encoded message. 4 MiB is what gRPC itself accepts, so that no message passes the
            gateway only to be refused behind it.
        max_depth: JSON nesting. protobuf refuses more than 100 levels, in every language.
        max_message_objects: objects and arrays in the JSON of one message, each of which becomes a message or so, some
            hundred times as large as its two braces. 150 000 let 4 MiB of records of 28 bytes pass, and take 70 MiB.
            Twice as many entries of maps and members of a ``Struct``, four times as many values in a list of ``Value``.
        read_ahead_bytes: what is kept of one stream before reading pauses. 256 KiB hides a round trip on a fast link
            and lets 1000 streams fit into 256 MiB.
        max_streams: concurrent calls in one process. One asyncio loop serves about so many before latency suffers.
        idle_timeout_s: no input and no output for so long. Five minutes outlive the heartbeats that people use.
        drain_timeout_s: time to finish at shutdown. Ten seconds less than the 30 s that orchestrators commonly grant.
        max_inflation: inflated size of a compressed body against its raw size, past the first MiB. Real JSON seldom
            shrinks to less than a fiftieth.
        default_deadline_s: of a call whose client sent no ``Grpc-Timeout``. None, as in gRPC.
        max_deadline_s: a longer ``Grpc-Timeout`` is clamped to it, and none at all too. None, as in gRPC.
    """

    max_message_bytes: int = 4 << 20
    max_depth: int = 100
    max_message_objects: int = 150_000
    read_ahead_bytes: int = 256 << 10
    max_streams: int = 1000
    idle_timeout_s: float | None = 300.0
    drain_timeout_s: float = 20.0
    max_inflation: int = 100
    default_deadline_s: float | None = None
    max_deadline_s: float | None = None
