"""A customer's past as a judgement sees it: what the history holds, with the entries that are under way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from msgspec.structs import replace

from ..rules.ruleset import RuleSet
from ..timeline.derived import Derived
from ..timeline.entry import BEFORE_ALL, FOREVER, Entry
from ..timeline.features import Ref, Taken
from .alert import Alert
from .matching import Folding, Match, fold, instants


class History(Protocol):
    """The customers' entries as they stand before this record, and states that were passed; in timeline order."""

    def entry(self, customer: str, at: int, uid: bytes) -> Entry | None:
        """The entry of this uid, which most likely stands at that instant (µs)."""
        ...

    def since(self, customer: str, at: int, before: int = FOREVER) -> Sequence[Entry]:
        """Entries from an instant on and ``before`` another (µs), notes included."""
        ...

    def matter(self, customer: str, kind: str, name: str, before: int, since: int = BEFORE_ALL) -> Sequence[Entry]:
        """Entries about a matter from an instant on and ``before`` another (µs)."""
        ...

    def remembered(self, customer: str, kind: str, name: str, before: int) -> tuple[int, object] | None:
        """The latest state of a matter that is at hand, of its entries before an instant (µs), and that instant."""
        ...

    def remember(self, customer: str, kind: str, name: str, until: int, state: object) -> None:
        """The state of a matter that follows from its entries before ``until`` (µs): it may be kept."""
        ...

    def archived(self, customer: str) -> Sequence[Alert]:
        """The archived alerts."""
        ...

    def snapshot(self, customer: str, before: int) -> Derived | None:
        """The latest state that is kept of before an instant (µs)."""
        ...

    def passed(self, customer: str, derived: Derived) -> None:
        """The fold passed this state: it may be kept."""
        ...

    def changed(self, customer: str, since: int) -> None:
        """What was kept of that instant (µs) or later is no longer true."""
        ...


class Past:
    """The history of one customer; ``new``, in order, joins it, in the place of what had the same uid."""

    __slots__ = ("_about", "_customer", "_history", "_new", "_rules")

    def __init__(self, history: History, customer: str, new: Sequence[Entry], rules: RuleSet) -> None:
        self._history, self._customer, self._new, self._rules = history, customer, new, rules
        self._about: dict[tuple[str, str], list[Entry]] | None = None

    def entry(self, named: Ref) -> Entry | None:
        """The entry of this name as it stood then, if there is one: a copy may have moved it since."""
        uid = named.uid.hex()
        found = None
        for one in self._new:
            if one.uid == uid:
                found = one
        found = found or self._history.entry(self._customer, named.at, named.uid)
        return found if found is None or found.at == named.at else replace(found, at=named.at)

    def since(self, at: int, before: int = FOREVER) -> Sequence[Entry]:
        """The entries from an instant on and ``before`` another (µs), in order."""
        mine = [one for one in self._new if at <= one.at < before]
        return self._joined(self._history.since(self._customer, at, before), mine)

    def instants(self, at: int, before: int = FOREVER) -> Iterator[Sequence[Taken]]:
        """Of these what the rules or the profile look at, those of an instant together."""
        return instants(looked_at(self.since(at, before), self._rules))

    def matter(self, kind: str, name: str, before: int, since: int = BEFORE_ALL) -> Sequence[Taken]:
        """The entries about a matter from an instant on and ``before`` another (µs), in order; none of a type that
        nobody knows any more.
        """
        held = self._history.matter(self._customer, kind, name, before, since)
        if not held and (not self._new or self._new[0].at >= before):
            return ()
        mine = [one for one in self._new_about().get((kind, name), ()) if since <= one.at < before]
        about = [self._rules.taken(one) for one in self._joined(held, mine)]
        return [one for one in about if one is not None]

    def remembered(self, kind: str, name: str, before: int) -> tuple[int, object] | None:
        """An instant (µs), ``before`` at the latest, and the state of a matter by its entries before it."""
        return self._history.remembered(self._customer, kind, name, before)

    def remember(self, kind: str, name: str, until: int, state: object) -> None:
        """The state of a matter by its entries before ``until`` (µs)."""
        self._history.remember(self._customer, kind, name, until, state)

    def archived(self) -> Sequence[Alert]:
        """The alerts that were archived before this record."""
        return self._history.archived(self._customer)

    def snapshot(self, before: int) -> Derived:
        """The latest state that is known of before an instant (µs)."""
        return self._history.snapshot(self._customer, before) or Derived(BEFORE_ALL, self._rules.empty)

    def passed(self, derived: Derived) -> None:
        """The fold passed this state."""
        self._history.passed(self._customer, derived)

    def changed(self, since: int) -> None:
        """Something is new at that instant (µs)."""
        self._history.changed(self._customer, since)

    def _joined(self, held: Sequence[Entry], mine: Sequence[Entry]) -> Sequence[Entry]:
        if not held:
            return mine
        new = {one.uid for one in self._new}
        return sorted([*(one for one in held if one.uid not in new), *mine])

    def _new_about(self) -> Mapping[tuple[str, str], Sequence[Entry]]:
        """What is new, by kind and id of the matter that it is about."""
        if self._about is None:
            self._about = {}
            for entry in self._new:
                taken = self._rules.taken(entry)
                if taken is not None and taken.matter is not None:
                    self._about.setdefault(taken.matter, []).append(entry)
        return self._about


class Nothing:
    """The history of whoever has none."""

    def entry(self, customer: str, at: int, uid: bytes) -> Entry | None:
        """None."""
        return None

    def since(self, customer: str, at: int, before: int = FOREVER) -> Sequence[Entry]:
        """None."""
        return ()

    def matter(self, customer: str, kind: str, name: str, before: int, since: int = BEFORE_ALL) -> Sequence[Entry]:
        """None."""
        return ()

    def remembered(self, customer: str, kind: str, name: str, before: int) -> tuple[int, object] | None:
        """None."""
        return None

    def remember(self, customer: str, kind: str, name: str, until: int, state: object) -> None:
        """Is not kept."""

    def archived(self, customer: str) -> Sequence[Alert]:
        """None."""
        return ()

    def snapshot(self, customer: str, before: int) -> Derived | None:
        """None."""
        return None

    def passed(self, customer: str, derived: Derived) -> None:
        """Is not kept."""

    def changed(self, customer: str, since: int) -> None:
        """Nothing was kept."""


def matches(entries: Iterable[Entry], rules: RuleSet) -> list[Match]:
    """Every match in this history, in the order of decision. Nothing here knows of arrival."""
    history = sorted(entries)
    past = Past(Nothing(), "", history, rules)
    return fold(rules, Derived(BEFORE_ALL, rules.empty), Folding(instants(looked_at(history, rules))), past).matches


def looked_at(entries: Iterable[Entry], rules: RuleSet) -> Iterator[Taken]:
    """The entries at which rules or the profile look, as they are folded."""
    for entry in entries:
        taken = rules.taken(entry)
        if taken is not None and taken.effects.any:
            yield taken
