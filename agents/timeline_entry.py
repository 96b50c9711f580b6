"""Entries of the timeline as CloudEvents in bytes, what their records' headers say, and how many there were."""

from __future__ import annotations

from collections import Counter

from core.customer.arrival import Written
from core.timeline.entry import Entry
from core.timeline.streams import matter_of
from core.timeline.vocabulary import Vocabulary
from engine.transactional.transaction import Output
from schemas.journal import Header
from schemas.outputs import SOURCE, TIMELINE_ENTRY
from schemas.topics import TIMELINE

from .archive import Added, matter_name, placed
from .cloud_event import moment
from .heard import Source
from .messages import STRUCTURED
from .metrics import Metrics
from .output_size import fitting
from .stored_entry import kept


class TimelineEntries:
    """Writes the entries of one partition. Those since the latest ``forget`` are counted by ``count``."""

    def __init__(self, partition: int, vocabulary: Vocabulary, metrics: Metrics) -> None:
        self._partition, self._vocabulary, self._metrics = partition, vocabulary, metrics
        self._in_order: list[str] = []  # of each that joined the department
        self._late: list[str] = []

    def record(self, customer: bytes, written: Written, source: Source) -> tuple[Output, Added]:
        """The entry around the department's event, whose bytes are taken as they are: a valid JSON object. And what the
        archive is to hold of it.

        The other texts are the bus's own and need no escaping, but for the identifiers, of which only type and value
        are repeated. Raises ``OutputTooLarge``.
        """
        entry, taken, stood_at, late = written.entry, written.taken, written.stood_at, written.late
        if taken is None:
            department, matter = self._unread(entry)
        else:
            department, matter = taken.kind.department, taken.matter
        at, about = entry.at, b"" if matter is None else matter_name(*matter)
        key = customer + b"/" + entry.uid.encode()
        stored = kept(source.received, source.origin, source.event)
        value = _ENTRY % (
            key,
            moment(at),
            customer,
            department.encode(),
            at,
            source.identifiers,
            b"true" if late else b"false",
            b"true" if source.moved else b"false",
            stored,
        )
        output = fitting(Output(TIMELINE, self._partition, key, value, timeline_headers(about, stood_at)))
        if stood_at is None:
            (self._late if late else self._in_order).append(department)
        else:
            self._metrics.duplicates.inc()
        return output, Added(customer, source.uid, placed(at), stored, about, stood_at)

    def _unread(self, entry: Entry) -> tuple[str, tuple[str, str] | None]:
        """Department and matter of what is not folded: a note, or a type that nobody knows."""
        kind = self._vocabulary.get(entry.type)
        return ("other", None) if kind is None else (kind.department, matter_of(kind, entry.data))

    def forget(self) -> None:
        """What was written was not committed, or is counted."""
        self._in_order.clear()
        self._late.clear()

    def count(self) -> None:
        """What was written is durable."""
        for way, joined in (("in order", self._in_order), ("late", self._late)):
            for department, number in Counter(joined).items():
                self._metrics.entries.labels(department, way).inc(number)


_ENTRY = (
    b'{"specversion":"1.0","id":"%b","source":"'
    + SOURCE.encode()
    + b'","type":"'
    + TIMELINE_ENTRY.encode()
    + b'","time":%b,"datacontenttype":"application/json","data":{"customerId":"%b","department":"%b","at":%d,'
    b'"identifiers":%b,"late":%b,"moved":%b,"received":%b}}'
)


def timeline_headers(matter: bytes, stood_at: int | None) -> tuple[Header, ...]:
    """What a restore need not read the entry for: the matter that it is about, if any, and, of an entry that is written
    again, the instant (µs) at which it stood.
    """
    if stood_at is not None:
        return (*timeline_headers(matter, None), (STOOD_AT, b"%d" % stood_at))
    return (*STRUCTURED, (MATTER, matter)) if matter else STRUCTURED


MATTER, STOOD_AT = "matter", "stood-at"
