"""Identity: customers are the connected components of what departments said belongs together."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.identity.links import CustomerCreated, Linked, Merged, Node, resolve, root


class Memory:
    """The resolver's memory as dicts."""

    def __init__(self) -> None:
        self.owners: dict[str, str] = {}
        self.redirects: dict[str, str] = {}
        self.births: dict[str, int] = {}
        self.log: list[Merged] = []

    def owner(self, node_hash: str) -> str | None:
        return self.owners.get(node_hash)

    def merged_into(self, customer: str) -> str | None:
        return self.redirects.get(customer)

    def born(self, customer: str) -> int:
        return self.births[customer]

    def fold(self, events: Iterable[tuple[Node, ...]]) -> list[str]:
        found = []
        for offset, nodes in enumerate(events):
            resolution = resolve(nodes, offset, self, lambda node, at: f"c_{node.hash}_{at}")
            for change in resolution.changes:
                if isinstance(change, CustomerCreated):
                    assert change.customer not in self.births
                    self.births[change.customer] = change.offset
                elif isinstance(change, Linked):
                    assert change.node.hash not in self.owners
                    self.owners[change.node.hash] = change.customer
                elif isinstance(change, Merged):
                    assert self.births[change.into] < self.births[change.customer]
                    assert change.customer not in self.redirects
                    self.redirects[change.customer] = change.into
                    self.log.append(change)
            found.append(resolution.customer)
        return found


def node(name: str) -> Node:
    return Node("email", name)


nodes = st.sampled_from([node(name) for name in "abcdefgh"])
links = st.lists(st.lists(nodes, min_size=1, max_size=3, unique=True).map(tuple), min_size=1, max_size=12)


def components(events: Iterable[tuple[Node, ...]]) -> set[frozenset[Node]]:
    groups: list[set[Node]] = []
    for event in events:
        touching = [group for group in groups if group & set(event)]
        groups = [group for group in groups if group not in touching]
        groups.append(set(event).union(*touching))
    return {frozenset(group) for group in groups}


@given(links, st.randoms(use_true_random=False))
def test_customers_are_the_connected_components_whatever_the_order(
    events: list[tuple[Node, ...]], shuffle: object
) -> None:
    shuffle.shuffle(events)  # type: ignore[attr-defined]  # Hypothesis types it as object
    memory = Memory()
    memory.fold(events)
    found: dict[str, set[Node]] = {}
    for hashed, owner in memory.owners.items():
        found.setdefault(root(owner, memory.merged_into), set()).add(node(hashed))
    assert components(events) == {frozenset(group) for group in found.values()}


@given(links)
def test_a_replay_of_the_log_decides_the_same(events: list[tuple[Node, ...]]) -> None:
    first, again = Memory(), Memory()
    assert first.fold(events) == again.fold(events)
    assert first.owners == again.owners
    assert first.redirects == again.redirects


def test_the_older_customer_survives_and_the_younger_redirects() -> None:
    memory = Memory()
    assert ["c_a_0", "c_b_1", "c_a_0"] == memory.fold([(node("a"),), (node("b"),), (node("b"), node("a"))])
    assert [Merged("c_b_1", "c_a_0", 2)] == memory.log


def test_an_event_without_identifiers_is_nobodys() -> None:
    with pytest.raises(ValueError, match="without identifiers"):
        resolve((), 0, Memory(), lambda n, at: f"{n}{at}")
