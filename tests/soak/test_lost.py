"""The table of what calls lose, one cell of it: what ``call.cancel()`` loses with a unary call is not lost here."""

from __future__ import annotations

from tests.soak.lost import Cell, side, table

OF_GRPCIO = 1200
"""Bytes that a bare client loses with a unary call that it cancels: grpc/grpc#43360."""


def test_a_unary_call_that_is_left_costs_nothing_much() -> None:
    (cell,) = side("ours", ["--calls", "600", "--kinds", "Unary", "--ends", "left"])
    assert cell.outcomes == {"left": 600}
    assert cell.heap < OF_GRPCIO / 3


def test_both_sides_stand_in_one_line() -> None:
    ours, bare = (Cell("Up", "ok", 9, {"OK": 9}, heap=heap, blocks=0.5, resident=2.0) for heap in (7.0, 8.0))
    assert [line.split() for line in table([ours], [bare]).splitlines()[1:]] == [
        ["ok", "Up", "9", "7", "8", "2", "2", "0.50", "0.50", "{'OK':", "9}", "{'OK':", "9}"]
    ]
