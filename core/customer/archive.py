"""Archived alerts: no event in order can affect them, so they are stored apart from the customer until a late one does.

So the cost of an event in order does not depend on their number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..alerts.alert import Alert, Life
from ..alerts.history import CustomerHistory
from ..alerts.suppression import FORGOTTEN_AFTER, remembered
from ..rules.ruleset import RuleSet
from ..timeline.entry import FOREVER
from .customer import Customer


@dataclass(frozen=True, slots=True)
class LifeChange:
    """An alert was archived, or is archived no longer. ``life``: its state now; retracted ones count as forgotten."""

    alert: Alert
    life: Life


def forget(customer: Customer, rules: RuleSet, past: CustomerHistory) -> None:
    """Forgets the alerts whose time for that has come."""
    history, cooldown = customer.appended - FORGOTTEN_AFTER, rules.longest_cooldown
    if customer.alerts and customer.alerts[0].time <= history:
        customer.alerts = remembered(customer.alerts, cooldown, customer.appended)
    if customer.archived and customer.forgets_at <= history:
        archived = _archived(customer, past)
        left = remembered(archived, cooldown, customer.appended)
        names = {alert.name for alert in left}
        customer.unarchive([alert for alert in archived if alert.name not in names])
        customer.forgets_at = min((alert.reach(cooldown) for alert in left), default=FOREVER)


def unarchive_all(customer: Customer, past: CustomerHistory) -> None:
    """Moves the archived alerts back among the customer's ``alerts``."""
    if customer.archived:
        archived = _archived(customer, past)
        customer.unarchive(archived)
        customer.alerts = sorted([*archived, *customer.alerts], key=Alert.place)
        customer.forgets_at = FOREVER
        customer.reschedule_all()


def changes(customer: Customer) -> Iterator[LifeChange]:
    """How the step has changed the archived alerts, without those that were unarchived and archived again unchanged."""
    unarchived, archiving = customer.unarchived, customer.archiving
    customer.unarchived, customer.archiving = {}, []
    for alert in archiving:
        if unarchived.pop(alert.name, None) != alert:
            yield LifeChange(alert, Life.ARCHIVED)
    if unarchived:
        lives = {alert.name: Life.STANDING if alert.standing else Life.ENDED for alert in customer.alerts}
        for name, alert in unarchived.items():
            yield LifeChange(alert, lives.get(name, Life.FORGOTTEN))


def _archived(customer: Customer, past: CustomerHistory) -> Sequence[Alert]:
    return [alert for alert in past.archived() if alert.name not in customer.unarchived]
