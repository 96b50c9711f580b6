"""A customer's history as the evaluation sees it: the stored entries, together with those of the current record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from msgspec.structs import replace

from ..rules.ruleset import RuleSet
from ..timeline.derived import Derived
from ..timeline.entry import BEFORE_ALL, FOREVER, Entry
from ..timeline.features import Ref, Taken
from .alert import Alert
from .matching import FoldInput, Match, fold, instants


class History(Protocol):
    """The customers' entries before the current record, in timeline order, and a cache of states."""

    def entry(self, customer: str, at: int, uid: bytes) -> Entry | None:
        """The entry with this uid, most likely at the instant ``at`` (µs)."""
        ...

    def since(self, customer: str, at: int, before: int = FOREVER) -> Sequence[Entry]:
        """Entries from ``at`` on and before ``before`` (µs), notes included."""
        ...

    def matter(self, customer: str, kind: str, name: str, before: int, since: int = BEFORE_ALL) -> Sequence[Entry]:
        """Entries about a matter from ``since`` on and before ``before`` (µs)."""
        ...

    def cached_matter(self, customer: str, kind: str, name: str, before: int) -> tuple[int, object] | None:
        """The latest cached state of a matter, as (instant, state): it includes the entries before that instant, which
        is ``before`` at the latest (µs).
        """
        ...

    def cache_matter(self, customer: str, kind: str, name: str, until: int, state: object) -> None:
        """Offers the cache a state of a matter: the one that follows from its entries before ``until`` (µs)."""
        ...

    def archived(self, customer: str) -> Sequence[Alert]:
        """The customer's archived alerts."""
        ...

    def snapshot(self, customer: str, before: int) -> Derived | None:
        """The latest cached state from before the instant ``before`` (µs)."""
        ...

    def cache_state(self, customer: str, derived: Derived) -> None:
        """Offers the cache a state that the fold has passed."""
        ...

    def invalidate(self, customer: str, since: int) -> None:
        """Invalidates cached states of the instant ``since`` (µs) and later."""
        ...


class CustomerHistory:
    """The history of one customer with ``new`` entries, in order, which replace stored ones of the same uid."""

    __slots__ = ("_about", "_customer", "_history", "_new", "_rules")

    def __init__(self, history: History, customer: str, new: Sequence[Entry], rules: RuleSet) -> None:
        self._history, self._customer, self._new, self._rules = history, customer, new, rules
        self._about: dict[tuple[str, str], list[Entry]] | None = None

    def entry(self, named: Ref) -> Entry | None:
        """The entry with this name as it stood then, if there is one: a copy may have moved it since."""
        uid = named.uid.hex()
        found = None
        for one in self._new:
            if one.uid == uid:
                found = one
        found = found or self._history.entry(self._customer, named.at, named.uid)
        return found if found is None or found.at == named.at else replace(found, at=named.at)

    def since(self, at: int, before: int = FOREVER) -> Sequence[Entry]:
        """The entries from ``at`` on and before ``before`` (µs), in order."""
        mine = [one for one in self._new if at <= one.at < before]
        return self._joined(self._history.since(self._customer, at, before), mine)

    def instants(self, at: int, before: int = FOREVER) -> Iterator[Sequence[Taken]]:
        """The entries of that range at which rules or the profile look, grouped by instant."""
        return instants(folded_entries(self.since(at, before), self._rules))

    def matter(self, kind: str, name: str, before: int, since: int = BEFORE_ALL) -> Sequence[Taken]:
        """The entries about a matter from ``since`` on and before ``before`` (µs), in order; none of a type no longer
        known.
        """
        held = self._history.matter(self._customer, kind, name, before, since)
        if not held and (not self._new or self._new[0].at >= before):
            return ()
        mine = [one for one in self._new_about().get((kind, name), ()) if since <= one.at < before]
        about = [self._rules.taken(one) for one in self._joined(held, mine)]
        return [one for one in about if one is not None]

    def cached_matter(self, kind: str, name: str, before: int) -> tuple[int, object] | None:
        """The latest cached state of a matter, as (instant, state): it includes the entries before that instant, which
        is ``before`` at the latest (µs).
        """
        return self._history.cached_matter(self._customer, kind, name, before)

    def cache_matter(self, kind: str, name: str, until: int, state: object) -> None:
        """Offers the cache the state of a matter after its entries before ``until`` (µs)."""
        self._history.cache_matter(self._customer, kind, name, until, state)

    def archived(self) -> Sequence[Alert]:
        """The alerts that were archived before this record."""
        return self._history.archived(self._customer)

    def snapshot(self, before: int) -> Derived:
        """The latest cached state from before the instant ``before`` (µs); the empty state if there is none."""
        return self._history.snapshot(self._customer, before) or Derived(BEFORE_ALL, self._rules.empty)

    def cache_state(self, derived: Derived) -> None:
        """Offers the cache a state that the fold has passed."""
        self._history.cache_state(self._customer, derived)

    def invalidate(self, since: int) -> None:
        """Invalidates cached states of the instant ``since`` (µs) and later: something is new there."""
        self._history.invalidate(self._customer, since)

    def _joined(self, held: Sequence[Entry], mine: Sequence[Entry]) -> Sequence[Entry]:
        if not held:
            return mine
        new = {one.uid for one in self._new}
        return sorted([*(one for one in held if one.uid not in new), *mine])

    def _new_about(self) -> Mapping[tuple[str, str], Sequence[Entry]]:
        """The new entries, by kind and id of the matter that they are about."""
        if self._about is None:
            self._about = {}
            for entry in self._new:
                taken = self._rules.taken(entry)
                if taken is not None and taken.matter is not None:
                    self._about.setdefault(taken.matter, []).append(entry)
        return self._about


class EmptyHistory:
    """An empty history, which caches nothing."""

    def entry(self, customer: str, at: int, uid: bytes) -> Entry | None:
        """There is none."""
        return None

    def since(self, customer: str, at: int, before: int = FOREVER) -> Sequence[Entry]:
        """There are none."""
        return ()

    def matter(self, customer: str, kind: str, name: str, before: int, since: int = BEFORE_ALL) -> Sequence[Entry]:
        """There are none."""
        return ()

    def cached_matter(self, customer: str, kind: str, name: str, before: int) -> tuple[int, object] | None:
        """There is none."""
        return None

    def cache_matter(self, customer: str, kind: str, name: str, until: int, state: object) -> None:
        """Discards the state."""

    def archived(self, customer: str) -> Sequence[Alert]:
        """There are none."""
        return ()

    def snapshot(self, customer: str, before: int) -> Derived | None:
        """There is none."""
        return None

    def cache_state(self, customer: str, derived: Derived) -> None:
        """Discards the state."""

    def invalidate(self, customer: str, since: int) -> None:
        """Does nothing: no state is cached."""


def matches(entries: Iterable[Entry], rules: RuleSet) -> list[Match]:
    """Every match in these entries, in the order of decision. The order of arrival plays no part."""
    history = sorted(entries)
    past = CustomerHistory(EmptyHistory(), "", history, rules)
    return fold(
        rules, Derived(BEFORE_ALL, rules.empty), FoldInput(instants(folded_entries(history, rules))), past
    ).matches


def folded_entries(entries: Iterable[Entry], rules: RuleSet) -> Iterator[Taken]:
    """The entries at which rules or the profile look, as the fold reads them."""
    for entry in entries:
        taken = rules.taken(entry)
        if taken is not None and taken.effects.any:
            yield taken
