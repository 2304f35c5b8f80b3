"""A few seconds of the soak, always the same calls: every one of them is accounted for, and nothing is left behind."""

from __future__ import annotations

import pytest

from tests.soak.soak import Options, soak


@pytest.mark.parametrize("back_end", ["in-process", "channel"])
async def test_every_call_ends_once_and_nothing_is_left(back_end: str) -> None:
    report = await soak(
        Options(calls=150, back_ends=(back_end,), faults=True, bare=True, warm_calls=60, longest_pause_s=0.02)
    )
    assert report.findings == []
    assert report.counts["calls that a servicer started"] == report.counts["calls that a servicer ended"] > 150
