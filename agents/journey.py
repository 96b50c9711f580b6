"""The journey of one journal partition: a batch of records in; timeline, profiles and alerts out, in one transaction.

``core.customer.step.step`` decides everything; this module turns records into its values, and its decisions into
records. It looks up history in the ``Archive``, a local copy of the timeline and profile topics.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

import structlog
from aiokafka import TopicPartition

from core.alerts.alert import Life
from core.alerts.message import AlertMessage
from core.customer import step as journey
from core.customer.archive import LifeChange
from core.customer.arrival import Arrived, Ignored, Refused, Written
from core.customer.customer import Customer
from core.customer.step import Forwarded, Moved, MovedOut, step
from core.customer.unmatched_closings import Unmatched
from core.rules.ruleset import RuleSet
from engine.kafka.checkpoint import Checkpoint
from engine.kafka.errors import Fatal
from engine.kafka.record import KafkaRecord
from engine.transactional.transaction import Output
from engine.transactional.unit import Deciding
from schemas.alerted import ALERTED
from schemas.journal import EVENT, MOVED, ORDER, Header, Origin, header_of
from schemas.refusal import Reason, Refusal, decision_error
from schemas.topics import JOURNAL, NOTIFIED, PROFILES, TIMELINE, alerts_topic, department_of, partition_of

from . import messages, moves, output_size, stored_alert
from .archive import Added, Archive
from .customer_cache import BYTES, CustomerCache
from .dead_letters import dead_letter
from .documents import STATE, Document, Documents, bytes_at_most
from .foreign import letters_about, unreadable
from .identifiers import Identifiers
from .journal_record import JournalDecoder, JournalRecord, by_customer
from .metrics import Metrics
from .mirror import mirror
from .output_size import OutputTooLarge, fitting
from .record_forms import journal_form, received_at
from .timeline_entry import TimelineEntries

log = structlog.get_logger("agents.journey")


QUIET = 100
"""A unit of work of so few records has no backlog behind it: there is time for background work."""


class Journey:
    """An ``engine.transactional.partition_state.Processor`` for one partition of the journal."""

    def __init__(
        self,
        partition: int,
        partitions: int,
        rules: RuleSet,
        identifiers: Identifiers,
        directory: Path,
        metrics: Metrics,
    ) -> None:
        self._partition = partition
        self._partitions = partitions
        self._rules = rules
        self._documents = Documents(rules)
        self._decoder = JournalDecoder(rules.vocabulary, identifiers)
        self._entries = TimelineEntries(partition, rules.vocabulary, metrics)
        self._metrics = metrics
        self._archive = Archive(directory)
        self._clock = self._archive.clock
        self._pending_clock = self._clock
        self._fired: list[int] = []
        self._latest = 0
        self._heard = 0
        self._careful = False
        self._touched: dict[str, Customer] = {}
        self._weights: dict[str, int] = {}
        self._said: list[tuple[str, str]] = []  # rule and state of each alert message
        self._unmatched: dict[str, list[str]] = {}
        self._named: set[str] = set()
        self._known = CustomerCache(BYTES // partitions)
        self._last: dict[str, int] = {}

    # --- engine.transactional.partition_state.Processor ---------------------------------------------------------------

    def sources(self) -> Sequence[TopicPartition]:
        """The compacted topics that hold the state."""
        return tuple([TopicPartition(topic, self._partition) for topic in (TIMELINE, PROFILES, NOTIFIED)])

    def checkpoint(self) -> Checkpoint | None:
        """The archive's checkpoint of the sources."""
        return self._archive.checkpoint()

    def reset(self) -> None:
        """Clears the archive."""
        self._forget_customers()
        self._archive.reset()
        self._clock = 0

    def restore(self, records: Sequence[KafkaRecord]) -> Sequence[KafkaRecord]:
        """Copies what an earlier owner wrote. Raises ``OtherVersion``."""
        self._archive.drop()  # what an aborted unit of work left pending
        others = []
        for record in records:
            try:
                self._clock = max(self._clock, mirror(record, self._archive))
            except (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError):
                others.append(record)
        self._archive.flush()
        return others

    def restored(self, mark: Checkpoint) -> None:
        """Stores the clock, which is that of the newest profile."""
        self._archive.set_clock(self._clock)
        self._archive.flush(mark)

    def opened(self, mark: Checkpoint) -> None:
        """Starts from the restored state: nothing is pending, no customer is cached."""
        self._archive.drop()
        self._forget_customers()
        self._archive.opened()
        self._pending_clock = self._clock
        self.restored(mark)

    def foreign(self, records: Sequence[KafkaRecord]) -> Sequence[Output]:
        """A dead letter for each record."""
        return letters_about(records, "journey", self._metrics)

    def decide(self, records: Sequence[KafkaRecord], *, careful: bool) -> Deciding:
        """Folds record by record, each customer's side by side. The outputs come in the order of the records, however
        the journal is cut; behind them, the documents of all customers.

        In a careful unit a record whose decision fails, or without the form of a journal record, becomes a dead letter.
        Raises ``OtherVersion``, otherwise whatever fails.
        """
        self._begin(careful)
        self._heard = len(records)
        outputs: list[Output] = []
        if careful:
            for record in records:
                outputs += self._guarded(record)
                yield
        else:
            heard, clocks = list[JournalRecord](), list[int]()
            for record in records:
                heard.append(self._hear(record))
                clocks.append(self._pending_clock)
            each: list[Sequence[Output]] = [()] * len(heard)
            for place in by_customer(heard):
                each[place] = self._one(records[place], heard[place], clocks[place])
                yield
            outputs += chain.from_iterable(each)
        for name, customer in self._touched.items():
            outputs += self._document(name, customer)
            yield
        return outputs

    def _begin(self, careful: bool) -> None:
        """Begins a unit of work; nothing of one that was not committed is left."""
        self._careful = careful
        self._archive.drop()
        if self._touched:  # by a unit that was not committed: they were changed in place
            self._forget_customers()
            self._archive.forget_all_states()
        for held in (self._touched, self._weights, self._said, self._unmatched, self._last, self._fired):
            held.clear()
        self._entries.forget()
        self._latest = 0
        self._pending_clock = self._clock

    def _document(self, name: str, customer: Customer) -> Sequence[Output]:
        """The customer's document. Raises ``OutputTooLarge``."""
        message_id = f"{name}/{self._partition}-{self._last[name]}"
        document, self._weights[name] = self._documents.weighed(customer, message_id)
        stored = document.stored()
        # forged parts may be larger than the bounds that were checked
        if len(stored) - len(message_id) > output_size.MOST_BYTES:
            if self._careful:
                return ()  # all decisions about this customer failed, so the document is unchanged
            raise OutputTooLarge(len(stored), PROFILES)
        self._archive.set_profile(name, stored)
        return (self._profile(name.encode(), document),)

    def _profile(self, key: bytes, document: Document) -> Output:
        headers = (*messages.STRUCTURED, (STATE, document.state))
        return Output(PROFILES, self._partition, key, document.profile, headers)

    def committed(self, mark: Checkpoint) -> None:
        """Applies the unit of work to the store: its transaction is durable."""
        self._archive.set_clock(self._pending_clock)
        self._archive.flush(mark)
        if self._heard <= QUIET:
            self._archive.load_uids()
        self._clock = self._pending_clock
        for name in self._known.keep((customer, self._weights[name]) for name, customer in self._touched.items()):
            self._archive.forget_states(name)
            self._documents.forget(name)
        self._touched.clear()
        self._entries.count()
        for labels, number in Counter(self._said).items():
            self._metrics.alerts.labels(*labels).inc(number)
        for name, origins in self._unmatched.items():
            self._count_unmatched(name, origins)
        now = time.time()
        if self._latest:
            self._metrics.event_lag.set(max(0.0, now - self._latest / 1_000_000))
        for received in self._fired:
            self._metrics.alert_latency.observe(max(0.0, now - received / 1_000_000))

    def _count_unmatched(self, name: str, origins: Sequence[str]) -> None:
        """Counts unmatched closing events and logs one of each type; some departments may publish nothing else."""
        department = self._rules.vocabulary[name].department
        self._metrics.unmatched_closings.labels(department, name).inc(len(origins))
        if name not in self._named:
            self._named.add(name)
            log.warning("a closing event closes no matter of its customer", type=name, origin=origins[0])

    def close(self) -> None:
        """Releases the store."""
        self._archive.close()

    def _forget_customers(self) -> None:
        self._known.forget()
        self._documents.forget_all()

    # --- one record -------------------------------------------------------------------------------------------------

    def _guarded(self, record: KafkaRecord) -> list[Output]:
        """The record's outputs, or its dead letter and the customer unchanged. A decision writes nothing by itself."""
        if not journal_form(record):
            return [unreadable(record, "journey", self._metrics)]
        name, before = record.key.decode(), None
        self._last[name] = record.offset
        try:
            before = self._documents.encode(self._touched.get(name) or self._customer(name), "")
            return self._one(record, self._hear(record), self._pending_clock)
        except Fatal:
            raise
        except Exception as error:  # noqa: BLE001 -- isolated, reported and counted
            if before is None:  # the customer's own document can't be read
                self._touched.pop(name, None)
                return [self._dead_letter(record, error)]
            self._touched[name] = self._documents.decode(before)
            self._archive.forget_states(name)
            if dict(record.headers).get(ORDER) != MOVED:
                return [self._dead_letter(record, error)]
            return self._unjudged(record, name, before)

    def _unjudged(self, record: KafkaRecord, name: str, before: Document) -> list[Output]:
        """Applies a part of a move without judging it: as a dead letter its entries would be lost."""
        try:
            outputs = self._one(record, self._hear(record), self._pending_clock, judged=False)
        except Exception as error:  # noqa: BLE001 -- that failed, too: it must not hold up others' events
            self._touched[name] = self._documents.decode(before)
            self._archive.forget_states(name)
            return [self._dead_letter(record, error)]
        log.error(
            "a decision failed, a part of a merge is on the timeline and not evaluated",
            partition=self._partition,
            offset=record.offset,
        )
        self._metrics.unjudged.inc()
        return outputs

    def _dead_letter(self, record: KafkaRecord, error: Exception) -> Output:
        """The dead letter for a record whose decision failed: for its event, or for the order or part of a move."""
        headers, failed = dict(record.headers), decision_error(error)
        if EVENT in headers:
            return self._refuse(Refused(failed.reason, failed.message), record.value, header_of(headers).origin)
        log.error("a merge failed, its record is in the dead letters", partition=self._partition, offset=record.offset)
        self._metrics.dead.labels(department_of(record.topic), failed.reason).inc()
        place = Origin(record.topic, record.partition, record.offset)
        return dead_letter(record.key, record.value, tuple(record.headers), "journey", place, failed)

    def _hear(self, record: KafkaRecord) -> JournalRecord:
        """Decodes the record, and takes note of when it was appended. Raises ``ValueError`` and others."""
        heard = self._decoder.decode(record)
        appended = received_at(record)
        if appended > self._pending_clock:
            self._pending_clock = appended
        if heard.latest > self._latest:
            self._latest = heard.latest
        self._last[heard.customer] = record.offset
        return heard

    def _one(self, record: KafkaRecord, heard: JournalRecord, clock: int, *, judged: bool = True) -> list[Output]:
        """The outputs of the record. Nothing of it is kept before all of them are known to fit.

        ``clock``: the journal's as of the record (µs). Raises ``OutputTooLarge``, which depends on the record alone.
        """
        name = heard.customer
        customer = self._touched.get(name) or self._customer(name)
        brought = heard.brought
        if not judged and isinstance(brought, Moved):
            brought = replace(brought, judged=False)
        decisions = step(customer, brought, self._rules, self._archive, clock)
        if self._careful or bytes_at_most(customer) > output_size.MOST_BYTES:
            fitting(Output(PROFILES, self._partition, record.key, self._documents.encode(customer, "").stored()))
        if len(decisions) == 1 and type(only := decisions[0]) is Written:  # most often
            output, added = self._entries.record(record.key, only, heard.sources[only.nth])
            self._archive.add(added)
            return [output]
        return self._several(decisions, customer, record, heard)

    def _several(
        self, decisions: Iterable[journey.Decision], customer: Customer, record: KafkaRecord, heard: JournalRecord
    ) -> list[Output]:
        outputs: list[Output] = []
        joined: list[Added] = []
        archived: list[Output] = []
        for decision in decisions:
            if type(decision) is Written:
                output, added = self._entries.record(record.key, decision, heard.sources[decision.nth])
                outputs.append(output)
                joined.append(added)
            elif isinstance(decision, LifeChange):
                archived.append(fitting(self._archived(customer.id, decision)))
            else:
                outputs += map(fitting, self._told(customer, decision, record, heard))
        for added in joined:
            self._archive.add(added)
        for one in archived:
            self._archive.set_archived(one.key or b"", one.value)
        return outputs + archived if archived else outputs

    def _customer(self, name: str) -> Customer:
        customer = self._known.get(name)
        if customer is None:
            stored = self._archive.profile(name)
            customer = self._documents.new(name) if stored is None else self._documents.decode(Document.parse(stored))
            if customer.derived is not None:
                self._archive.cache_state(name, customer.derived)
        self._touched[name] = customer
        return customer

    # --- what is written --------------------------------------------------------------------------------------------

    def _told(
        self, customer: Customer, decision: journey.Decision, record: KafkaRecord, heard: JournalRecord
    ) -> Iterable[Output]:
        """The outputs of a decision other than an entry."""
        if isinstance(decision, AlertMessage):
            if decision.state == "fired" and type(heard.brought) is Arrived:
                self._fired.append(heard.sources[0].received)
            return self._say(customer, decision, f"{self._partition}-{record.offset}")
        if isinstance(decision, Ignored):
            self._metrics.duplicates.inc()
        elif isinstance(decision, Refused):
            source = heard.sources[decision.nth]
            return (self._refuse(decision, source.event, source.origin),)
        elif isinstance(decision, Forwarded):
            return (self._to_journal(decision.to, record.value, record.headers),)
        elif isinstance(decision, MovedOut):
            return self._ship(customer, decision)
        elif isinstance(decision, Unmatched):
            self._unmatched.setdefault(decision.type, []).append(heard.sources[0].origin)
        return ()

    def _archived(self, customer: str, decision: LifeChange) -> Output:
        value = stored_alert.stored(decision.alert) if decision.life is Life.ARCHIVED else None
        return Output(NOTIFIED, self._partition, f"{customer}/{decision.alert.id}".encode(), value)

    def _say(self, customer: Customer, said: AlertMessage, place: str) -> Iterable[Output]:
        value = messages.alert(said, customer.id, self._documents.brief(customer), place, customer.appended)
        self._said.append((said.alert.rule, said.state))
        key, partition = customer.id.encode(), self._partition
        return [
            Output(alerts_topic(department), partition, key, value, messages.STRUCTURED)
            for department in said.alert.departments
            if department in ALERTED  # others have no topic, and Kafka refuses a write to a missing one
        ]

    def _refuse(self, refused: Refused, event: bytes, origin: str) -> Output:
        place, dead = Origin.parse(origin), Refusal(Reason(refused.reason), refused.message)
        self._metrics.dead.labels(department_of(place.topic), dead.reason).inc()
        return dead_letter(None, event, messages.STRUCTURED, "journey", place, dead)

    def _ship(self, customer: Customer, shipped: MovedOut) -> Iterator[Output]:
        """Sends the customer's entries through the journal to the surviving customer, and deletes them here."""
        stored = self._archive.for_move(customer.id)
        for entry in stored:
            yield Output(TIMELINE, self._partition, f"{customer.id}/{entry.uid}".encode(), None)
        for part in moves.parts(customer.id, shipped, stored):
            yield self._to_journal(shipped.to, part, ((ORDER, MOVED),))
        self._archive.erase(customer.id)
        self._metrics.merges.inc()

    def _to_journal(self, customer: str, value: bytes, headers: Sequence[Header]) -> Output:
        return Output(JOURNAL, partition_of(customer, self._partitions), customer.encode(), value, tuple(headers))
