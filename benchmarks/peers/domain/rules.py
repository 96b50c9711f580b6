"""The rules that one event type triggers: the key of the instance and the reason, or None."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .vocabulary import HOUR, JSON

Found = tuple[str, str] | None


def _case_open(state: JSON, category: str, at: int) -> bool:
    for known, opened, closed in state["cases"].values():
        if (
            known == category
            and opened is not None
            and opened <= at
            and not (closed is not None and opened <= closed <= at)
        ):
            return True
    return False


def _campaign(state: JSON, data: JSON, at: int) -> Found:
    purpose = data.get("purpose") or "promotion"
    cases = state["cases"]
    if purpose == "service" or not cases:
        return None
    if not _case_open(state, "complaint", at) and not (
        purpose != "survey"
        and any(
            known == "complaint" and _solved(opened, closed, at, 72 * HOUR) for known, opened, closed in cases.values()
        )
    ):
        return None
    return data["campaignId"], (
        f"Campaign {data['campaignId']} went out by {data['channel']} although a complaint is open or was closed "
        "less than three days ago."
    )


def _solved(opened: int | None, closed: int | None, at: int, within: int) -> bool:
    """Whether a case is closed at an instant, and was closed so short before."""
    return closed is not None and at - within < closed <= at and not (opened is not None and closed < opened <= at)


def _dunning(state: JSON, data: JSON, at: int) -> Found:
    if not _case_open(state, "billing", at):
        return None
    return data["invoiceId"], (
        f"Dunning level {data['level']} for invoice {data['invoiceId']} went out while a billing question is open."
    )


def _upsell(state: JSON, data: JSON, at: int) -> Found:
    metric, value = data["metric"], data["value"]
    if not ((metric == "csat" and value >= 4.5) or (metric == "nps" and value >= 9)):
        return None
    cases = state["cases"]
    rated = data.get("caseId")
    chosen = cases.values() if rated is None else [cases[rated]] if rated in cases else ()
    if not any(_solved(opened, closed, at, 48 * HOUR) for _, opened, closed in chosen):
        return None
    if _case_open(state, "complaint", at) or any(_overdue(invoice, at) for invoice in state["invoices"].values()):
        return None
    return "", f"The customer rated a solved case {value} ({metric}) and has nothing else open."


def _overdue(invoice: list[Any], at: int) -> bool:
    _total, _currency, due, _first, _last, warned, _payments, closed = invoice
    return warned is not None and warned <= at and due <= at and not (closed is not None and closed <= at)


RULES: Mapping[str, Callable[[JSON, JSON, int], Found]] = {
    "campaign-during-complaint": _campaign,
    "dunning-during-dispute": _dunning,
    "upsell-moment": _upsell,
}
