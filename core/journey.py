"""The step: one journal record about one customer, and what follows from it.

``step`` is the whole decision. It reads the past through ``History`` (this record not included), changes the
``Customer`` it is given, and returns what is to be written, in order. In-order events touch only the customer's
document; a late one reads the history and holds the notified alerts against the batch definition again.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

from .closings import Unmatched, unmatched
from .event import Entry
from .matching import Match, Trigger, match_at, streams_in, triggers_in, triggers_of
from .memory import Alert, Memory, is_nearly_full
from .notification import Said, close_ended, follow, is_settled, notify, reconsider, worded
from .past import Past
from .rule import Bearing, RuleSet
from .state import NEVER, Customer
from .timeline import CONTACT, Places, Streams, Timeline

FOREVER = -(2**62)


class History(Protocol):
    """The customer's entries as they stand before this record."""

    def find(self, customer: str, uid: str) -> Arrived | None: ...
    def past(self, customer: str) -> Past: ...
    def since(self, customer: str, at: int) -> Sequence[Entry]: ...


class Arrived(NamedTuple):
    """A department's event and its own ``time`` (µs). ``masks`` are its identifiers, readable but not usable.

    ``replay``: it was seen before by those who should act, so nobody is to be woken.
    """

    entry: Entry
    time: int
    masks: tuple[tuple[str, str], ...] = ()
    replay: bool = False


@dataclass(frozen=True, slots=True)
class Merge:
    """The resolver found that this customer is ``into``. ``version`` is the command's offset in the links log."""

    into: str
    version: int


@dataclass(frozen=True, slots=True)
class Moved:
    """One part of a merged-away customer's past. The alerts travel with the last part, and so does what was still
    ``arriving`` there from others: those parts are forwarded, and come after this one. Matches up to ``settled_until``
    (µs) were decided there for good.
    """

    move: str
    parts: int
    entries: tuple[Arrived, ...]
    alerts: tuple[Alert, ...] = ()
    arriving: Mapping[str, int] = field(default_factory=dict)
    settled_until: int = NEVER


class Written(NamedTuple):
    """The entry joins the timeline. ``nth`` is its place in the record that brought it."""

    entry: Entry
    late: bool
    nth: int


@dataclass(frozen=True, slots=True)
class Ignored:
    """A copy of what is known already."""


@dataclass(frozen=True, slots=True)
class Refused:
    """An event is no entry: ``reason`` of the closed set, ``message`` for the department's developer.

    ``nth`` is its place in the record that brought it.
    """

    reason: str
    message: str
    nth: int = 0


@dataclass(frozen=True, slots=True)
class Forwarded:
    """The customer lives on as ``to``: the record goes there as it is."""

    to: str


@dataclass(frozen=True, slots=True)
class Shipped:
    """The customer's past goes to ``to``, in as many records as its size needs, and is erased here."""

    to: str
    version: int
    alerts: tuple[Alert, ...]
    arriving: Mapping[str, int]
    settled_until: int


Output = Written | Ignored | Refused | Forwarded | Shipped | Unmatched | Said
Record = Arrived | Merge | Moved


def step(
    customer: Customer, record: Record, rules: RuleSet, history: History, clock: int, *, judged: bool = True
) -> list[Output]:
    """What follows from ``record``. ``clock`` is the partition's running maximum of append times (µs).

    A part of a move can be taken in without being ``judged``: the customer's next record makes up for it.
    """
    customer.clock = clock
    if customer.merged_into is not None:
        return [] if isinstance(record, Merge) else [Forwarded(customer.merged_into)]
    if isinstance(record, Arrived):
        return _arrive(customer, record, rules, history, clock)
    if isinstance(record, Moved):
        return _take_in(customer, record, rules, history, clock, judged=judged)
    return _ship(customer, record)


def _arrive(customer: Customer, record: Arrived, rules: RuleSet, history: History, clock: int) -> list[Output]:
    entry = record.entry
    known = history.find(customer.id, entry.uid) if customer.entries else None
    if known is not None:
        return [Ignored() if _same(known, record) else _reused(entry)]
    out: list[Output] = [Written(entry, entry.at < customer.last_at, 0)]
    streams = streams_in(entry, rules)
    _remember(customer, record, streams, rules)
    if not customer.arriving:
        out += unmatched(customer, entry, rules, history.past)
        out += _judge(customer, entry, streams, rules, history, clock, replay=record.replay)
    return out


def _same(known: Arrived, copy: Arrived) -> bool:
    """Equal type, time and data; ``at`` is no content, it depends on when a copy arrived."""
    return known.time == copy.time and known.entry.type == copy.entry.type and known.entry.data == copy.entry.data


def _reused(entry: Entry) -> Refused:
    return Refused(
        "id-reused",
        f"source {entry.source!r} has sent the id {entry.id!r} before with other content; the first one stands. "
        "Give every event an id of its own.",
    )


