"""A sink's Prometheus metrics, which ``docs/operations.md`` explains, and the state that its health pages show."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from sinks.base import Flushed

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class SinkMetrics:
    """Implements ``sinks.runner.SinkObserver``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._records = Counter("cxbus_sink_records_total", "Records written to the database", registry=registry)
        self._unreadable = Counter(
            "cxbus_sink_unreadable_total",
            "Records skipped: a fault of the bus, or foreign records",
            ["topic", "reason"],
            registry=registry,
        )
        self._flush = Histogram(
            "cxbus_sink_flush_seconds", "Seconds of one database transaction", buckets=SECONDS, registry=registry
        )
        self._failures = Counter(
            "cxbus_sink_failures_total", "Times that database or broker could not be used", ["part"], registry=registry
        )
        self._lag = Gauge("cxbus_consumer_lag_records", "Offsets not yet read", ["topic"], registry=registry)
        self._last = Gauge(
            "cxbus_last_processed_timestamp_seconds",
            "Time at which a unit of work was last durable, in seconds since 1970",
            ["stage"],
            registry=registry,
        )
        self._behind: dict[tuple[str, int], int] = {}
        self.failing: str | None = None
        """``database`` or ``broker`` while it can't be used."""

    @property
    def reading(self) -> bool:
        """Whether the sink has reported its lag since the last failure."""
        return bool(self._behind)

    @property
    def left(self) -> int:
        """The lag: how many records are left to read."""
        return sum(self._behind.values())

    def flushed(self, flushed: Flushed, seconds: float) -> None:
        """The database committed a batch."""
        self.failing = None
        self._records.inc(flushed.records)
        self._flush.observe(seconds)
        self._last.labels("sink").set(time.time())
        for (topic, reason), count in flushed.unreadable.items():
            self._unreadable.labels(topic, reason).inc(count)

    def failed(self, part: str) -> None:
        """Database or broker could not be used."""
        self._failures.labels(part).inc()
        self.failing = part
        if part == "broker":
            self._behind.clear()

    def behind(self, topic: str, partition: int, offsets: int) -> None:
        """The lag of one partition is ``offsets``."""
        self.failing = None
        self._behind[topic, partition] = offsets
        self._lag.labels(topic).set(sum(left for (name, _), left in self._behind.items() if name == topic))
