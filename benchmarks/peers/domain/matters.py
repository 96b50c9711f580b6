"""A customer's cases, invoices and opportunities, as plain lists in the document.

A case is [category, opened, closed]; an invoice [total, currency, due, first said, last said, said overdue, payments,
closed] with payments {id: [amount, currency, at]}; an opportunity [stage, first said, last said]. None: not yet.

What is closed is forgotten after seven days.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from .vocabulary import JSON, KEPT, micros, text_of


def _case(state: JSON, role: str, data: JSON, at: int) -> None:
    cases = state["cases"]
    case = cases.get(data["caseId"])
    if case is None:
        if role == "changes":
            return
        case = cases[data["caseId"]] = [None, None, None]
    if role == "opens":
        if case[1] is None or at >= case[1]:
            case[0], case[1] = data["category"], at
    elif role == "closes" and (case[2] is None or at > case[2]):
        case[2] = at
    horizon = state["lastAt"] - KEPT
    if len(cases) > 1:
        for name in [n for n, c in cases.items() if c[2] is not None and c[2] < horizon and (c[1] or 0) <= c[2]]:
            del cases[name]


def _invoice(state: JSON, role: str, data: JSON, at: int) -> None:
    name = data.get("invoiceId")
    if name is None:
        return
    invoices = state["invoices"]
    invoice = invoices.get(name)
    if invoice is None:
        invoice = invoices[name] = [None, None, None, None, None, None, {}, None]
    if role == "pays":
        payment = invoice[6].get(data["paymentId"])
        if payment is None or at >= payment[2]:
            invoice[6][data["paymentId"]] = [_millionths(data["total"]), data["currency"], at]
    else:
        if invoice[3] is None or at < invoice[3]:
            invoice[3] = at
        if invoice[4] is None or at >= invoice[4]:
            invoice[0], invoice[1], invoice[4] = data["total"], data["currency"], at
            invoice[2] = micros(f"{data['dueDate']}T00:00:00Z")
        if role == "warns" and (invoice[5] is None or at < invoice[5]):
            invoice[5] = at
    if invoice[6] and invoice[0] is not None:
        paid = sum(amount for amount, currency, _ in invoice[6].values() if currency == invoice[1])
        enough = paid >= _millionths(invoice[0])
        invoice[7] = max(payment[2] for payment in invoice[6].values()) if enough else None
    horizon = state["lastAt"] - KEPT
    for old in [n for n, i in invoices.items() if _settled(i) < horizon]:
        del invoices[old]


def _settled(invoice: list[Any]) -> float:
    """When it was closed; of one that was only ever paid, never issued, when it was paid last."""
    if invoice[7] is None and invoice[0] is not None:
        return math.inf
    return invoice[7] if invoice[7] is not None else max((payment[2] for payment in invoice[6].values()), default=0)


def _opportunity(state: JSON, _role: str, data: JSON, at: int) -> None:
    opportunities = state["opportunities"]
    known = opportunities.get(data["opportunityId"])
    if known is None:
        opportunities[data["opportunityId"]] = [data["stage"], at, at]
    else:
        known[1] = min(known[1], at)
        if at >= known[2]:
            known[0], known[2] = data["stage"], at
    horizon = state["lastAt"] - KEPT
    for old in [n for n, o in opportunities.items() if o[0] in _DONE and o[2] < horizon]:
        del opportunities[old]


MATTERS: Mapping[str, Callable[[JSON, str, JSON, int], None]] = {
    "case": _case,
    "invoice": _invoice,
    "opportunity": _opportunity,
}
_DONE = ("won", "lost")


def open_matters(state: JSON) -> list[JSON]:
    """Open matters, oldest first."""
    found: list[tuple[int, JSON]] = []
    for name, (category, opened, closed) in state["cases"].items():
        if opened is not None and (closed is None or closed < opened):
            found.append((opened, {"entity": "case", "id": name, "category": category}))
    for name, (total, currency, _due, first, _last, _warned, _payments, closed) in state["invoices"].items():
        if first is not None and closed is None:
            found.append((first, {"entity": "invoice", "id": name, "total": total, "currency": currency}))
    for name, (stage, first, _last) in state["opportunities"].items():
        if stage not in _DONE:
            found.append((first, {"entity": "opportunity", "id": name, "stage": stage}))
    if len(found) > 1:
        found.sort(key=_since)
    for since, matter in found:
        matter["since"] = text_of(since)
    return [matter for _, matter in found]


def _since(one: tuple[int, JSON]) -> int:
    return one[0]


def _millionths(money: str) -> int:
    whole, _, part = money.partition(".")
    return int(whole + part.ljust(6, "0"))
