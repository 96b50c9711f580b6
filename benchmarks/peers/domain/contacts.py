"""Who contacted a customer, and what was answered.

Contacts of the last seven days are [at, answered] in order; answered is 0 until somebody did.
"""

from __future__ import annotations

from bisect import insort

from .vocabulary import DAY, JSON, KEPT, micros, text_of


def engaged(state: JSON, at: int) -> None:
    """The customer did something himself: that answers every contact until then."""
    if at > state["engagedAt"]:
        state["engagedAt"] = at
    for contact in reversed(state["contacts"]):
        if contact[0] <= at:
            if 0 < contact[1] <= at:
                break
            contact[1] = at


def contacted(document: JSON, department: str, data: JSON, at: int) -> None:
    """A department reached out."""
    state = document["state"]
    last = document["lastContact"]
    before = last.get(department)
    if before is None or micros(before) < at:
        last[department] = text_of(at)
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


def fatigued(contacts: list[list[int]], at: int) -> bool:
    """Whether five contacts of a week or three of a day are unanswered."""
    week = day = 0
    for made, answered in reversed(contacts):
        if made > at or 0 < answered <= at:
            continue
        if made > at - DAY:
            day += 1
        elif made <= at - KEPT:
            break
        week += 1
    return day >= 3 or week >= 5


TOO_MANY = "Too many contacts in a short time, and not one was answered."
