"""Notification: which matches departments are notified of (semantics 1.8). Decided once; later only compared.

A match is notified unless it was notified before or the ``NotifiedAlerts`` suppresses it.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..rules.conditions.condition import Evidence
from ..timeline.entry import DAY, FOREVER
from ..timeline.features import ref
from .alert import Alert, digest
from .evidence import select_evidence
from .matching import Match
from .suppression import NotifiedAlerts

HISTORICAL_AFTER = DAY
"""An alert found later than this after its time (µs) is published, but sent to no webhook."""


def decide(matches: Iterable[Match], memory: NotifiedAlerts, appended: int, now: int, *, replay: bool) -> list[Alert]:
    """The alerts of the matches that are notified, in order; they are added to the ``memory``.

    ``appended``: the journal's clock; ``now``: the customer's clock (both µs). An alert that ended before it was found
    is not standing.
    """
    notified: list[Alert] = []
    for match in matches:
        rule, time = match.match_end.rule, match.entry.at
        if memory.is_decided(time) or memory.suppresses(rule, match.match_end.key, time) or not memory.make_room(time):
            continue
        alert = first_notice(match, historical=replay or appended - time > HISTORICAL_AFTER)
        if alert.has_ended(now):
            alert = alert._replace(standing=False)
        memory.remember(alert)
        notified.append(alert)
    return notified


def first_notice(match: Match, *, historical: bool) -> Alert:
    """The alert that a match becomes when it is notified."""
    rule, evidence = match.match_end.rule, _evidence_of(match)
    return Alert(
        *match.name,
        time=match.entry.at,
        end=match.match_end.end,
        expires=_expiry(match),
        version=rule.version,
        severity=rule.severity,
        departments=rule.notify,
        digest=_digest(match, evidence),
        historical=historical,
        evidence=evidence,
    )


def refreshed(alert: Alert, match: Match) -> Alert:
    """A notified alert, updated to its match as it is now."""
    evidence = _evidence_of(match)
    return alert._replace(
        time=match.entry.at,
        end=match.match_end.end,
        expires=_expiry(match),
        version=match.match_end.rule.version,
        digest=_digest(match, evidence),
        evidence=evidence,
    )


def _evidence_of(match: Match) -> tuple[Evidence, ...]:
    return select_evidence(ref(match.entry), match.evidence)


def _digest(match: Match, evidence: tuple[Evidence, ...]) -> str:
    return digest(sorted({ref(match.entry), *[found.entry for found in evidence]}))


def _expiry(match: Match) -> int | None:
    return None if match.match_end.expires == FOREVER else match.match_end.expires
