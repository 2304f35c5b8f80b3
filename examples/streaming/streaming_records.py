"""Streams of records: checked in a batch, or answered one by one."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import grpc
import streaming_pb2_grpc
from google.rpc.status_pb2 import Status
from streaming_calls import Refused, check_name, inputs, invalid, serving
from streaming_pb2 import BatchProcessingResult, DataInput, DataRecord, ProcessingResult, RejectedRecord

if TYPE_CHECKING:
    from streaming_calls import Context

MAX_ERRORS = 100  # reported of one batch
MAX_SOURCES = 10_000  # followed in one stream
FIRST_SECOND, LAST_SECOND = -62135596800, 253402300799  # of the years 1 to 9999: google/protobuf/timestamp.proto


def check_record(record: DataRecord) -> None:
    """``Refused`` if something is wrong with one record."""
    check_name("id", record.id)
    check_name("source", record.source)
    if not record.fields.fields:
        raise invalid("fields is required")
    moment = record.timestamp
    if not (FIRST_SECOND <= moment.seconds <= LAST_SECOND and 0 <= moment.nanos < 1_000_000_000):
        raise invalid("timestamp is not within the years 1 to 9999")


class Statistics:
    """Running statistics of one source. Source: B. P. Welford, Technometrics 4 (1962), 419."""

    def __init__(self) -> None:
        self.count = 0
        self.mean = 0.0
        self.min = math.inf
        self.max = -math.inf
        self._squares = 0.0

    def add(self, value: float) -> None:
        """Take one value in."""
        self.count += 1
        distance = value - self.mean
        self.mean += distance / self.count
        self._squares += distance * (value - self.mean)
        self.min = min(self.min, value)
        self.max = max(self.max, value)

    @property
    def standard_deviation(self) -> float:
        """Of the population."""
        return math.sqrt(self._squares / self.count)


class RecordMethods(streaming_pb2_grpc.StreamingServiceServicer):
    """The two methods to process data."""

    async def ProcessDataBatch(
        self, request_iterator: AsyncIterator[DataRecord], context: Context
    ) -> BatchProcessingResult:
        """Check all records, and report once the input has ended."""
        async with serving(context, "ProcessDataBatch") as call:
            call.about = "records"
            result = BatchProcessingResult()
            async for record in inputs(request_iterator):
                try:
                    check_record(record)
                    result.accepted += 1
                except Refused as refusal:
                    result.rejected += 1
                    if len(result.errors) < MAX_ERRORS:
                        number = result.accepted + result.rejected
                        result.errors.append(RejectedRecord(number=number, id=record.id[:128], problem=str(refusal)))
            call.about = f"{result.accepted + result.rejected} records"
            return result

    async def ProcessLiveData(self, request_iterator: AsyncIterator[DataInput], context: Context) -> None:
        """Write the statistics of its source after each input; a bad input gets an error, and the stream goes on."""
        async with serving(context, "ProcessLiveData") as call:
            call.about = "live data"
            sources: dict[str, Statistics] = {}
            async for entry in inputs(request_iterator):
                result = ProcessingResult(source=entry.source[:128], value=entry.value)
                try:
                    self._process(entry, sources, result)
                except Refused as refusal:
                    code, _ = refusal.code.value
                    result.error.CopyFrom(Status(code=code, message=str(refusal)))
                await context.write(result)

    def _process(self, entry: DataInput, sources: dict[str, Statistics], result: ProcessingResult) -> None:
        """Take one input in. ``Refused``: it is bad."""
        check_name("source", entry.source)
        if not math.isfinite(entry.value):
            raise invalid("value must be finite")
        if entry.source not in sources and len(sources) >= MAX_SOURCES:
            raise Refused(grpc.StatusCode.RESOURCE_EXHAUSTED, f"more than {MAX_SOURCES} sources in one stream")
        statistics = sources.setdefault(entry.source, Statistics())
        statistics.add(entry.value)
        result.count = statistics.count
        result.mean = statistics.mean
        result.min = statistics.min
        result.max = statistics.max
        result.standard_deviation = statistics.standard_deviation
