"""The step: one journal record about one customer, and what follows from it.

``step`` is the whole decision. It reads the past through ``History`` (this record not included), changes the
``Customer`` it is given, and returns what is to be written, in order. In-order events touch only the customer's
document; a late one reads the history and holds the notified alerts against the batch definition again.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .arrival import Arrived, History, Ignored, Refused, Written, join
from .closings import Unmatched, unmatched
from .event import Entry
from .matching import Match, Trigger, match_at, streams_in, triggers_in, triggers_of
from .memory import Alert, Memory, is_nearly_full, remembered
from .notification import Said, close_ended, follow, notify, reconsider, worded
from .past import Past, together
from .rule import Bearing, RuleSet
from .state import BEFORE_ALL, Customer
from .timeline import Places, Timeline


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
    settled_until: int = BEFORE_ALL
    until: int = BEFORE_ALL


class Clock(int):
    """THROWAWAY: appended, and the customer's now."""

    now: int


def _clock(customer: Customer, appended: int) -> Clock:
    clock = Clock(appended)
    clock.now = max(customer.until, customer.last_at)
    return clock


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
    until: int


Output = Written | Ignored | Refused | Forwarded | Shipped | Unmatched | Said
Record = Arrived | Merge | Moved


def step(
    customer: Customer, record: Record, rules: RuleSet, history: History, clock: int, *, judged: bool = True
) -> list[Output]:
    """What follows from ``record``. ``clock`` is the partition's running maximum of append times (µs).

    A part of a move can be taken in without being ``judged``: the customer's next record makes up for it.
    """
    customer.until = max(customer.until, clock)
    if customer.merged_into is not None:
        out: list[Output] = [] if isinstance(record, Merge) else [Forwarded(customer.merged_into)]
    elif isinstance(record, Arrived):
        out = _arrive(customer, record, rules, history, clock)
    elif isinstance(record, Moved):
        out = _take_in(customer, record, rules, history, clock, judged=judged)
    else:
        out = _ship(customer, record, rules, clock)
    customer.clock = clock
    return out


def _arrive(customer: Customer, record: Arrived, rules: RuleSet, history: History, clock: int) -> list[Output]:
    out: list[Output] = [*join(customer, (record,), rules, history)]
    clock = _clock(customer, clock)
    joined = out[0]
    if isinstance(joined, Written) and not customer.arriving:
        if joined.stood_at is None:
            out += unmatched(customer, joined.entry, rules, history.past)
        out += _judge(customer, joined, rules, history, clock, replay=record.replay)
    return out


def _judge(
    customer: Customer, written: Written, rules: RuleSet, history: History, clock: int, *, replay: bool
) -> list[Said]:
    entry = written.entry
    if customer.unjudged:
        return _judge_everything(customer, [entry], rules, history, clock, replay=replay)
    streams = streams_in(entry, rules)
    bearing, timeline = rules.bearing(streams), customer.timeline
    if customer.stale:
        customer.timeline = timeline = _pruned(history.past(customer.id).timeline(rules.plan), customer.rule_at)
        customer.stale = False
    said: list[Said] = []
    if bearing.judged or bearing.places:
        whole = written.stood_at is not None or _asks_for_settled(customer, entry, bearing, rules)
        in_order = entry.at > customer.rule_at and not whole
        customer.rule_at = max(customer.rule_at, entry.at)
        if in_order:
            said += _judge_in_order(customer, entry, bearing, rules, clock, replay=replay)
        elif entry.at >= timeline.since and not whole:
            touched = rules.touched_by(streams)
            said += _judge_a_little_late(customer, entry, bearing.places, touched, history, clock, replay=replay)
        else:
            past, touched = history.past(customer.id), rules.touched_by(streams)
            said += _rejudge(customer, past, [entry], touched, entry.at, clock, replay=replay)
    return said + _close(customer, rules, clock) if customer.alerts else said