def _remember(customer: Customer, record: Arrived, streams: Streams, rules: RuleSet) -> None:
    """What the profile says, whatever the order of arrival."""
    entry = record.entry
    customer.entries += 1
    if entry.at > customer.last_at:
        customer.last_at = entry.at
    customer.know(record.masks)
    said = entry.data.get("customer")
    name = said.get("name") if isinstance(said, dict) else None
    if name and isinstance(name, str) and (entry.at, name) >= (customer.name_at, customer.name or ""):
        customer.name, customer.name_at = name, entry.at
    if CONTACT in streams:
        department = rules.vocabulary[entry.type].department
        if entry.at > customer.last_contact.get(department, -1):
            customer.last_contact = {**customer.last_contact, department: entry.at}


def _judge(
    customer: Customer, entry: Entry, streams: Streams, rules: RuleSet, history: History, clock: int, *, replay: bool
) -> list[Said]:
    if customer.unjudged:
        return _judge_everything(customer, [entry], rules, history, clock, replay=replay)
    bearing, timeline = rules.bearing(streams), customer.timeline
    if customer.stale:
        customer.timeline = timeline = _pruned(history.past(customer.id).timeline(rules.plan), customer.rule_at)
        customer.stale = False
    said: list[Said] = []
    if bearing.judged or bearing.places:
        settled = bool(timeline.settled) and timeline.touches_settled(entry, bearing.named)
        in_order = entry.at > customer.rule_at and not settled
        customer.rule_at = max(customer.rule_at, entry.at)
        if in_order:
            said += _judge_in_order(customer, entry, bearing, rules, clock, replay=replay)
        elif entry.at >= timeline.since and not settled:
            touched = rules.touched_by(streams)
            said += _judge_a_little_late(customer, entry, bearing.places, touched, history, clock, replay=replay)
        else:
            past, touched = history.past(customer.id), rules.touched_by(streams)
            said += _rejudge(customer, past, [entry], touched, entry.at, clock, replay=replay)
    return said + _close(customer, rules, clock) if customer.alerts else said


def _judge_everything(
    customer: Customer, new: Sequence[Entry], rules: RuleSet, history: History, clock: int, *, replay: bool
) -> list[Said]:
    """Judges the whole past with what is ``new``, after a move."""
    past = history.past(customer.id)
    customer.rule_at = max((entry.at for entry in [*past.entries, *new]), default=customer.rule_at)
    said = _rejudge(customer, past, new, rules, FOREVER, clock, replay=replay)
    customer.stale = customer.unjudged = False
    return said + _close(customer, rules, clock)


def _notify(
    customer: Customer, triggers: Iterable[Trigger], rules: RuleSet, timeline: Timeline, clock: int, *, replay: bool
) -> list[Said]:
    memory = Memory(customer.alerts, customer.settled_until, rules.longest_cooldown, clock)
    said = notify(triggers, memory, timeline, clock, replay=replay)
    customer.alerts, customer.settled_until = memory.alerts, memory.settled
    return said


def _close(customer: Customer, rules: RuleSet, clock: int) -> list[Said]:
    customer.alerts, closed, said = close_ended(customer.alerts, rules, clock, customer.rule_at)
    if closed:
        past = (alert for alert in customer.past_alerts() if not is_settled(alert, rules, clock))
        customer.closed = (*past, *closed)
    return said


def _judge_in_order(
    customer: Customer, entry: Entry, bearing: Bearing, rules: RuleSet, clock: int, *, replay: bool
) -> list[Said]:
    timeline = customer.timeline
    timeline.add(entry, bearing.places)
    said: list[Said] = []
    if customer.alerts and bearing.ends:
        customer.alerts, said = follow(customer.alerts, rules, timeline, bearing.ends, entry.at, clock)
    if bearing.judged:
        if is_nearly_full(len(customer.alerts) + customer.closed_at_most + len(bearing.judged)):
            customer.alerts, customer.closed = customer.awake(), ()
        said += _notify(customer, triggers_of(entry, bearing.judged, rules), rules, timeline, clock, replay=replay)
    timeline.prune(bearing.places, entry.at)
    return said


def _judge_a_little_late(
    customer: Customer, entry: Entry, places: Places, rules: RuleSet, history: History, clock: int, *, replay: bool
) -> list[Said]:
    """Judges ``rules`` again on what came since the entry's instant, on what is kept; the whole history only where that
    reaches further back: a retraction may free what was suppressed before, and an old alert needs its evidence again.
    """
    timeline, at = customer.timeline, entry.at
    customer.alerts, customer.closed = customer.awake(), ()
    timeline.add(entry, places)
    later = sorted([*history.since(customer.id, at), entry])
    found = _found(customer.alerts, later, timeline, rules, at)
    for alert in customer.alerts:
        gone = alert.time >= at and alert.id not in found
        forgotten = not alert.open and not alert.evidence and (alert.end is None or alert.end >= at)
        if (gone or forgotten) and rules.by_name(alert.rule) is not None:
            return _rejudge(customer, history.past(customer.id), [entry], rules, at, clock, replay=replay)
    customer.alerts, said = reconsider(customer.alerts, found, rules, timeline, at, clock)
    news = _notify(customer, triggers_in(later, rules), rules, timeline, clock, replay=replay)
    timeline.prune(places, customer.rule_at)
    return said + news


