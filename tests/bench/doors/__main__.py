"""Speed of the doors, theirs and ours: ``python -m tests.bench.doors [--row NAMES] [--only NAMES] [--rounds N]``.

Times are processor time of all server processes for each unit of work, as the operating system accounts for it: the
median of some rounds in which all contenders took turns.
"""

from __future__ import annotations

import argparse
import sys

from tests.bench.doors.contenders import CONTENDERS
from tests.bench.doors.table import UNITS, measure, show


def main() -> None:
    """Measure, print, verdict."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.doors")
    parser.add_argument("--row", default=",".join(UNITS), help="rows, with commas between: %(default)s")
    names = ",".join(contender.name for contender in CONTENDERS)
    parser.add_argument("--only", default=names, help="contenders, with commas between: %(default)s")
    parser.add_argument("--rounds", type=int, default=5, help="repetitions: %(default)s")
    options = parser.parse_args()
    if not sys.platform.startswith("linux"):
        parser.error("processor time of other processes is read as Linux has it")
    only = options.only.split(",")
    for row in options.row.split(","):
        chosen = [contender for contender in CONTENDERS if contender.name in only and row in contender.rows]
        if chosen:
            show(row, measure(row, chosen, options.rounds))


if __name__ == "__main__":
    main()
