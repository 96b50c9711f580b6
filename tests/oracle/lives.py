"""Lives that meet rules at random: on the edges of their windows, in ties, and of what was closed long ago."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from .conditions import duration, kind_of, listed, parts
from .entry import D, Entry, H, History, uid_of
from .matches import matches
from .random_rules import IDS, File, a_file
from .rule_files import read
from .worlds import START

TRIES = 6
"""A rule that says nothing much about a life is drawn again so often."""
FAR_APART = (0, 0, 0, 30 * D, 399 * D, 400 * D, 401 * D, 900 * D)


def a_world(chance: random.Random, most: int = 30) -> tuple[list[File], list[Entry]]:
    """One to four rules, and up to so many entries that meet most of them."""
    names = [f"{chance.choice('az')}-{number}" for number in range(chance.randint(1, 4))]
    files = [a_file(chance, name) for name in names]
    life = a_life(chance, files, most)
    for _ in range(TRIES):
        tried = _tried(files, life)
        files = [file if file["rule"] in tried else a_file(chance, file["rule"]) for file in files]
    return files, life


def _tried(files: Sequence[File], life: Sequence[Entry]) -> set[str]:
    """The rules of which something holds for a while: not for each trigger, or not just until it expires."""
    T, rules = History(life), read(files)
    found = [match for match in matches(T, rules) if match.end > match.time + 1]
    held = Counter(match.rule for match in found)
    ending = {match.rule for match in found if match.end < match.expires}
    triggers = Counter(rule.name for rule in rules.values() for e in life if rule.triggers(e))
    return {name for name in held if name in ending or held[name] < triggers[name]}


def a_life(chance: random.Random, files: Sequence[File], most: int) -> list[Entry]:
    """What meets these rules: at few instants, which lie a window, an expiry or a cooldown apart, or a microsecond off.

    Some of it long after the rest, so that all of that was forgotten meanwhile, and is named again.
    """
    instants = _instants(chance, files)
    streams = [kind for kind in _streams(files) if kind in KINDS]
    made = []
    for number in range(chance.randint(2, most)):
        kind = chance.choice(streams) if streams and chance.random() < 0.6 else chance.choice(list(KINDS))
        made.append(_entry(chance, chance.choice(instants), kind, number))
    return sorted(made, key=lambda e: (e.at, e.uid))


def _instants(chance: random.Random, files: Sequence[File]) -> list[int]:
    apart = [H, D, *_durations(files)]
    found = [START + chance.choice([0, 0, H, 9 * H])]
    for _ in range(chance.randint(1, 9)):
        step = chance.choice(apart) * chance.choice([1, 1, 1, 2, -1])
        found.append(max(START, chance.choice(found) + step + chance.choice([0, 0, 0, 1, -1])))
    later = chance.choice(FAR_APART)
    return [at + chance.choice([0, later]) for at in found]


def _durations(files: Sequence[File]) -> Iterator[int]:
    for file in files:
        yield from (duration(file[name]) for name in ("expires", "cooldown") if name in file)
        for part in _parts(file):
            if "within" in part:
                yield duration(part["within"])


def _streams(files: Sequence[File]) -> Iterator[str]:
    for file in files:
        yield from listed(file["when"])
        for part in _parts(file):
            yield from listed(part.get("seen", []))
            about = part.get(kind_of(part))
            about = next(iter(about)) if isinstance(about, dict) else about
            yield from (kind for kind in KINDS if isinstance(about, str) and f".{about}." in kind)


def _parts(file: File) -> Iterator[File]:
    for name in ("if", "resolves"):
        if name in file:
            yield from map(dict, parts(file[name]))


KINDS: dict[str, dict[str, tuple[Any, ...]]] = {
    "service.case.opened.v1": {"caseId": (), "category": ("complaint", "billing"), "priority": ("high", "low", None)},
    "service.case.resolved.v1": {"caseId": ()},
    "service.case.escalated.v1": {"caseId": (), "level": (2,)},
    "service.feedback.submitted.v1": {"metric": ("nps", "csat"), "value": (4, 4.5, 5)},
    "service.conversation.ended.v1": {
        "conversationId": ("CV",),
        "channel": ("phone",),
        "direction": (None, "inbound", "outbound"),
    },
    "sales.call.completed.v1": {
        "callId": ("L",),
        "direction": ("outbound", "outbound", "inbound"),
        "outcome": (None, "answered", "no_answer"),
    },
    "sales.order.completed.v1": {"orderId": ("O",), "total": ("10.00",), "currency": ("EUR", "USD")},
    "sales.opportunity.created.v1": {"opportunityId": (), "stage": ("qualified", "offered"), "name": (None, "Big")},
    "sales.opportunity.stage_changed.v1": {"opportunityId": (), "stage": ("offered", "won", "lost")},
    "marketing.campaign.sent.v1": {
        "campaignId": (),
        "channel": ("email",),
        "purpose": (None, "promotion", "survey", "service"),
    },
    "marketing.email.clicked.v1": {"url": ("u",), "machine": (None, True, False)},
    "marketing.email.opened.v1": {"messageId": ("m",)},
    "finance.invoice.issued.v1": {"invoiceId": (), "total": (), "currency": (), "dueDate": ()},
    "finance.invoice.overdue.v1": {"invoiceId": (), "total": (), "currency": (), "dueDate": ()},
    "finance.invoice.voided.v1": {"invoiceId": ()},
    "finance.invoice.written_off.v1": {"invoiceId": ()},
    "finance.payment.received.v1": {"paymentId": (), "invoiceId": (), "total": (), "currency": ()},
    "finance.payment.disputed.v1": {"paymentId": (), "invoiceId": (), "total": (), "currency": ()},
    "finance.credit.issued.v1": {"creditId": (), "invoiceId": (), "total": (), "currency": ()},
    "finance.dunning.sent.v1": {"invoiceId": ("1", "1", "2", None), "level": (1, 2)},
    "web.page.viewed.v1": {"url": ("u",)},
}
FIELDS: dict[str, tuple[Any, ...]] = {
    "total": ("10.00", "10.00", "20.00", "0"),
    "currency": ("EUR", "EUR", "EUR", "USD"),
    "dueDate": (None, "2026-03-01", "2026-03-03", "2026-03-05", "2027-04-01"),
}


def _entry(chance: random.Random, at: int, kind: str, number: int) -> Entry:
    """Ids of all kinds are alike, and events may name matters that are not theirs."""
    data = {name: chance.choice(values or FIELDS.get(name, ("1", "1", "2"))) for name, values in KINDS[kind].items()}
    for name in IDS:
        if name not in data and chance.random() < 0.3:
            data[name] = chance.choice(("1", "2"))
    if chance.random() < 0.1:
        data["customer"] = {"identifiers": [], "name": chance.choice(["Ada", "Bob"])}
    said = {name: value for name, value in data.items() if value is not None}
    return Entry(at, uid_of("w", str(number)), kind, "w", str(number), said)
