"""Rules at random, as their files hold them (docs/rules.md), and lives that meet them: every condition, in any nesting,
on the edges of its windows.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from agents.vocabulary import outreach, vocabulary
from core.rule import parse_rule
from core.ruleset import RuleSet

from .conditions import duration, kind_of, listed, parts
from .entry import D, Entry, H, History, uid_of
from .matches import matches
from .rule_files import read
from .worlds import REGISTRY, START

File = dict[str, Any]
DEPTHS = (0, 1, 1, 2, 2, 3)
"""Conditions are nested so deep at most."""
TRIES = 6
"""A rule that says nothing much about a life is drawn again so often."""
WITHIN = ("1h", "24h", "48h", "72h", "7d", "7d", "30d", "450d")
MATTERS = ("case", "invoice", "opportunity")
IDS = ("caseId", "invoiceId", "opportunityId")
KEYS = (None, None, *IDS, "invoiceId", "campaignId", "purpose", "level")
TESTS: tuple[dict[str, Any], ...] = (
    {"field": "purpose", "is": "survey"},
    {"field": "purpose", "is": "promotion"},
    {"field": "purpose", "is_not": "service"},
    {"field": "purpose", "in": ["promotion", "survey"]},
    {"field": "level", "at_least": 2},
    {"field": "level", "at_most": 1},
    {"field": "value", "at_least": 4.5},
    {"field": "value", "at_most": 4},
    {"field": "metric", "is_not": "nps"},
    {"field": "machine", "is": False},
    {"field": "machine", "is_not": True},
    {"field": "direction", "in": ["inbound"]},
    {"field": "category", "is_not": "billing"},
    {"field": "total", "is": "10.00"},
    {"field": "total", "at_least": 10},
    {"field": "nowhere", "is_not": 1},
    {"field": "nowhere", "at_most": 1},
)
SAID: dict[str, tuple[dict[str, Any], ...]] = {
    "case": ({"category": "complaint"}, {"category": "billing"}, {"priority": "high"}),
    "invoice": (
        {"currency": "EUR"},
        {"total": "10.00"},
        {"total": "20.00", "currency": "EUR"},
        {"dueDate": "2026-03-05"},
    ),
    "opportunity": ({"stage": "offered"}, {"stage": "won"}, {"name": "Big"}),
}
"""What may be asked of a matter."""
SEEN: tuple[tuple[str, tuple[dict[str, Any], ...]], ...] = (
    ("engaged", ()),
    ("contact", ()),
    ("sales.order.completed.v1", ({"currency": "EUR"},)),
    ("sales.call.completed.v1", ({"direction": "outbound"}, {"direction": "outbound", "outcome": "answered"})),
    ("marketing.campaign.sent.v1", ({"purpose": "promotion"}, {"purpose": "survey"}, {"campaignId": "1"})),
    ("marketing.email.clicked.v1", ({"machine": False}, {"machine": True})),
    ("marketing.email.opened.v1", ()),
    ("service.case.opened.v1", ({"category": "complaint"}, {"priority": "high"})),
    ("service.case.resolved.v1", ()),
    ("service.conversation.ended.v1", ({"direction": "inbound"},)),
    ("service.feedback.submitted.v1", ({"metric": "nps"}, {"value": 5})),
    ("finance.invoice.issued.v1", ({"total": "10.00"},)),
    ("finance.invoice.overdue.v1", ()),
    ("finance.payment.received.v1", ({"currency": "USD"},)),
    ("finance.payment.disputed.v1", ()),
    ("finance.dunning.sent.v1", ({"level": 2},)),
)
WHEN = (
    *("contact", "engaged", "finance.dunning.sent.v1", "marketing.campaign.sent.v1", "service.feedback.submitted.v1"),
    *("service.case.opened.v1", "service.case.resolved.v1", "finance.invoice.issued.v1", "finance.invoice.overdue.v1"),
    *("finance.payment.received.v1", "sales.opportunity.stage_changed.v1", "web.page.viewed.v1"),
    *("marketing.email.clicked.v1", "sales.call.completed.v1"),
)


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


def in_the_core(files: Sequence[File]) -> RuleSet:
    """The same rules, as the bus takes them in."""
    known = vocabulary(REGISTRY)
    return RuleSet([parse_rule(file, known, outreach(REGISTRY)) for file in files], known)


def a_file(chance: random.Random, name: str) -> File:
    """Of a rule that the bus takes in."""
    key = chance.choice(KEYS)
    file: File = {
        "rule": name,
        "about": "Something that may hold.",
        "version": chance.randint(1, 3),
        "when": _few(chance, WHEN),
        "if": a_condition(chance, chance.choice(DEPTHS), key, resolving=False),
        "severity": chance.choice(["info", "warning", "critical"]),
        "notify": chance.choice([["sales"], ["finance", "ops"], "outreach", "service"]),
        "reason": chance.choice(["It is so.", "Level {level} of {invoiceId} {{so}}.", "{purpose}: {caseId}"]),
        "action": "Look at it.",
    }
    if key is not None:
        file["key"] = key
    if chance.random() < 0.7:
        file["resolves"] = a_condition(chance, chance.choice(DEPTHS), key, resolving=True)
    if chance.random() < 0.6:
        file["expires"] = chance.choice(["1h", "24h", "5d", "14d", "14d", "420d"])
    if chance.random() < 0.8:
        file["cooldown"] = chance.choice(["0h", "1h", "24h", "7d", "30d"])
    return file


def a_condition(chance: random.Random, depth: int, key: str | None, *, resolving: bool) -> File:
    """One that may stand in ``if``, or in ``resolves``; nested so deep at most."""
    if depth and chance.random() < 0.7:
        name = chance.choice(["all", "all", "any", "any", "none", "none" if resolving else "any"])
        made = [a_condition(chance, depth - 1, key, resolving=resolving) for _ in range(chance.choice([1, 2, 2, 3]))]
        return {name: made[0] if len(made) == 1 and chance.random() < 0.3 else made}
    kinds = ["matter", "matter", "matter", "seen", "seen", "unanswered"]
    kind = chance.choice(kinds if resolving else [*kinds, "field"])
    if kind == "field":
        return dict(chance.choice(TESTS))
    if kind == "seen":
        return _seen(chance, resolving=resolving)
    if kind == "unanswered":
        return {"unanswered": "contact", "at_least": chance.choice([1, 1, 2, 3]), "within": chance.choice(WITHIN)}
    return _matter(chance, key, resolving=resolving)


def _seen(chance: random.Random, *, resolving: bool) -> File:
    chosen = chance.sample(SEEN, chance.choice([1, 1, 2]))
    streams = [stream for stream, _ in chosen]
    said: File = {"seen": streams[0] if len(streams) == 1 else streams}
    if not resolving or chance.random() < 0.4:
        said["within"] = chance.choice(WITHIN)
    if chosen[0][1] and chance.random() < 0.6:
        said["where"] = chance.choice(chosen[0][1])
    return said


def _matter(chance: random.Random, key: str | None, *, resolving: bool) -> File:
    """Perhaps of certain fields; the one that the key names, or that another field of the trigger does."""
    kind = chance.choice(MATTERS)
    state = chance.choice(["open", "closed", "closed", "overdue"] if kind == "invoice" else ["open", "closed"])
    said: File = {state: {kind: chance.choice(SAID[kind])} if chance.random() < 0.4 else kind}
    if state == "closed" and chance.random() < 0.6:
        said["within"] = chance.choice(WITHIN)
    if state == "overdue" and chance.random() < 0.6:
        said["days"] = chance.choice([0, 1, 3, 14])
    own = f"{kind}Id"
    fields = [] if resolving else [own, own, *IDS, "campaignId"]
    if key is not None:
        fields += [key] * (4 if key == own else 1)
    if fields and chance.random() < 0.5:
        said["same"] = chance.choice(fields)
    return said


def _few(chance: random.Random, names: Sequence[str]) -> str | list[str]:
    chosen = chance.sample(names, chance.choice([1, 1, 2, 3]))
    return chosen[0] if len(chosen) == 1 else chosen


# --- lives ----------------------------------------------------------------------------------------------------------


FAR_APART = (0, 0, 0, 30 * D, 399 * D, 400 * D, 401 * D, 900 * D)


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
