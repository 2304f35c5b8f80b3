"""Resident memory of another process, as Linux tells it."""

from __future__ import annotations

import time
from pathlib import Path

MIB = 1 << 20
FLAT_BYTES = 32 * MIB
"""What a gateway may grow by, whatever streams through it."""


KNOWN = Path("/proc/self/clear_refs").exists()
"""Whether this system tells."""


class Memory:
    """The memory of one process.

    Args:
        pid: whose.

    Attributes:
        idle: its resident bytes when this was made; or, later, when ``rest`` was called.
    """

    def __init__(self, pid: int) -> None:
        self._folder = Path(f"/proc/{pid}")
        self.idle = self.now()

    def now(self) -> int:
        """Resident bytes."""
        return self._field("VmRSS")

    def forget_peak(self) -> None:
        """Let the peak begin anew. Source: proc_pid_clear_refs(5), value 5."""
        (self._folder / "clear_refs").write_text("5")

    def rest(self) -> None:
        """Take the present size for the idle one."""
        self.idle = self.settled()
        self.forget_peak()

    def growth(self) -> int:
        """The peak over the idle size."""
        return self._field("VmHWM") - self.idle

    def settled(self, *, still_s: float = 0.5, within_s: float = 60.0) -> int:
        """Resident bytes once they did not change much for a while."""
        until = time.monotonic() + within_s
        since, last = time.monotonic(), self.now()
        while time.monotonic() < min(until, since + still_s):
            time.sleep(0.05)
            if abs((size := self.now()) - last) > 256 << 10:
                since, last = time.monotonic(), size
        return self.now()

    def _field(self, name: str) -> int:
        status = (self._folder / "status").read_text()
        (line,) = [line for line in status.splitlines() if line.startswith(name + ":")]
        return int(line.split()[1]) << 10
