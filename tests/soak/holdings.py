"""What a process holds: counted by the process itself, and told as JSON to the soak that asks."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import sys
import threading
from collections import Counter
from typing import Any, ClassVar

import msgspec

from tests.soak.service import Reply, Request

_COUNTED = {"Task", "Future", "coroutine", "async_generator", "async_generator_asend", "generator"}
_LIBC = ctypes.CDLL(None)


class Holdings(msgspec.Struct):
    """What a process holds.

    Attributes:
        running: connections that a gateway serves, or calls that a client has begun.
        tasks: of asyncio, without the one that counts.
        threads: of Python.
        os_threads: all of them, grpcio's own too.
        files: open descriptors.
        messages: protobuf messages of the service's types.
        rss_kib: resident memory.
        heap_kib: of it what C code has allocated and not freed, as glibc knows it; 0 elsewhere. It has no holes.
        holes_kib: what glibc keeps between that, for later.
        trimmed_kib: resident memory once glibc has given back the holes; 0 unless asked for.
        blocks: that Python's own allocator has given out.
        live: objects that the garbage collector knows, after a collection; 0 unless asked for.
        objects: of our types, and what runs on the event loop; empty unless asked for.
        pending: what those tasks run, as well.
    """

    running: int
    tasks: int
    threads: int
    os_threads: int
    files: int
    messages: int
    rss_kib: int
    heap_kib: int = 0
    holes_kib: int = 0
    trimmed_kib: int = 0
    blocks: int = 0
    live: int = 0
    objects: dict[str, int] = {}
    pending: list[str] = []


class Holder:
    """Counts for the process that makes it; what it holds then is what it is compared with."""

    def __init__(self) -> None:
        self._messages = _references()

    def holdings(self, running: int, *, objects: bool) -> Holdings:
        """Count.

        Args:
            running: as in the answer.
            objects: look at each object as well, which takes a while; holes are given back.
        """
        if objects:
            for _ in range(3):  # a finalizer may free what only the next collection finds
                gc.collect()
        held = Holdings(
            running=running,
            tasks=len(asyncio.all_tasks()) - 1,
            threads=threading.active_count(),
            os_threads=len(os.listdir("/proc/self/task")),
            files=len(os.listdir("/proc/self/fd")) - 1,  # the folder itself is open now
            messages=_references() - self._messages,  # each holds its type
            rss_kib=_rss_kib(),
            blocks=sys.getallocatedblocks(),
        )
        held.heap_kib, held.holes_kib = _heap_kib()
        if objects:
            held.live = len(gc.get_objects())
            held.objects, held.pending = _objects(), _pending()
            held.trimmed_kib = _trimmed_kib()
        return held


def _references() -> int:
    return sum(sys.getrefcount(kind) for kind in (Request, Reply))


def _rss_kib() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


class _Mallinfo2(ctypes.Structure):
    _names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_: ClassVar = [(name, ctypes.c_size_t) for name in _names.split()]


def _heap_kib() -> tuple[int, int]:
    """What is allocated, large blocks that have pages of their own too; and what is kept free.

    Source: mallinfo(3).
    """
    mallinfo2 = getattr(_LIBC, "mallinfo2", None)
    if mallinfo2 is None:
        return 0, 0
    mallinfo2.restype = _Mallinfo2
    told: Any = mallinfo2()
    return int(told.uordblks + told.hblkhd) // 1024, int(told.fordblks) // 1024


def _trimmed_kib() -> int:
    """Source: malloc_trim(3)."""
    trim = getattr(_LIBC, "malloc_trim", None)
    if trim is None:
        return 0
    trim(0)
    return _rss_kib()


def _objects() -> dict[str, int]:
    """The objects of our types, by name; and what runs or waits on the event loop."""
    kinds = Counter(type(each) for each in gc.get_objects())
    found = {
        kind.__name__: number
        for kind, number in kinds.items()
        if str(kind.__module__).startswith(("asgi_grpc.", "grpc.")) or kind.__name__ in _COUNTED
    }
    return dict(sorted(found.items()))


def _pending() -> list[str]:
    """What the tasks of the event loop run."""
    return sorted(getattr(task.get_coro(), "__qualname__", "?") for task in asyncio.all_tasks())
