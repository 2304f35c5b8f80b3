"""The account itself: what the soak would miss if it did not look."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.soak.clients import Seen
from tests.soak.growth import Sample, Series, mix_verdict, verdicts
from tests.soak.holdings import Holdings
from tests.soak.judge import judge
from tests.soak.ledger import Entry, Ledger, LedgerReader
from tests.soak.plans import Plan, draw
from tests.soak.processes import log_findings
from tests.soak.report import Report
from tests.soak.service import Script
from tests.soak.wire import body_pieces, records, requests

UP = Plan(number=7, theme="fine", back_end="in-process", service="Async", kind="Up", door="json", pads=[0, 0, 0])
DOWN = Plan(
    number=8,
    theme="abort",
    back_end="channel",
    service="Sync",
    kind="Down",
    door="sse",
    pads=[0],
    script=Script(replies=5, end="ABORTED", after=2),
    allowed=frozenset({"ABORTED"}),
)
BAD = msgspec.structs.replace(UP, theme="bad", bad=b"{", bad_at=2, allowed=frozenset({"INVALID_ARGUMENT"}))
HUNG = msgspec.structs.replace(UP, theme="leave-hung", script=Script(end="hang"), allowed=frozenset({"left"}))
SEEN_UP = Seen(outcome="OK", replies=[{"number": 1, "count": 3, "sum": 6}])
SEEN_DOWN = Seen(outcome="ABORTED", text="soak 8", replies=[{"number": 1}, {"number": 2}])
SEEN_BAD = Seen(outcome="INVALID_ARGUMENT")
ENTRY_UP = Entry(starts=1, ends=1, how="OK", count=3, sum=6, replies=1)
ENTRY_DOWN = Entry(starts=1, ends=1, how="ABORTED", count=1, sum=1, replies=2)
ENTRY_BAD = Entry(starts=1, ends=1, how="cancelled", count=1, sum=1)

WRONG = [
    pytest.param(UP, Seen(outcome="UNKNOWN"), ENTRY_UP, "the client saw UNKNOWN", id="another-outcome"),
    pytest.param(UP, SEEN_UP, replace(ENTRY_UP, ends=0), "started 1 times and ended 0 times", id="never-ended"),
    pytest.param(UP, SEEN_UP, replace(ENTRY_UP, starts=2, ends=2), "started 2 times", id="twice"),
    pytest.param(UP, SEEN_UP, replace(ENTRY_UP, ordered=False), "requests out of order", id="order"),
    pytest.param(UP, SEEN_UP, replace(ENTRY_UP, count=2, sum=3), "the servicer read (2, 3)", id="request-lost"),
    pytest.param(UP, SEEN_UP, Entry(), "the servicer started 0 times", id="success-of-nothing"),
    pytest.param(UP, replace(SEEN_UP, replies=[]), ENTRY_UP, "of 1 replies the client saw 0", id="reply-lost"),
    pytest.param(UP, SEEN_UP, replace(ENTRY_UP, how="cancelled"), "ended with 'cancelled'", id="success-of-cancelled"),
    pytest.param(DOWN, replace(SEEN_DOWN, text=""), ENTRY_DOWN, "saw the text ''", id="text-lost"),
    pytest.param(
        DOWN, replace(SEEN_DOWN, replies=[{"number": 1}]), ENTRY_DOWN, "wrote 2 replies", id="lost-before-failure"
    ),
    pytest.param(
        DOWN, replace(SEEN_DOWN, replies=[{"number": 2}, {"number": 1}]), ENTRY_DOWN, "replies out of order", id="mixed"
    ),
    pytest.param(BAD, SEEN_BAD, replace(ENTRY_BAD, count=0, sum=0), "1 good requests stood before", id="good-one-lost"),
    pytest.param(BAD, SEEN_BAD, replace(ENTRY_BAD, count=3), "1 good requests stood before", id="behind-the-bad-one"),
    pytest.param(BAD, SEEN_BAD, replace(ENTRY_BAD, how="OK"), "ended with OK", id="bad-taken-for-the-end"),
    pytest.param(HUNG, Seen(outcome="left"), replace(ENTRY_UP, how="forgotten"), "forgotten", id="not-cancelled"),
]


@pytest.mark.parametrize(
    ("plan", "seen", "entry"), [(UP, SEEN_UP, ENTRY_UP), (DOWN, SEEN_DOWN, ENTRY_DOWN), (BAD, SEEN_BAD, ENTRY_BAD)]
)
def test_what_went_as_planned_is_no_finding(plan: Plan, seen: Seen, entry: Entry) -> None:
    assert list(judge(plan, seen, entry)) == []


@pytest.mark.parametrize(("plan", "seen", "entry", "finding"), WRONG)
def test_what_did_not_is_one(plan: Plan, seen: Seen, entry: Entry, finding: str) -> None:
    assert finding in "\n".join(judge(plan, seen, entry))


def test_an_outage_excuses_an_outcome_and_no_loss() -> None:
    gone = Seen(outcome="UNAVAILABLE")
    assert list(judge(UP, gone, replace(ENTRY_UP, how="cancelled"), excused=["UNAVAILABLE"])) == []
    assert list(judge(UP, gone, replace(ENTRY_UP, ends=0), excused=["UNAVAILABLE"])) != []
    assert list(judge(UP, SEEN_UP, replace(ENTRY_UP, count=2), excused=["UNAVAILABLE"])) != []
    assert list(judge(DOWN, SEEN_DOWN, Entry(starts=1, killed=True))) == []  # before it could write its last line


def test_the_ledger_outlives_a_service(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    ledger, reader = Ledger(path), LedgerReader(path)
    ledger.note("S", 1)
    ledger.note("E", 1, "OK", 2, 3, 1, True)
    ledger.note("S", 2)
    reader.killed()
    Ledger(path).note("S", 3)
    reader.update()
    assert reader.entries == {
        1: Entry(starts=1, ends=1, how="OK", count=2, sum=3, replies=1),
        2: Entry(starts=1, killed=True),
        3: Entry(starts=1),
    }


def test_a_number_and_a_seed_decide_a_call() -> None:
    options: dict[str, Any] = {"back_ends": ["in-process", "channel"], "faults": True, "longest_pause_s": 1.0}
    assert [draw(1, n, **options) for n in range(50)] == [draw(1, n, **options) for n in range(50)]
    assert draw(1, 1, **options) != draw(2, 1, **options)


@pytest.mark.parametrize("body", ["ndjson", "array", "seq", "spaced"])
def test_cuts_change_no_byte_of_a_body(body: str) -> None:
    plan = msgspec.structs.replace(UP, body=body)
    bodies = {b"".join(body_pieces(msgspec.structs.replace(plan, cuts=cuts))) for cuts in ("whole", "each", "bytes")}
    (whole,) = bodies
    assert [whole.count(document) for document in requests(plan)] == [1, 1, 1]


def test_an_answer_without_its_end_is_seen() -> None:
    assert records("ndjson", b'{"type":"response","data":{}}\n') == [("response", {})]
    assert records("sse", b'event: error\ndata: {"code":"ABORTED"}\n\n') == [("error", {"code": "ABORTED"})]


IDLE = Holdings(running=0, tasks=2, threads=1, os_threads=1, files=9, messages=0, rss_kib=50_000)


def series(kib_a_sample: int, **final: int) -> Series:
    """Ten minutes of a process that grows, 50 calls and some KiB with each look at it."""
    samples = [
        Sample(at * 2.0, at * 50, msgspec.structs.replace(IDLE, rss_kib=50_000 + at * kib_a_sample))
        for at in range(300)
    ]
    return Series(samples, IDLE, msgspec.structs.replace(IDLE, **final))


def test_whatever_is_left_is_a_finding() -> None:
    report = Report("", processes={"in-process": series(200, tasks=3, messages=1)})
    report.close()
    left = ["tasks: 2 before the first call, 3 after the last", "messages: 0 before the first call, 1 after the last"]
    growth = "+4096 bytes of resident memory a call over 7450 calls; +29800 KiB more than that in 298 s"
    assert report.findings == [
        f"MISSED  in-process: what an idle gateway holds is the same before and after {left}",
        f"MISSED  in-process: {growth}, 4096 KiB are noise",
    ]


@pytest.mark.parametrize(("ours", "held"), [(20, True), (30, True), (70, False)])
def test_a_gateway_may_lose_what_a_bare_client_loses(ours: int, held: bool) -> None:
    found = verdicts({"channel": series(ours), "bare": series(20)})
    assert [verdict.held for verdict in found] == [True, held]


def test_what_a_bare_client_loses_excuses_nothing_in_process() -> None:
    found = verdicts({"in-process": series(50), "bare": series(50)})
    assert [verdict.held for verdict in found] == [True, False]


def test_a_short_soak_says_nothing_of_growth() -> None:
    short = series(200)
    short.samples = short.samples[:60]
    assert [verdict.held for verdict in verdicts({"in-process": short})] == [True, None]


def test_a_bare_client_that_made_other_calls_is_no_measure() -> None:
    ours = Counter({"Up OK": 900, "Up cancelled": 100})
    assert mix_verdict(ours, Counter({"Up OK": 890, "Up cancelled": 110})).held
    assert not mix_verdict(ours, Counter({"Up OK": 800, "Up cancelled": 200})).held


def test_tracebacks_in_the_log_are_findings_unless_they_were_planned() -> None:
    planned = "ERROR a: failed\nTraceback (most recent call last):\nPlannedError\n"
    ours = "ERROR b: failed\nTraceback (most recent call last):\nKeyError\n"
    assert list(log_findings(planned + "WARNING c: fine\n")) == []
    assert [found.count("KeyError") for found in log_findings(planned + ours)] == [1]
