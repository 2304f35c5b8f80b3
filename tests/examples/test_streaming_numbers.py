"""Metrics, records and live data are counted right."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
import streaming_pb2 as pb
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp
from streaming_pb2_grpc import StreamingServiceStub as Stub
from streaming_records import MAX_SOURCES

from tests.examples.speaking import INVALID, Talk, failure
from tests.processes import Started


def test_points_are_summed_exactly(stub: Stub) -> None:
    draw = random.Random(1)
    points = [(f"metric-{number % 7}", draw.uniform(-1e9, 1e9)) for number in range(20_000)]
    result = stub.CollectMetrics(pb.MetricData(name=name, value=value) for name, value in points)
    by_name: dict[str, list[float]] = {}
    for name, value in points:
        by_name.setdefault(name, []).append(value)
    values = [value for _, value in points]
    assert result == pb.MetricsCollectionResult(
        count=20_000,
        sum=math.fsum(values),
        min=min(values),
        max=max(values),
        metrics=[
            pb.MetricSummary(name=name, count=len(of), sum=math.fsum(of), min=min(of), max=max(of))
            for name, of in sorted(by_name.items())
        ],
    )


def test_no_points_are_a_result_too(stub: Stub) -> None:
    assert stub.CollectMetrics(iter([])) == pb.MetricsCollectionResult()


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (pb.MetricData(value=1), "point 2: name is required"),
        (pb.MetricData(name="a", value=math.nan), "point 2: the value must be finite"),
        (pb.MetricData(name="a", value=math.inf), "point 2: the value must be finite"),
    ],
)
def test_a_bad_point_is_named(stub: Stub, bad: pb.MetricData, problem: str) -> None:
    assert failure(lambda: stub.CollectMetrics(iter([pb.MetricData(name="a"), bad]))) == (INVALID, problem)


def record(**changed: Any) -> pb.DataRecord:
    fields = Struct()
    fields["t"] = 21.5
    honest: dict[str, Any] = {"id": "r", "source": "s", "fields": fields}
    return pb.DataRecord(**(honest | changed))


def test_a_batch_reports_each_record_that_it_refused(stub: Stub) -> None:
    late = Timestamp(seconds=253402300800)
    records = [record(), record(id=""), record(), record(source=""), record(fields=None), record(timestamp=late)]
    assert stub.ProcessDataBatch(iter(records)) == pb.BatchProcessingResult(
        accepted=2,
        rejected=4,
        errors=[
            pb.RejectedRecord(number=2, problem="id is required"),
            pb.RejectedRecord(number=4, id="r", problem="source is required"),
            pb.RejectedRecord(number=5, id="r", problem="fields is required"),
            pb.RejectedRecord(number=6, id="r", problem="timestamp is not within the years 1 to 9999"),
        ],
    )


def test_a_batch_reports_the_first_hundred_errors(stub: Stub) -> None:
    result = stub.ProcessDataBatch(record(id="") for _ in range(150))
    assert (result.rejected, [error.number for error in result.errors]) == (150, list(range(1, 101)))


def test_live_data_is_answered_at_once(stub: Stub) -> None:
    talk = Talk(stub.ProcessLiveData)
    for values in ([2.0], [2.0, 4.0], [2.0, 4.0, 9.0]):
        talk.say(pb.DataInput(source="s", value=values[-1]))
        mean = sum(values) / len(values)
        (result,) = talk.hear(1)
        assert (result.source, result.value, result.count) == ("s", values[-1], len(values))
        assert (result.mean, result.min, result.max) == (mean, min(values), max(values))
        deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))
        assert result.standard_deviation == pytest.approx(deviation)
    assert talk.end() == []


def test_bad_live_data_is_answered_with_an_error(stub: Stub) -> None:
    entries = [pb.DataInput(value=1), pb.DataInput(source="s", value=math.inf), pb.DataInput(source="s", value=1)]
    results = list(stub.ProcessLiveData(iter(entries)))
    assert [(result.error.code, result.error.message, result.count) for result in results] == [
        (3, "source is required", 0),
        (3, "value must be finite", 0),
        (0, "", 1),
    ]


def test_live_data_may_have_only_so_many_sources(stub: Stub) -> None:
    entries = (pb.DataInput(source=str(number), value=1) for number in range(MAX_SOURCES + 1))
    *others, last = stub.ProcessLiveData(entries)
    assert all(result.count == 1 for result in others)
    assert (last.error.code, last.error.message) == (8, "more than 10000 sources in one stream")


def test_a_source_of_live_data_that_goes_is_noticed(server: Started, stub: Stub) -> None:
    talk = Talk(stub.ProcessLiveData)
    talk.say(pb.DataInput(source="s", value=1))
    talk.hear(1)
    talk.call.cancel()
    server.wait_for("^ProcessLiveData cancelled: live data$")
    talk.say(None)
