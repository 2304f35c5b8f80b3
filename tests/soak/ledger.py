"""What the servicers saw of each call: written by them line by line, read by the soak.

The file outlives a service that is killed: ``S call`` at the start of a call, ``E call how count sum replies order`` at
its end, and ``K`` where the soak has killed the service.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


class Ledger:
    """Where servicers write, from any thread."""

    def __init__(self, path: str | Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def note(self, *words: object) -> None:
        """One line, whole."""
        os.write(self._file, (" ".join(map(str, words)) + "\n").encode())


@dataclass
class Entry:
    """What is known of one call.

    Attributes:
        starts: how often a servicer was called.
        ends: how often it ended.
        killed: its process ended before it.
        how: ``"OK"``, a code's name, ``"raise"``, ``"cancelled"``, or an exception that nobody planned.
        count: requests that it read.
        sum: of their numbers.
        replies: that it wrote.
        ordered: the requests came in order, and none twice.
    """

    starts: int = 0
    ends: int = 0
    killed: bool = False
    how: str = ""
    count: int = 0
    sum: int = 0
    replies: int = 0
    ordered: bool = True


class LedgerReader:
    """Reads the file as it grows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._running: set[int] = set()
        self.entries: dict[int, Entry] = {}

    def killed(self) -> None:
        """The service was killed: what it had not ended by now it never will."""
        Ledger(self._path).note("K")

    def update(self) -> None:
        """Take in what was written since."""
        with self._path.open("rb") as file:
            file.seek(self._offset)
            data = file.read()
        data = data[: data.rfind(b"\n") + 1]
        self._offset += len(data)
        for line in data.decode().splitlines():
            self._take(line.split(" "))

    def _take(self, words: list[str]) -> None:
        match words:
            case ["S", number]:
                self.entries.setdefault(int(number), Entry()).starts += 1
                self._running.add(int(number))
            case ["E", number, how, count, total, replies, order]:
                entry = self.entries.setdefault(int(number), Entry())
                entry.ends += 1
                entry.how, entry.count, entry.sum, entry.replies = how, int(count), int(total), int(replies)
                entry.ordered = order == "True"
                self._running.discard(int(number))
            case ["K"]:
                for gone in self._running:
                    self.entries[gone].killed = True
                self._running.clear()
            case _:
                raise AssertionError(f"the ledger has a line that nobody writes: {words}")
