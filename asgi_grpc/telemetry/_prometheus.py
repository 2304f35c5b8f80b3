"""Prometheus metrics of calls.

The suffixes and labels are those of the gRPC ecosystem's own metrics (``grpc_server_started_total`` and so on, of
go-grpc-prometheus and its sisters), so that their queries need another prefix only. The prefix is ours, since a process
may also hold a gRPC server with those very metrics, and since who sums up ``grpc_server_handled_total`` must not count
a call twice, once here and once behind.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable, Iterator, Sequence
from weakref import WeakKeyDictionary

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, multiprocess
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from asgi_grpc.errors import Code
from asgi_grpc.schema import Method
from asgi_grpc.telemetry._call import CallRecord, Transport
from asgi_grpc.telemetry._observer import Observer

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_STREAM_SECONDS = (0.1, 1, 10, 60, 300, 900, 3600, 14400, 86400)

_LABELS = ("grpc_type", "grpc_service", "grpc_method", "transport")
_TYPES = {
    "unary": "unary",
    "server_streaming": "server_stream",
    "client_streaming": "client_stream",
    "bidirectional": "bidi_stream",
}  # our kinds, in the words of that ecosystem

_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"  # prometheus-client's own switch for several processes


class PrometheusMetrics(Observer):
    """Counts calls in a registry. Several on the same registry share its metrics.

    Labels have few values: types, services and methods of the schema, three transports, the codes; never a path, nor
    anything else that a client can make up. Live numbers of long streams grow with each batch.

    Args:
        registry: None: prometheus-client's default one.
        buckets_s: upper bounds, in seconds, of the two histograms of latency. The first of several on one registry
            decides.
    """

    def __init__(self, registry: CollectorRegistry | None = None, *, buckets_s: Sequence[float] = _SECONDS) -> None:
        self._registry = prometheus_client.REGISTRY if registry is None else registry
        if (families := _KNOWN.get(self._registry)) is None:
            families = _KNOWN[self._registry] = _Families(self._registry, buckets_s)
        self._families = families

    def started(self, call: CallRecord) -> None:
        """Count the call as open."""
        children = self._families.of(call.method, call.transport)
        children.started.inc()
        children.open.inc()
        self._families.calls.add(call)

    def received(self, call: CallRecord, messages: int, size: int) -> None:
        """Count a batch."""
        children = self._families.of(call.method, call.transport)
        children.received.inc(messages)
        children.received_bytes.inc(size)

    def sent(self, call: CallRecord, messages: int, size: int) -> None:
        """Count a batch."""
        children = self._families.of(call.method, call.transport)
        children.sent.inc(messages)
        children.sent_bytes.inc(size)

    def ended(self, call: CallRecord) -> None:
        """Count the end, and how long it took."""
        assert call.code is not None
        children = self._families.of(call.method, call.transport)
        children.open.dec()
        self._families.calls.discard(call)
        children.handled(call.code).inc()
        children.handling.observe(call.duration_s)
        if children.stream is not None:
            children.stream.observe(call.duration_s)
        if children.first is not None and call.first_message_s is not None:
            children.first.observe(call.first_message_s)

    def watch_queue(self, waiting: Callable[[], int]) -> None:
        """Tell the calls that wait for a thread at each scrape."""
        self._families.queues.append(waiting)

    def page(self, accept: str) -> tuple[str, bytes]:
        """All of the registry, for a scrape; it may be called from any thread.

        Args:
            accept: the header of that name.

        Returns:
            The media type, and the text.
        """
        encode, media_type = choose_encoder(accept)
        registry = self._registry
        if _DIRECTORY in os.environ:
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # as they publish it
        return media_type, encode(registry)


class _Families(Collector):
    """The metrics of one registry; at a scrape, also what is sampled then."""

    def __init__(self, registry: CollectorRegistry, buckets_s: Sequence[float]) -> None:
        def counter(name: str, text: str, *more: str) -> Counter:
            return Counter(f"asgi_grpc_{name}", text, [*_LABELS, *more], registry=registry)

        def histogram(name: str, text: str, buckets: Sequence[float]) -> Histogram:
            return Histogram(f"asgi_grpc_{name}_seconds", text, _LABELS, registry=registry, buckets=buckets)

        self.started = counter("started_total", "Calls that were started.")
        self.handled = counter("handled_total", "Calls that have ended, whichever way.", "grpc_code")
        self.received = counter("msg_received_total", "Messages from clients.")
        self.sent = counter("msg_sent_total", "Messages to clients.")
        self.received_bytes = counter("received_bytes_total", "Bytes of request bodies and of text messages.")
        self.sent_bytes = counter("sent_bytes_total", "Bytes of answers and of text messages.")
        self.handling = histogram("handling", "From the request to the end of the answer.", buckets_s)
        self.first = histogram("first_message", "From the request to the first reply of a stream.", buckets_s)
        self.stream = histogram("stream", "How long streams and their connections lasted.", _STREAM_SECONDS)
        self.open = Gauge(
            "asgi_grpc_open_calls", "Calls that run.", _LABELS, registry=registry, multiprocess_mode="livesum"
        )
        self.calls: set[CallRecord] = set()
        self.queues: list[Callable[[], int]] = []
        self._children: dict[tuple[Method, Transport], _Children] = {}
        if (directory := os.environ.get(_DIRECTORY)) is not None:
            atexit.register(multiprocess.mark_process_dead, os.getpid(), directory)
        registry.register(self)

    def of(self, method: Method, transport: Transport) -> _Children:
        """The time series of a method; finding them by labels each time would cost as much as the counting."""
        found = self._children.get((method, transport))
        if found is None:
            found = self._children[method, transport] = _Children(self, method, transport)
        return found

    def describe(self) -> Iterator[Metric]:
        """See ``Collector``: the names, without a sample."""
        yield GaugeMetricFamily("asgi_grpc_read_ahead_bytes", "Read from clients, and not yet taken.")
        yield GaugeMetricFamily("asgi_grpc_queued_calls", "Calls that wait for a thread.")

    def collect(self) -> Iterator[Metric]:
        """See ``Collector``."""
        values = [sum(call.held_bytes for call in list(self.calls)), sum(waiting() for waiting in self.queues)]
        for family, value in zip(self.describe(), values, strict=True):
            assert isinstance(family, GaugeMetricFamily)
            family.add_metric([], value)
            yield family


class _Children:
    """The time series of one method over one transport."""

    def __init__(self, families: _Families, method: Method, transport: Transport) -> None:
        service, _, name = method.full_name.rpartition(".")
        labels = (_TYPES[method.kind], service, name, transport)
        self.started = families.started.labels(*labels)
        self.open = families.open.labels(*labels)
        self.received = families.received.labels(*labels)
        self.sent = families.sent.labels(*labels)
        self.received_bytes = families.received_bytes.labels(*labels)
        self.sent_bytes = families.sent_bytes.labels(*labels)
        self.handling = families.handling.labels(*labels)
        self.first = families.first.labels(*labels) if method.server_streaming else None
        self.stream = families.stream.labels(*labels) if method.kind != "unary" else None
        self._families = families
        self._labels = labels
        self._by_code: dict[Code, Counter] = {}

    def handled(self, code: Code) -> Counter:
        """The counter of one code."""
        found = self._by_code.get(code)
        if found is None:
            found = self._by_code[code] = self._families.handled.labels(*self._labels, code.name)
        return found


_KNOWN: WeakKeyDictionary[CollectorRegistry, _Families] = WeakKeyDictionary()
