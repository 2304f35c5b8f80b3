"""Sums over streams of points, exact however long they are."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import grpc
import streaming_pb2_grpc
from streaming_calls import Refused, check_name, inputs, invalid, serving
from streaming_pb2 import MetricData, MetricsCollectionResult, MetricSummary

if TYPE_CHECKING:
    from streaming_calls import Context

MAX_METRICS = 10_000  # names in one stream
FOLD_POINTS = 1 << 14  # kept back before they are summed: about half a MiB


def exact_sum(parts: list[float]) -> tuple[float, float]:
    """The sum, and what rounding took from it. ``Refused``: it is no finite float."""
    try:
        total = math.fsum(parts)
        return total, math.fsum([*parts, -total])
    except OverflowError:
        raise Refused(grpc.StatusCode.OUT_OF_RANGE, "a sum is too large for a double") from None


class Series:
    """The points of one metric: the newest as a list, the others summed up.

    The sum is kept in two floats, the second holding what the first rounded away; so the result is what ``math.fsum``
    would say of all points together.
    """

    def __init__(self) -> None:
        self.count = 0
        self.sum = 0.0
        self.rest = 0.0
        self.min = math.inf
        self.max = -math.inf
        self.newest: list[float] = []

    def fold(self) -> None:
        """Sum up the newest points. ``Refused``: the sum is no finite float."""
        points, self.newest = self.newest, []
        self.count += len(points)
        self.min = min(self.min, *points) if points else self.min
        self.max = max(self.max, *points) if points else self.max
        self.sum, self.rest = exact_sum([self.sum, self.rest, *points])


class Metrics:
    """All the points of one stream, by name."""

    def __init__(self) -> None:
        self.count = 0
        self._series: dict[str, Series] = {}

    def add(self, name: str, value: float) -> None:
        """Take one point in. ``Refused``: it has no name, its value is not finite, there are too many names."""
        self.count += 1
        series = self._series.get(name)
        if series is None:
            series = self._begin(name)
        if not math.isfinite(value):
            raise invalid(f"point {self.count}: the value must be finite")
        series.newest.append(value)
        if not self.count % FOLD_POINTS:
            self._fold()

    def result(self) -> MetricsCollectionResult:
        """What came in, by name and in all. ``Refused``: a sum is no finite float."""
        self._fold()
        every = list(self._series.values())
        total, _ = exact_sum([series.sum for series in every] + [series.rest for series in every])
        return MetricsCollectionResult(
            count=self.count,
            sum=total,
            min=min((series.min for series in every), default=0.0),
            max=max((series.max for series in every), default=0.0),
            metrics=[
                MetricSummary(name=name, count=series.count, sum=series.sum, min=series.min, max=series.max)
                for name, series in sorted(self._series.items())
            ],
        )

    def _begin(self, name: str) -> Series:
        """A series for a new name."""
        if len(self._series) >= MAX_METRICS:
            raise Refused(grpc.StatusCode.RESOURCE_EXHAUSTED, f"more than {MAX_METRICS} metrics in one stream")
        check_name(f"point {self.count}: name", name)
        series = self._series[name] = Series()
        return series

    def _fold(self) -> None:
        """Fold every series."""
        for series in self._series.values():
            series.fold()


class MetricMethods(streaming_pb2_grpc.StreamingServiceServicer):
    """The method to collect metrics."""

    async def CollectMetrics(
        self, request_iterator: AsyncIterator[MetricData], context: Context
    ) -> MetricsCollectionResult:
        """Sum up all points, once the input has ended."""
        async with serving(context, "CollectMetrics") as call:
            metrics = Metrics()
            call.about = "metrics"
            async for point in inputs(request_iterator):
                metrics.add(point.name, point.value)
            call.about = f"{metrics.count} points"
            return metrics.result()
