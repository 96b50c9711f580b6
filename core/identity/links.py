"""Who is who: links between identifiers, folded in the order of one log (semantics 2).

A *node* is the keyed hash of a typed, normalised identifier; nothing readable comes in here. While nothing is refused,
customers are the connected components of the links, whatever their order. The older customer survives a merge; age is
the position in the log at which it was first seen.

The fold is union-find with the roots kept by the shell (Tarjan 1975, without ranks: age decides who survives).
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


class Known(Protocol):
    """The resolver's memory. ``owner`` answers the customer as first linked, ``merged_into`` one step of redirects."""

    def owner(self, node_hash: str) -> str | None: ...
    def merged_into(self, customer: str) -> str | None: ...
    def born(self, customer: str) -> int: ...


@dataclass(frozen=True, slots=True)
class Linked:
    """A node that nobody had now belongs to ``customer``."""

    node: Node
    customer: str


@dataclass(frozen=True, slots=True)
class Born:
    """A customer seen for the first time, at ``offset`` of the links log."""

    customer: str
    offset: int


@dataclass(frozen=True, slots=True)
class Merged:
    """``customer`` turned out to be ``into``, which is older. ``version`` orders such commands: the log's offset."""

    customer: str
    into: str
    version: int


Change = Linked | Born | Merged


@dataclass(frozen=True, slots=True)
class Resolution:
    """Whose event it is, and what it taught about who is who, in order."""

    customer: str
    changes: tuple[Change, ...]


def root(customer: str, merged_into: Callable[[str], str | None]) -> str:
    """Who ``customer`` is today. Merges go into the older id only, so the chain ends; one that was forged, where it
    comes back.
    """
    passed: set[str] = set()
    while (into := merged_into(customer)) is not None and into not in passed:
        passed.add(customer)
        customer = into
    return customer


def resolve(nodes: Sequence[Node], offset: int, known: Known, mint: Callable[[Node, int], str]) -> Resolution:
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
        changes.append(Born(eldest, offset))
    changes += [Linked(node, eldest) for node in dict.fromkeys(nodes) if node not in owners]
    return Resolution(eldest, tuple(changes))
