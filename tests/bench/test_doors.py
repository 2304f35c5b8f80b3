"""The harness measures what it says, and says what it measured."""

from __future__ import annotations

import sys

import pytest
import wsproto.connection
import wsproto.events
from google.protobuf.json_format import Parse

from tests.bench.doors.accounting import processor_s, tree
from tests.bench.doors.bench_pb2 import Item
from tests.bench.doors.checks import Check, against_hand_written, in_process
from tests.bench.doors.contenders import CONTENDERS, frames
from tests.bench.doors.table import UNITS, Cell, Reading
from tests.bench.doors.wire import ITEM_BYTES, chunked, item, lines
from tests.processes import started

BURN = "import os, time\nwhile time.process_time() < 0.2: pass\nprint('listening on', os.getpid(), flush=True)\ninput()"
PARENT = "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', sys.argv[1]], stdin=subprocess.PIPE).wait()"


def cell(name: str, *server_us: float) -> Cell:
    """Readings of one contender."""
    (contender,) = [found for found in CONTENDERS if found.name == name]
    return Cell(contender, [Reading(each, each, 0.0, each) for each in server_us])


def test_an_item_has_sixty_bytes_and_is_the_message() -> None:
    for number in (0, 99, 100_000):
        assert len(item(number)) == ITEM_BYTES
        assert Parse(item(number), Item()).id == 10_000_000 + number


def test_the_frames_are_what_a_browser_sends() -> None:
    server = wsproto.connection.Connection(wsproto.connection.ConnectionType.SERVER)
    server.receive_data(frames(3))
    texts = [event.data for event in server.events() if isinstance(event, wsproto.events.TextMessage)]
    assert texts == [*(item(number).decode() for number in range(3)), ""]


def test_a_chunked_body_is_the_body() -> None:
    body = lines(3000)
    opening, *blocks, end = chunked("/", body, "application/x-ndjson")
    assert (opening[-4:], end) == (b"\r\n\r\n", b"0\r\n\r\n")
    assert b"".join(block.split(b"\r\n", 1)[1][:-2] for block in blocks) == body
    assert [int(block.split(b"\r\n", 1)[0], 16) for block in blocks] == [65536, 65536, 183000 - 131072]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the clocks of other processes are Linux's")
def test_the_processor_time_of_a_child_counts() -> None:
    with started(sys.executable, "-c", PARENT, BURN) as parent:
        assert tree(parent.pid) == [parent.pid, int(parent.address)]
        assert processor_s(tree(parent.pid)) >= 0.2


def test_every_row_has_a_name_and_every_contender_a_row() -> None:
    assert {row for contender in CONTENDERS for row in contender.rows} == set(UNITS)


def test_ratios_are_of_one_round_each() -> None:
    rows = {"unary": {"echo": cell("echo", 10, 30, 20), "in-process": cell("in-process", 20, 60, 44)}}
    (check,) = in_process(rows)
    assert (check.value, check.held) == (24, True)


def test_what_the_server_alone_takes_says_what_is_left() -> None:
    row = {"fastapi": cell("fastapi", 160, 190), "in-process": cell("in-process", 10, 10), "echo": cell("echo", 8, 10)}
    (check,) = against_hand_written({"ws-down": row})
    assert (check.value, check.held, check.possible, check.note[-6:]) == (17.5, False, False, "19.5 x")
    del row["echo"]
    (check,) = against_hand_written({"ws-down": row})
    assert (check.possible, check.note) == (True, "")


def test_a_target_may_be_a_least_or_a_most() -> None:
    assert [Check("", value, 2.0).held for value in (1.9, 2.0, 2.1)] == [True, True, False]
    assert [Check("", value, 2.0, least=True).held for value in (1.9, 2.0, 2.1)] == [False, True, True]
