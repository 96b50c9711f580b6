"""Timeline entries as CloudEvents in bytes, the headers of their records, and a count of them."""

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
from .journal_record import EventSource
from .messages import STRUCTURED
from .metrics import Metrics
from .output_size import fitting
from .stored_entry import kept


class TimelineEntries:
    """Encodes the entries of one partition. ``count`` counts those since the latest ``forget``."""

    def __init__(self, partition: int, vocabulary: Vocabulary, metrics: Metrics) -> None:
        self._partition, self._vocabulary, self._metrics = partition, vocabulary, metrics
        self._in_order: list[str] = []  # the department of each new entry
        self._late: list[str] = []

    def record(self, customer: bytes, written: Written, source: EventSource) -> tuple[Output, Added]:
        """The record of an entry around the department's event, whose bytes are taken unchanged (a valid JSON object),
        and what the archive is to store of it.

        The other texts are the bus's own and need no escaping, except the identifiers, of which only type and value are
        repeated. Raises ``OutputTooLarge``.
        """
        entry, taken, moved_from, late = written.entry, written.taken, written.moved_from, written.late
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
        output = fitting(Output(TIMELINE, self._partition, key, value, timeline_headers(about, moved_from)))
        if moved_from is None:
            (self._late if late else self._in_order).append(department)
        else:
            self._metrics.duplicates.inc()
        return output, Added(customer, source.uid, placed(at), stored, about, moved_from)

    def _unread(self, entry: Entry) -> tuple[str, tuple[str, str] | None]:
        """Department and matter of an entry that is not folded: a note, or an event of unknown type."""
        kind = self._vocabulary.get(entry.type)
        return ("other", None) if kind is None else (kind.department, matter_of(kind, entry.data))

    def forget(self) -> None:
        """Forgets the entries since the latest call: they were not committed, or are counted."""
        self._in_order.clear()
        self._late.clear()

    def count(self) -> None:
        """Counts the entries: they are durable."""
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


def timeline_headers(matter: bytes, moved_from: int | None) -> tuple[Header, ...]:
    """Headers that spare a restore from parsing the entry: its matter, if any, and, for an entry that is written again,
    its instant (µs) until then.
    """
    if moved_from is not None:
        return (*timeline_headers(matter, None), (STOOD_AT, b"%d" % moved_from))
    return (*STRUCTURED, (MATTER, matter)) if matter else STRUCTURED


MATTER, STOOD_AT = "matter", "stood-at"
