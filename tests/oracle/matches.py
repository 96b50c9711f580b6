"""Matches: what holds about a customer, whatever the order in which it was heard (semantics 1.6, 1.7)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from .entry import Entry, H, History, rfc3339
from .rules import RULES, Found, Rule

MOST_EVIDENCE = 20
MOST_BYTES = 8 * 1024


class Match(NamedTuple):
    """A match, with its payload as of firing: the trigger's values that the rule reads, and the evidence."""

    rule: str
    key: str
    uid: str
    time: int
    end: int
    trigger: Mapping[str, Any]
    evidence: tuple[Found, ...]
    rests_on: tuple[tuple[int, str], ...]
    """Instants and uids of the trigger and the latest 20 others, told or not."""

    @property
    def id(self) -> str:
        """1.7: ``a_`` + first 26 hex of SHA-256 of ``alert1, rule, key, label, uid``."""
        text = "\n".join(("alert1", self.rule, self.key, "event", self.uid))
        return "a_" + hashlib.sha256(text.encode()).hexdigest()[:26]

    @property
    def expires(self) -> int:
        """When time alone ends it."""
        return self.time + RULES[self.rule].expiry


def matches(T: History) -> list[Match]:
    """Everything that holds in this history, in the order in which it is decided: (time, uid, label)."""
    found = []
    for e in T.entries:
        for rule in RULES.values():
            proof = rule.holds(T, e) if rule.triggers(e) else None
            if proof is not None:
                found.append(_match(T, rule, e, proof))
    return sorted(found, key=lambda m: (m.time, m.uid))


def _match(T: History, rule: Rule, e: Entry, proof: list[Found]) -> Match:
    named = e.data.get(rule.key) if rule.key else None
    key = "" if named is None else str(named)
    read = {name: e.data.get(name) for name in rule.reads}
    if "purpose" in read:
        read["purpose"] = read["purpose"] or "promotion"
    trigger = {name: value for name, value in read.items() if value is not None}
    return Match(rule.name, key, e.uid, e.at, end(T, rule, e, key), trigger, *evidence(Found(e, trigger), proof))


def evidence(trigger: Found, proof: list[Found]) -> tuple[tuple[Found, ...], tuple[tuple[int, str], ...]]:
    """1.7: each entry once, in timeline order: the trigger, and of what the conditions found the latest 20, as many as
    take 8 KiB as JSON together with it.
    """
    values: dict[str, dict[str, Any]] = {}
    entries: dict[str, Entry] = {}
    for found in (trigger, *proof):
        entries[found.entry.uid] = found.entry
        values.setdefault(found.entry.uid, {}).update(found.values)
    first = trigger.entry
    others = sorted((e for e in entries.values() if e.uid != first.uid), key=lambda e: (e.at, e.uid))
    kept = [first]
    left = MOST_BYTES - _bytes(first, values[first.uid])
    for e in others[max(0, len(others) - MOST_EVIDENCE) :][::-1]:
        left -= _bytes(e, values[e.uid])
        if left < 0:
            break
        kept.append(e)
    told = tuple(Found(e, values[e.uid]) for e in sorted(kept, key=lambda e: (e.at, e.uid)))
    return told, tuple(sorted((e.at, e.uid) for e in (first, *others[max(0, len(others) - MOST_EVIDENCE) :])))


def _bytes(e: Entry, values: Mapping[str, Any]) -> int:
    told = {"source": e.source, "id": e.id, "type": e.type, "time": rfc3339(e.at), "values": values}
    return len(json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode())


def end(T: History, rule: Rule, e: Entry, key: str) -> int:
    """1.6: ``min(expiry, first instant > time at which "resolves" is true)``.

    Whether it is true changes only when something happens, or when a window of 72 h runs out, or does not change: then
    it was true one microsecond after the time.
    """
    expiry = e.at + rule.expiry
    instants = {e.at + 1, *(i for x in T.entries for i in (x.at, x.at + 72 * H))}
    for t in sorted(i for i in instants if e.at < i < expiry):
        if rule.over(T, t, e.at, key):
            return t
    return expiry
