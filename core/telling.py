"""Telling: what is said of an alert, and in which words (semantics 1.8). What it keeps by reference is looked up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from .alert import Alert
from .bounds import VALUE_BYTES, cut
from .conditions import Found
from .event import Entry
from .evidence import Told, told, values_of
from .features import Ref
from .past import Past
from .ruleset import RuleSet

State = Literal["fired", "updated", "resolved", "expired", "retracted"]

REASON_BYTES = 1024
"""Of the sentence that tells people why, as JSON."""


class Said(NamedTuple):
    """One message about an alert, and the state that it puts the alert in. ``evidence``: entries as plain data."""

    state: State
    alert: Alert
    reason: str
    action: str
    evidence: tuple[Mapping[str, object], ...]


def tell(state: State, alert: Alert, rules: RuleSet, past: Past) -> Said:
    """The message, with the words of the rule as it is now. Without evidence if the alert does not keep it."""
    trigger, rule = past.entry(Ref(alert.time, alert.uid)), rules.rules.get(alert.rule)
    if trigger is None or rule is None:
        return Said(state, alert, f"The rule {alert.rule} is no longer in force.", "", ())
    data = rule.fields_of(trigger, past.vocabulary[trigger.type])
    evidence = () if alert.evidence is None else _evidence(trigger, data, alert.evidence, past)
    return Said(state, alert, sentence(rule.reason, data), rule.action, evidence)


def _evidence(
    trigger: Entry, data: Mapping[str, object], evidence: Iterable[Found], past: Past
) -> tuple[Mapping[str, object], ...]:
    values: dict[bytes, Told] = {bytes.fromhex(trigger.uid): (trigger, data)}
    for found in evidence:
        uid = found.entry.uid
        entry, known = values.get(uid) or (past.entry(found.entry), {})
        if entry is not None:
            more = values_of(found, entry, past.vocabulary[entry.type])
            values[uid] = entry, {**known, **more}
    return told(trigger, values)


def sentence(template: str, trigger: Mapping[str, object]) -> str:
    """The reason with the trigger's values in it, cut where it is long; a field the trigger lacks reads as a dash."""
    values = {name: cut(str(value), VALUE_BYTES) for name, value in trigger.items()}
    return cut(template.format_map(_Fields(values)), REASON_BYTES)


class _Fields(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "-"
