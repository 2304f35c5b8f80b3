"""The sums of long streams are exact, and what is kept back is bounded."""

from __future__ import annotations

import math
import random

import grpc
import pytest
from streaming_calls import Refused
from streaming_metrics import FOLD_POINTS, MAX_METRICS, Metrics


def test_two_hundred_thousand_points_are_summed_as_fsum_does() -> None:
    draw = random.Random(2)
    values = [draw.uniform(-1, 1) * 10.0 ** draw.randint(-20, 20) for _ in range(200_000)]
    metrics = Metrics()
    for number, value in enumerate(values):
        metrics.add(f"m{number % 3}", value)
    result = metrics.result()
    assert (result.count, result.sum, result.min, result.max) == (200_000, math.fsum(values), min(values), max(values))
    assert [(of.name, of.count, of.sum, of.min, of.max) for of in result.metrics] == [
        (f"m{k}", len(values[k::3]), math.fsum(values[k::3]), min(values[k::3]), max(values[k::3])) for k in range(3)
    ]


def test_a_small_point_survives_between_two_great_ones() -> None:
    metrics = Metrics()
    for value in (1e100, 1.0, *[0.0] * FOLD_POINTS, -1e100):
        metrics.add("m", value)
    assert metrics.result().sum == 1.0


def test_a_sum_that_no_float_holds_is_refused() -> None:
    metrics = Metrics()
    metrics.add("m", 1.7e308)
    metrics.add("m", 1.7e308)
    with pytest.raises(Refused) as caught:
        metrics.result()
    assert caught.value.code is grpc.StatusCode.OUT_OF_RANGE


def test_there_may_be_only_so_many_metrics() -> None:
    metrics = Metrics()
    for number in range(MAX_METRICS):
        metrics.add(str(number), 1)
    metrics.add("0", 1)
    with pytest.raises(Refused) as caught:
        metrics.add("one more", 1)
    assert caught.value.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert metrics.result().sum == MAX_METRICS + 1
