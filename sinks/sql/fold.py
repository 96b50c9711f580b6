"""Reduces a batch of records before it is written: for each key the last row, or that its row is deleted."""

from __future__ import annotations

from collections.abc import Mapping

from engine.kafka.record import KafkaRecord

from ..base import TopicKind, Topics
from .alerts import AlertRow
from .rows import Row, Tombstone, Unreadable, Upsert, read


class TableFold:
    """Takes records in offset order for each partition.

    Alerts are only collected: ``alerts`` decides which message is the latest, because it also sees the stored rows.
    """

    def __init__(self, topics: Topics) -> None:
        self._kinds: Mapping[str, TopicKind] = topics.kinds()
        self._departments = {topic: department for department, topic in topics.alerts.items()}
        self.records = 0
        self.rows: dict[TopicKind, dict[tuple[str, ...], Row | None]] = {
            TopicKind.TIMELINE: {},
            TopicKind.PROFILES: {},
            TopicKind.IDENTITIES: {},
        }
        self.told: list[AlertRow] = []
        self.forget: dict[str, int] = {}
        """Customer id → instant (µs) up to which their alerts are deleted."""
        self.unreadable: dict[tuple[str, Unreadable], list[tuple[int, int]]] = {}
        """(topic, what is wrong) → (partition, offset) of each such record."""

    def take(self, record: KafkaRecord) -> None:
        """Add one record. Raises KeyError for a topic that the sink does not copy."""
        kind = self._kinds[record.topic]
        self.records += 1
        change = read(kind, record)
        if isinstance(change, Unreadable):
            self.unreadable.setdefault((record.topic, change), []).append((record.partition, record.offset))
        elif isinstance(change, Upsert):
            if kind is TopicKind.ALERTS:
                self.told.append(AlertRow(self._departments[record.topic], change.row))
            else:
                self.rows[kind][change.key] = change.row
        else:
            self._remove(kind, change, record.timestamp * 1000)

    def _remove(self, kind: TopicKind, gone: Tombstone, at: int) -> None:
        if kind is not TopicKind.ALERTS:
            self.rows[kind][gone.key] = None
        if kind in (TopicKind.ALERTS, TopicKind.PROFILES):
            (customer_id,) = gone.key
            self.forget[customer_id] = max(self.forget.get(customer_id, at), at)
