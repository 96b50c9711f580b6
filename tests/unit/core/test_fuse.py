"""The fuse: a value that strangers share joins so many of them in a day, and then nobody any more."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.identity.fuse import JudgedNodes, NodeState, judge
from core.identity.links import CustomerCreated, Linked, Merged, Node, resolve, root
from core.timeline.entry import DAY, HOUR

MOST = 3
SHARED, OTHER = Node("email", "shared"), Node("phone", "other")


def person(number: int) -> Node:
    return Node("customer_no", f"p{number}")


@dataclass
class Memory:
    """The resolver's memory as dicts, and what it does with an event."""

    known: dict[str, NodeState] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    births: dict[str, int] = field(default_factory=dict)
    offset: int = 0

    def held(self, node_hash: str) -> NodeState | None:
        return self.known.get(node_hash)

    def owner(self, node_hash: str) -> str | None:
        held = self.held(node_hash)
        return None if held is None else held.customer

    def merged_into(self, customer: str) -> str | None:
        return self.redirects.get(customer)

    def born(self, customer: str) -> int:
        return self.births[customer]

    def take(self, *nodes: Node, at: int = DAY, most: int = MOST) -> JudgedNodes:
        judged = judge(nodes, at, self, most)
        self.offset += 1
        if not judged.identifying:
            return judged
        for change in resolve(judged.identifying, self.offset, self, lambda _, at: f"c{at}").changes:
            if isinstance(change, Linked):
                self.known[change.node.hash] = NodeState(change.customer)
            elif isinstance(change, CustomerCreated):
                self.births[change.customer] = change.offset
            elif isinstance(change, Merged):
                self.redirects[change.customer] = change.into
        for node, links in judged.links.items():
            self.known[node.hash] = replace(self.known[node.hash], links=links)
        for node in judged.newly_blocked:
            self.known[node.hash] = replace(self.known[node.hash], links=(), blocked=at)
        return judged

    def customers(self, *nodes: Node) -> int:
        """How many customers these are."""
        return len({root(self.known[node.hash].customer, self.merged_into) for node in nodes})


def test_strangers_who_share_a_value_are_joined_up_to_the_limit_and_the_next_one_blocks_it() -> None:
    memory = Memory()
    for number in range(MOST):
        assert () == memory.take(person(number), SHARED).newly_blocked
    refused = memory.take(person(MOST), SHARED)
    assert ((person(MOST),), (SHARED,)) == (refused.identifying, refused.newly_blocked)
    assert 1 == memory.customers(SHARED, *map(person, range(MOST))), "what was joined before stays joined"
    assert 2 == memory.customers(SHARED, person(MOST))
    later = memory.take(person(MOST + 1), SHARED, at=9 * DAY)
    assert ((person(MOST + 1),), ()) == (later.identifying, later.newly_blocked), "it is blocked for good"


def test_an_event_with_nothing_but_blocked_values_is_nobodys() -> None:
    memory = Memory()
    for number in range(MOST + 1):
        memory.take(person(number), SHARED)
    assert JudgedNodes((), {}, ()) == memory.take(SHARED)
    assert (OTHER,) == memory.take(SHARED, OTHER).identifying, "a weaker one that is not blocked takes its place"
    assert 2 == memory.customers(SHARED, OTHER)


def test_the_limit_is_asked_when_a_link_is_made_and_what_is_blocked_stays_so_whatever_it_is_later() -> None:
    memory = Memory()
    for number in range(MOST + 1):
        memory.take(person(number), SHARED)
    assert (person(9),) == memory.take(person(9), SHARED, most=100).identifying
    for number in range(20, 23):
        memory.take(person(number), OTHER, most=100)
    assert (OTHER,) == memory.take(person(24), OTHER, most=1).newly_blocked


def test_a_copy_and_what_is_known_to_be_one_customer_never_count() -> None:
    memory = Memory()
    for _ in range(10):
        assert () == memory.take(person(1), SHARED).newly_blocked
    memory.take(person(1), person(2))
    for _ in range(10):
        assert () == memory.take(person(2), SHARED).newly_blocked
    assert (DAY,) == memory.known[SHARED.hash].links


