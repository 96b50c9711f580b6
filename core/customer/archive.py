"""Archived alerts: no event in order can affect them, so they are stored apart from the customer until a late one does.

So the cost of an event in order does not depend on their number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..alerts.alert import Alert, Life
from ..alerts.history import CustomerHistory
from ..alerts.suppression import FORGOTTEN_AFTER, not_forgotten
from ..rules.ruleset import RuleSet
from ..timeline.entry import FOREVER
from .customer import Customer


@dataclass(frozen=True, slots=True)
class LifeChange:
    """An alert was archived, or is archived no longer. ``life``: its state now; retracted ones count as forgotten."""

    alert: Alert
    life: Life


def forget(customer: Customer, rules: RuleSet, history: CustomerHistory) -> None:
    """Forgets the alerts whose time for that has come."""
    oldest, cooldown = customer.appended - FORGOTTEN_AFTER, rules.longest_cooldown
    if customer.alerts and customer.alerts[0].time <= oldest:
        customer.alerts = not_forgotten(customer.alerts, cooldown, customer.appended)
    if customer.archived and customer.forgets_at <= oldest:
        archived = _archived(customer, history)
        left = not_forgotten(archived, cooldown, customer.appended)
        names = {alert.name for alert in left}
        customer.unarchive([alert for alert in archived if alert.name not in names])
        customer.forgets_at = min((alert.suppresses_until(cooldown) for alert in left), default=FOREVER)


def unarchive_all(customer: Customer, history: CustomerHistory) -> None:
    """Moves the archived alerts back among the customer's ``alerts``."""
    if customer.archived:
        archived = _archived(customer, history)
        customer.unarchive(archived)
        customer.alerts = sorted([*archived, *customer.alerts], key=Alert.sort_key)
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


def _archived(customer: Customer, history: CustomerHistory) -> Sequence[Alert]:
    return [alert for alert in history.archived() if alert.name not in customer.unarchived]
