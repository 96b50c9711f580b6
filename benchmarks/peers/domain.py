"""The business of the Python peers: checking an event, and what it does to its customer. Needs orjson only.

Written for speed: plain dicts as JSON has them, one table of event types, nothing decoded twice in a hop. Instants are
integer UTC microseconds; texts are RFC 3339. State is judged as of an event's own time with what has arrived until
then; what comes late is filed, but earlier judgements are not taken back.
"""

from __future__ import annotations

import hashlib
from bisect import insort
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import orjson

from .vocabulary import KINDS, micros

HOUR = 3_600_000_000
DAY = 24 * HOUR
KEPT = 7 * DAY
"""What is closed is forgotten after this: the longest window of the rules, and their cooldown."""

JSON = dict[str, Any]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Dead(NamedTuple):
    """Why an event can't be used."""

    reason: str
    message: str


class Routed(NamedTuple):
    """A good event as one JSON text, and whose it is."""

    customer: str
    event: bytes


class Result(NamedTuple):
    """What became of an event: its timeline record and the alerts, as JSON texts."""

    record: bytes
    alerts: list[bytes]


def accept(value: bytes | None, headers: Iterable[tuple[str, bytes]] | None) -> Routed | Dead:
    """Checks a department's record, structured or binary CloudEvent, and finds its customer."""
    if value is None:
        return Dead("not-json", "the record has no value")
    for name, _ in headers or ():
        if name == "ce_specversion":
            value = _structured(value, headers or ())
            break
    try:
        event = orjson.loads(value)
    except orjson.JSONDecodeError as failure:
        return Dead("not-json", str(failure))
    try:
        if event["specversion"] != "1.0":
            return Dead("not-cloudevents", "specversion is not 1.0")
        for name in ("id", "source", "type"):
            text = event[name]
            if type(text) is not str or not text:
                return Dead("not-cloudevents", f"{name} is no text")
        micros(event["time"])
        data = event["data"]
    except (KeyError, TypeError, ValueError) as failure:
        return Dead("not-cloudevents", repr(failure))
    kind = KINDS.get(event["type"])
    if kind is None:
        return Dead("unknown-type", event["type"])
    if type(data) is not dict:
        return Dead("invalid-data", "data is no object")
    for name, good in kind.required:
        if not good(data.get(name)):
            return Dead("invalid-data", f"data.{name} is missing or wrong")
    for name, good in kind.optional:
        given = data.get(name)
        if given is not None and not good(given):
            return Dead("invalid-data", f"data.{name} is wrong")
    if kind.whole is not None and not kind.whole(data):
        return Dead("invalid-data", "the fields of data contradict each other")
    try:
        customer = _customer(data["customer"]["identifiers"])
    except (KeyError, TypeError):
        return Dead("invalid-data", "data.customer.identifiers is missing or wrong")
    if customer is None:
        return Dead("no-identifier", "no customer_no among data.customer.identifiers")
    return Routed(customer, value)


def letter(value: bytes | None, dead: Dead) -> bytes:
    """The dead letter of a record, as JSON text."""
    text = value.decode(errors="replace") if value is not None else None
    return orjson.dumps({"reason": dead.reason, "message": dead.message, "value": text})


def _structured(value: bytes, headers: Iterable[tuple[str, bytes]]) -> bytes:
    attributes = {name[3:]: text.decode(errors="replace") for name, text in headers if name.startswith("ce_")}
    return orjson.dumps(attributes)[:-1] + b',"data":' + value + b"}"


def _customer(identifiers: list[JSON]) -> str | None:
    """Raises KeyError, TypeError."""
    found = None
    if type(identifiers) is not list or not identifiers:
        raise TypeError("no list")
    for identifier in identifiers:
        kind, value = identifier["type"], identifier["value"]
        if type(kind) is not str or type(value) is not str:
            raise TypeError("no text")
        if kind == "customer_no" and value and found is None:
            found = value.upper()
    return found


def uid_of(event: JSON) -> str:
    """What makes an event unique: 32 hex digits of its source and id."""
    return hashlib.sha256(f"{event['source']}\n{event['id']}".encode()).hexdigest()[:32]


def newcomer(customer: str) -> JSON:
    """The document of a customer of whom nothing is known yet."""
    return {
        "customerId": customer,
        "name": None,
        "entries": 0,
        "open": [],
        "lastContact": {},
        "standing": [],
        "state": {
            "lastAt": -1,
            "nameAt": -1,
            "engagedAt": -1,
            "contacts": [],
            "cases": {},
            "invoices": {},
            "opportunities": {},
        },
    }


