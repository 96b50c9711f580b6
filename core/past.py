"""A customer's whole past: the entries, and what rules see of them. Worked out once, kept up as entries join."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence

from .event import Entry
from .timeline import Plan, Timeline


def together(entries: Iterable[Entry], new: Iterable[Entry]) -> Mapping[str, Entry]:
    """All entries by uid; what is ``new`` instead of what had its uid."""
    return {entry.uid: entry for entry in (*entries, *new)}


class Past:
    """``entries``: all of them, in the timeline's order."""

    __slots__ = ("_timeline", "entries")

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = list(entries)
        self._timeline: Timeline | None = None

    def since(self, at: int) -> Sequence[Entry]:
        """The entries from that instant on (µs)."""
        return self.entries[bisect_left(self.entries, (at,)) :]

    def timeline(self, plan: Plan) -> Timeline:
        """All that rules see, nothing pruned; the caller's own."""
        if self._timeline is None or self._timeline.plan is not plan:
            self._timeline = Timeline.of(plan, self.entries)
            for entity in plan.entities:
                self._timeline.matters(entity)  # which every copy would have to find out
        return self._timeline.copy()

    def add(self, entry: Entry) -> None:
        """An entry joins."""
        insort(self.entries, entry)
        if self._timeline is not None:
            self._timeline.add(entry, self._timeline.plan.places_of(entry))
