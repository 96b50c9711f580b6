"""Alerts that nothing in order can concern: they are kept apart from the customer, until a late event asks for them.

So an event in order costs the same however many there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..alerts.alert import Alert
from ..alerts.past import Past
from ..alerts.suppression import SETTLED_AFTER, remembered
from ..rules.ruleset import RuleSet
from ..timeline.entry import FOREVER
from .customer import Customer


@dataclass(frozen=True, slots=True)
class PutAway:
    """The alert is closed."""

    alert: Alert


@dataclass(frozen=True, slots=True)
class TakenOut:
    """The alert is closed no longer, or it is forgotten."""

    alert: Alert


def forget(customer: Customer, rules: RuleSet, past: Past) -> None:
    """Drops the alerts that are history altogether."""
    history, cooldown = customer.appended - SETTLED_AFTER, rules.longest_cooldown
    if customer.alerts and customer.alerts[0].time <= history:
        customer.alerts = remembered(customer.alerts, cooldown, customer.appended)
    if customer.closed and customer.forgets_at <= history:
        closed = _closed(customer, past)
        left = remembered(closed, cooldown, customer.appended)
        names = {alert.name for alert in left}
        customer.take_out([alert for alert in closed if alert.name not in names])
        customer.forgets_at = min((alert.reach(cooldown) for alert in left), default=FOREVER)


def wake(customer: Customer, past: Past) -> None:
    """Brings the closed alerts back among those that are looked at."""
    if customer.closed:
        closed = _closed(customer, past)
        customer.take_out(closed)
        customer.alerts = sorted([*closed, *customer.alerts], key=Alert.place)
        customer.forgets_at = FOREVER
        customer.look_at_alerts()


def changes(customer: Customer) -> Iterator[PutAway | TakenOut]:
    """What the step has changed among the closed alerts: nothing of one that was looked at and put away as it was."""
    taken_out, put_away = customer.taken_out, customer.put_away
    customer.taken_out, customer.put_away = {}, []
    for alert in put_away:
        if taken_out.pop(alert.name, None) != alert:
            yield PutAway(alert)
    for alert in taken_out.values():
        yield TakenOut(alert)


def _closed(customer: Customer, past: Past) -> Sequence[Alert]:
    return [alert for alert in past.closed() if alert.name not in customer.taken_out]
