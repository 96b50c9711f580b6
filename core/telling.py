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
    """The message, with the words of the rule as it is now. Without evidence if the alert does not keep it; without
    more than a word if the rule, or what triggered it, is not known any more.
    """
    trigger, rule = past.entry(Ref(alert.time, alert.uid)), rules.rules.get(alert.rule)
    kind = None if trigger is None else past.vocabulary.get(trigger.type)
    if trigger is None or kind is None or rule is None:
        missing = f"The rule {alert.rule} is" if rule is None else f"What triggered {alert.rule} is"
        return Said(state, alert, f"{missing} no longer known.", "", ())
    data = rule.fields_of(trigger, kind)
    evidence = () if alert.evidence is None else _evidence(trigger, data, alert.evidence, past)
    return Said(state, alert, sentence(rule.reason, data), rule.action, evidence)


def _evidence(
    trigger: Entry, data: Mapping[str, object], evidence: Iterable[Found], past: Past
) -> tuple[Mapping[str, object], ...]:
    values: dict[bytes, Told] = {bytes.fromhex(trigger.uid): (trigger, data)}
    for found in evidence:
        uid = found.entry.uid
        entry, known = values.get(uid) or (past.entry(found.entry), {})
        kind = None if entry is None else past.vocabulary.get(entry.type)
        if entry is not None and kind is not None:
            values[uid] = entry, {**known, **values_of(found, entry, kind)}
    return told(trigger, values)


def sentence(template: str, trigger: Mapping[str, object]) -> str:
    """The reason with the trigger's values in it, cut where it is long; a field the trigger lacks reads as a dash."""
    values = {name: cut(str(value), VALUE_BYTES) for name, value in trigger.items()}
    return cut(template.format_map(_Fields(values)), REASON_BYTES)


class _Fields(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "-"
