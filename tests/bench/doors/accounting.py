"""Processor time of running processes, from the operating system's own accounts.

Linux keeps a clock for each process: all its threads, user and system time together, in nanoseconds
(``clock_getcpuclockid(3)``). Unlike ``/proc/PID/stat`` it does not count in ticks of 10 ms.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path


def tree(pid: int) -> list[int]:
    """A process and all its descendants."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += tree(int(child))
    return found


def processor_s(pids: Iterable[int]) -> float:
    """Seconds of processor that these processes have used since they began, without their children.

    Raises:
        OSError: one of them is gone.
    """
    return sum(time.clock_gettime((~pid << 3) | 2) for pid in pids)  # the kernel's CPUCLOCK_SCHED of a process


def own_processor_s() -> float:
    """The same of this process, which is the load generator."""
    return time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID)
