"""What becomes of an event that arrives: an entry, an earlier instant of one, a copy, or a refusal.

And what the customer's profile says of it, whatever the order of arrival.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from .event import Entry
from .matching import is_note
from .past import Past, together
from .rule import RuleSet
from .state import BEFORE_ALL, Customer
from .timeline import is_contact


class History(Protocol):
    """The customer's entries as they stand before this record."""

    def find(self, customer: str, uid: str) -> Arrived | None: ...
    def past(self, customer: str) -> Past: ...
    def since(self, customer: str, at: int) -> Sequence[Entry]: ...


class Arrived(NamedTuple):
    """A department's event and its own ``time`` (µs). ``masks`` are its identifiers, readable but not usable.

    ``replay``: it was seen before by those who should act, so nobody is to be woken.
    """

    entry: Entry
    time: int
    masks: tuple[tuple[str, str], ...] = ()
    replay: bool = False


class Written(NamedTuple):
    """The entry joins the timeline. ``nth`` is its place in the record that brought it.

    ``stood_at``: where it stood until now (µs), if this is a copy that puts it earlier.
    """

    entry: Entry
    late: bool
    nth: int
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


def join(customer: Customer, brought: Sequence[Arrived], rules: RuleSet, history: History) -> list[Joined]:
    """What becomes of each event. Of copies the one with the smallest ``at`` stands, whichever came first."""
    out: list[Joined] = []
    for nth, record in enumerate(brought):
        entry = record.entry
        known = None if customer.is_new else history.find(customer.id, entry.uid)
        if known is None:
            out.append(Written(entry, _is_late(customer, entry, rules), nth))
            if not is_note(entry, rules):
                customer.know(record.masks)
                _remember(customer, entry, rules)
        elif not _same(known, record):
            out.append(_reused(entry, nth))
        elif entry.at >= known.entry.at:
            out.append(Ignored())
        else:
            new = [written.entry for written in out if isinstance(written, Written)]
            _recall(customer, together(history.past(customer.id).entries, [*new, entry]).values(), rules)
            out.append(Written(entry, _is_late(customer, entry, rules), nth, known.entry.at))
    return out


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


def _is_late(customer: Customer, entry: Entry, rules: RuleSet) -> bool:
    """Whether something later is known. A note is outside of the timeline's order."""
    return entry.at < customer.last_at and not is_note(entry, rules)


def _remember(customer: Customer, entry: Entry, rules: RuleSet) -> None:
    """What the profile says, whatever the order of arrival."""
    customer.entries += 1
    if entry.at > customer.last_at:
        customer.last_at = entry.at
    said = entry.data.get("customer")
    name = said.get("name") if isinstance(said, dict) else None
    if name and isinstance(name, str) and (entry.at, name) >= (customer.name_at, customer.name or ""):
        customer.name, customer.name_at = name, entry.at
    kind = rules.vocabulary.get(entry.type)
    if kind is not None and is_contact(kind, entry.data):
        department = kind.department
        if entry.at > customer.last_contact.get(department, -1):
            customer.last_contact = {**customer.last_contact, department: entry.at}


def _recall(customer: Customer, entries: Iterable[Entry], rules: RuleSet) -> None:
    """What the profile says of these ``entries``: some of what was remembered may be of an instant that is none now."""
    customer.entries, customer.last_at = 0, BEFORE_ALL
    customer.name, customer.name_at, customer.last_contact = None, BEFORE_ALL, {}
    for entry in entries:
        if not is_note(entry, rules):
            _remember(customer, entry, rules)