def _asks_for_settled(customer: Customer, entry: Entry, bearing: Bearing, rules: RuleSet) -> bool:
    """Whether the entry is about a matter that is not held any more, or can move the end of an alert that is."""
    timeline = customer.timeline
    if not timeline.settled:
        return False
    return timeline.touches_settled(entry, bearing.named) or any(
        alert.rule in bearing.ends and _follows_settled(alert, timeline, rules, entry.at) for alert in customer.alerts
    )


def _follows_settled(alert: Alert, timeline: Timeline, rules: RuleSet, since: int) -> bool:
    """Whether the alert has not ended before ``since``, and its end hangs on a matter that is not held any more."""
    if alert.end is not None and alert.end < since:
        return False
    rule = rules.by_name(alert.rule)
    return rule is not None and any(timeline.is_settled(entity, alert.key) for entity in rule.followed)


def _judge_everything(
    customer: Customer, new: Sequence[Entry], rules: RuleSet, history: History, clock: int, *, replay: bool
) -> list[Said]:
    """Judges the whole past with what is ``new``, after a move."""
    past = history.past(customer.id)
    customer.rule_at = max((entry.at for entry in [*past.entries, *new]), default=customer.rule_at)
    said = _rejudge(customer, past, new, rules, BEFORE_ALL, clock, replay=replay)
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
        customer.closed = (*remembered(customer.past_alerts(), rules.longest_cooldown, clock), *closed)
    return said


def _judge_in_order(
    customer: Customer, entry: Entry, bearing: Bearing, rules: RuleSet, clock: int, *, replay: bool
) -> list[Said]:
    timeline = customer.timeline
    timeline.add(entry, bearing.places)
    said: list[Said] = []
    customer.alerts = remembered(customer.alerts, rules.longest_cooldown, clock)
    if customer.alerts and bearing.ends:
        customer.alerts, said = follow(customer.alerts, rules, timeline, bearing.ends, entry.at, clock)
    if bearing.judged:
        more = len(customer.alerts) + len(bearing.judged)
        if is_nearly_full(more + customer.closed_at_most) and is_nearly_full(more + len(customer.past_alerts())):
            _awake(customer, rules, clock)
        said += _notify(customer, triggers_of(entry, bearing.judged, rules), rules, timeline, clock, replay=replay)
    timeline.prune(bearing.places, entry.at)
    return said


def _awake(customer: Customer, rules: RuleSet, clock: int) -> None:
    """Brings the closed alerts back; what is history altogether is forgotten."""
    customer.alerts, customer.closed = remembered(customer.awake(), rules.longest_cooldown, clock), ()


def _judge_a_little_late(
    customer: Customer, entry: Entry, places: Places, rules: RuleSet, history: History, clock: int, *, replay: bool
) -> list[Said]:
    """Judges ``rules`` again on what came since the entry's instant, on what is kept; the whole history only where that
    reaches further back: a retraction may free what was suppressed before, an old alert needs its evidence again, and
    what is judged again may name a matter that is not held any more.
    """
    timeline, at = customer.timeline, entry.at
    _awake(customer, rules, clock)
    timeline.add(entry, places)
    later = sorted([*history.since(customer.id, at), entry])
    found = _found(customer.alerts, together(later, ()), timeline, rules, at)
    if _reaches_back(customer, later, found, rules, at):
        return _rejudge(customer, history.past(customer.id), [entry], rules, at, clock, replay=replay)
    customer.alerts, said = reconsider(customer.alerts, found, rules, timeline, at, clock)
    news = _notify(customer, triggers_in(later, rules), rules, timeline, clock, replay=replay)
    timeline.prune(places, customer.rule_at)
    return said + news


def _reaches_back(
    customer: Customer, later: Sequence[Entry], found: Mapping[str, Match], rules: RuleSet, at: int
) -> bool:
    """Whether more than what is held is needed to judge what came ``later`` again, after a change at ``at``."""
    timeline = customer.timeline
    if timeline.settled:
        triggers = triggers_in(later, rules)
        if any(timeline.touches_settled(trigger.entry, trigger.rule.named) for trigger in triggers):
            return True
        if any(_follows_settled(alert, timeline, rules, at) for alert in customer.alerts):
            return True
    for alert in customer.alerts:
        gone = alert.time >= at and alert.id not in found
        unexplained = not alert.open and not alert.evidence and (alert.end is None or alert.end >= at)
        if (gone or unexplained) and rules.by_name(alert.rule) is not None:
            return True
    return False


