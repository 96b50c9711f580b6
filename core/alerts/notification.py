"""Notification: which matches a department is told of (semantics 1.8). Decided once; notified alerts are compared.

Everything that holds, was not notified yet and is not kept silent by the ``Memory`` is notified.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..rules.conditions.condition import Evidence
from ..timeline.entry import DAY, FOREVER
from ..timeline.features import ref
from .alert import Alert, digest
from .evidence import rests_on
from .matching import Match
from .suppression import Memory

HISTORICAL_AFTER = DAY
"""An alert found later than this after its time reaches the topic, but nobody's telephone."""


def decide(matches: Iterable[Match], memory: Memory, appended: int, now: int, *, replay: bool) -> list[Alert]:
    """The matches that are notified, in order; the ``memory`` learns of them.

    ``appended``: the journal's clock; ``now``: the customer's (both µs). One that ended before it was found is no
    longer open.
    """
    notified: list[Alert] = []
    for match in matches:
        rule, time = match.watch.rule, match.entry.at
        if memory.is_decided(time) or memory.silences(rule, match.watch.key, time) or not memory.make_room(time):
            continue
        alert = first_notice(match, historical=replay or appended - time > HISTORICAL_AFTER)
        if alert.has_ended(now):
            alert = alert._replace(standing=False)
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


def _evidence_of(match: Match) -> tuple[Evidence, ...]:
    return rests_on(ref(match.entry), match.evidence)


def _digest(match: Match, evidence: tuple[Evidence, ...]) -> str:
    return digest(sorted({ref(match.entry), *[found.entry for found in evidence]}))


def _expiry(match: Match) -> int | None:
    return None if match.watch.expires == FOREVER else match.watch.expires
