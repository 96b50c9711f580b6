"""The fuse of identity: a value that links too many other customers in a day joins nobody any more (semantics 2).

It does not know what values mean: it recognises a switchboard that no list names, or an ``info@`` address, by how many
customers it would merge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..timeline.entry import DAY
from .links import Node, root

WINDOW = DAY
LINKS_A_DAY = 20
"""Default for the links to other customers' stronger identifiers that a value may have within ``WINDOW``."""
MOST_A_DAY = 1_000
"""The largest number that can be set: as many instants are stored for a value."""


@dataclass(frozen=True, slots=True)
class NodeState:
    """What is known of a node: the customer to whom it was first linked, and its links with other customers.

    ``links``: when it was linked with another customer, in the ``WINDOW`` up to the last time. ``blocked``: since when
    it joins nobody. Both are append times of the links log (µs).
    """

    customer: str
    links: tuple[int, ...] = ()
    blocked: int | None = None


class FuseMemory(Protocol):
    """The resolver's state. ``merged_into`` follows one redirect."""

    def held(self, node_hash: str) -> NodeState | None: ...
    def merged_into(self, customer: str) -> str | None: ...


@dataclass(frozen=True, slots=True)
class JudgedNodes:
    """The nodes of an event, judged.

    ``identifying``: the nodes that identify the customer, strongest first; none when all are blocked. ``links``: by
    node, the new link times of those among them that the event links with another customer's node that is stronger or
    of the same type. ``newly_blocked``: the nodes that are blocked from this event on.
    """

    identifying: tuple[Node, ...]
    links: dict[Node, tuple[int, ...]]
    newly_blocked: tuple[Node, ...]


def judge(nodes: Sequence[Node], at: int, known: FuseMemory, most: int = LINKS_A_DAY) -> JudgedNodes:
    """Judges the nodes of one event, strongest first, that was appended to the links log ``at`` (µs).

    ``most``: links that a node may have within ``WINDOW``, at least 1; the next one blocks it.
    """
    held = {node: known.held(node.hash) for node in nodes}
    left = [node for node, one in held.items() if one is None or one.blocked is None]
    if not left:
        return JudgedNodes((), {}, ())
    strongest, *others = left
    home = _customer(held[strongest], known)
    linked = [node for node in others if home is None or _customer(held[node], known) != home]
    links: dict[Node, tuple[int, ...]] = {}
    newly_blocked = []
    if alike := sum(node.type == strongest.type for node in linked):
        recent = _recent(held[strongest], at)
        if held[strongest] is not None and len(recent) + alike > most:
            rest = judge(others, at, known, most)
            return JudgedNodes(rest.identifying, rest.links, (strongest, *rest.newly_blocked))
        links[strongest] = (*recent, *(at,) * alike)[-most:]
    for node in linked:
        recent = _recent(held[node], at)
        if len(recent) >= most:
            newly_blocked.append(node)
        else:
            links[node] = (*recent, at)
    return JudgedNodes(tuple(node for node in left if node not in newly_blocked), links, tuple(newly_blocked))


def _recent(held: NodeState | None, at: int) -> tuple[int, ...]:
    """The link times that are still within ``WINDOW``."""
    return () if held is None else tuple(link for link in held.links if link > at - WINDOW)


def _customer(held: NodeState | None, known: FuseMemory) -> str | None:
    """The customer to whom the node belongs by now."""
    return None if held is None else root(held.customer, known.merged_into)
