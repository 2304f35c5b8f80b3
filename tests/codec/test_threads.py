"""Several threads that use the same codecs for the first time at once."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from asgi_grpc.codec import Codec, CodecOptions
from asgi_grpc.codec._machinery import Machinery
from tests.codec import samples, schemas

THREADS = 8
ROUNDS = 100
EVENT = (
    '{"id":"a","payload":{"@type":"x/samples.Order","id":"b","items":[{"sku":"c","unitPrice":{"units":"1"}}],'
    '"customer":{"address":{"lines":["d"]}}}}'
)


def all_together(work: Any) -> list[Any]:
    """The results of one call in each of eight threads that start at the same moment."""
    barrier = threading.Barrier(THREADS)

    def start(number: int) -> Any:
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(start, range(THREADS)))


def once() -> None:
    """Fresh machinery, met by all threads at once: two types, one of which holds the other only in an Any."""
    tools = Machinery(schemas.pool(), CodecOptions())
    order = samples.texts("order", 1)[0]

    def work(number: int) -> tuple[bytes, bytes]:
        names = ["samples.Event", "samples.Order"]
        found = []
        for name in names if number % 2 else reversed(names):
            codec = Codec(schemas.message_class(name))
            codec._machinery = tools
            text = EVENT.encode() if name == "samples.Event" else order
            found.append(codec.encode(codec.decode(text)))
        return min(found), max(found)

    assert {*all_together(work)} == {work(0)}


def test_first_use_by_eight_threads_at_once_is_safe() -> None:
    """In a process of its own: the failure that this guards against is a crash of the interpreter."""
    code = f"from tests.codec.test_threads import once\nfor _ in range({ROUNDS}): once()"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_one_codec_serves_many_threads() -> None:
    codec = Codec(schemas.message_class("samples.Chat"))
    texts = samples.texts("chat", 50)
    snake = [text.replace(b"roomId", b"room_id").replace(b"sentAt", b"sent_at") for text in texts]
    expected = [codec.decode(text) for text in texts]

    def work(number: int) -> bool:
        for _ in range(20):
            frames = texts if number % 2 else snake  # the two spellings take the fast path from one another
            assert codec.decode_batch(frames) == (expected, None)
            assert [codec.decode(frame) for frame in frames] == expected
        return True

    assert all_together(work) == [True] * THREADS
