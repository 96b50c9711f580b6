"""Who is who by brute force: components of everything that was ever said together, against the identities topic."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import orjson

from agents.identifiers import Identifiers
from agents.records import nodes_of
from agents.topics import IDENTITIES, LINKS
from core.identity import Node

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

    def of(self, node: str) -> set[str]:
        """The component of a node."""
        return self._group[node]


def said(record: Record, identifiers: Identifiers) -> Sequence[Node]:
    """The nodes of an accepted event; none for a department's answer to an alert."""
    data = content_of(record)[1][2]
    known = data.get("customer", {}).get("identifiers", ())
    return identifiers.of(tuple((one["type"], one["value"]) for one in known)).nodes


def identities(log: Log, accepted: Sequence[Record], identifiers: Identifiers) -> Iterator[Problem]:
    """``accepted``: the department records that intake let through."""
    components = Components()
    first: dict[str, str] = {}
    for record in log.of(LINKS):
        nodes = nodes_of(dict(record.headers))
        if nodes:  # else it is an answer, sent on before its customer was known here
            components.join(node.hash for node in nodes)
        for node in nodes:
            first.setdefault(node.hash, identifiers.mint(nodes[0], record.offset))
    born = {name: offset for offset, name in enumerate(dict.fromkeys(first.values()))}
    events: dict[str, str] = {}
    for record in accepted:
        known = said(record, identifiers)
        if any(node.hash not in first for node in known):
            yield Problem("identity", f"{record.origin}: an identifier that never reached the links log")
        elif known:
            components.join(node.hash for node in known)
            events[content_of(record)[0]] = known[0].hash
    customers: dict[str, str] = {}
    for group in components.groups():
        eldest = min((first[one] for one in group), key=born.__getitem__)
        customers.update(dict.fromkeys(group, eldest))
    yield from _held(log, customers)
    yield from _owned(log, events, customers)


def _held(log: Log, customers: dict[str, str]) -> Iterator[Problem]:
    """The topic's redirects and owners lead to the component's oldest customer."""
    owner: dict[str, str] = {}
    into: dict[str, str] = {}
    for record in log.of(IDENTITIES):
        assert record.key is not None
        assert record.value is not None
        kind, _, name = record.key.decode().partition("/")
        value = orjson.loads(record.value)
        if kind == "i":
            if name in owner:
                yield Problem("identity", f"{name} was linked twice")
            owner[name] = value["id"]
        elif kind == "c" and "mergedInto" in value:
            if name in into:
                yield Problem("identity", f"{name} was merged twice")
            into[name] = value["mergedInto"]
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
