"""How the tests of this folder speak to the StreamingService."""

from __future__ import annotations

import hashlib
import queue
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from streaming_pb2 import FileChunk, FileMetadata

INVALID = grpc.StatusCode.INVALID_ARGUMENT


class Talk:
    """A call whose input is spoken message by message."""

    def __init__(self, method: Callable[[Iterator[Any]], Any]) -> None:
        self._said: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.call = method(iter(self._said.get, None))

    def say(self, *messages: Any) -> None:
        """Send messages; ``None`` ends the input."""
        for message in messages:
            self._said.put(message)

    def hear(self, count: int) -> list[Any]:
        """Wait for so many replies."""
        return [next(self.call) for _ in range(count)]

    def end(self) -> list[Any]:
        """End the input, and get the rest of the replies."""
        self._said.put(None)
        return list(self.call)


def failure(run: Callable[[], object]) -> tuple[grpc.StatusCode, str | None]:
    """How a call fails."""
    with pytest.raises(grpc.RpcError) as caught:
        run()
    return caught.value.code(), caught.value.details()


def upload(data: bytes, *, piece: int = 64 << 10, **changed: Any) -> list[FileChunk]:
    """What a client sends for a file."""
    honest: dict[str, Any] = {
        "filename": "a.bin",
        "total_size": len(data),
        "checksum": hashlib.sha256(data).hexdigest(),
    }
    chunks = [FileChunk(chunk=data[at : at + piece]) for at in range(0, len(data), piece)]
    return [FileChunk(metadata=FileMetadata(**(honest | changed))), *chunks]
