"""Matches: what holds about a customer, whatever the order in which it was heard (semantics 1.6, 1.7)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from .entry import FOREVER, D, Entry, History, rfc3339
from .matters import due_dates
from .rules import Found, Rule, Rules
from .vocabulary import value

MOST_EVIDENCE = 20
MOST_BYTES = 8 * 1024


class Match(NamedTuple):
    """A match, with its payload as of firing: the trigger's values that the rule reads, and the evidence.

    ``end`` and ``expires``, when time alone ends it, are ``FOREVER`` if there is none.
    """

    rule: str
    key: str
    uid: str
    time: int
    end: int
    expires: int
    trigger: Mapping[str, Any]
    evidence: tuple[Found, ...]
    select_evidence: tuple[tuple[int, str], ...]
    """Instants and uids of the trigger and of the latest 20 others, told or not."""

    @property
    def id(self) -> str:
        """Whatever happens to the customer's id."""
        return alert_id(self.rule, self.key, self.uid)


def alert_id(rule: str, key: str, uid: str) -> str:
    """1.7: ``a_`` + first 26 hex of SHA-256 of ``alert1, rule, key, label, uid``."""
    return "a_" + hashlib.sha256("\n".join(("alert1", rule, key, "event", uid)).encode()).hexdigest()[:26]


def matches(T: History, rules: Rules) -> list[Match]:
    """Everything that holds in this history, in the order in which it is decided: (time, uid, label, rule, key)."""
    found = []
    for e in T.entries:
        for rule in rules.values():
            proof = rule.holds(T, e) if rule.triggers(e) else None
            if proof is not None:
                found.append(_match(T, rule, e, proof))
    return sorted(found, key=lambda m: (m.time, m.uid, m.rule, m.key))


def _match(T: History, rule: Rule, e: Entry, proof: Sequence[Found]) -> Match:
    key = key_of(rule, e)
    trigger = {name: said for name in rule.reads if (said := value(e, name)) is not None}
    told = evidence(Found(e, trigger), proof)
    return Match(rule.name, key, e.uid, e.at, end(T, rule, e.at, key), expiry(rule, e.at), trigger, *told)


def key_of(rule: Rule, e: Entry) -> str:
    """Which instance the trigger names; empty if none."""
    named = value(e, rule.key) if rule.key else None
    return "" if named is None else str(named)


def evidence(trigger: Found, proof: Sequence[Found]) -> tuple[tuple[Found, ...], tuple[tuple[int, str], ...]]:
    """1.7: each entry once, in timeline order: the trigger, and of what the conditions found the latest 20, as many as
    take 8 KiB as JSON together with it. And what it rests on, whether it takes too much or not.
    """
    values: dict[str, dict[str, Any]] = {}
    entries: dict[str, Entry] = {}
    for found in (trigger, *proof):
        entries[found.entry.uid] = found.entry
        values.setdefault(found.entry.uid, {}).update(found.values)
    first = trigger.entry
    others = sorted((e for e in entries.values() if e.uid != first.uid), key=_place)
    latest = others[max(0, len(others) - MOST_EVIDENCE) :]
    kept = [first]
    left = MOST_BYTES - _bytes(first, values[first.uid])
    for e in reversed(latest):
        left -= _bytes(e, values[e.uid])
        if left < 0:
            break
        kept.append(e)
    told = tuple(Found(e, values[e.uid]) for e in sorted(kept, key=_place))
    return told, tuple(sorted(_place(e) for e in (first, *latest)))


def _place(e: Entry) -> tuple[int, str]:
    return e.at, e.uid


def _bytes(e: Entry, values: Mapping[str, Any]) -> int:
    told = {"source": e.source, "id": e.id, "type": e.type, "time": rfc3339(e.at), "values": values}
    return len(json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode())


def expiry(rule: Rule, fired: int) -> int:
    """When time alone ends it."""
    return FOREVER if rule.expiry is None else fired + rule.expiry


def end(T: History, rule: Rule, fired: int, key: str) -> int:
    """1.6: ``min(expiry, first instant > time at which "resolves" is true)``.

    Whether it is true changes only when something happens, when a window runs out or a due date comes, or does not
    change: then it was true one microsecond after the time.
    """
    expires = expiry(rule, fired)
    for t in sorted({fired + 1, *instants(T, rule.windows, rule.days)}):
        if fired < t < expires and rule.over(T, t, fired, key):
            return t
    return expires


@lru_cache(maxsize=1_000)
def instants(T: History, windows: frozenset[int], days: frozenset[int]) -> frozenset[int]:
    """Those at which a condition with such windows, and such days after a due date, can change."""
    happened = {e.at for e in T.entries}
    due = due_dates(T) if days else set()
    return frozenset({*happened, *(t + w for t in happened for w in windows), *(t + n * D for t in due for n in days)})
