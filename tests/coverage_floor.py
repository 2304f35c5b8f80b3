"""Say the coverage of every module, and fail where one is below the floor.

Usage: python tests/coverage_floor.py coverage.json 95
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main(report: str, floor: str) -> int:
    """Print a line for each module; the exit status is 1 where one has fewer covered branches than the floor."""
    files = json.loads(Path(report).read_text())["files"]
    low: list[str] = []
    for name, entry in sorted(files.items()):
        summary = entry["summary"]
        branches = summary.get("num_branches", 0)
        covered = 100.0 * summary["covered_branches"] / branches if branches else 100.0
        lines = 100.0 * summary["covered_lines"] / summary["num_statements"] if summary["num_statements"] else 100.0
        print(f"{name:45} branches {covered:6.1f} %  lines {lines:6.1f} %")
        if covered < float(floor) or lines < float(floor):
            missing = entry["missing_lines"], entry.get("missing_branches", [])
            low.append(f"{name}: lines {missing[0]}, branches {missing[1]}")
    for line in low:
        print(f"below {floor} %: {line}", file=sys.stderr)
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
