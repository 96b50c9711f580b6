"""The oracle: everything that must stand on the topics, from what stood on the departments' topics, the links log and
the journal.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from .acceptance import Accepted, accepted
from .identifiers import Key, nodes
from .identity import Identities
from .journal import Journal, said
from .profile import profile
from .rules import Rules
from .section_four import SECTION_FOUR
from .topics import JOURNAL, LINKS, Record, Topics, header, origin


class Order(NamedTuple):
    """A record that the resolver must have written to the journal: an event, or a merge order."""

    customer: str
    kind: str
    about: str
    """An event's origin; whom the merge goes into, and its version."""


class Oracle:
    """What must be, by topic. ``key`` hashes the identifiers; ``region`` makes national phone numbers readable.

    ``limit``: links that count which an identifier may have within a day.
    """

    def __init__(
        self, topics: Topics, key: bytes, region: str | None = None, limit: int = 20, rules: Rules = SECTION_FOUR
    ) -> None:
        self._region = region
        self.key = Key(key)
        self.judged: dict[str, tuple[Record, Accepted | str]] = {
            origin(record): (record, accepted(record, region)) for record in topics.departments()
        }
        self.identities = Identities(self.key, limit)
        self.resolved: Counter[Order] = Counter()
        self.strangers: set[str] = set()
        """Where answers came from that are about nobody: only the resolver, through the links log, can tell."""
        self.refused: set[str] = set()
        """Where events came from that are of nobody, because the resolver had blocked all of their identifiers."""
        for record in topics.of(LINKS):
            self._link(record)
        for place, (record, judged) in self.judged.items():
            if isinstance(judged, Accepted) and judged.echoed is not None and self.owners(judged) == {None}:
                self.judged[place] = record, "invalid-data"  # an answer about a customer whom nobody knows
                self.strangers.add(place)
        self.journal = Journal(rules)
        self.journal.fold(topics.log(JOURNAL))

    def _link(self, record: Record) -> None:
        """Section 2: the nodes of a link are those of its event."""
        known = self.event(header(record, "origin"))
        if known is None:
            return
        if known.echoed is not None:
            customer = self.identities.today(known.echoed)
            if customer is not None:
                self.resolved[Order(customer, "event", header(record, "origin"))] += 1
            return
        found = nodes(known.identifiers, self.key)
        customer, orders = self.identities.link(found, record.offset, record.timestamp * 1000)
        if customer is None:
            self.refused.add(header(record, "origin"))
            return
        for name, order in orders:
            self.resolved[Order(name, "merge", f"{order['into']}/{order['version']}")] += 1
        self.resolved[Order(customer, "event", header(record, "origin"))] += 1

    def event(self, place: str) -> Accepted | None:
        """The event that a department published there."""
        judged = self.judged.get(place, (None, None))[1]
        return judged if isinstance(judged, Accepted) else None

    def owners(self, event: Accepted) -> set[str | None]:
        """Whose event it can be, by all that was ever linked: an event belongs to the customer of its strongest
        identifier that is not blocked; an answer to whom it echoes.

        Of one whose identifiers are all blocked it depends on when that was heard of.
        """
        if event.echoed is not None:
            return {self.identities.today(event.echoed)}
        known = nodes(event.identifiers, self.key)
        left = [node for node in known if node not in self.identities.blocked]
        return {self.identities.owner(node) for node in left[:1] or known}

    def is_nobodys(self, event: Accepted) -> bool:
        """Whether all of its identifiers are blocked by now: whoever heard of that in time has refused it."""
        known = nodes(event.identifiers, self.key)
        return bool(known) and all(node in self.identities.blocked for node in known)

    def profiles(self) -> dict[str, dict[str, Any]]:
        """Of everybody who is in the journal."""
        return {name: profile(customer, self._region, self.key) for name, customer in self.journal.customers.items()}


def order(record: Record) -> Order:
    """A journal record as the resolver's orders have it."""
    assert record.key is not None
    kind = header(record, "kind")
    about = f"{said(record)['into']}/{said(record)['version']}" if kind == "merge" else header(record, "origin")
    return Order(record.key.decode(), "merge" if kind == "merge" else "event", about)
