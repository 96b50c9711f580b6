"""The sink that writes SQL tables. One flush is one database transaction: rows and offsets together.

Inside its transaction a flush reads the stored offsets and skips records below them: they were written before. So the
rows are the same when records are added again, in batches of any size, or flushed again after a crash or after a commit
whose response was lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

import structlog
from sqlalchemy import Connection, Engine, Table, delete
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from engine.kafka.copies import MAX_PAUSE_MS, Doubt, Log, PartitionKey, Position, Reached, doubt
from engine.kafka.record import KafkaRecord

from ..base import Flushed, SinkRefused, SinkUnavailable, TopicKind, Topics
from . import alerts, model, offsets
from .fold import TableFold
from .sqlite_file import DAMAGED
from .writer import Writer

log = structlog.get_logger("sinks.sql")

_TABLES: Mapping[TopicKind, tuple[Table, ...]] = {
    TopicKind.TIMELINE: (model.timeline,),
    TopicKind.PROFILES: (model.profiles,),
    TopicKind.IDENTITIES: (model.identities,),
    TopicKind.ALERTS: (model.alerts, model.alert_departments),
}


class SqlSink:
    """See ``base.Sink``. ``writer`` fits the engine's dialect; ``release`` is called last when the sink is closed."""

    def __init__(
        self,
        engine: Engine,
        writer: Writer,
        topics: Topics,
        *,
        max_pause_ms: int = MAX_PAUSE_MS,
        release: Callable[[], None] = lambda: None,
    ) -> None:
        self.engine = engine
        self._writer = writer
        self._topics = topics
        self._kinds = topics.kinds()
        self._max_pause_ms = max_pause_ms
        self._release = release
        self._prepared = False
        self._pending: list[KafkaRecord] = []
        self._marks: dict[PartitionKey, Reached] = {}

    def attach(self, logs: Mapping[PartitionKey, Log], now_ms: int) -> dict[PartitionKey, int]:
        """See ``Sink.attach``. Records that were added but not flushed are dropped: they are read again."""
        self._pending.clear()
        self._marks.clear()
        with self._transaction() as connection:
            doubts = self._doubts(offsets.read(connection), logs, now_ms)
            for kind in doubts:
                for table in _TABLES[kind]:
                    connection.execute(delete(table))
                offsets.forget(connection, kind)
            known = offsets.read(connection)
            attached = {partition: _start(known.get(partition), at, now_ms) for partition, at in logs.items()}
            offsets.write(connection, self._writer, self._kinds, attached)
        for kind, why in doubts.items():
            log.warning("copy-discarded", kind=kind.value, why=why.value, then="reads the topics from their start")
        for partition, position in attached.items():
            if partition in known and position != known[partition]:
                gone = position.reached.next_offset - known[partition].reached.next_offset
                log.warning("records-missed", topic=partition[0], partition=partition[1], offsets=gone)
        return {partition: position.reached.next_offset for partition, position in attached.items()}

    def positions(self) -> dict[PartitionKey, int]:
        """See ``Sink.positions``."""
        with self._transaction() as connection:
            known = offsets.read(connection)
        return {partition: position.reached.next_offset for partition, position in known.items()}

    def add(self, records: Sequence[KafkaRecord]) -> None:
        """See ``Sink.add``."""
        self._pending.extend(records)

    def reached(self, marks: Mapping[PartitionKey, Reached]) -> None:
        """See ``Sink.reached``."""
        self._marks.update(marks)

    def flush(self) -> Flushed:
        """See ``Sink.flush``. Raises KeyError for a partition that was not attached."""
        with self._transaction() as connection:
            known = offsets.read(connection)
            fold = TableFold(self._topics)
            advanced = {partition: position.reached for partition, position in known.items()}
            for record in self._pending:
                partition = (record.topic, record.partition)
                before = advanced[partition]
                if record.offset >= before.next_offset:
                    advanced[partition] = Reached(record.offset + 1, max(before.as_of_ms, record.timestamp))
                    fold.take(record)
            for partition, mark in self._marks.items():
                before = advanced[partition]
                advanced[partition] = Reached(
                    max(before.next_offset, mark.next_offset), max(before.as_of_ms, mark.as_of_ms)
                )
            self._write(connection, fold)
            moved = {
                partition: replace(position, reached=advanced[partition])
                for partition, position in known.items()
                if advanced[partition] != position.reached
            }
            offsets.write(connection, self._writer, self._kinds, moved)
        self._pending.clear()
        self._marks.clear()
        return Flushed(fold.records, _report(fold))

    def close(self) -> None:
        """See ``Sink.close``."""
        self.engine.dispose()
        self._release()

    def _doubts(
        self, known: Mapping[PartitionKey, Position], logs: Mapping[PartitionKey, Log], now_ms: int
    ) -> dict[TopicKind, Doubt]:
        doubts: dict[TopicKind, Doubt] = {}
        for partition in known.keys() & logs.keys():
            kind = self._kinds[partition[0]]
            max_pause_ms = None if kind is TopicKind.ALERTS else self._max_pause_ms  # alerts have no tombstones
            why = doubt(known[partition], logs[partition], now_ms, max_pause_ms)
            if why is not None:
                doubts[kind] = why
        return doubts

    def _write(self, connection: Connection, fold: TableFold) -> None:
        for kind, rows in fold.rows.items():
            (table,) = _TABLES[kind]
            self._writer.put(connection, table, [row for row in rows.values() if row is not None])
            self._writer.remove(connection, table, [key for key, row in rows.items() if row is None])
        alerts.write(connection, self._writer, fold.told, fold.forget)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            with self.engine.begin() as connection:
                if not self._prepared:
                    model.prepare(connection)
                yield connection
        except SQLAlchemyError as error:
            said = _said(error)
            if DAMAGED.intersection(said.split()):
                raise SinkRefused(
                    f"The database is damaged ({said}): its file was overwritten, or its disk fails. "
                    "Move it away with the files beside it: a new one is filled from the topics."
                ) from None  # the cause may quote rows
            raise SinkUnavailable(said) from error
        self._prepared = True


def _start(position: Position | None, at: Log, now_ms: int) -> Position:
    """Where to continue: at the stored offset, or at the start of the log if that is later."""
    if position is None:
        return Position(at.cluster_id, at.topic_id, Reached(at.start, now_ms))
    return replace(position, reached=replace(position.reached, next_offset=max(at.start, position.reached.next_offset)))


def _report(fold: TableFold) -> dict[tuple[str, str], int]:
    """Log the unreadable records without their data, and count them by topic and reason."""
    counts: Counter[tuple[str, str]] = Counter()
    for (topic, wrong), places in fold.unreadable.items():
        counts[topic, wrong.reason.value] += len(places)
        partition, offset = places[0]
        log.warning(
            "records-unreadable",
            topic=topic,
            reason=wrong.reason.value,
            field=wrong.what,
            records=len(places),
            partition=partition,
            first_offset=offset,
        )
    return dict(counts)


def _said(error: SQLAlchemyError) -> str:
    """The database's error code. Its message is left out because it may quote rows."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None)
    return f"{type(cause).__name__} {code}" if code else type(cause).__name__
