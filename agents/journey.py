"""The journey of one journal partition: a batch of records in, timeline, profiles and alerts out, in one transaction.

Everything is decided by ``core.customer.step.step``; here records become its values and its answers become records.
The past that it asks for is the ``Archive``, a local mirror of the timeline and profile topics.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import structlog
from aiokafka import TopicPartition

from core.alerts.alert import Life
from core.alerts.message import AlertMessage
from core.customer import step as journey
from core.customer.archive import LifeChange
from core.customer.arrival import Arrived, Ignored, Refused, Written
from core.customer.customer import Customer
from core.customer.step import Forwarded, Moved, Shipped, step
from core.customer.unmatched_closings import Unmatched
from core.rules.ruleset import RuleSet
from engine.kafka.checkpoint import Checkpoint
from engine.kafka.errors import Fatal
from engine.kafka.record import KafkaRecord
from engine.transactional.transaction import Output
from schemas.alerted import ALERTED
from schemas.journal import EVENT, MOVED, ORDER, Header, Origin, header_of
from schemas.refusal import Dead, Reason, decision_error
from schemas.topics import JOURNAL, NOTIFIED, PROFILES, TIMELINE, alerts_topic, department_of, partition_of

from . import messages, moves, output_size, stored_alert
from .archive import Added, Archive
from .customer_cache import BYTES, CustomerCache
from .dead_letters import letter
from .documents import STATE, Document, Documents, bytes_at_most
from .foreign import letters_about, unreadable
from .heard import Heard, Listener
from .identifiers import Identifiers
from .metrics import Metrics
from .mirror import mirror
from .output_size import OutputTooLarge, fitting
from .record_forms import journal_form, received_at
from .timeline_entry import TimelineEntries

log = structlog.get_logger("agents.journey")


QUIET = 100
"""A unit of work of so few records has no backlog behind it: there is time for what can wait."""


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
        self._listener = Listener(rules.vocabulary, identifiers)
        self._entries = TimelineEntries(partition, rules.vocabulary, metrics)
        self._metrics = metrics
        self._archive = Archive(directory)
        self._clock = self._archive.clock
        self._pending_clock = self._clock
        self._fired: list[int] = []
        self._latest = 0
        self._heard = 0
        self._touched: dict[str, Customer] = {}
        self._weights: dict[str, int] = {}
        self._said: list[tuple[str, str]] = []  # rules of alerts, and what was said of these
        self._unmatched: dict[str, list[str]] = {}
        self._named: set[str] = set()
        self._known = CustomerCache(BYTES // partitions)
        self._last: dict[str, int] = {}

    # --- engine.transactional.partition_state.Processor ---------------------------------------------------------------

    def sources(self) -> Sequence[TopicPartition]:
        """The state is what other topics hold."""
        return tuple([TopicPartition(topic, self._partition) for topic in (TIMELINE, PROFILES, NOTIFIED)])

    def checkpoint(self) -> Checkpoint | None:
        """What the archive holds of them."""
        return self._archive.checkpoint()

    def reset(self) -> None:
        """Forgets the archive."""
        self._forget_customers()
        self._archive.reset()
        self._clock = 0

    def restore(self, records: Sequence[KafkaRecord]) -> Sequence[KafkaRecord]:
        """Mirrors what an earlier owner wrote. Raises ``OtherVersion``."""
        self._archive.drop()  # what a unit put aside that was not committed
        others = []
        for record in records:
            try:
                self._clock = max(self._clock, mirror(record, self._archive))
            except (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError):
                others.append(record)
        self._archive.flush()
        return others

    def restored(self, mark: Checkpoint) -> None:
        """The clock is that of the youngest profile."""
        self._archive.set_clock(self._clock)
        self._archive.flush(mark)

    def opened(self, mark: Checkpoint) -> None:
        """All is there."""
        self._archive.drop()
        self._forget_customers()
        self._archive.opened()
        self._pending_clock = self._clock
        self.restored(mark)

    def foreign(self, records: Sequence[KafkaRecord]) -> Sequence[Output]:
        """A letter about each."""
        return letters_about(records, "journey", self._metrics)

    def decide(self, records: Iterable[KafkaRecord]) -> Sequence[Output]:
        """One unit of work: folds record by record, so that it does not show how the batch was cut.

        An exception in a decision would come again with every try and take the whole fleet down: the batch is then
        folded again with each record guarded, and the one that fails goes to the dead letters. What has not
        even the form of a journal record does, as a foreign one. Raises ``OtherVersion``.
        """
        try:
            return self._fold(records, guarded=False)
        except Fatal:
            raise
        except Exception as error:
            kind = type(error).__name__  # its text may hold personal data
            log.error("a decision failed, isolating it", partition=self._partition, error=kind)  # noqa: TRY400
            log.debug("where it failed", exc_info=error)
            return self._fold(records, guarded=True)

    def _fold(self, records: Iterable[KafkaRecord], *, guarded: bool) -> list[Output]:
        self._archive.drop()
        if self._touched:  # by a unit that was not committed: they were changed in place
            self._forget_customers()
            self._archive.forget_all_states()
        self._touched.clear()
        self._weights.clear()
        self._entries.forget()
        self._said.clear()
        self._unmatched.clear()
        self._last.clear()
        self._fired.clear()
        self._latest = 0
        self._pending_clock = self._clock
        outputs: list[Output] = []
        decide = self._guarded if guarded else self._one
        self._heard = 0
        for record in records:
            self._heard += 1
            outputs += decide(record)
        for name, customer in self._touched.items():
            message_id = f"{name}/{self._partition}-{self._last[name]}"
            document, self._weights[name] = self._documents.weighed(customer, message_id)
            stored = document.stored()
            # parts that were forged are larger than what is looked at
            if len(stored) - len(message_id) > output_size.MOST_BYTES:
                if guarded:
                    continue  # whatever concerned them failed, so it is the document as it stood
                raise OutputTooLarge(len(stored), PROFILES)
            self._archive.set_profile(name, stored)
            outputs.append(self._profile(name.encode(), document))
        return outputs

    def _profile(self, key: bytes, document: Document) -> Output:
        headers = (*messages.STRUCTURED, (STATE, document.state))
        return Output(PROFILES, self._partition, key, document.profile, headers)

    def committed(self, mark: Checkpoint) -> None:
        """The transaction is durable: so may the store be."""
        self._archive.set_clock(self._pending_clock)
        self._archive.flush(mark)
        if self._heard <= QUIET:
            self._archive.read_on()
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
        """Of each type one is named, to be looked at; some departments may publish nothing else."""
        department = self._rules.vocabulary[name].department
        self._metrics.unmatched_closings.labels(department, name).inc(len(origins))
        if name not in self._named:
            self._named.add(name)
            log.warning("a closing event closes nothing", type=name, origin=origins[0])

    def close(self) -> None:
        """Releases the store."""
        self._archive.close()

    def _forget_customers(self) -> None:
        self._known.forget()
        self._documents.forget_all()

    # --- one record -------------------------------------------------------------------------------------------------

    def _guarded(self, record: KafkaRecord) -> list[Output]:
        """The record's outputs, or its dead letter and the customer as before. A decision writes nothing by itself."""
        if not journal_form(record):
            return [unreadable(record, "journey", self._metrics)]
        name, before = record.key.decode(), None
        self._last[name] = record.offset
        try:
            before = self._documents.encode(self._touched.get(name) or self._customer(name), "")
            return self._one(record, careful=True)
        except Fatal:
            raise
        except Exception as error:  # noqa: BLE001 -- isolated, told and counted
            if before is None:  # the customer's own document can't be read
                self._touched.pop(name, None)
                return [self._bury(record, error)]
            self._touched[name] = self._documents.decode(before)
            self._archive.forget_states(name)
            if dict(record.headers).get(ORDER) != MOVED:
                return [self._bury(record, error)]
            return self._unjudged(record, name, before)

    def _unjudged(self, record: KafkaRecord, name: str, before: Document) -> list[Output]:
        """A part of a move is nobody's event, and its entries would be lost: it is taken in without being judged."""
        try:
            outputs = self._one(record, judged=False, careful=True)
        except Exception as error:  # noqa: BLE001 -- not even that: nobody else's events may wait for it
            self._touched[name] = self._documents.decode(before)
            self._archive.forget_states(name)
            return [self._bury(record, error)]
        log.error("a move is taken in unjudged", partition=self._partition, offset=record.offset)
        self._metrics.unjudged.inc()
        return outputs

    def _bury(self, record: KafkaRecord, error: Exception) -> Output:
        """The letter about a record whose decision failed: its event, or the order or part of a move that it is."""
        headers, failed = dict(record.headers), decision_error(error)
        if EVENT in headers:
            return self._refuse(Refused(failed.reason, failed.message), record.value, header_of(headers).origin)
        log.error("a merge failed, it is in the dead letters", partition=self._partition, offset=record.offset)
        self._metrics.dead.labels(department_of(record.topic), failed.reason).inc()
        place = Origin(record.topic, record.partition, record.offset)
        return letter(record.key, record.value, tuple(record.headers), "journey", place, failed)

    def _one(self, record: KafkaRecord, *, judged: bool = True, careful: bool = False) -> list[Output]:
        """What follows from the record. Nothing is kept of it before all is known to fit.

        ``careful``: whatever the document was made of, it is written down to see that it can be. Raises
        ``OutputTooLarge``, by the record alone: however a batch is cut, the same ones do.
        """
        heard = self._listener.hear(record)
        appended, latest, name = received_at(record), heard.latest, heard.customer
        if appended > self._pending_clock:
            self._pending_clock = appended
        if latest > self._latest:
            self._latest = latest
        self._last[name] = record.offset
        customer = self._touched.get(name) or self._customer(name)
        brought = heard.brought
        if not judged and isinstance(brought, Moved):
            brought = replace(brought, judged=False)
        decisions = step(customer, brought, self._rules, self._archive, self._pending_clock)
        if careful or bytes_at_most(customer) > output_size.MOST_BYTES:
            fitting(Output(PROFILES, self._partition, record.key, self._documents.encode(customer, "").stored()))
        if len(decisions) == 1 and type(only := decisions[0]) is Written:  # most often
            output, added = self._entries.record(record.key, only, heard.sources[only.nth])
            self._archive.add(added)
            return [output]
        return self._several(decisions, customer, record, heard)

    def _several(
        self, decisions: Iterable[journey.Output], customer: Customer, record: KafkaRecord, heard: Heard
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
            self._archive.set_closed(one.key or b"", one.value)
        return outputs + archived if archived else outputs

    def _customer(self, name: str) -> Customer:
        customer = self._known.get(name)
        if customer is None:
            stored = self._archive.profile(name)
            customer = self._documents.new(name) if stored is None else self._documents.decode(Document.parse(stored))
            if customer.derived is not None:
                self._archive.passed(name, customer.derived)
        self._touched[name] = customer
        return customer

    # --- what is written --------------------------------------------------------------------------------------------

    def _told(
        self, customer: Customer, decision: journey.Output, record: KafkaRecord, heard: Heard
    ) -> Iterable[Output]:
        """What follows from all but an entry."""
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
        elif isinstance(decision, Shipped):
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
            if department in ALERTED  # others have no topic, and Kafka takes no part of what goes to none
        ]

    def _refuse(self, refused: Refused, event: bytes, origin: str) -> Output:
        place, dead = Origin.parse(origin), Dead(Reason(refused.reason), refused.message)
        self._metrics.dead.labels(department_of(place.topic), dead.reason).inc()
        return letter(None, event, messages.STRUCTURED, "journey", place, dead)

    def _ship(self, customer: Customer, shipped: Shipped) -> Iterator[Output]:
        """Sends the customer's entries through the journal, and erases them here."""
        stored = self._archive.shippable(customer.id)
        for entry in stored:
            yield Output(TIMELINE, self._partition, f"{customer.id}/{entry.uid}".encode(), None)
        for part in moves.parts(customer.id, shipped, stored):
            yield self._to_journal(shipped.to, part, ((ORDER, MOVED),))
        self._archive.erase(customer.id)
        self._metrics.merges.inc()

    def _to_journal(self, customer: str, value: bytes, headers: Sequence[Header]) -> Output:
        return Output(JOURNAL, partition_of(customer, self._partitions), customer.encode(), value, tuple(headers))