def _rejudge(
    customer: Customer, past: Past, new: Iterable[Entry], rules: RuleSet, since: int, clock: int, *, replay: bool
) -> list[Said]:
    """Judges the past with what is ``new`` again by ``rules``: from ``since`` on, and of what lies before what that can
    concern. Alerts of other rules stay as they are.
    """
    history, full = sorted([*past.entries, *new]), past.timeline(rules.plan)
    customer.alerts, customer.closed = customer.awake(), ()
    for entry in new:
        full.add(entry, rules.plan.places_of(entry))
    found = _found(customer.alerts, history, full, rules, since)
    before, gone = list(customer.alerts), []
    for index, alert in enumerate(before):
        rule = rules.by_name(alert.rule)
        if rule is not None and alert.time >= since and alert.id not in found:
            gone.append(alert)
            for entry in _triggering(alert, history):
                before[index] = worded(alert, rule, rule.fields_of(entry, rules.vocabulary))
    customer.alerts, said = reconsider(before, found, rules, full, since, clock)
    news = _notify(customer, _concerned(history, rules, since, gone), rules, full, clock, replay=replay)
    customer.timeline = _pruned(full, customer.rule_at)
    return said + news


def _found(
    alerts: Iterable[Alert], history: Sequence[Entry], timeline: Timeline, rules: RuleSet, since: int
) -> dict[str, Match]:
    """What alerts are by now that a change at ``since`` can concern, by id: those since then, and those that ended
    since then, which may stand again and are explained anew. What is no match, or not in ``history``, is missing.
    """
    found: dict[str, Match] = {}
    for alert in alerts:
        if alert.time >= since or (not alert.open and (alert.end is None or alert.end >= since)):
            for trigger in triggers_in(_triggering(alert, history), rules):
                if trigger.rule.name == alert.rule and (match := match_at(trigger, timeline)) is not None:
                    found[match.id] = match
    return found


def _triggering(alert: Alert, history: Sequence[Entry]) -> Sequence[Entry]:
    """The entry that triggered it, if ``history`` has that."""
    place = bisect_left(history, (alert.time, alert.uid))
    return [entry for entry in history[place : place + 1] if entry.uid == alert.uid]


def _concerned(history: Sequence[Entry], rules: RuleSet, since: int, gone: Sequence[Alert]) -> Iterator[Trigger]:
    """The triggers since then, and before them those that an alert kept silent which is ``gone``."""
    reach = rules.longest_cooldown if gone else 0
    for trigger in triggers_in(history[bisect_left(history, (since - reach,)) :], rules):
        rule, at = trigger.rule, trigger.entry.at
        if at >= since or any(rule.name == alert.rule and alert.time - at < rule.cooldown for alert in gone):
            yield trigger


def _pruned(timeline: Timeline, now: int) -> Timeline:
    timeline.prune(sorted(timeline.streams), now, whole=True)  # a past that was kept up has them in another order
    return timeline


def _ship(customer: Customer, record: Merge) -> list[Output]:
    """The past leaves for ``into``; here a redirect stays. Standing alerts that were said are taken back here."""
    if record.into == customer.id:
        return []
    said = [Said("retracted", alert) for alert in customer.alerts if alert.open and not alert.carried]
    alerts, arriving = tuple(customer.awake()), dict(customer.arriving)
    shipped = Shipped(record.into, record.version, alerts, arriving, customer.settled_until)
    customer.merged_into, customer.version = record.into, record.version
    customer.alerts, customer.closed, customer.arriving = [], (), {}
    customer.timeline = Timeline(customer.timeline.plan)
    return [*said, shipped]


def _take_in(
    customer: Customer, record: Moved, rules: RuleSet, history: History, clock: int, *, judged: bool
) -> list[Output]:
    """Entries of another customer join; everything is judged once, when no part is missing any more."""
    out: list[Output] = []
    for index, arrived in enumerate(record.entries):
        known = history.find(customer.id, arrived.entry.uid)
        if known is None:
            out.append(Written(arrived.entry, arrived.entry.at < customer.last_at, index))
            _remember(customer, arrived, streams_in(arrived.entry, rules), rules)
        else:
            out.append(Ignored() if _same(known, arrived) else replace(_reused(arrived.entry), nth=index))
    if record.alerts:
        memory = Memory(customer.awake(), customer.settled_until, rules.longest_cooldown, clock)
        memory.join(record.alerts)
        customer.alerts, customer.closed = memory.alerts, ()
    customer.settled_until = max(customer.settled_until, record.settled_until)
    left = customer.arriving.pop(record.move, record.parts) - 1
    if left > 0:
        customer.arriving[record.move] = left
    customer.arriving |= record.arriving
    if customer.arriving:
        return out
    if not judged:
        customer.unjudged = True
        return out
    new = [written.entry for written in out if isinstance(written, Written)]
    return out + _judge_everything(customer, new, rules, history, clock, replay=False)
