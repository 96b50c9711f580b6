"""Notification: which matches a department is told of (semantics 1.8). Decided once; notified alerts are the memory.

Everything that holds, was not notified yet and is not kept silent by the ``Memory`` is notified.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Literal, NamedTuple

from .bounds import VALUE_BYTES, cut
from .event import DAY
from .evidence import told
from .matching import Match, Trigger, end_of, match_at
from .memory import Alert, Memory
from .rule import Rule, RuleSet
from .timeline import Timeline

Spoken = Literal["fired", "updated", "resolved", "expired", "retracted"]

HISTORICAL_AFTER = DAY
"""An alert found later than this after its time reaches the topic, but nobody's telephone."""

MOST_EXPLAINED = 50
"""Of so many alerts at once, the latest, a customer's document keeps the evidence, to repeat it when they end."""

REASON_BYTES = 1024
"""Of the sentence that tells people why, as JSON."""


class Said(NamedTuple):
    """One message about an alert, and the state that it puts the alert in."""

    state: Spoken
    alert: Alert


def first_notice(match: Match, clock: int, *, replay: bool) -> Alert:
    """The alert that a match becomes when it is notified at ``clock``."""
    rule = match.rule
    return Alert(
        id=match.id,
        rule=rule.name,
        version=rule.version,
        key=match.key,
        label=match.label,
        uid=match.uid,
        time=match.time,
        end=match.end,
        expires=_expiry(match),
        digest=match.digest,
        severity=rule.severity,
        departments=rule.notify,
        reason=sentence(rule.reason, match.trigger),
        action=rule.action,
        evidence=_evidence(match),
        historical=replay or clock - match.time > HISTORICAL_AFTER,
    )


def _expiry(match: Match) -> int | None:
    return None if match.rule.expires is None else match.time + match.rule.expires


def worded(alert: Alert, rule: Rule, trigger: Mapping[str, Any]) -> Alert:
    """The alert with its words, which it does not keep for ever: those of the rule as it is now, about this trigger."""
    return alert if alert.reason else alert._replace(reason=sentence(rule.reason, trigger), action=rule.action)


def sentence(template: str, trigger: Mapping[str, Any]) -> str:
    """The reason with the trigger's values in it, cut where it is long; a field the trigger lacks reads as a dash."""
    values = {name: cut(str(value), VALUE_BYTES) for name, value in trigger.items()}
    return cut(template.format_map(_Fields(values)), REASON_BYTES)


class _Fields(dict[str, Any]):
    def __missing__(self, name: str) -> str:
        return "-"


def _evidence(match: Match) -> tuple[Mapping[str, Any], ...]:
    return tuple(map(told, match.evidence))


def notify(triggers: Iterable[Trigger], memory: Memory, timeline: Timeline, clock: int, *, replay: bool) -> list[Said]:
    """Judges ``triggers`` in their order and decides against ``memory``, which learns of the new alerts; returns what
    is said of them.

    A trigger that would be silent anyway, as that of a known alert is, is not judged. An alert that ended before it was
    found is said once, with its end.
    """
    said: list[Said] = []
    for trigger in triggers:
        if memory.is_settled(trigger.entry.at) or memory.silences(trigger):
            continue
        match = match_at(trigger, timeline)
        if match is None or not memory.make_room(match.time):
            continue
        alert = first_notice(match, clock, replay=replay)
        if ended(alert, clock):
            alert = alert._replace(open=False)
        said.append(Said("fired" if alert.open else ending(alert), alert))
        memory.remember(alert)
    return said


def follow(
    alerts: Iterable[Alert], rules: RuleSet, timeline: Timeline, ends: Collection[str], at: int, clock: int
) -> tuple[list[Alert], list[Said]]:
    """The alerts after an entry at ``at`` joined in order that can end matches of the rules ``ends``.

    What ends at or after it may end otherwise now.
    """
    kept: list[Alert] = []
    said: list[Said] = []
    for alert in alerts:
        rule = rules.by_name(alert.rule) if alert.rule in ends and (alert.end is None or alert.end >= at) else None
        if rule is not None:
            end = end_of(rule, alert.key, alert.time, timeline, at)
            if end != alert.end:
                alert, message = _restated(alert, alert._replace(end=end), clock)
                said += message
        kept.append(alert)
    return kept, said


