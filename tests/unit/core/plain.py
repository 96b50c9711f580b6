"""The four rules and the fold of notifications, as plainly as their sentences read. Slow, and shares no code with core.

It is what ``core`` is compared with: every function reads the whole history and is written from docs/semantics.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

from core.event import Entry  # the value only: no code of the core is run here

H = 3_600_000_000
D = 24 * H
FOREVER = 2**62


class Held(NamedTuple):
    """A match: rule, key, uid of its trigger, time, end and the uids of its evidence."""

    rule: str
    key: str
    uid: str
    time: int
    end: int
    evidence: tuple[str, ...]

    @property
    def id(self) -> str:
        text = "\n".join(["alert1", self.rule, self.key, "event", self.uid])
        return "a_" + hashlib.sha256(text.encode()).hexdigest()[:26]


COOLDOWN = 7 * D
EXPIRY = {
    "upsell-moment": 5 * D,
    "campaign-during-complaint": 14 * D,
    "contact-fatigue": 7 * D,
    "dunning-during-dispute": 14 * D,
}


def upto(T: Sequence[Entry], t: int) -> list[Entry]:
    return [e for e in sorted(T, key=lambda e: (e.at, e.uid)) if e.at <= t]


def of(T: Sequence[Entry], kind: str, **fields: object) -> list[Entry]:
    return [e for e in T if e.type == kind and all(e.data.get(k) == v for k, v in fields.items())]


# --- matters -------------------------------------------------------------------------------------------------------


def cases(T: Sequence[Entry], t: int) -> list[tuple[str, bool, Entry, object]]:
    """(caseId, open?, the entry that made it so, category) of every case known as of t."""
    seen = upto(T, t)
    found = []
    for case in sorted({e.data["caseId"] for e in seen if e.type.startswith("service.case.")}):
        opened = of(seen, "service.case.opened.v1", caseId=case)
        solved = of(seen, "service.case.resolved.v1", caseId=case)
        if not opened and not solved:
            continue
        category = opened[-1].data.get("category") if opened else None
        is_open = bool(opened) and (not solved or opened[-1].at > solved[-1].at)
        found.append((case, is_open, opened[-1] if is_open else solved[-1], category))
    return found


def invoice_closed(T: Sequence[Entry], invoice: object, t: int) -> bool:
    seen = upto(T, t)
    claims = [e for e in seen if e.type.startswith("finance.invoice.") and e.data["invoiceId"] == invoice]
    if not claims:
        return False
    latest: dict[str, Entry] = {}
    for payment in of(seen, "finance.payment.received.v1", invoiceId=invoice):
        latest[payment.data["paymentId"]] = payment
    same = [p for p in latest.values() if p.data["currency"] == claims[-1].data["currency"]]
    return bool(same) and sum(Decimal(p.data["total"]) for p in same) >= Decimal(claims[-1].data["total"])


def overdue(T: Sequence[Entry], t: int) -> bool:
    seen = upto(T, t)
    for invoice in {e.data["invoiceId"] for e in of(seen, "finance.invoice.overdue.v1")}:
        claims = [e for e in seen if e.type.startswith("finance.invoice.") and e.data["invoiceId"] == invoice]
        due = datetime.fromisoformat(claims[-1].data["dueDate"]).replace(tzinfo=UTC)
        if not invoice_closed(T, invoice, t) and t >= int(due.timestamp()) * 1_000_000:
            return True
    return False


# --- contacts ------------------------------------------------------------------------------------------------------


def is_contact(e: Entry) -> bool:
    return (
        (e.type == "sales.call.completed.v1" and e.data.get("direction") == "outbound")
        or (e.type == "marketing.campaign.sent.v1" and e.data.get("purpose") != "service")
        or e.type == "finance.dunning.sent.v1"
        or (e.type == "service.conversation.ended.v1" and e.data.get("direction") == "outbound")
    )


def is_engaged(e: Entry) -> bool:
    return (
        (e.type == "sales.call.completed.v1" and e.data.get("direction") == "inbound")
        or (e.type == "service.conversation.ended.v1" and e.data.get("direction") != "outbound")
        or e.type
        in (
            "sales.order.completed.v1",
            "service.case.opened.v1",
            "service.feedback.submitted.v1",
            "marketing.email.clicked.v1",
        )
        or e.type.startswith(("web.", "social."))
    )


def unanswered(T: Sequence[Entry], t: int, window: int) -> list[Entry]:
    seen = upto(T, t)
    return [
        c
        for c in seen
        if is_contact(c)
        and t - window < c.at
        and not (c.type == "sales.call.completed.v1" and c.data.get("outcome") == "answered")
        and not any(is_engaged(e) and e.at >= c.at for e in seen)
    ]


# --- the rules -----------------------------------------------------------------------------------------------------


def complaint_near(T: Sequence[Entry], t: int) -> bool:
    return any(cat == "complaint" and (o or t - 72 * H < e.at) for _, o, e, cat in cases(T, t))


def rule_upsell(T: Sequence[Entry], e: Entry) -> list[Entry] | None:
    if e.type != "service.feedback.submitted.v1":
        return None
    happy = (e.data["metric"] == "csat" and e.data["value"] >= 4.5) or (
        e.data["metric"] == "nps" and e.data["value"] >= 9
    )
    solved = [
        closing
        for case, is_open, closing, _ in cases(T, e.at)
        if not is_open and e.at - 48 * H < closing.at and e.data.get("caseId") in (None, case)
    ]
    angry = any(is_open and category == "complaint" for _, is_open, _, category in cases(T, e.at))
    return solved if happy and solved and not angry and not overdue(T, e.at) else None


def rule_campaign(T: Sequence[Entry], e: Entry) -> list[Entry] | None:
    purpose = e.data.get("purpose") or "promotion"
    if e.type != "marketing.campaign.sent.v1" or purpose == "service":
        return None
    complaints = [(o, c) for _, o, c, category in cases(T, e.at) if category == "complaint"]
    evidence = [c for o, c in complaints if o]
    if purpose != "survey":
        evidence += [c for o, c in complaints if not o and e.at - 72 * H < c.at]
    return evidence or None


def rule_fatigue(T: Sequence[Entry], e: Entry) -> list[Entry] | None:
    if not is_contact(e):
        return None
    week, day = unanswered(T, e.at, 7 * D), unanswered(T, e.at, D)
    if len(week) >= 5:
        return week[-20:]
    return day[-20:] if len(day) >= 3 else None


def rule_dunning(T: Sequence[Entry], e: Entry) -> list[Entry] | None:
    if e.type != "finance.dunning.sent.v1":
        return None
    return [c for _, o, c, category in cases(T, e.at) if o and category == "billing"] or None


def upsell_over(T: Sequence[Entry], t: int, fired: int, key: str) -> bool:  # noqa: ARG001
    return any(
        fired < e.at <= t
        and (
            e.type in ("sales.order.completed.v1", "finance.invoice.overdue.v1")
            or (e.type == "sales.call.completed.v1" and e.data.get("direction") == "outbound")
            or (e.type == "service.case.opened.v1" and e.data.get("category") == "complaint")
        )
        for e in T
    )


def campaign_over(T: Sequence[Entry], t: int, fired: int, key: str) -> bool:  # noqa: ARG001
    return not complaint_near(T, t)


def fatigue_over(T: Sequence[Entry], t: int, fired: int, key: str) -> bool:  # noqa: ARG001
    return any(fired < e.at <= t and is_engaged(e) for e in T)


def dunning_over(T: Sequence[Entry], t: int, fired: int, key: str) -> bool:  # noqa: ARG001
    disputed = any(o and category == "billing" for _, o, _, category in cases(T, t))
    return not disputed or invoice_closed(T, key, t)


Condition = Callable[[Sequence[Entry], Entry], list[Entry] | None]
Over = Callable[[Sequence[Entry], int, int, str], bool]
RULES: dict[str, tuple[Condition, str | None, Over]] = {
    "upsell-moment": (rule_upsell, None, upsell_over),
    "campaign-during-complaint": (rule_campaign, "campaignId", campaign_over),
    "contact-fatigue": (rule_fatigue, None, fatigue_over),
    "dunning-during-dispute": (rule_dunning, "invoiceId", dunning_over),
}


def matches(T: Sequence[Entry]) -> list[Held]:
    """Everything that holds in this history."""
    found = []
    for e in T:
        for name, (condition, key_field, over) in RULES.items():
            evidence = condition(T, e)
            if evidence is None:
                continue
            key = str(e.data[key_field]) if key_field else ""
            uids = [x.uid for x in sorted({x.uid: x for x in [e, *evidence]}.values(), key=lambda x: (x.at, x.uid))]
            expiry = e.at + EXPIRY[name]
            # something can only change when something happens, or when a window of 72 h runs out
            instants = sorted({i for x in T for i in (e.at + 1, x.at, x.at + 72 * H) if e.at < i < expiry})
            end = next((i for i in instants if over(T, i, e.at, key)), expiry)
            found.append(Held(name, key, e.uid, e.at, end, tuple(uids)))
    return sorted(found, key=lambda m: (m.time, m.uid, m.rule))


def fold(arrivals: Sequence[Entry]) -> dict[str, Held]:
    """The notified alerts after these entries arrived in this order, each once."""
    notified: dict[str, Held] = {}
    T: list[Entry] = []
    for e in arrivals:
        if any(e.uid == known.uid for known in T):
            continue
        T.append(e)
        now = {m.id: m for m in matches(T)}
        notified = {i: now[i] for i in notified if i in now}
        for m in sorted(now.values(), key=lambda m: (m.time, m.uid)):
            hushed = any(
                n.rule == m.rule and n.key == m.key and (n.time <= m.time < n.end or abs(n.time - m.time) < COOLDOWN)
                for n in notified.values()
            )
            if m.id not in notified and not hushed:
                notified[m.id] = m
    return notified
