"""What becomes of an event that arrives: an entry, an entry moved to an earlier instant, a copy, or a refusal.

It also updates what the customer's profile says of their entries, in whatever order they arrive.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from ..alerts.history import CustomerHistory, History
from ..rules.ruleset import RuleSet
from ..timeline.entry import BEFORE_ALL, Entry
from ..timeline.features import Taken
from .customer import Customer


class Finder(History, Protocol):
    """A history that knows which events have arrived."""

    def find(self, customer: str, uid: str) -> Arrived | None: ...


@dataclass(slots=True)
class Arrived:
    """A department's event and its own ``time`` (µs). ``masked_identifiers``: (type, value), readable but not usable.

    ``replay``: whoever should act on it has seen it before, so its alerts are historical.
    """

    entry: Entry
    time: int
    masked_identifiers: tuple[tuple[str, str], ...] = ()
    replay: bool = False


@dataclass(slots=True)
class Written:
    """The entry joins the timeline. ``nth``: its position in the record that brought it.

    ``taken``: as the fold reads it; ``None`` for a note, and for an unknown type. ``moved_from``: its instant before
    (µs), if this is a copy that moves it to an earlier one.
    """

    entry: Entry
    late: bool
    nth: int
    taken: Taken | None = None
    moved_from: int | None = None


@dataclass(frozen=True, slots=True)
class Ignored:
    """A copy of a known event, and no earlier."""


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that becomes no entry. ``reason``: of the closed set; ``message``: for the department's developer.

    ``nth``: its position in the record that brought it.
    """

    reason: str
    message: str
    nth: int = 0


Joined = Written | Ignored | Refused


def join(customer: Customer, record: Arrived, before: Sequence[Joined], rules: RuleSet, history: Finder) -> Joined:
    """What becomes of the event. ``before``: the results for the events before it in the same record. Of several copies
    the one with the smallest ``at`` stands, whichever came first.
    """
    entry = record.entry
    known = None if customer.is_new else history.find(customer.id, entry.uid)
    if known is None:
        taken, late = rules.taken(entry), entry.at < customer.last_at
        if taken is None and is_note(entry, rules):
            return Written(entry, False, len(before))
        customer.add_identifiers(record.masked_identifiers)
        customer.entries += 1
        _remember(customer, entry, taken)
        return Written(entry, late, len(before), taken)
    if not _same(known, record):
        return _reused(entry, len(before))
    if entry.at >= known.entry.at:
        return Ignored()
    moved = Written(entry, False, len(before), rules.taken(entry), known.entry.at)
    return _moved(customer, moved, before, rules, history)


def _moved(customer: Customer, moved: Written, before: Sequence[Joined], rules: RuleSet, history: Finder) -> Written:
    """A copy that moves its entry to an earlier instant. ``before``: the results for the events before it in the same
    record.
    """
    if moved.taken is None and is_note(moved.entry, rules):
        return moved
    if moved.moved_from is not None and _is_remembered(customer, moved.moved_from):
        _recall(
            customer, CustomerHistory(history, customer.id, written([*before, moved]), rules), moved.entry.at, rules
        )
    return replace(moved, late=moved.entry.at < customer.last_at)


def written(joined: Iterable[object]) -> list[Entry]:
    """The entries that joined, notes included, in timeline order."""
    return sorted(one.entry for one in joined if isinstance(one, Written))


def is_note(entry: Entry, rules: RuleSet) -> bool:
    """Whether it is an answer to an alert: it is on the timeline, but neither counted nor evaluated."""
    kind = rules.vocabulary.get(entry.type)
    return kind is not None and kind.note


def _same(known: Arrived, copy: Arrived) -> bool:
    """Equal type, time and data. ``at`` is not compared: it depends on when a copy arrived."""
    return known.time == copy.time and known.entry.type == copy.entry.type and known.entry.data == copy.entry.data


def _reused(entry: Entry, nth: int) -> Refused:
    return Refused(
        "id-reused",
        f"source {entry.source!r} has sent the id {entry.id!r} before with other content; only the first one counts. "
        "Give every event an id of its own.",
        nth,
    )


def _remember(customer: Customer, entry: Entry, taken: Taken | None) -> None:
    """Updates what the profile says, with the same result in whatever order entries arrive."""
    at = entry.at
    if at > customer.last_at:
        customer.last_at = at
        if at > customer.latest_at:
            customer.latest_at = at
    said = entry.data.get("customer")
    name = said.get("name") if isinstance(said, dict) else None
    if name and isinstance(name, str) and (at, name) >= (customer.name_at, customer.name or ""):
        customer.name, customer.name_at = name, at
    if taken is not None and taken.effects.contact:
        department = taken.kind.department
        if at > customer.last_contact.get(department, BEFORE_ALL):
            customer.last_contact = {**customer.last_contact, department: at}


def _is_remembered(customer: Customer, at: int) -> bool:
    """Whether the profile may rest on an entry that stood at that instant (µs)."""
    return at in (customer.last_at, customer.name_at) or at in customer.last_contact.values()


def _recall(customer: Customer, history: CustomerHistory, since: int, rules: RuleSet) -> None:
    """Computes again what the profile says of the entries from ``since`` on (µs), because a copy moved an entry there
    from a later instant. What it says of earlier entries stays.
    """
    customer.last_at = BEFORE_ALL
    if customer.name_at >= since:
        customer.name, customer.name_at = None, BEFORE_ALL
    customer.last_contact = {name: at for name, at in customer.last_contact.items() if at < since}
    for entry in history.since(since):
        if not is_note(entry, rules):
            _remember(customer, entry, rules.taken(entry))
