"""Small worlds for property tests: a few instants, few ids, so that ties, windows and reopenings are common."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from typing import Any

import orjson
from hypothesis import strategies as st

from agents.rule_files import BUILT_IN, load
from agents.vocabulary import vocabulary
from core.rules.ruleset import RuleSet
from schemas.codec import Codec
from schemas.registry import Registry

from .entry import D, Entry, H, instant, rfc3339, uid_of

EXAMPLES = int(os.environ.get("CXBUS_ORACLE_EXAMPLES", "150"))
"""Random worlds that each property is tried on. Set it to let them run longer, and on other worlds than every time."""
SAME_WORLDS = "CXBUS_ORACLE_EXAMPLES" not in os.environ

REGISTRY = Registry.discover()
RULES: RuleSet = load(BUILT_IN, vocabulary(REGISTRY), REGISTRY.outreach)
START = 1_772_409_600_000_000  # 2026-03-02T00:00Z

FAR = (2 * H, 30 * D, 400 * D, 401 * D, 408 * D)
"""How long ago some of it happened: what was closed then is no longer held."""
WINDOWS = (24 * H, 48 * H, 72 * H, 5 * D, 7 * D, 14 * D)


@st.composite
def offsets(draw: st.DrawFn) -> list[int]:
    """A handful of instants: on the edges of one of the rules' windows, a microsecond or minutes off, and between."""
    window = draw(st.sampled_from(WINDOWS))
    edges = st.builds(
        lambda times, off: max(0, times * window + off), st.integers(0, 2), st.sampled_from([-1, 0, 0, 1])
    )
    minutes = st.builds(lambda edge, quarters: max(0, edge + quarters * H // 4), edges, st.integers(-6, 6))
    others = st.integers(0, 60).map(lambda n: n * 6 * H)
    return draw(st.lists(st.one_of(edges, minutes, minutes, others), min_size=3, max_size=8))


case = st.sampled_from(["K1", "K2", "K3"])
invoice = st.sampled_from(["I1", "I2"])
opportunity = st.sampled_from(["OP1", "OP2"])
perhaps = st.one_of(st.none(), invoice, invoice, invoice)
payment = st.sampled_from(["P1", "P2"])
money = st.sampled_from(["10.00", "20.00"])
currency = st.sampled_from(["EUR", "EUR", "USD"])
days = st.sampled_from([None, "2026-03-01", "2026-03-03", "2026-03-05", "2026-03-09"])
Kind = tuple[str, st.SearchStrategy[tuple[str, dict[str, Any]]]]


def _event(kind: str, **fields: st.SearchStrategy[Any] | str | int) -> Kind:
    drawn = {name: field if isinstance(field, st.SearchStrategy) else st.just(field) for name, field in fields.items()}
    return kind, st.fixed_dictionaries(drawn).map(
        lambda data: (kind, {name: value for name, value in data.items() if value is not None})
    )


KINDS = (
    _event(
        "service.case.opened.v1",
        caseId=case,
        category=st.sampled_from(["complaint", "billing", "question"]),
        priority="normal",
    ),
    _event("service.case.resolved.v1", caseId=case),
    _event("service.case.escalated.v1", caseId=case, level=2),
    _event(
        "service.feedback.submitted.v1",
        metric=st.sampled_from(["csat", "nps"]),
        value=st.sampled_from([4, 4.5, 5]),
        caseId=st.one_of(st.none(), case),
    ),
    _event(
        "service.feedback.submitted.v1",
        metric="nps",
        value=st.sampled_from([8, 9, 10]),
        caseId=st.one_of(st.none(), case),
    ),
    _event(
        "service.conversation.ended.v1",
        conversationId="CV1",
        channel="phone",
        direction=st.sampled_from([None, "inbound", "outbound"]),
    ),
    _event(
        "sales.call.completed.v1",
        callId="L1",
        direction=st.sampled_from(["inbound", "outbound"]),
        outcome=st.sampled_from([None, "answered", "no_answer"]),
    ),
    _event("sales.order.completed.v1", orderId="O1", total=money, currency=currency),
    _event(
        "sales.opportunity.created.v1",
        opportunityId=opportunity,
        stage="qualified",
        name=st.sampled_from([None, "Big"]),
    ),
    _event(
        "sales.opportunity.stage_changed.v1",
        opportunityId=opportunity,
        stage=st.sampled_from(["offered", "won", "lost"]),
    ),
    _event(
        "marketing.campaign.sent.v1",
        campaignId=st.sampled_from(["S1", "S2"]),
        channel="email",
        purpose=st.sampled_from([None, "promotion", "survey", "service"]),
    ),
    _event("marketing.email.clicked.v1", url="u", machine=st.sampled_from([None, False, True, True])),
    _event("marketing.email.opened.v1", messageId="m"),
    _event("finance.invoice.issued.v1", invoiceId=invoice, total=money, currency=currency, dueDate=days),
    _event("finance.invoice.overdue.v1", invoiceId=invoice, total=money, currency=currency, dueDate=days),
    _event("finance.invoice.voided.v1", invoiceId=invoice),
    _event("finance.invoice.written_off.v1", invoiceId=invoice),
    _event("finance.payment.received.v1", paymentId=payment, invoiceId=perhaps, total=money, currency=currency),
    _event("finance.payment.disputed.v1", paymentId=payment, invoiceId=perhaps, total=money, currency=currency),
    _event(
        "finance.credit.issued.v1",
        creditId=st.sampled_from(["C1", "C2"]),
        invoiceId=perhaps,
        total=money,
        currency=currency,
    ),
    _event(
        "finance.refund.issued.v1", refundId="R1", paymentId=payment, invoiceId=perhaps, total=money, currency=currency
    ),
    _event("finance.dunning.sent.v1", invoiceId=perhaps, level=1),
    _event("web.page.viewed.v1", url="u"),
)
# Worlds with a theme make the conditions of a rule meet; worlds of everything make rules meet each other.
THEMES = {
    "solved": ("service.case", "service.feedback"),
    "complaints": ("service.case", "marketing.campaign"),
    "cases": ("service.", "marketing.campaign", "sales.order", "sales.call"),
    "contacts": ("sales.call", "marketing.campaign", "marketing.email", "finance.dunning", "service.conv", "web."),
    "mailings": ("marketing.", "finance.dunning"),
    "billing": ("service.case", "finance.", "service.feedback"),
    "invoices": ("service.case.opened", "finance."),
    "all": ("",),
}


@st.composite
def histories(draw: st.DrawFn, most: int = 25) -> list[Entry]:
    """Up to ``most`` entries in timeline order, at a handful of instants."""
    size = draw(st.integers(1, most))  # drawn first: lists left to themselves stay too short for anything to happen
    prefixes = THEMES[draw(st.sampled_from(sorted(THEMES)))]
    kinds = st.one_of([kind for name, kind in KINDS if name.startswith(prefixes)])
    instants = st.sampled_from(draw(offsets()))
    long_ago = st.sampled_from(draw(st.sampled_from([(0,), (0,), *((0, 0, -far) for far in FAR)])))
    happened = st.builds(lambda at, ago: at + ago, instants, long_ago)
    drawn = draw(st.lists(st.tuples(happened, kinds), min_size=size, max_size=size))
    made = [
        Entry(START + at, uid_of("w", str(i)), kind, "w", str(i), data) for i, (at, (kind, data)) in enumerate(drawn)
    ]
    return sorted(made, key=lambda e: (e.at, e.uid))


def a_busy_quarter(chance: random.Random) -> list[Entry]:
    """Campaigns and dunning letters in spite of complaints and disputes, so that there are many alerts; also for what
    was solved and paid long ago.
    """
    told: list[Entry] = []
    far = chance.choice([0, *FAR])
    for number in range(chance.randint(5, 50)):
        money = {"invoiceId": f"I{chance.randrange(5)}", "total": "10.00", "currency": "EUR"}
        kinds: list[tuple[str, dict[str, Any]]] = [
            ("marketing.campaign.sent.v1", {"campaignId": f"S{chance.randrange(5)}", "channel": "email"}),
            ("finance.dunning.sent.v1", {"invoiceId": f"I{chance.randrange(5)}", "level": 1}),
            (
                "service.case.opened.v1",
                {"caseId": f"K{chance.randrange(4)}", "category": "complaint", "priority": "high"},
            ),
            (
                "service.case.opened.v1",
                {"caseId": f"B{chance.randrange(4)}", "category": "billing", "priority": "high"},
            ),
            ("service.case.resolved.v1", {"caseId": f"{chance.choice('KB')}{chance.randrange(4)}"}),
            ("web.page.viewed.v1", {"url": "u"}),
            ("finance.invoice.issued.v1", {**money, "dueDate": "2026-03-05"}),
            ("finance.payment.received.v1", {**money, "paymentId": f"P{number}"}),
        ]
        long_ago = chance.random() < 0.3
        weights = (1, 1, 1, 1, 3, 1, 3, 3) if long_ago else (4, 4, 2, 2, 2, 1, 1, 1)
        kind, fields = chance.choices(kinds, weights=weights)[0]
        at = START + chance.randrange(0, 90 * 4) * 6 * H - (far if long_ago else 0)
        told.append(Entry(at, uid_of("w", str(number)), kind, "w", str(number), fields))
    return sorted(told, key=lambda e: (e.at, e.uid))


def a_past_of_long_ago(chance: random.Random) -> list[Entry]:
    """Of what was solved and paid long ago some is asked about again, in a few instants that lie close together."""
    far = chance.choice(FAR)
    told: list[tuple[int, str, dict[str, Any]]] = []
    for number in range(chance.randint(1, 3)):
        money = {"invoiceId": f"I{number}", "total": "10.00", "currency": "EUR"}
        told += [
            (-far, "finance.invoice.issued.v1", {**money, "dueDate": "2026-03-01"}),
            (chance.choice([0, H]) - far, "finance.payment.received.v1", {**money, "paymentId": f"P{number}"}),
            (-far, "service.case.opened.v1", {"caseId": f"K{number}", "category": "question", "priority": "low"}),
            (chance.choice([0, H]) - far, "service.case.resolved.v1", {"caseId": f"K{number}"}),
        ]
    edges = [0, 1, 2, H // 2, H, H + 1, 3 * H, 49 * H, 7 * D, 7 * D + 1]
    instants = chance.sample(edges, chance.randint(2, 5))
    for number in range(chance.randint(3, 16)):
        name = chance.randrange(4)
        money = {"invoiceId": f"I{name}", "total": chance.choice(["10.00", "20.00"]), "currency": "EUR"}
        kinds: list[tuple[str, dict[str, Any]]] = [
            ("finance.dunning.sent.v1", {"invoiceId": f"I{name}", "level": 1}),
            ("service.case.opened.v1", {"caseId": f"B{name % 2}", "category": "billing", "priority": "low"}),
            ("service.case.resolved.v1", {"caseId": f"B{name % 2}"}),
            ("finance.invoice.issued.v1", {**money, "dueDate": "2026-03-01"}),
            ("finance.payment.received.v1", {**money, "paymentId": f"Q{number}"}),
            ("service.feedback.submitted.v1", {"metric": "nps", "value": 10, "caseId": f"K{name}"}),
            ("service.case.resolved.v1", {"caseId": f"K{name}"}),
            ("sales.call.completed.v1", {"callId": "L1", "direction": "outbound", "outcome": "no_answer"}),
            ("service.case.opened.v1", {"caseId": f"C{name % 2}", "category": "complaint", "priority": "low"}),
            ("marketing.campaign.sent.v1", {"campaignId": "S1", "channel": "email"}),
        ]
        kind, fields = chance.choices(kinds, weights=(5, 3, 1, 1, 1, 3, 2, 1, 1, 1))[0]
        told.append((chance.choice(instants), kind, fields))
    made = [
        Entry(START + at, uid_of("w", str(number)), kind, "w", str(number), fields)
        for number, (at, kind, fields) in enumerate(told)
    ]
    return sorted(made, key=lambda e: (e.at, e.uid))


@dataclass(frozen=True, slots=True)
class Publication:
    """What a department publishes, and the broker's clock then (µs)."""

    department: str
    value: bytes
    received: int


NAMES = (None, "Ada", "Ada B.")
KNOWN_AS = (
    (("customer_no", "c-1"), ("email", "Ada@Example.com"), ("phone", "+44 20 7946 0018"), ("login", "guest")),
    (("debtor_no", "D-1"), ("email", "ada@example.com"), ("login", "ada"), ("social", "mastodon:@ada")),
    (("customer_no", "C-2"), ("phone", "020 7946 0018"), ("device", "d1")),
)
"""Identifiers of three people; where two lists share one in some spelling, two of them can turn out to be one."""


@st.composite
def businesses(draw: st.DrawFn, most: int = 25) -> list[Publication]:
    """A world as departments publish it: in some order, with copies, reused ids, strangers and links between people.

    What happens is drawn; of whom and in which order it is heard follows from one number.
    """
    history = draw(histories(most))
    return published(history, random.Random(draw(st.integers(0, 2**32))))


def published(history: list[Entry], chance: random.Random) -> list[Publication]:
    """This history of some people, of whom some turn out to be one."""
    people = chance.sample(KNOWN_AS, chance.choice([1, 1, 2, 3]))
    disorder = chance.choice([0, H, D, 2 * D, 100 * D])
    far = chance.choice([0, 0, 0.1])
    arriving = sorted(history, key=lambda e: e.at + chance.randint(0, disorder) + 401 * D * (chance.random() < far))
    delays = chance.choice([[0], [0], [-H], [D], [30 * D], [0, -1, -H]])  # heard as it happens, before it, or later
    links = chance.choice([0, 0, 2, 5])
    made = []
    for index, e in enumerate(arriving):
        # Linked from the beginning, or strangers for long and then one after the other found to be the same.
        known_by = chance.choice([1, 1, 2, 3]) if not links else 2 if index >= len(arriving) - links else 1
        value = _published(chance, e, chance.choices(chance.choice(people), k=known_by))
        made.append(Publication(e.type.split(".")[0], value, e.at + chance.choice(delays)))
        if chance.random() < 0.2:
            copied = chance.choice(made)
            made.append(copied if chance.random() < 0.8 else _at_another_time(copied))
    return made


SHARED = (("email", "info@example.com"), ("phone", "+44 20 7946 0018"), ("device", "kiosk"))
"""What strangers have in common: a firm's address and switchboard, a computer in its hall."""
PAUSES = (0, 0, 0, 0, 1000, H, 6 * H, D - 1000, D, D + 1000)


def a_crowd(chance: random.Random) -> list[Publication]:
    """Strangers who look at pages, and what they share comes with them: some of it alone, some people turn out one."""
    at, made = START, list[Publication]()
    people = [(("customer_no", f"C-{n}"), ("login", f"user-{n}")) for n in range(chance.randint(2, 9))]
    for number in range(chance.randint(5, 60)):
        at += chance.choice(PAUSES)
        own = chance.sample(chance.choice(people), k=chance.choice([0, 0, 1, 1, 2]))
        if chance.random() < 0.1:
            own += chance.choice(people)[:1]
        known = [*own, *chance.sample(SHARED, k=chance.choice([1, 1, 2, 3] if not own else [0, 1, 2, 3]))]
        chance.shuffle(known)
        data = {"url": "u", "customer": {"identifiers": [{"type": kind, "value": value} for kind, value in known]}}
        value = Codec.encode_structured(type="web.page.viewed.v1", source="w", id=str(number), time=at, data=data)
        made.append(Publication("web", value, at))
        if chance.random() < 0.2:
            made.append(chance.choice(made))
    return made


def _at_another_time(one: Publication) -> Publication:
    event = orjson.loads(one.value)
    value = {**event, "time": rfc3339(instant(event["time"]) - H)}
    return Publication(one.department, orjson.dumps(value), one.received)


def _published(chance: random.Random, e: Entry, face: list[tuple[str, str]]) -> bytes:
    customer: dict[str, Any] = {"identifiers": [{"type": kind, "value": value} for kind, value in face]}
    name = chance.choice(NAMES)
    data = {**e.data, "customer": customer if name is None else {**customer, "name": name}}
    number = "0" if chance.random() < 0.02 else e.id  # an id that another event may have
    return Codec.encode_structured(type=e.type, source="w", id=number, time=e.at, data=data)
