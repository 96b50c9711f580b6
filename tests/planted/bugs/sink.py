"""Bugs of the sink: rows and offsets."""

from __future__ import annotations

from tests.planted import checks
from tests.planted.bug import Bug

BUGS = (
    Bug(
        "sink-offset-ahead-of-the-rows",
        "Offsets are committed in a transaction of their own, before the rows.",
        "sinks/sql/sink.py",
        """\
            self._write(connection, fold)
            moved = {
                partition: replace(position, reached=advanced[partition])
                for partition, position in known.items()
                if advanced[partition] != position.reached
            }
            offsets.write(connection, self._writer, self._kinds, moved)
""",
        """\
            moved = {
                partition: replace(position, reached=advanced[partition])
                for partition, position in known.items()
                if advanced[partition] != position.reached
            }
            offsets.write(connection, self._writer, self._kinds, moved)
        with self._transaction() as connection:
            self._write(connection, fold)
""",
        (checks.SINK_FAILS,),
    ),
    Bug(
        "sink-skips-what-it-has-seen",
        "A record that the sink was given before is passed over, though its flush never came.",
        "sinks/sql/sink.py",
        """\
        self._pending.extend(records)
""",
        """\
        seen = self.__dict__.setdefault("_seen", set())
        self._pending.extend(r for r in records if (r.topic, r.partition, r.offset) not in seen)
        seen.update((r.topic, r.partition, r.offset) for r in records)
""",
        (checks.SINK_ATTACHED,),
    ),
    Bug(
        "sink-drops-a-failed-batch",
        "What could not be written is forgotten.",
        "sinks/sql/sink.py",
        """\
            advanced = {partition: position.reached for partition, position in known.items()}
            for record in self._pending:
""",
        """\
            advanced = {partition: position.reached for partition, position in known.items()}
            given, self._pending = self._pending, []
            for record in given:
""",
        (checks.SINK_LOCKED, checks.SINK_FAILS),
    ),
    Bug(
        "sink-writes-repeated-records-again",
        "Records before the database's offsets are written once more.",
        "sinks/sql/sink.py",
        "if record.offset >= before.next_offset:",
        "if record.offset >= 0:",
        (checks.SINK_AGAIN, checks.SINK_FOLD),
    ),
    Bug(
        "sink-reads-uncommitted",
        "Aborted records reach the database.",
        "sinks/reading.py",
        'isolation_level="read_committed"',
        'isolation_level="read_uncommitted"',
        (checks.SINK_ABORTED,),
    ),
    Bug(
        "sink-topic-ids-ignored",
        "A topic that was made anew is read on from the old one's offsets.",
        "engine/kafka/copies.py",
        "if position.topic_id != log.topic_id:",
        "if not position.topic_id:",
        (checks.SINK_RECREATED,),
    ),
    Bug(
        "a-clock-that-was-ahead-empties-the-database",
        "A record of a broker whose clock was ahead makes a database too old to be believed, at each start.",
        "engine/kafka/copies.py",
        "paused = now_ms - position.reached.as_of_ms",
        "paused = abs(now_ms - position.reached.as_of_ms)",
        (checks.COPY_DOUBTS,),
    ),
    Bug(
        "the-sink-writes-numbers-anew",
        "The database has an event's numbers as a program writes them, not as they were sent.",
        "sinks/sql/rows.py",
        '            "data": _as_sent(record, event),\n',
        '            "data": _json(event, "data", dict),\n',
        (checks.AS_SENT,),
    ),
)
