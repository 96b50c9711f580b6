"""Identities: who is who, by folding the links log in its order (semantics 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .identifiers import Key

Node = tuple[str, str]
"""(type, hash)."""


@dataclass(slots=True)
class Group:
    """A connected component. ``born``: where in the links log its first node was seen."""

    customer: str
    born: int
    nodes: set[Node] = field(default_factory=set)


@dataclass(slots=True)
class Identities:
    """The fold. ``learned``: key and value of each record that cx.identities.v1 must hold."""

    key: Key
    groups: list[Group] = field(default_factory=list)
    learned: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    into: dict[str, str] = field(default_factory=dict)

    def link(self, nodes: Sequence[Node], offset: int) -> tuple[str, list[tuple[str, dict[str, Any]]]]:
        """An event's nodes, strongest first. Returns whose it is, and the merge orders: (customer, order)."""
        said = set(nodes)
        touched = sorted((g for g in self.groups if g.nodes & said), key=lambda g: g.born)
        if not touched:
            touched = [Group(self.key.customer(*nodes[0], offset), offset)]
            self.groups += touched
            self.learned.append((f"c/{touched[0].customer}", {"born": offset}))
        eldest, *younger = touched
        orders = []
        for group in younger:
            order = {"mergedInto": eldest.customer, "version": offset}
            self.learned.append((f"c/{group.customer}", {"born": group.born, **order}))
            orders.append((group.customer, {"into": eldest.customer, "version": offset}))
            self.into[group.customer] = eldest.customer
            eldest.nodes |= group.nodes
            self.groups.remove(group)
        for kind, node in sorted(said - eldest.nodes):
            self.learned.append((f"i/{node}", {"id": eldest.customer, "type": kind}))
        eldest.nodes |= said
        return eldest.customer, orders

    def owner(self, node: Node) -> str | None:
        """The customer of a node, when the whole log is known."""
        return next((group.customer for group in self.groups if node in group.nodes), None)

    def today(self, customer: str) -> str | None:
        """Who this customer is by now; ``None`` if there never was one."""
        while customer in self.into:
            customer = self.into[customer]
        return customer if any(group.customer == customer for group in self.groups) else None
