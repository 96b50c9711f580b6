"""Identity resolution: links between identifiers, folded in the order of one log (semantics 2).

A *node* is the keyed hash of a typed, normalised identifier; no readable value comes in here. As long as no node is
blocked, customers are the connected components of the links, in whatever order these come. The older customer survives
a merge; a customer's age is the offset at which the log first has them.

The fold is union-find with the roots stored by the shell (Tarjan 1975, without ranks: age decides who survives).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Node:
    """One identifier: its type and the keyed hash of its normalised value."""

    type: str
    hash: str


class LinkMemory(Protocol):
    """The resolver's state. ``owner``: the customer to whom the node was first linked. ``merged_into`` follows one
    redirect. ``born``: the offset of the links log at which the customer was first seen.
    """

    def owner(self, node_hash: str) -> str | None: ...
    def merged_into(self, customer: str) -> str | None: ...
    def born(self, customer: str) -> int: ...


@dataclass(frozen=True, slots=True)
class Linked:
    """A node that belonged to nobody now belongs to ``customer``."""

    node: Node
    customer: str


@dataclass(frozen=True, slots=True)
class CustomerCreated:
    """A customer seen for the first time, at ``offset`` of the links log."""

    customer: str
    offset: int


@dataclass(frozen=True, slots=True)
class Merged:
    """``customer`` is merged into ``into``, who is older. ``version``, the links log's offset, orders such commands."""

    customer: str
    into: str
    version: int


Change = Linked | CustomerCreated | Merged


@dataclass(frozen=True, slots=True)
class Resolution:
    """The customer of an event, and how it changes who is who, in order."""

    customer: str
    changes: tuple[Change, ...]


def root(customer: str, merged_into: Callable[[str], str | None]) -> str:
    """The customer into whom ``customer`` has been merged by now. Merges go into the older id only, so the chain ends;
    a forged chain that forms a cycle ends where it repeats.
    """
    passed: set[str] = set()
    while (into := merged_into(customer)) is not None and into not in passed:
        passed.add(customer)
        customer = into
    return customer


def resolve(nodes: Sequence[Node], offset: int, known: LinkMemory, mint: Callable[[Node, int], str]) -> Resolution:
    """Folds one event's nodes, strongest first, at ``offset`` of the links log.

    ``mint`` makes a customer id of the first node and the offset. Raises ``ValueError`` without nodes.
    """
    if not nodes:
        raise ValueError("an event without identifiers can't be resolved")
    owners = {node: owner for node in nodes if (owner := known.owner(node.hash)) is not None}
    roots = {root(owner, known.merged_into) for owner in owners.values()}
    changes: list[Change] = []
    if roots:
        eldest, *others = sorted(roots, key=lambda customer: (known.born(customer), customer))
        changes += [Merged(customer, eldest, offset) for customer in others]
    else:
        eldest = mint(nodes[0], offset)
        changes.append(CustomerCreated(eldest, offset))
    changes += [Linked(node, eldest) for node in dict.fromkeys(nodes) if node not in owners]
    return Resolution(eldest, tuple(changes))