def reconsider(
    alerts: Iterable[Alert], found: Mapping[str, Match], rules: RuleSet, timeline: Timeline, since: int, clock: int
) -> tuple[list[Alert], list[Said]]:
    """Holds the notified alerts against a history that changed at ``since`` and later.

    ``found``: what they are by now, by id. What is no match any more is retracted; what changed, updated.
    """
    kept: list[Alert] = []
    said: list[Said] = []
    for alert in alerts:
        rule = rules.by_name(alert.rule)
        match = found.get(alert.id)
        if rule is None:
            kept.append(alert)
        elif alert.time >= since and match is None:
            if not alert.carried:
                said.append(Said("retracted", alert))
        else:
            now, message = _refreshed(alert, rule, match, timeline, since, clock)
            kept.append(now)
            said += message
    return kept, said


def _refreshed(
    alert: Alert, rule: Rule, match: Match | None, timeline: Timeline, since: int, clock: int
) -> tuple[Alert, list[Said]]:
    """The alert with its payload and end as the changed history has them; ended ones are left to ``close_ended``."""
    now = alert._replace(carried=False)
    if match is not None:
        now = now._replace(time=match.time, end=match.end, expires=_expiry(match))
        now = worded(now._replace(digest=match.digest, evidence=_evidence(match)), rule, match.trigger)
    elif alert.carried or alert.end is None or alert.end >= since:
        now = now._replace(end=end_of(rule, alert.key, alert.time, timeline, max(alert.time + 1, since)))
    return _restated(alert, now, clock)


def _restated(before: Alert, now: Alert, clock: int) -> tuple[Alert, list[Said]]:
    """What is to be said when ``before`` became ``now``. The end of a standing alert is left to ``close_ended``."""
    if ended(now, clock):
        again = not before.open and (now.end != before.end or now.digest != before.digest)
        return now, [Said(ending(now), now)] if again else []
    news = not before.open or before.carried or now.digest != before.digest
    now = now._replace(open=True)
    return now, [Said("updated", now)] if news else []


def close_ended(
    alerts: list[Alert], rules: RuleSet, clock: int, rule_at: int
) -> tuple[list[Alert], list[Alert], list[Said]]:
    """Says of every standing alert that has ended by ``clock`` that it has.

    What ended before ``rule_at`` can be changed by a late event only: what explains it is dropped. The alerts come back
    in two lists: the second are those that silence nothing more that comes in order, either.
    """
    if len(alerts) <= MOST_EXPLAINED and not any(_over(alert, rules, clock, rule_at) for alert in alerts):
        return alerts, [], []
    kept: list[Alert] = []
    closed: list[Alert] = []
    said: list[Said] = []
    for alert in alerts:
        if alert.open and ended(alert, clock):
            alert = alert._replace(open=False)
            said.append(Said(ending(alert), alert))
        if _is_past(alert, rule_at) and alert.reason:
            alert = alert._replace(evidence=(), reason="", action="")
        (closed if _is_closed(alert, rules, rule_at) else kept).append(alert)
    explained = [index for index, alert in enumerate(kept) if alert.evidence]
    for index in explained[:-MOST_EXPLAINED]:
        kept[index] = kept[index]._replace(evidence=())
    return kept, closed, said


def _over(alert: Alert, rules: RuleSet, clock: int, rule_at: int) -> bool:
    """Whether ``close_ended`` has something to do with it."""
    if alert.open:
        return ended(alert, clock)
    return _is_past(alert, rule_at) if alert.reason else _is_closed(alert, rules, rule_at)


def _is_past(alert: Alert, rule_at: int) -> bool:
    """Whether nothing in order can change it."""
    return not alert.open and alert.end is not None and alert.end < rule_at


def _is_closed(alert: Alert, rules: RuleSet, rule_at: int) -> bool:
    """Whether nothing in order is silenced by it, either."""
    return alert.time + rules.longest_cooldown <= rule_at and _is_past(alert, rule_at)


def ended(alert: Alert, clock: int) -> bool:
    """Whether the alert's end has come."""
    return alert.end is not None and alert.end <= getattr(clock, "now", clock)


def ending(alert: Alert) -> Literal["resolved", "expired"]:
    """How it ended: by time alone (``expired``), or because what it warned of is over (``resolved``)."""
    return "expired" if alert.end == alert.expires else "resolved"