def _rejudge(
    customer: Customer, past: Past, new: Sequence[Entry], rules: RuleSet, since: int, clock: int, *, replay: bool
) -> list[Said]:
    """Judges the past with what is ``new`` again by ``rules``: from ``since`` on, and of what lies before what that can
    concern. Alerts of other rules stay as they are.
    """
    entries = together(past.entries, new)
    history, full = sorted(entries.values()), _timeline(past, new, entries, rules)
    _awake(customer, rules, clock)
    found = _found(customer.alerts, entries, full, rules, since)
    before, gone = list(customer.alerts), []
    for index, alert in enumerate(before):
        rule = rules.by_name(alert.rule)
        if rule is not None and alert.time >= since and alert.id not in found:
            gone.append(alert)
            if alert.uid in entries:
                before[index] = worded(alert, rule, rule.fields_of(entries[alert.uid], rules.vocabulary))
    customer.alerts, said = reconsider(before, found, rules, full, since, clock)
    news = _notify(customer, _concerned(history, rules, since, gone), rules, full, clock, replay=replay)
    customer.timeline = _pruned(full, customer.rule_at)
    return said + news


def _timeline(past: Past, new: Sequence[Entry], entries: Mapping[str, Entry], rules: RuleSet) -> Timeline:
    """All that rules see of ``entries``: the past with what is ``new``."""
    if len(entries) < len(past.entries) + len(new):  # something stands at an earlier instant than it did
        return Timeline.of(rules.plan, entries.values())
    full = past.timeline(rules.plan)
    for entry in new:
        full.add(entry, rules.plan.places_of(entry))
    return full


def _found(
    alerts: Iterable[Alert], entries: Mapping[str, Entry], timeline: Timeline, rules: RuleSet, since: int
) -> dict[str, Match]:
    """What alerts are by now that a change at ``since`` can concern, by id: those since then, and those that ended
    since then, which may stand again and are explained anew. What is no match, or not in ``entries``, is missing.
    """
    found: dict[str, Match] = {}
    for alert in alerts:
        if alert.time >= since or (not alert.open and (alert.end is None or alert.end >= since)):
            triggering = entries.get(alert.uid)
            for trigger in triggers_in([] if triggering is None else [triggering], rules):
                if trigger.rule.name == alert.rule and (match := match_at(trigger, timeline)) is not None:
                    found[match.id] = match
    return found


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


def _ship(customer: Customer, record: Merge, rules: RuleSet, clock: int) -> list[Output]:
    """The past leaves for ``into``; here a redirect stays. Standing alerts that were said are taken back here."""
    if record.into == customer.id:
        return []
    said = [Said("retracted", alert) for alert in customer.alerts if alert.open and not alert.carried]
    _awake(customer, rules, clock)
    alerts, arriving = tuple(customer.alerts), dict(customer.arriving)
    shipped = Shipped(record.into, record.version, alerts, arriving, customer.settled_until, customer.until)
    customer.merged_into, customer.version = record.into, record.version
    customer.alerts, customer.closed, customer.arriving = [], (), {}
    customer.timeline = Timeline(customer.timeline.plan)
    return [*said, shipped]


def _take_in(
    customer: Customer, record: Moved, rules: RuleSet, history: History, clock: int, *, judged: bool
) -> list[Output]:
    """Entries of another customer join; everything is judged once, when no part is missing any more."""
    out: list[Output] = [*join(customer, record.entries, rules, history)]
    customer.until = max(customer.until, record.until)
    clock = _clock(customer, clock)
    if record.alerts:
        _awake(customer, rules, clock)
        memory = Memory(customer.alerts, customer.settled_until, rules.longest_cooldown, clock)
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
