"""What becomes of an event that arrives: an entry, an earlier instant of one, a copy, or a refusal.

And what the customer's profile says of it, whatever the order of arrival.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from ..alerts.past import History, Past
from ..rules.ruleset import RuleSet
from ..timeline.entry import BEFORE_ALL, Entry
from ..timeline.features import Taken
from .customer import Customer


class Finder(History, Protocol):
    """A history that knows which events have arrived."""

    def find(self, customer: str, uid: str) -> Arrived | None: ...


@dataclass(slots=True)
class Arrived:
    """A department's event and its own ``time`` (µs). ``masked_identifiers``: readable, but not usable.

    ``replay``: it was seen before by those who should act, so nobody is to be woken.
    """

    entry: Entry
    time: int
    masked_identifiers: tuple[tuple[str, str], ...] = ()
    replay: bool = False


@dataclass(slots=True)
class Written:
    """The entry joins the timeline. ``nth`` is its place in the record that brought it.

    ``taken``: as it is folded; ``None`` for a note, and for a type nobody knows. ``stood_at``: where it stood until now
    (µs), if this is a copy that puts it earlier.
    """

    entry: Entry
    late: bool
    nth: int
    taken: Taken | None = None
    stood_at: int | None = None


@dataclass(frozen=True, slots=True)
class Ignored:
    """A copy of what is known already, and no earlier."""


@dataclass(frozen=True, slots=True)
class Refused:
    """An event is no entry: ``reason`` of the closed set, ``message`` for the department's developer.

    ``nth`` is its place in the record that brought it.
    """

    reason: str
    message: str
    nth: int = 0


Joined = Written | Ignored | Refused


def join(customer: Customer, record: Arrived, before: Sequence[Joined], rules: RuleSet, history: Finder) -> Joined:
    """What becomes of the event; ``before``: of those that the same record brought before it. Of copies the one with
    the smallest ``at`` stands, whichever came first.
    """
    entry = record.entry
    known = None if customer.is_new else history.find(customer.id, entry.uid)
    if known is None:
        taken, late = rules.taken(entry), entry.at < customer.last_at
        if taken is None and is_note(entry, rules):
            return Written(entry, False, len(before))
        customer.know(record.masked_identifiers)
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
    """A copy that puts its entry earlier; ``before`` came with the same record."""
    if moved.taken is None and is_note(moved.entry, rules):
        return moved
    if moved.stood_at is not None and _is_remembered(customer, moved.stood_at):
        _recall(customer, Past(history, customer.id, written([*before, moved]), rules), moved.entry.at, rules)
    return replace(moved, late=moved.entry.at < customer.last_at)


def written(joined: Iterable[object]) -> list[Entry]:
    """The entries that joined, notes included, in timeline order."""
    return sorted(one.entry for one in joined if isinstance(one, Written))


def is_note(entry: Entry, rules: RuleSet) -> bool:
    """Whether it is an answer to an alert: on the timeline, outside of what is counted and judged."""
    kind = rules.vocabulary.get(entry.type)
    return kind is not None and kind.note


def _same(known: Arrived, copy: Arrived) -> bool:
    """Equal type, time and data; ``at`` is no content, it depends on when a copy arrived."""
    return known.time == copy.time and known.entry.type == copy.entry.type and known.entry.data == copy.entry.data


def _reused(entry: Entry, nth: int) -> Refused:
    return Refused(
        "id-reused",
        f"source {entry.source!r} has sent the id {entry.id!r} before with other content; the first one stands. "
        "Give every event an id of its own.",
        nth,
    )


def _remember(customer: Customer, entry: Entry, taken: Taken | None) -> None:
    """What the profile says, whatever the order of arrival."""
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
    """Whether the profile may say something of an entry that stood at that instant (µs)."""
    return at in (customer.last_at, customer.name_at) or at in customer.last_contact.values()


def _recall(customer: Customer, past: Past, since: int, rules: RuleSet) -> None:
    """What the profile says of entries from an instant on (µs), at which one stands that was later: what was remembered
    may be of an instant that is none now. What it says of before stays, and the entry itself says what it said.
    """
    customer.last_at = BEFORE_ALL
    if customer.name_at >= since:
        customer.name, customer.name_at = None, BEFORE_ALL
    customer.last_contact = {name: at for name, at in customer.last_contact.items() if at < since}
    for entry in past.since(since):
        if not is_note(entry, rules):
            _remember(customer, entry, rules.taken(entry))
