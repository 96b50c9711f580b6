"""The step: one journal record about one customer, and what follows from it.

``step`` is the whole decision. It reads the history before this record through ``Finder``, changes the given
``Customer``, and returns what is to be written, in order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..alerts.alert import Alert
from ..alerts.history import CustomerHistory
from ..alerts.message import AlertMessage, message_for
from ..alerts.suppression import NotifiedAlerts
from ..rules.ruleset import RuleSet
from ..timeline.entry import BEFORE_ALL
from .archive import LifeChange, changes, forget, unarchive_all
from .arrival import Arrived, Finder, Ignored, Joined, Refused, Written, join, written
from .customer import Customer
from .judging import judge, judge_everything
from .unmatched_closings import Unmatched, unmatched


@dataclass(frozen=True, slots=True)
class Merge:
    """The resolver's order to merge this customer into ``into``. ``version``: the order's offset in the links log."""

    into: str
    version: int


@dataclass(frozen=True, slots=True)
class Moved:
    """One part of the history of a customer who was merged into this one. The last part brings the alerts, and in
    ``arriving`` the parts which that customer still awaited: these are forwarded, and come after this one. There,
    matches up to ``decided_until`` (µs) were decided for good, and ticks had come to ``until`` (µs).

    A part can be taken in without being ``judged``: the customer's next record makes up for it.
    """

    move: str
    parts: int
    entries: tuple[Arrived, ...]
    alerts: tuple[Alert, ...] = ()
    arriving: Mapping[str, int] = field(default_factory=dict)
    decided_until: int = BEFORE_ALL
    until: int = BEFORE_ALL
    judged: bool = True


@dataclass(frozen=True, slots=True)
class Forwarded:
    """The customer was merged into ``to``: the record goes there unchanged."""

    to: str


@dataclass(frozen=True, slots=True)
class MovedOut:
    """The customer's history goes to ``to``, in as many records as its size needs, and is erased here."""

    to: str
    version: int
    alerts: tuple[Alert, ...]
    arriving: Mapping[str, int]
    decided_until: int
    until: int


Decision = Written | Ignored | Refused | Forwarded | MovedOut | Unmatched | AlertMessage | LifeChange
Brought = Arrived | Merge | Moved


def step(customer: Customer, record: Brought, rules: RuleSet, history: Finder, appended: int) -> list[Decision]:
    """What follows from ``record``. ``appended`` is the partition's running maximum of append times (µs)."""
    customer.appended = appended
    if appended > customer.until:  # as long as there are no ticks
        customer.until = appended
    if customer.merged_into is not None:
        out: list[Decision] = [] if isinstance(record, Merge) else [Forwarded(customer.merged_into)]
    elif isinstance(record, Arrived):
        out = _arrive(customer, record, rules, history)
    elif isinstance(record, Moved):
        out = _take_in(customer, record, rules, history)
    else:
        out = _ship(customer, record, rules, history)
    customer.is_new = False
    if customer.archiving or customer.unarchived:
        out += changes(customer)
    return out


def _arrive(customer: Customer, record: Arrived, rules: RuleSet, history: Finder) -> list[Decision]:
    joined = join(customer, record, (), rules, history)
    if not isinstance(joined, Written) or customer.arriving:
        return [joined]
    own, taken = CustomerHistory(history, customer.id, (joined.entry,), rules), joined.taken
    out: list[Decision] = [joined]
    if taken is not None and taken.effects.may_close and joined.moved_from is None:
        out += unmatched(customer, taken, rules, own)
    if customer.unjudged:
        out += judge_everything(customer, rules, own, replay=record.replay)
        customer.unjudged = False
    else:
        out += judge(customer, taken, rules, own, replay=record.replay)
    return out


def _ship(customer: Customer, record: Merge, rules: RuleSet, history: Finder) -> list[Decision]:
    """Sends the history to ``into`` and leaves a redirect. Standing alerts that were published are retracted here."""
    if record.into == customer.id:
        return []
    own = CustomerHistory(history, customer.id, (), rules)
    said = [
        message_for("retracted", alert, rules, own) for alert in customer.alerts if alert.standing and not alert.carried
    ]
    forget(customer, rules, own)
    unarchive_all(customer, own)
    shipped = MovedOut(
        record.into,
        record.version,
        tuple(customer.alerts),
        dict(customer.arriving),
        customer.decided_until,
        customer.until,
    )
    customer.merged_into, customer.version = record.into, record.version
    customer.alerts, customer.arriving, customer.derived, customer.published_matters = [], {}, None, ((), 0)
    return [*said, shipped]


def _take_in(customer: Customer, record: Moved, rules: RuleSet, history: Finder) -> list[Decision]:
    """Adds entries of another customer; once no part is missing any more, everything is evaluated, once."""
    joined: list[Joined] = []
    for entry in record.entries:
        joined.append(join(customer, entry, joined, rules, history))
    out: list[Decision] = [*joined]
    if record.alerts:
        own = CustomerHistory(history, customer.id, (), rules)
        forget(customer, rules, own)
        unarchive_all(customer, own)
        notified = NotifiedAlerts(customer.alerts, customer.decided_until, rules.longest_cooldown, customer.appended)
        notified.join(record.alerts)
        customer.alerts = sorted(notified.alerts, key=Alert.sort_key)
    customer.decided_until = max(customer.decided_until, record.decided_until)
    customer.until = max(customer.until, record.until)
    left = customer.arriving.pop(record.move, record.parts) - 1
    if left > 0:
        customer.arriving[record.move] = left
    customer.arriving |= record.arriving
    customer.unjudged = not customer.arriving
    if customer.arriving or not record.judged:
        return out
    own = CustomerHistory(history, customer.id, written(joined), rules)
    out += judge_everything(customer, rules, own)
    customer.unjudged = False
    return out
