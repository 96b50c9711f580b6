"""The workers' metrics for Prometheus: the one catalogue of names; ``docs/operations.md`` explains each.

Label values come from closed sets (department, type, topic, reason, rule, state, stage), never from a customer.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

log = structlog.get_logger("agents.metrics")

LATENCY = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600)
SIZES = (1, 10, 50, 100, 500, 1000, 2500, 5000, 10_000)


class Metrics:
    """The metrics of one worker."""

    def __init__(self, registry: CollectorRegistry) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library gives it no type
        self.events = Counter(
            "cxbus_events_total", "Records read from department topics", ["department"], registry=registry
        )
        self.routed = Counter(
            "cxbus_routed_total",
            "Events routed: to the journal, or to the resolver (links)",
            ["way"],
            registry=registry,
        )
        self.dead = Counter("cxbus_dead_total", "Dead letters", ["department", "reason"], registry=registry)
        self.blocked = Counter("cxbus_identifiers_blocked_total", "Identifiers that identify nobody", registry=registry)
        self.blocked_values = Gauge(
            "cxbus_blocked_identifiers",
            "Identifiers that are blocked because too many customers used them within 24 hours",
            registry=registry,
        )
        self.links = Counter("cxbus_links_total", "Identifiers linked to a customer", registry=registry)
        self.merges = Counter("cxbus_merges_total", "Customers merged into another", registry=registry)
        self.unjudged = Counter(
            "cxbus_moves_unjudged_total",
            "Parts of merges after which evaluating the rules failed; the customer's next event evaluates them",
            registry=registry,
        )
        self.entries = Counter(
            "cxbus_entries_total", "Timeline entries written", ["department", "arrival"], registry=registry
        )
        self.unmatched_closings = Counter(
            "cxbus_unmatched_closings_total",
            "Events that can close a matter for whose customer it was never opened",
            ["department", "type"],
            registry=registry,
        )
        self.duplicates = Counter("cxbus_duplicates_total", "Copies of known events", registry=registry)
        self.alerts = Counter(
            "cxbus_alerts_total", "Alert messages, once per alert", ["rule", "state"], registry=registry
        )
        self.alert_latency = Histogram(
            "cxbus_alert_latency_seconds",
            "From the broker's receipt of an event to the commit of its alert",
            buckets=LATENCY,
            registry=registry,
        )
        self.records_out = Counter("cxbus_records_out_total", "Records written", ["stage"], registry=registry)
        self.batch = Histogram(
            "cxbus_batch_records", "Records in a unit of work", ["stage"], buckets=SIZES, registry=registry
        )
        self.decide = Histogram(
            "cxbus_decide_seconds", "Seconds to decide a unit of work", ["stage"], buckets=LATENCY, registry=registry
        )
        self.commit = Histogram(
            "cxbus_commit_seconds",
            "Seconds until a unit of work is durable",
            ["stage"],
            buckets=LATENCY,
            registry=registry,
        )
        self.in_progress = Gauge("cxbus_in_progress_batches", "Batches in progress", ["stage"], registry=registry)
        self.last = Gauge(
            "cxbus_last_processed_timestamp_seconds",
            "Time at which a unit of work was last durable, in seconds since 1970",
            ["stage"],
            registry=registry,
        )
        self.event_lag = Gauge(
            "cxbus_event_time_lag_seconds",
            "Age, by its own time, of the latest event of the last unit of work of the journey",
            registry=registry,
        )
        self.lost = Counter(
            "cxbus_lost_records_total",
            "Offsets that Kafka deleted before they were read: no worker ran for longer than the retention",
            ["topic"],
            registry=registry,
        )
        self.foreign = Counter(
            "cxbus_foreign_records_total",
            "Records on the bus's own topics that it did not write, and skips",
            ["topic"],
            registry=registry,
        )
        self.foreign_offset = Gauge(
            "cxbus_foreign_record_offset",
            "Offset of the last foreign record",
            ["topic", "partition"],
            registry=registry,
        )
        self.lag = Gauge("cxbus_consumer_lag_records", "Offsets not yet read", ["topic"], registry=registry)
        self.restored = Counter(
            "cxbus_restored_records_total", "Records read when partitions were restored", registry=registry
        )
        self.restore = Gauge(
            "cxbus_restore_seconds",
            "Seconds that the last restore of a partition took",
            ["topic", "partition"],
            registry=registry,
        )
        self.partitions = Counter(
            "cxbus_partition_openings_total",
            "Partitions taken over: fenced, then restored or kept",
            ["topic", "event"],
            registry=registry,
        )

    def pass_over(self, topic: str, partition: int, offsets: Sequence[int]) -> None:
        """Counts and logs the records at these offsets, which the bus did not write and skips."""
        log.warning(
            "foreign records are skipped",
            topic=topic,
            partition=partition,
            first=offsets[0],
            last=offsets[-1],
            records=len(offsets),
        )
        self.foreign.labels(topic).inc(len(offsets))
        self.foreign_offset.labels(topic, str(partition)).set(offsets[-1])


class EngineMetrics:
    """The engine's metrics for the partitions of one stage. Implements ``engine.transactional.observer.Observer``."""

    def __init__(self, metrics: Metrics, stage: str) -> None:
        self._metrics = metrics
        self._stage = stage

    def batch(
        self, topic: str, partition: int, records: int, outputs: int, decide_seconds: float, commit_seconds: float
    ) -> None:
        """A unit of work is durable."""
        metrics = self._metrics
        metrics.batch.labels(self._stage).observe(records)
        metrics.records_out.labels(self._stage).inc(outputs)
        metrics.decide.labels(self._stage).observe(decide_seconds)
        metrics.commit.labels(self._stage).observe(commit_seconds)
        metrics.last.labels(self._stage).set(time.time())

    def lost(self, topic: str, partition: int, records: int) -> None:
        """Retention deleted records before they were read."""
        log.error("records were deleted before they were read", topic=topic, partition=partition, most=records)
        self._metrics.lost.labels(topic).inc(records)

    def foreign(self, topic: str, partition: int, offsets: Sequence[int]) -> None:
        """Foreign records were found."""
        self._metrics.pass_over(topic, partition, offsets)

    def fenced(self, topic: str, partition: int, seconds: float) -> None:
        """This worker has fenced earlier owners of the partition."""
        self._metrics.partitions.labels(topic, "fenced").inc()

    def restored(self, topic: str, partition: int, records: int, seconds: float) -> None:
        """The partition's state was restored."""
        self._metrics.partitions.labels(topic, "restored").inc()
        self._metrics.restored.inc(records)
        self._metrics.restore.labels(topic, str(partition)).set(seconds)

    def kept(self, topic: str, partition: int) -> None:
        """The partition's state was kept across a rebalance."""
        self._metrics.partitions.labels(topic, "kept").inc()
