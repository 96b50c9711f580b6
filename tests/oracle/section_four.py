"""The built-in rules as section 4 says them, by hand. Only their words for people come from the rule files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from .contacts import department, is_contact, is_engaged, unanswered
from .entry import D, Entry, H, History
from .matters import OPENED, OVERDUE, cases, invoices, overdue
from .rules import Found, Rule, Rules

FILES = Path(__file__).parents[2] / "rules"
CAMPAIGN, FEEDBACK, CALL = "marketing.campaign.sent.v1", "service.feedback.submitted.v1", "sales.call.completed.v1"
DUNNING, ORDER = "finance.dunning.sent.v1", "sales.order.completed.v1"
OUTREACH = ("finance", "marketing", "sales", "service")


# --- 1 upsell-moment -------------------------------------------------------------------------------------------------


def upsell(T: History, e: Entry) -> list[Found] | None:
    """Feedback csat ≥ 4.5 or nps ≥ 9; a case (its caseId if given) that is closed, and was closed in 48 h before;
    no open complaint or overdue invoice.
    """
    happy = e.data["value"] >= {"csat": 4.5, "nps": 9}.get(e.data["metric"], 99)
    rated = e.data.get("caseId")
    solved = [c for c in cases(T, e.at) if not c.open and e.at - 48 * H < c.changed.at and rated in (None, c.id)]
    angry = any(c.open and c.facts.get("category") == "complaint" for c in cases(T, e.at))
    if not happy or not solved or angry or overdue(T, e.at):
        return None
    return [Found(c.changed, {"caseId": c.id}) for c in solved]


def upsell_over(T: History, t: int, fired: int, _key: str) -> bool:
    """Each as an event: order, outbound sales call, case of category complaint opened, invoice overdue."""
    return any(
        fired < e.at
        and (
            e.type in (ORDER, OVERDUE)
            or (e.type == CALL and e.data["direction"] == "outbound")
            or (e.type == OPENED and e.data["category"] == "complaint")
        )
        for e in T.upto(t)
    )


# --- 2 campaign-during-complaint -------------------------------------------------------------------------------------


def _complaints(T: History, t: int, closed_within: int) -> list[Found]:
    """Complaints that are open, or were closed in so long before."""
    near = [
        c
        for c in cases(T, t)
        if c.facts.get("category") == "complaint" and (c.open or t - closed_within < c.changed.at)
    ]
    return [Found(c.changed, {"caseId": c.id, "category": "complaint"}) for c in near]


def campaign(T: History, e: Entry) -> list[Found] | None:
    """Campaign not service; complaint open or closed in 72 h before. Survey only while open."""
    purpose = e.data.get("purpose") or "promotion"
    if purpose == "service":
        return None
    return _complaints(T, e.at, 0 if purpose == "survey" else 72 * H) or None


def campaign_over(T: History, t: int, _fired: int, _key: str) -> bool:
    """No complaint open or closed in 72 h before."""
    return not _complaints(T, t, 72 * H)


# --- 6 contact-fatigue -----------------------------------------------------------------------------------------------


def fatigue(T: History, e: Entry) -> list[Found] | None:
    """Unanswered contacts ≥ 5 in 7 d or ≥ 3 in 24 h; of counts the latest 20, of alternatives each that holds (1.7)."""
    week, day = unanswered(T, e.at, 7 * D), unanswered(T, e.at, D)
    counted = [*(week[-20:] if len(week) >= 5 else ()), *(day[-20:] if len(day) >= 3 else ())]
    return [Found(c, {"department": department(c)}) for c in counted] or None


def fatigue_over(T: History, t: int, fired: int, _key: str) -> bool:
    """Engaged event."""
    return any(fired < e.at and is_engaged(e) for e in T.upto(t))


# --- 15 dunning-during-dispute ---------------------------------------------------------------------------------------


def _disputes(T: History, t: int) -> list[Found]:
    open_ones = [c for c in cases(T, t) if c.open and c.facts.get("category") == "billing"]
    return [Found(c.changed, {"caseId": c.id, "category": "billing"}) for c in open_ones]


def dunning(T: History, e: Entry) -> list[Found] | None:
    """Billing case open."""
    return _disputes(T, e.at) or None


def dunning_over(T: History, t: int, _fired: int, key: str) -> bool:
    """No billing case open, invoice closed."""
    return not _disputes(T, t) or any(i.id == key and not i.open for i in invoices(T, t))


# ---------------------------------------------------------------------------------------------------------------------


def _rule(name: str, **said: Any) -> Rule:
    """With its words."""
    file = yaml.safe_load((FILES / f"{name}.yaml").read_text())
    return Rule(name=name, version=file["version"], reason=file["reason"], action=file["action"], **said)


SECTION_FOUR: Rules = {
    rule.name: rule
    for rule in (
        _rule(
            "upsell-moment",
            triggers=lambda e: e.type == FEEDBACK,
            holds=upsell,
            over=upsell_over,
            expiry=5 * D,
            severity="info",
            departments=("sales",),
            reads=("metric", "value", "caseId"),
        ),
        _rule(
            "campaign-during-complaint",
            triggers=lambda e: e.type == CAMPAIGN,
            holds=campaign,
            over=campaign_over,
            windows=frozenset({72 * H}),
            key="campaignId",
            expiry=14 * D,
            severity="warning",
            departments=("marketing", "service"),
            reads=("purpose", "campaignId", "channel"),
        ),
        _rule(
            "contact-fatigue",
            triggers=is_contact,
            holds=fatigue,
            over=fatigue_over,
            expiry=7 * D,
            severity="warning",
            departments=OUTREACH,
            reads=(),
        ),
        _rule(
            "dunning-during-dispute",
            triggers=lambda e: e.type == DUNNING,
            holds=dunning,
            over=dunning_over,
            key="invoiceId",
            expiry=14 * D,
            severity="warning",
            departments=("finance",),
            reads=("invoiceId", "level"),
        ),
    )
}