def test_links_count_for_a_day_open_at_its_left_end() -> None:
    memory = Memory()
    for number in range(MOST):
        memory.take(person(number), SHARED, at=DAY + number * HOUR)
    on_the_edge = memory.take(person(MOST), SHARED, at=2 * DAY)
    assert ((), (DAY + HOUR, DAY + 2 * HOUR, 2 * DAY)) == (on_the_edge.newly_blocked, on_the_edge.links[SHARED])
    just_before = memory.take(person(MOST + 1), SHARED, at=2 * DAY + HOUR - 1)
    assert (SHARED,) == just_before.newly_blocked


def test_all_weaker_identifiers_of_an_event_are_looked_at_as_of_before_it() -> None:
    """A firm's switchboard and its info address come together: the one does not hide behind the other."""
    memory = Memory()
    for number in range(MOST):
        memory.take(person(number), SHARED, OTHER)
    refused = memory.take(person(MOST), SHARED, OTHER)
    assert ((person(MOST),), (SHARED, OTHER)) == (refused.identifying, refused.newly_blocked)


def test_the_strongest_identifier_of_an_event_counts_for_the_others_and_not_for_itself() -> None:
    memory = Memory()
    memory.take(person(0), SHARED)
    for number in range(10):
        assert () == memory.take(SHARED, Node("phone", f"own-{number}")).newly_blocked
    assert 1 == len(memory.known[SHARED.hash].links)


@pytest.mark.parametrize("strongest", [True, False])
def test_of_two_values_of_a_type_it_makes_no_difference_which_is_the_stronger(strongest: bool) -> None:
    """The alphabet decides whether senders come before their shop's own mailbox."""
    memory = Memory()
    for number in range(10):
        sender = Node("email", f"sender-{number}")
        judged = memory.take(*((SHARED, sender) if strongest else (sender, SHARED)))
        assert ((sender,) if number >= MOST else 2) == (
            judged.identifying if number >= MOST else len(judged.identifying)
        )
        assert ((SHARED,) if number == MOST else ()) == judged.newly_blocked
    assert 1 + 10 - MOST == len({root(held.customer, memory.merged_into) for held in memory.known.values()})


def test_of_an_event_with_more_of_a_type_than_may_be_the_known_ones_are_blocked_one_by_one() -> None:
    memory = Memory()
    crowd = [Node("email", f"e{number}") for number in range(MOST + 2)]
    for node in crowd:
        memory.take(node)
    judged = memory.take(*crowd)
    assert (tuple(crowd[:1]), tuple(crowd[1:])) == (judged.newly_blocked, judged.identifying)
    assert 2 == len({root(held.customer, memory.merged_into) for held in memory.known.values()})


nodes = st.sampled_from([*map(person, range(6)), SHARED, OTHER])
events = st.lists(
    st.tuples(st.lists(nodes, min_size=1, max_size=3, unique=True), st.integers(0, 3 * DAY)), min_size=1, max_size=30
)


@given(events, st.integers(1, 4), st.integers(0, 30))
def test_whoever_goes_on_from_what_was_written_decides_as_the_one_before(
    told: list[tuple[list[Node], int]], most: int, ended: int
) -> None:
    """A restart at any record; and no node is remembered with more instants than the limit."""
    first, second = Memory(), Memory()
    for number, (known, at) in enumerate(told):
        if number == ended:
            second = Memory(dict(second.known), dict(second.redirects), dict(second.births), second.offset)
        assert first.take(*known, at=at, most=most) == second.take(*known, at=at, most=most)
    assert all(len(held.links) <= most for held in first.known.values())


@given(events, st.integers(1, 4))
def test_copies_change_nothing(told: list[tuple[list[Node], int]], most: int) -> None:
    once, often = Memory(), Memory()
    for known, at in told:
        once.take(*known, at=at, most=most)
        for _ in range(3):
            often.take(*known, at=at, most=most)
    assert {node: (held.links, held.blocked) for node, held in once.known.items()} == {
        node: (held.links, held.blocked) for node, held in often.known.items()
    }