def take(document: JSON, event: JSON, raw: bytes, uid: str) -> Result:
    """Puts a new event into its customer's document. ``raw`` is the event as JSON text."""
    kind = KINDS[event["type"]]
    data, time = event["data"], event["time"]
    state = document["state"]
    customer = document["customerId"]
    at = micros(time)
    late = at < state["lastAt"]
    document["entries"] += 1
    name = data["customer"].get("name")
    if name is not None and at >= state["nameAt"]:
        document["name"], state["nameAt"] = name, at
    if not late:
        state["lastAt"] = at
    if kind.entity is not None:
        _MATTERS[kind.entity](state, kind.role, data, at)
        document["open"] = _open(state)
    if kind.engaged is not None and kind.engaged(data):
        _engaged(state, at)
    contact = kind.contact is not None and kind.contact(data)
    if contact:
        _contacted(document, kind.department, data, at)
    alerts: list[bytes] = []
    if contact and _fatigued(state["contacts"], at):
        _tell(document, alerts, "contact-fatigue", "", uid, at, time, _TOO_MANY)
    if kind.rule is not None:
        found = _RULES[kind.rule](state, data, at)
        if found is not None:
            _tell(document, alerts, kind.rule, found[0], uid, at, time, found[1])
    record = orjson.dumps(
        {
            "customerId": customer,
            "uid": uid,
            "time": time,
            "department": kind.department,
            "late": late,
            "event": orjson.Fragment(raw),
        }
    )
    return Result(record, alerts)


# --- matters --------------------------------------------------------------------------------------------------------
# A case is [category, opened, closed]; an invoice [total, currency, due, first said, last said, said overdue, payments,
# closed] with payments {id: [amount, currency, at]}; an opportunity [stage, first said, last said]. None: not yet.


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
    for old in [n for n, i in invoices.items() if i[7] is not None and i[7] < horizon]:
        del invoices[old]


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


_MATTERS = {"case": _case, "invoice": _invoice, "opportunity": _opportunity}
_DONE = ("won", "lost")


def _open(state: JSON) -> list[JSON]:
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
        matter["since"] = _text(since)
    return [matter for _, matter in found]


def _since(one: tuple[int, JSON]) -> int:
    return one[0]


def _text(at: int) -> str:
    return (_EPOCH + timedelta(microseconds=at)).replace(tzinfo=None).isoformat() + "Z"


def _millionths(money: str) -> int:
    whole, _, part = money.partition(".")
    return int(whole + part.ljust(6, "0"))


# --- contacts -------------------------------------------------------------------------------------------------------
# Contacts of the last seven days are [at, answered] in order; answered is 0 until somebody did.


def _engaged(state: JSON, at: int) -> None:
    if at > state["engagedAt"]:
        state["engagedAt"] = at
    for contact in reversed(state["contacts"]):
        if contact[0] <= at:
            if 0 < contact[1] <= at:
                break
            contact[1] = at


def _contacted(document: JSON, department: str, data: JSON, at: int) -> None:
    state = document["state"]
    last = document["lastContact"]
    before = last.get(department)
    if before is None or micros(before) < at:
        last[department] = _text(at)
    contacts = state["contacts"]
    if data.get("outcome") != "answered":
        contact = [at, state["engagedAt"] if state["engagedAt"] >= at else 0]
        if contacts and at < contacts[-1][0]:
            insort(contacts, contact)
        else:
            contacts.append(contact)
    horizon = state["lastAt"] - KEPT
    if contacts and contacts[0][0] <= horizon:
        state["contacts"] = [contact for contact in contacts if contact[0] > horizon]


def _fatigued(contacts: list[list[int]], at: int) -> bool:
    week = day = 0
    for contacted, answered in reversed(contacts):
        if contacted > at or 0 < answered <= at:
            continue
        if contacted > at - DAY:
            day += 1
        elif contacted <= at - KEPT:
            break
        week += 1
    return day >= 3 or week >= 5


_TOO_MANY = "Too many contacts in a short time, and not one was answered."


# --- the other rules: the key of the instance and the reason, or None -----------------------------------------------

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


_RULES = {
    "campaign-during-complaint": _campaign,
    "dunning-during-dispute": _dunning,
    "upsell-moment": _upsell,
}


def _tell(document: JSON, alerts: list[bytes], rule: str, key: str, uid: str, at: int, time: str, reason: str) -> None:
    """An alert, unless one of the same rule and key lies less than the cooldown away."""
    standing = document["standing"]
    for told in standing:
        if told["rule"] == rule and told["key"] == key and abs(at - told["at"]) < KEPT:
            return
    horizon = document["state"]["lastAt"] - KEPT
    document["standing"] = [told for told in standing if told["at"] > horizon]
    name = "a_" + hashlib.sha256(f"alert1\n{rule}\n{key}\nevent\n{uid}".encode()).hexdigest()[:26]
    document["standing"].append({"rule": rule, "key": key, "at": at, "id": name})
    alerts.append(
        orjson.dumps(
            {
                "id": name,
                "customerId": document["customerId"],
                "rule": rule,
                "key": key,
                "time": time,
                "reason": reason,
            }
        )
    )
