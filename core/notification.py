"""Notification: which matches a department is told of (semantics 1.8). Decided once; notified alerts are compared.

Everything that holds, was not notified yet and is not kept silent by the ``Memory`` is notified.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from .alert import Alert, digest
from .bounds import VALUE_BYTES, cut
from .conditions import Found
from .event import DAY, Entry
from .evidence import Told, place, rests_on, told, values_of
from .features import Ref, ref
from .folding import Match
from .memory import Memory
from .past import Past
from .ruleset import RuleSet

State = Literal["fired", "updated", "resolved", "expired", "retracted"]

HISTORICAL_AFTER = DAY
"""An alert found later than this after its time reaches the topic, but nobody's telephone."""

REASON_BYTES = 1024
"""Of the sentence that tells people why, as JSON."""


class Said(NamedTuple):
    """One message about an alert, and the state that it puts the alert in. ``evidence``: entries as plain data."""

    state: State
    alert: Alert
    reason: str
    action: str
    evidence: tuple[Mapping[str, object], ...]


class Teller:
    """Puts into words what is said of a customer's alerts: what they keep by reference is looked up."""

    def __init__(self, rules: RuleSet, past: Past) -> None:
        self._rules, self._past = rules, past

    def say(self, state: State, alert: Alert) -> Said:
        """The message, with the words of the rule as it is now. Without evidence if the alert does not keep it."""
        trigger, rule = self._past.entry(Ref(alert.time, alert.uid)), self._rules.rules.get(alert.rule)
        if trigger is None or rule is None:
            return Said(state, alert, f"The rule {alert.rule} is no longer in force.", "", ())
        data = rule.fields_of(trigger, self._rules.vocabulary[trigger.type])
        evidence = () if alert.evidence is None else self._evidence(trigger, data, alert.evidence)
        return Said(state, alert, sentence(rule.reason, data), rule.action, evidence)

    def _evidence(
        self, trigger: Entry, data: Mapping[str, object], evidence: Iterable[Found]
    ) -> tuple[Mapping[str, object], ...]:
        values: dict[bytes, Told] = {bytes.fromhex(trigger.uid): (trigger, data)}
        for found in evidence:
            uid = found.entry.uid
            entry, known = values.get(uid) or (self._past.entry(found.entry), {})
            if entry is not None:
                more = values_of(found, entry, self._rules.vocabulary[entry.type])
                values[uid] = entry, {**known, **more}
        return told(trigger, values)


def decide(matches: Iterable[Match], memory: Memory, appended: int, now: int, *, replay: bool) -> list[Alert]:
    """The matches that are notified, in order; the ``memory`` learns of them.

    ``appended``: the journal's clock; ``now``: the customer's (both µs). One that ended before it was found is no
    longer open.
    """
    notified: list[Alert] = []
    for match in matches:
        rule, time = match.watch.rule, match.entry.at
        if memory.is_settled(time) or memory.silences(rule, match.watch.key, time) or not memory.make_room(time):
            continue
        alert = first_notice(match, historical=replay or appended - time > HISTORICAL_AFTER)
        if alert.has_ended(now):
            alert = alert._replace(open=False)
        memory.remember(alert)
        notified.append(alert)
    return notified


def first_notice(match: Match, *, historical: bool) -> Alert:
    """The alert that a match becomes when it is notified."""
    rule, evidence = match.watch.rule, _evidence_of(match)
    return Alert(
        *match.name,
        time=match.entry.at,
        end=match.watch.end,
        expires=_expiry(match),
        version=rule.version,
        severity=rule.severity,
        departments=rule.notify,
        digest=_digest(match, evidence),
        historical=historical,
        evidence=evidence,
    )


def refreshed(alert: Alert, match: Match) -> Alert:
    """A notified alert as its match is by now."""
    evidence = _evidence_of(match)
    return alert._replace(
        time=match.entry.at,
        end=match.watch.end,
        expires=_expiry(match),
        version=match.watch.rule.version,
        digest=_digest(match, evidence),
        evidence=evidence,
    )


def _evidence_of(match: Match) -> tuple[Found, ...]:
    return rests_on(ref(match.entry), match.evidence)


def _digest(match: Match, evidence: tuple[Found, ...]) -> str:
    own = Found(ref(match.entry))
    return digest(match.watch.rule.version, sorted([own, *evidence], key=place))


def _expiry(match: Match) -> int | None:
    expires = match.watch.rule.expires
    return None if expires is None else match.entry.at + expires


def sentence(template: str, trigger: Mapping[str, object]) -> str:
    """The reason with the trigger's values in it, cut where it is long; a field the trigger lacks reads as a dash."""
    values = {name: cut(str(value), VALUE_BYTES) for name, value in trigger.items()}
    return cut(template.format_map(_Fields(values)), REASON_BYTES)


class _Fields(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "-"
