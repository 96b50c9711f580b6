"""Rules at random, as their files hold them (docs/rules.md): every condition, in any nesting."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from agents.vocabulary import vocabulary
from core.rules.parsing import parse_rule
from core.rules.ruleset import RuleSet

from .worlds import REGISTRY

File = dict[str, Any]
DEPTHS = (0, 1, 1, 2, 2, 3)
"""Conditions are nested so deep at most."""
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


def in_the_core(files: Sequence[File]) -> RuleSet:
    """The same rules, as the bus takes them in."""
    known = vocabulary(REGISTRY)
    return RuleSet([parse_rule(file, known, REGISTRY.outreach) for file in files], known)


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
