"""Mixed calls for minutes, and an account of each: ``python -m tests.soak --minutes 10``.

The exit status is 1 at a finding. ``--seed`` makes the same calls again, ``--first`` and ``--calls`` some of them.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys

from tests.soak.gateway import STACKS
from tests.soak.soak import Options, soak


def main() -> int:
    """Parse, soak, report."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--calls", type=int, help="stop after so many, whatever the time")
    parser.add_argument("--first", type=int, default=1, help="number of the first call")
    parser.add_argument("--back-end", choices=["in-process", "channel", "both"], default="in-process")
    parser.add_argument("--faults", action="store_true", help="inject faults as well")
    parser.add_argument("--stack", choices=list(STACKS), default="httptools")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    chosen = parser.parse_args()
    options = Options(
        minutes=chosen.minutes,
        calls=chosen.calls,
        first=chosen.first,
        back_ends=("in-process", "channel") if chosen.back_end == "both" else (chosen.back_end,),
        faults=chosen.faults,
        outages=chosen.faults,
        bare=chosen.back_end != "in-process",
        stack=chosen.stack,
        clients=chosen.clients,
        seed=chosen.seed,
    )
    report = asyncio.run(soak(options, progress=lambda line: print(line, file=sys.stderr, flush=True)))
    print(report.table())
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main())
