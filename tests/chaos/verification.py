"""A whole log is verified: everything accepted is accounted for, everything written is the fold of the journal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agents.identifiers import Identifiers
from core.rules.ruleset import RuleSet
from schemas.alerted import ALERTED
from schemas.topics import JOURNAL, alerts_topic, events_topic

from .business import Sent, must_be_buried
from .checker import Problem, current, folded, foreign, letters, plain_alerts, positions
from .identities import identities
from .log import Log
from .publication import Publication
from .reference import Reference

SAMPLE, SMALL = 60, 30
"""So many customers of at most so many entries are held against the plain definition, which takes O(n^3)."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What was judged. ``states`` are customers' documents, ``alerts`` messages, ``sampled`` customers."""

    events: int
    journal: int
    entries: int
    letters: int
    copies: int
    late: int
    merges: int
    moved: int
    forwarded: int
    states: int
    alerts: int
    sampled: int


class Verifier:
    """Judges a growing log again and again; the reference folds only what is new in the journal."""

    def __init__(
        self,
        rules: RuleSet,
        identifiers: Identifiers,
        departments: Sequence[str],
        partitions: int,
        sample: int = SAMPLE,
    ) -> None:
        self.reference = Reference(rules, identifiers)
        self._identifiers = identifiers
        self._events = tuple(events_topic(name) for name in departments)
        self._folded = [0] * partitions
        self._refused: dict[bytes, str] = {}
        self._sampled = sample

    def expect(self, sent: Sequence[Sent]) -> None:
        """These are going to be published."""
        self._refused |= must_be_buried(sent)

    def fold(self, log: Log) -> None:
        """The reference takes what is new in the journal."""
        for partition, done in enumerate(self._folded):
            journal = log.records.get((JOURNAL, partition), [])
            self.reference.take(journal[done:])
            self._folded[partition] = len(journal)

    def judge(self, log: Log, publication: Publication) -> Iterator[Problem]:
        """Everything that is wrong. ``publication``: what the departments know of what they have published."""
        self.fold(log)
        events = log.of(*self._events)
        yield from publication.problems(events)
        buried = {letter.origin for letter in letters(log) if letter.stage == "intake"}
        yield from positions(log, events, self._refused)
        yield from foreign(log)
        yield from folded(log, self.reference, [alerts_topic(name) for name in ALERTED], len(self._folded))
        yield from identities(log, [one for one in events if one.origin not in buried], self._identifiers)
        yield from plain_alerts(log, self.reference, self.sample())

    def figures(self, log: Log) -> Figures:
        """Of the last verification."""
        reference = self.reference
        return Figures(
            events=len(log.of(*self._events)),
            journal=reference.taken,
            entries=len(current(log)),
            letters=len(letters(log)),
            copies=reference.copies,
            late=reference.late,
            merges=len(reference.moves),
            moved=sum(move.came.total() for move in reference.moves.values()),
            forwarded=reference.forwarded,
            states=len(reference.customers),
            alerts=sum(map(len, reference.alerts.values())),
            sampled=len(self.sample()),
        )

    def sample(self) -> list[str]:
        """Small customers who were never merged, those with the most alerts first: they have most to get wrong."""
        merged = {move.partition("/")[0] for move in self.reference.moves}
        merged |= {c.merged_into for c in self.reference.customers.values() if c.merged_into is not None}
        small = [
            (-len(customer.alerts), name)
            for name, customer in self.reference.customers.items()
            if name not in merged and len(self.reference.arrivals[name]) <= SMALL
        ]
        return [name for _, name in sorted(small)[: self._sampled]]
