"""Who is who by brute force: components of everything that was ever said together, against the identities topic.

Values that too many strangers share are said together with nobody any more, from the record on that was one too many.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import orjson

from agents.identifiers import Identifiers
from agents.record_forms import nodes_of
from core.identity.fuse import LINKS_A_DAY
from core.identity.links import Node
from core.timeline.entry import DAY
from schemas.topics import IDENTITIES, LINKS

from .checker import Problem, content_of, current
from .log import Log, Record


class Components:
    """Nodes that belong together, however they came together: the smaller group is poured into the larger."""

    def __init__(self) -> None:
        self._group: dict[str, set[str]] = {}

    def join(self, nodes: Iterable[str]) -> None:
        """These belong together."""
        groups = [self._group.setdefault(node, {node}) for node in nodes]
        largest = max(groups, key=len)
        for group in groups:
            if group is not largest:
                largest |= group
                for node in group:
                    self._group[node] = largest

    def groups(self) -> list[set[str]]:
        """Every component once."""
        return list({id(group): group for group in self._group.values()}.values())

    def are_one(self, node: str, other: str) -> bool:
        """Whether both are in one component."""
        return node in self._group and self._group[node] is self._group.get(other)


def said(record: Record, identifiers: Identifiers) -> Sequence[Node]:
    """The nodes of an accepted event; none for a department's answer to an alert."""
    data = content_of(record)[1][2]
    known = data.get("customer", {}).get("identifiers", ())
    return identifiers.of(tuple((one["type"], one["value"]) for one in known)).nodes


class Links:
    """The links log, told again."""

    def __init__(self, log: Log, identifiers: Identifiers) -> None:
        self.components = Components()
        self.first: dict[str, str] = {}
        """The customer that each node would have founded where it came first."""
        self.blocked: dict[str, int] = {}
        """Since when (µs)."""
        self._counted: defaultdict[str, list[int]] = defaultdict(list)
        for record in log.of(LINKS):
            nodes = nodes_of(dict(record.headers))
            self._count(self._left(nodes), record.timestamp * 1000)
            left = self._left(nodes)
            for node in left:
                self.first.setdefault(node.hash, identifiers.mint(left[0], record.offset))
            if left:  # else it is an answer, sent on before its customer was known here, or all of it is blocked
                self.components.join(node.hash for node in left)

    def _left(self, nodes: Iterable[Node]) -> list[Node]:
        return [node for node in nodes if node.hash not in self.blocked]

    def _count(self, nodes: Sequence[Node], at: int) -> None:
        """Blocks those that came with too many others in the day before ``at``."""
        if not nodes:
            return
        strongest = nodes[0]
        anew = [node for node in nodes[1:] if not self.components.are_one(strongest.hash, node.hash)]
        alike = sum(node.type == strongest.type for node in anew)
        if alike and self._come(strongest.hash, at, alike) > LINKS_A_DAY and strongest.hash in self.first:
            self.blocked[strongest.hash] = at
            self._count(nodes[1:], at)
            return
        for node in anew:
            if self._come(node.hash, at, 1) > LINKS_A_DAY:
                self.blocked[node.hash] = at

    def _come(self, node: str, at: int, times: int) -> int:
        """How often it came with others in the last day, with these ``times``."""
        links = [link for link in self._counted[node] if link > at - DAY] + [at] * times
        self._counted[node] = links
        return len(links)

    def customers(self) -> dict[str, str]:
        """By node, who is the eldest of those who are one."""
        born = {name: offset for offset, name in enumerate(dict.fromkeys(self.first.values()))}
        found: dict[str, str] = {}
        for group in self.components.groups():
            eldest = min((self.first[one] for one in group), key=born.__getitem__)
            found.update(dict.fromkeys(group, eldest))
        return found


def identities(log: Log, accepted: Sequence[Record], identifiers: Identifiers) -> Iterator[Problem]:
    """``accepted``: the department records that intake let through."""
    links = Links(log, identifiers)
    events: dict[str, str] = {}
    for record in accepted:
        known = said(record, identifiers)
        left = [node.hash for node in known if node.hash not in links.blocked]
        if any(node.hash not in links.first for node in known):
            yield Problem("identity", f"{record.origin}: an identifier that never reached the links log")
        elif left:
            links.components.join(left)
            events[content_of(record)[0]] = left[0]
    customers = links.customers()
    yield from _held(log, customers, links.blocked)
    yield from _owned(log, events, customers)


def _held(log: Log, customers: dict[str, str], blocked: dict[str, int]) -> Iterator[Problem]:
    """The topic's redirects and owners lead to the component's oldest customer, and it knows who is blocked."""
    owner: dict[str, str] = {}
    into: dict[str, str] = {}
    since: dict[str, int] = {}
    written: set[tuple[str, bytes]] = set()
    for record in log.of(IDENTITIES):
        assert record.key is not None
        assert record.value is not None
        kind, _, name = record.key.decode().partition("/")
        value = orjson.loads(record.value)
        if kind == "i":
            if (name, record.value) in written or owner.get(name, value["id"]) != value["id"]:
                yield Problem("identity", f"{name} was linked twice")
            written.add((name, record.value))
            owner[name] = value["id"]
            if "blocked" in value:
                since[name] = value["blocked"]
        elif kind == "c" and "mergedInto" in value:
            if name in into:
                yield Problem("identity", f"{name} was merged twice")
            into[name] = value["mergedInto"]
    if since != blocked:
        yield Problem("identity", f"{since.items() ^ blocked.items()} are blocked on one side only")
    for node in customers.keys() | owner.keys():
        root = owner.get(node)
        while root in into:
            root = into[root]
        if root != customers.get(node):
            yield Problem("identity", f"{node} belongs to {root} instead of {customers.get(node)}")


def _owned(log: Log, events: dict[str, str], customers: dict[str, str]) -> Iterator[Problem]:
    """Every entry stands with the customer whose identifiers its event had."""
    owners: defaultdict[str, list[str]] = defaultdict(list)
    for key in current(log):
        customer, _, uid = key.decode().partition("/")
        owners[uid].append(customer)
    for uid, node in events.items():
        if uid in owners and owners[uid] != [customers[node]]:
            yield Problem("identity", f"{uid} stands with {owners[uid]} instead of {customers[node]}")
