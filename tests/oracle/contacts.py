"""Contacts, what engaged the customer, and contacts that nobody answered (semantics 1.5)."""

from __future__ import annotations

from functools import lru_cache

from .entry import Entry, History

ALWAYS_ENGAGED = (
    "sales.order.completed.v1",
    "service.case.opened.v1",
    "service.feedback.submitted.v1",
)


def department(e: Entry) -> str:
    """Who published it: the first word of its type."""
    return e.type.split(".")[0]


def is_contact(e: Entry) -> bool:
    """Outbound, except campaigns of purpose service. Missing purpose = promotion."""
    return (
        (e.type == "sales.call.completed.v1" and e.data["direction"] == "outbound")
        or (e.type == "marketing.campaign.sent.v1" and (e.data.get("purpose") or "promotion") != "service")
        or (e.type == "service.conversation.ended.v1" and e.data.get("direction") == "outbound")
        or e.type == "finance.dunning.sent.v1"
    )


def is_engaged(e: Entry) -> bool:
    """Inbound call or conversation, order, case opened, feedback, click (not of ``machine: true``), web, social."""
    return (
        (e.type == "sales.call.completed.v1" and e.data["direction"] == "inbound")
        or (e.type == "service.conversation.ended.v1" and (e.data.get("direction") or "inbound") == "inbound")
        or (e.type == "marketing.email.clicked.v1" and e.data.get("machine") is not True)
        or e.type in ALWAYS_ENGAGED
        or e.type.startswith(("web.", "social."))
    )


@lru_cache(maxsize=20_000)
def unanswered(T: History, t: int, window: int) -> tuple[Entry, ...]:
    """Contacts in the window that are not answered: by their own outcome, or by something engaged since them."""
    seen = T.upto(t)
    return tuple(
        c
        for c in seen
        if is_contact(c)
        and t - window < c.at
        and not (c.type == "sales.call.completed.v1" and c.data.get("outcome") == "answered")
        and not any(is_engaged(e) and e.at >= c.at for e in seen)
    )
