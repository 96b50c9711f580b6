"""Small worlds for property tests: a few instants, few ids, so that ties, windows and reopenings are common."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from agents.rule_files import BUILT_IN, load
from agents.vocabulary import outreach, vocabulary
from core.event import DAY, HOUR, Entry, event_uid
from core.rule import RuleSet
from schemas.registry import Registry

REGISTRY = Registry.discover()
VOCABULARY = vocabulary(REGISTRY)
RULES: RuleSet = load(BUILT_IN, VOCABULARY, outreach(REGISTRY))
START = 1_772_409_600_000_000  # 2026-03-02T00:00Z


def entry(at: int, kind: str, data: dict[str, Any], number: int) -> Entry:
    return Entry(at, event_uid("w", str(number)), kind, "w", str(number), data)


# On the edges of the rules' windows, one microsecond off, and between.
offsets = st.one_of(
    st.sampled_from(
        [0, 1, 24 * HOUR - 1, 24 * HOUR, 24 * HOUR + 1, 48 * HOUR, 48 * HOUR + 1, 72 * HOUR - 1, 72 * HOUR]
    ),
    st.integers(0, 12).map(lambda n: n * 24 * HOUR),
    st.integers(0, 60).map(lambda n: n * 6 * HOUR),
)
case = st.sampled_from(["K1", "K2", "K3"])
invoice = st.sampled_from(["I1", "I2"])
money = st.sampled_from(["10.00", "20.00"])
currency = st.sampled_from(["EUR", "EUR", "USD"])
days = st.sampled_from(["2026-03-01", "2026-03-03", "2026-03-05", "2026-03-09"])


def _event(kind: str, **fields: st.SearchStrategy[Any]) -> tuple[str, st.SearchStrategy[tuple[str, dict[str, Any]]]]:
    return kind, st.fixed_dictionaries(fields).map(
        lambda data: (kind, {name: value for name, value in data.items() if value is not None})
    )


KINDS = (
    _event("service.case.opened.v1", caseId=case, category=st.sampled_from(["complaint", "billing", "question"])),
    _event("service.case.resolved.v1", caseId=case),
    _event(
        "service.feedback.submitted.v1",
        metric=st.sampled_from(["csat", "nps"]),
        value=st.sampled_from([4, 4.5, 5, 8, 9, 10]),
        caseId=st.one_of(st.none(), case),
    ),
    _event("service.conversation.ended.v1", direction=st.sampled_from([None, "inbound", "outbound"])),
    _event(
        "sales.call.completed.v1",
        direction=st.sampled_from(["inbound", "outbound"]),
        outcome=st.sampled_from([None, "answered", "no_answer"]),
    ),
    _event("sales.order.completed.v1", orderId=st.just("O1")),
    _event(
        "marketing.campaign.sent.v1",
        campaignId=st.sampled_from(["S1", "S2"]),
        channel=st.just("email"),
        purpose=st.sampled_from([None, "promotion", "survey", "service"]),
    ),
    _event("marketing.email.clicked.v1", url=st.just("u")),
    _event("marketing.email.opened.v1", messageId=st.just("m")),
    _event("finance.invoice.issued.v1", invoiceId=invoice, total=money, currency=currency, dueDate=days),
    _event("finance.invoice.overdue.v1", invoiceId=invoice, total=money, currency=currency, dueDate=days),
    _event(
        "finance.payment.received.v1",
        paymentId=st.sampled_from(["P1", "P2"]),
        invoiceId=st.one_of(st.none(), invoice),
        total=money,
        currency=currency,
    ),
    _event("finance.dunning.sent.v1", invoiceId=invoice, level=st.just(1)),
    _event("web.page.viewed.v1", url=st.just("u")),
)
# Worlds with a theme make the conditions of a rule meet; worlds of everything make rules meet each other.
THEMES = {
    "cases": ("service.", "marketing.campaign", "sales.order", "sales.call"),
    "contacts": ("sales.call", "marketing.campaign", "finance.dunning", "service.conversation", "web."),
    "billing": ("service.case", "finance.", "service.feedback"),
    "all": ("",),
}


@st.composite
def histories(draw: st.DrawFn, most: int = 25) -> list[Entry]:
    """Up to ``most`` entries in timeline order, at a handful of instants."""
    prefixes = THEMES[draw(st.sampled_from(sorted(THEMES)))]
    kinds = st.one_of([kind for name, kind in KINDS if name.startswith(prefixes)])
    instants = st.sampled_from(draw(st.lists(offsets, min_size=2, max_size=9)))
    drawn = draw(st.lists(st.tuples(instants, kinds), min_size=1, max_size=most))
    return sorted(entry(START + at, kind, data, i) for i, (at, (kind, data)) in enumerate(drawn))


__all__ = ["DAY", "HOUR", "REGISTRY", "RULES", "START", "VOCABULARY", "entry", "histories"]
