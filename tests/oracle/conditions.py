"""The conditions of rule files, taken at their words (docs/rules.md): asked as of an instant, with the evidence.

A condition stays the mapping that its file holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from .contacts import department, unanswered
from .entry import Entry, H, History
from .matters import Matter, cases, invoices, opportunities, overdue
from .rules import Found
from .vocabulary import is_of, value

Said = Mapping[str, Any]
SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
IDS = {"case": "caseId", "invoice": "invoiceId", "opportunity": "opportunityId"}
MATTERS = {"case": cases, "invoice": invoices, "opportunity": opportunities}
MOST_COUNTED = 20


class Asked(NamedTuple):
    """As of ``t``. ``trigger``: none when it is asked whether a match is resolved, then it ``fired`` at that time.

    ``key_field``: the rule's, and what the trigger says there.
    """

    T: History
    t: int
    trigger: Entry | None
    fired: int
    key_field: str | None
    key: str


def duration(text: str) -> int:
    """In µs."""
    return int(text[:-1]) * SECONDS[text[-1]] * (H // 3_600)


def listed(said: Any) -> list[Any]:
    """One, or a list of them."""
    return said if isinstance(said, list) else [said]


def holds(said: Said, asked: Asked) -> list[Found] | None:
    """The evidence, or ``None`` if it does not hold."""
    return KINDS[kind_of(said)](said, asked)


def kind_of(said: Said) -> str:
    """Which condition it is."""
    (kind,) = KINDS.keys() & said.keys()
    return kind


def _all(said: Said, asked: Asked) -> list[Found] | None:
    answers = [holds(part, asked) for part in listed(said["all"])]
    return None if None in answers else [found for answer in answers for found in answer or ()]


def _any(said: Said, asked: Asked) -> list[Found] | None:
    """Of alternatives the evidence of each that holds."""
    answers = [answer for part in listed(said["any"]) if (answer := holds(part, asked)) is not None]
    return [found for answer in answers for found in answer] if answers else None


def _none(said: Said, asked: Asked) -> list[Found] | None:
    return [] if all(holds(part, asked) is None for part in listed(said["none"])) else None


def _field(said: Said, asked: Asked) -> list[Found] | None:
    """A missing field is nothing, is not everything, and is no number."""
    assert asked.trigger is not None
    found = value(asked.trigger, said["field"])
    number = isinstance(found, int | float) and not isinstance(found, bool)
    if "is" in said:
        held = found is not None and found == said["is"]
    elif "is_not" in said:
        held = found is None or found != said["is_not"]
    elif "in" in said:
        held = found is not None and found in said["in"]
    else:
        held = number and (found >= said["at_least"] if "at_least" in said else found <= said["at_most"])
    return [] if held else None


def _matter(said: Said, asked: Asked) -> list[Found] | None:
    """There is one that is meant, in that state; of each its opening or closing, or that it is overdue."""
    state = kind_of(said)
    kind, fields = next(iter(said[state].items())) if isinstance(said[state], Mapping) else (said[state], {})
    found = [
        Found(matter.changed, {IDS[kind]: matter.id, **fields})
        for matter in _in_state(state, kind, said, asked)
        if all(matter.facts.get(name) == wanted for name, wanted in fields.items()) and _is_meant(matter, said, asked)
    ]
    return found or None


def _in_state(state: str, kind: str, said: Said, asked: Asked) -> Iterator[Matter]:
    if state == "overdue":
        yield from overdue(asked.T, asked.t, said.get("days", 0))
        return
    for matter in MATTERS[kind](asked.T, asked.t):
        recent = "within" not in said or asked.t - duration(said["within"]) < matter.changed.at
        if matter.open if state == "open" else not matter.open and recent:
            yield matter


def _is_meant(matter: Matter, said: Said, asked: Asked) -> bool:
    """``same``: the one that the trigger's field names, or any if it names none (none, where that is the key)."""
    if "same" not in said:
        return True
    if said["same"] == asked.key_field:
        return matter.id == asked.key
    assert asked.trigger is not None
    named = value(asked.trigger, said["same"])
    return named is None or matter.id == str(named)


def _seen(said: Said, asked: Asked) -> list[Found] | None:
    """The evidence is the latest one. Without ``within``: since the alert fired."""
    after = asked.t - duration(said["within"]) if "within" in said else asked.fired
    where = said.get("where") or {}
    found = [
        e
        for e in asked.T.upto(asked.t)
        if after < e.at
        and any(is_of(e, stream) for stream in listed(said["seen"]))
        and all(value(e, name) == wanted for name, wanted in where.items())
    ]
    return [Found(found[-1], where)] if found else None


def _unanswered(said: Said, asked: Asked) -> list[Found] | None:
    found = unanswered(asked.T, asked.t, duration(said["within"]))
    if len(found) < said["at_least"]:
        return None
    return [Found(contact, {"department": department(contact)}) for contact in found[-MOST_COUNTED:]]


KINDS: Mapping[str, Callable[[Said, Asked], list[Found] | None]] = {
    "all": _all,
    "any": _any,
    "none": _none,
    "field": _field,
    "open": _matter,
    "closed": _matter,
    "overdue": _matter,
    "seen": _seen,
    "unanswered": _unanswered,
}


def parts(said: Said) -> Iterator[Said]:
    """The condition, and all that it is made of."""
    yield said
    for name in ("all", "any", "none"):
        for part in listed(said.get(name, [])):
            yield from parts(part)
