"""Foreign records: what somebody else wrote to a topic on which only the bus writes. They are skipped, counted and
reported.

ACLs would keep them out. Until there are some, foreign records must not stop anybody.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from engine.kafka.mark import MARK
from engine.kafka.record import KafkaRecord, end_of
from engine.transactional.transaction import Output
from schemas.journal import Origin
from schemas.refusal import Reason, Refusal
from schemas.topics import department_of

from .dead_letters import dead_letter
from .keys import key_of_ours
from .metrics import Metrics

log = structlog.get_logger("agents.foreign")


def letters_about(records: Sequence[KafkaRecord], stage: str, metrics: Metrics) -> Sequence[Output]:
    """A dead letter for each record; ``stage`` owns their partitions. A record that hides state of the bus is also
    logged.
    """
    for record in records:
        metrics.dead.labels(department_of(record.topic), Reason.FOREIGN_RECORD).inc()
        hidden = key_of_ours(record.topic, record.key)
        if hidden is not None:
            log.error(
                "a foreign record has a key of the bus's own state",
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
                hides=hidden,
            )
    return [_letter(record, stage) for record in records]


def unreadable(record: KafkaRecord, stage: str, metrics: Metrics) -> Output:
    """The dead letter for an input record that has the bus's mark, but not the form of any of its records."""
    metrics.pass_over(record.topic, record.partition, [record.offset])
    (made,) = letters_about([record], stage, metrics)
    return made


def _letter(record: KafkaRecord, stage: str) -> Output:
    headers = [(name, value) for name, value in record.headers if value is not None]
    what = (
        "has the header v of the bus's own records, but not their format"
        if MARK in headers
        else "was not written by the bus: it has no header v, or an unknown one"
    )
    hidden = key_of_ours(record.topic, record.key)
    under = "" if hidden is None else f" It has the key of {hidden}."
    origin = Origin(record.topic, record.partition, record.offset)
    dead = Refusal(Reason.FOREIGN_RECORD, f"the record {what}.{under}")
    last = end_of(record) - 1  # the record stands for a batch that can't be read
    return dead_letter(record.key, record.value, headers, stage, origin, dead, last if last > record.offset else None)
