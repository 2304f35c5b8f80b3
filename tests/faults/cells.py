"""The kinds, doors and back ends, and by which rules they go together."""

from __future__ import annotations

import enum
from typing import NamedTuple


class Kind(enum.Enum):
    """The four kinds of method; the value is the Greeter's method."""

    UNARY = "SayHello"
    DOWN = "SayHelloServerStream"
    UP = "SayHelloClientStream"
    BIDI = "SayHelloBidiStream"

    @property
    def sends_many(self) -> bool:
        """The client sends a stream."""
        return self in (Kind.UP, Kind.BIDI)

    @property
    def gets_many(self) -> bool:
        """The client gets a stream."""
        return self in (Kind.DOWN, Kind.BIDI)


class Door(enum.Enum):
    """How the client speaks."""

    JSON = "json"
    NDJSON = "ndjson"
    ARRAY = "array"
    SEQ = "seq"
    SSE = "sse"
    BARE = "ws"
    RECORDS = "ws-records"

    @property
    def is_socket(self) -> bool:
        """It is a WebSocket."""
        return self in (Door.BARE, Door.RECORDS)

    def serves(self, kind: Kind) -> bool:
        """Framings of streams are for what streams, events for replies that do, and one JSON document for the rest."""
        match self:
            case Door.JSON:
                return kind is Kind.UNARY
            case Door.NDJSON | Door.ARRAY | Door.SEQ:
                return kind is not Kind.UNARY
            case Door.SSE:
                return kind.gets_many
            case Door.BARE | Door.RECORDS:
                return True


class Back(enum.Enum):
    """Where the servicer lives."""

    ASYNC = "async"
    SYNC = "sync"
    CHANNEL = "channel"
    HTTP2 = "http2"

    @property
    def is_remote(self) -> bool:
        """It is a server of its own."""
        return self in (Back.CHANNEL, Back.HTTP2)


class Way(NamedTuple):
    """Kind and door: how a client reaches a method."""

    kind: Kind
    door: Door

    def __str__(self) -> str:
        return f"{self.kind.name.lower()}-{self.door.value}"


WAYS = [Way(kind, door) for kind in Kind for door in Door if door.serves(kind)]
