"""Identities: who is who, by folding the links log in its order (semantics 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .entry import D
from .identifiers import Key

Node = tuple[str, str]
"""(type, hash)."""
Orders = list[tuple[str, dict[str, Any]]]
"""Merges: whose, and what the journal says."""


@dataclass(slots=True)
class Group:
    """A connected component. ``born``: where in the links log its first node was seen."""

    customer: str
    born: int
    nodes: set[Node] = field(default_factory=set)


@dataclass(slots=True)
class Identities:
    """The fold. ``limit``: the fuse's; ``learned``: key and value of each record that cx.identities.v1 must hold."""

    key: Key
    limit: int = 20
    groups: list[Group] = field(default_factory=list)
    learned: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    into: dict[str, str] = field(default_factory=dict)
    first: dict[Node, str] = field(default_factory=dict)
    """The customer to whom a node was linked at first."""
    counted: dict[Node, list[int]] = field(default_factory=dict)
    """Append times of a node's links that count (µs)."""
    blocked: dict[Node, int] = field(default_factory=dict)

    def link(self, nodes: Sequence[Node], offset: int, at: int) -> tuple[str | None, Orders]:
        """An event's nodes, strongest first, appended ``at`` (µs). Whose it is, if anybody's, and the merge orders."""
        left = [node for node in nodes if node not in self.blocked]
        if not left:
            return None, []
        counting = self._counting(left, at)
        rest = [node for node in left if node not in self.blocked]
        said = set(rest)
        customer, orders = self._join(rest[0], said, offset)
        for kind, node in sorted(counting | (said - self.first.keys())):
            self.first.setdefault((kind, node), customer)
            self._learn((kind, node))
        return customer, orders

    def _counting(self, left: list[Node], at: int) -> set[Node]:
        """Those whose link counts: a limit of them within a day is remembered, one more blocks."""
        strongest = left[0]
        home = self._group(strongest)
        counting = {node for node in left[1:] if home is None or node not in home.nodes}
        anew = [node for node in counting if node[0] == strongest[0]]
        if anew:
            times = [link for link in self.counted.get(strongest, []) if link > at - D] + [at] * len(anew)
            if strongest in self.first and len(times) > self.limit:
                self.blocked[strongest] = at
                return {strongest} | self._counting(left[1:], at)
            self.counted[strongest] = times[-self.limit :]
        for node in counting:
            kept = [link for link in self.counted.get(node, []) if link > at - D]
            if len(kept) < self.limit:
                self.counted[node] = [*kept, at]
            else:
                self.blocked[node] = at
        return counting | {strongest} if anew else counting

    def _join(self, strongest: Node, said: set[Node], offset: int) -> tuple[str, Orders]:
        touched = sorted((g for g in self.groups if g.nodes & said), key=lambda g: g.born)
        if not touched:
            touched = [Group(self.key.customer(*strongest, offset), offset)]
            self.groups += touched
            self.learned.append((f"c/{touched[0].customer}", {"born": offset}))
        eldest, *younger = touched
        orders: Orders = []
        for group in younger:
            order = {"mergedInto": eldest.customer, "version": offset}
            self.learned.append((f"c/{group.customer}", {"born": group.born, **order}))
            orders.append((group.customer, {"into": eldest.customer, "version": offset}))
            self.into[group.customer] = eldest.customer
            eldest.nodes |= group.nodes
            self.groups.remove(group)
        eldest.nodes |= said
        return eldest.customer, orders

    def _learn(self, node: Node) -> None:
        said: dict[str, Any] = {"id": self.first[node], "type": node[0]}
        if node in self.blocked:
            said["blocked"] = self.blocked[node]
        elif node in self.counted:
            said["links"] = self.counted[node]
        self.learned.append((f"i/{node[1]}", said))

    def _group(self, node: Node) -> Group | None:
        return next((group for group in self.groups if node in group.nodes), None)

    def owner(self, node: Node) -> str | None:
        """The customer of a node, when the whole log is known."""
        group = self._group(node)
        return None if group is None else group.customer

    def today(self, customer: str) -> str | None:
        """Who this customer is by now; ``None`` if there never was one."""
        while customer in self.into:
            customer = self.into[customer]
        return customer if any(group.customer == customer for group in self.groups) else None
