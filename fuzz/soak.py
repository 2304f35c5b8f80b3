"""Run every machine in turn, with new random inputs each time, for so many minutes: ``python -m fuzz.soak 30``.

It ends with status 1 at the first finding, whose steps Hypothesis prints; that becomes a file of ``fuzz/corpus`` and a
test. In the end it says how many examples each machine has run.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

ROUND = settings(
    max_examples=200, stateful_step_count=60, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


def machines() -> list[type[RuleBasedStateMachine]]:
    """The machines that the folder's ``test_*_machine.py`` files run as tests."""
    found: list[type[RuleBasedStateMachine]] = []
    for file in sorted(Path(__file__).parent.glob("test_*_machine.py")):
        values = list(vars(importlib.import_module(f"fuzz.{file.stem}")).values())
        classes = [value for value in values if isinstance(value, type) and issubclass(value, RuleBasedStateMachine)]
        found += [machine for machine in classes if any(value is machine.TestCase for value in values)]
    return found


def main(minutes: float) -> int:
    """Soak; the exit status."""
    until = time.monotonic() + 60 * minutes
    examples: Counter[str] = Counter()

    def run(machine: type[RuleBasedStateMachine]) -> None:
        def begin() -> RuleBasedStateMachine:
            examples[machine.__name__] += 1
            return machine()

        run_state_machine_as_test(begin, settings=ROUND)  # type: ignore[arg-type]  # it calls whatever makes one

    chosen = machines()
    print(f"{len(chosen)} machines for {minutes:g} minutes", flush=True)
    status = 0
    try:
        while time.monotonic() < until:
            for machine in chosen:
                run(machine)
            left = max(0.0, until - time.monotonic()) / 60
            print(f"{sum(examples.values())} examples, {left:.0f} minutes left", flush=True)
    except Exception as finding:  # noqa: BLE001 - whatever a machine raises is what we look for
        print(f"a finding: {type(finding).__name__}: {finding}", file=sys.stderr)
        status = 1
    for name, number in sorted(examples.items()):
        print(f"{name:24} {number} examples")
    return status


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 30.0))
