"""Messages about alerts: their content and their wording (semantics 1.8). Evidence kept by reference is looked up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from ..bounds import VALUE_BYTES, cut
from ..rules.conditions.condition import Evidence
from ..rules.ruleset import RuleSet
from ..timeline.features import Ref
from .alert import Alert
from .evidence import EvidenceEntry, evidence_data, values_of
from .history import CustomerHistory

AlertState = Literal["fired", "updated", "resolved", "expired", "retracted"]

REASON_BYTES = 1024
"""Largest size, as JSON, of the sentence that tells people why."""


class AlertMessage(NamedTuple):
    """One message about an alert, and the state that it puts the alert in. ``evidence``: entries as plain data."""

    state: AlertState
    alert: Alert
    reason: str
    action: str
    evidence: tuple[Mapping[str, object], ...]


def message_for(state: AlertState, alert: Alert, rules: RuleSet, history: CustomerHistory) -> AlertMessage:
    """The message, in the words of the rule as it is now. It has no evidence if the alert keeps none. If the rule or
    the trigger is no longer known, it has only a reason that says so.
    """
    named, rule = Ref(alert.time, alert.uid), rules.rules.get(alert.rule)
    trigger = history.entry(named)
    kind = None if trigger is None else rules.vocabulary.get(trigger.type)
    if trigger is None or kind is None or rule is None:
        missing = f"The rule {alert.rule} is" if rule is None else f"What triggered {alert.rule} is"
        return AlertMessage(state, alert, f"{missing} no longer known.", "", ())
    data = rule.fields_of(trigger, kind)
    values: dict[Ref, EvidenceEntry] = {named: (trigger, data)}
    evidence = () if alert.evidence is None else evidence_data(named, _with(values, alert.evidence, rules, history))
    return AlertMessage(state, alert, sentence(rule.reason, data), rule.action, evidence)


def _with(
    values: dict[Ref, EvidenceEntry], evidence: Iterable[Evidence], rules: RuleSet, history: CustomerHistory
) -> Mapping[Ref, EvidenceEntry]:
    """Adds the values that the conditions found to ``values``."""
    for found in evidence:
        entry, known = values.get(found.entry) or (history.entry(found.entry), {})
        kind = None if entry is None else rules.vocabulary.get(entry.type)
        if entry is not None and kind is not None:
            values[found.entry] = entry, {**known, **values_of(found, entry, kind)}
    return values


def sentence(template: str, trigger: Mapping[str, object]) -> str:
    """The reason with the trigger's values filled in, cut to ``REASON_BYTES``; a missing field reads as a dash."""
    values = {name: cut(str(value), VALUE_BYTES) for name, value in trigger.items()}
    return cut(template.format_map(_Fields(values)), REASON_BYTES)


class _Fields(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "-"
