"""How fast the codec is, as ratios measured in one run. ``python tests/bench/codec.py [--quick]``

Candidates run interleaved, best of several rounds, so that a noisy machine hurts all alike. Read the ratios.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from google.protobuf import json_format

sys.path.insert(0, str(Path(__file__).parents[2]))

from asgi_grpc.codec import Codec
from tests.codec import samples, schemas

Run = Callable[[], object]


def best(runs: dict[str, Run], rounds: int, budget_s: float) -> dict[str, float]:
    """Seconds of one call of each, the best of ``rounds``, interleaved; about ``budget_s`` for each call and round."""
    loops = {}
    for name, run in runs.items():
        start = time.perf_counter()
        run()
        loops[name] = max(1, int(budget_s / (time.perf_counter() - start + 1e-9)))
    found = dict.fromkeys(runs, float("inf"))
    gc.disable()
    for _ in range(rounds):
        for name, run in runs.items():
            repeat = range(loops[name])
            start = time.perf_counter()
            for _ in repeat:
                run()
            found[name] = min(found[name], (time.perf_counter() - start) / len(repeat))
    gc.enable()
    return found


def each(do: Callable[[Any], object], inputs: Sequence[Any]) -> Run:
    """One call that does something to every input."""
    if len(inputs) == 1:
        only = inputs[0]
        return lambda: do(only)

    def run() -> None:
        for one in inputs:
            do(one)

    return run
