"""Balanced topic by topic, and as before wherever that is possible."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from aiokafka.coordinator.protocol import ConsumerProtocol, ConsumerProtocolMemberMetadata
from hypothesis import given
from hypothesis import strategies as st

from engine.faust.assignor import StickyByTopic, spread


class Cluster:
    """A cluster's metadata as an assignor sees it: topic -> number of partitions."""

    def __init__(self, topics: Mapping[str, int]) -> None:
        self._topics = topics

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        return set(range(self._topics[topic])) if topic in self._topics else None


NAMES = st.sampled_from(["a", "b", "c", "d", "e"])
TOPICS = st.dictionaries(st.sampled_from(["journal", "links", "sales"]), st.integers(1, 9), min_size=1)


def everyone(names: set[str], topics: Mapping[str, int]) -> dict[str, list[str]]:
    return {name: list(topics) for name in names}


def owners(plan: dict[str, dict[str, list[int]]]) -> dict[tuple[str, int], str]:
    return {(t, p): name for name, topics in plan.items() for t, partitions in topics.items() for p in partitions}


@given(TOPICS, st.sets(NAMES, min_size=1), st.dictionaries(st.tuples(st.just("journal"), st.integers(0, 12)), NAMES))
def test_every_partition_has_one_owner_and_no_topic_is_unbalanced(
    topics: dict[str, int], names: set[str], before: dict[tuple[str, int], str]
) -> None:
    plan = spread({t: range(n) for t, n in topics.items()}, everyone(names, topics), before)
    owned = Counter((t, p) for given in plan.values() for t, partitions in given.items() for p in partitions)
    assert Counter({(t, p): 1 for t, n in topics.items() for p in range(n)}) == owned
    for topic, count in topics.items():
        shares = [len(plan[name].get(topic, [])) for name in names]
        assert {count // len(names), -(-count // len(names))} >= set(shares)


@given(TOPICS, st.sets(NAMES, min_size=1), st.sets(NAMES, min_size=1))
def test_only_what_balance_demands_is_moved(topics: dict[str, int], old: set[str], new: set[str]) -> None:
    numbers = {t: range(n) for t, n in topics.items()}
    before = owners(spread(numbers, everyone(old, topics), {}))
    after = owners(spread(numbers, everyone(new, topics), before))
    for topic, count in topics.items():
        kept = sum(before[topic, p] == after[topic, p] for p in range(count))
        least, extra = divmod(count, len(new))
        claims = sorted((sum(before[topic, p] == name for p in range(count)) for name in new), reverse=True)
        assert sum(min(claim, least + (at < extra)) for at, claim in enumerate(claims)) == kept


def test_the_same_members_again_move_nothing() -> None:
    numbers = {"journal": range(7), "links": range(1)}
    members = everyone({"a", "b", "c"}, {"journal": 7, "links": 1})
    plan = spread(numbers, members, {})
    assert plan == spread(numbers, members, owners(plan))


def test_single_partitions_go_to_the_least_loaded_member() -> None:
    plan = spread(
        {"a1": range(1), "a2": range(1), "a3": range(1)}, everyone({"x", "y", "z"}, {"a1": 1, "a2": 1, "a3": 1}), {}
    )
    assert [1, 1, 1] == [sum(len(p) for p in plan[name].values()) for name in "xyz"]


def test_who_does_not_subscribe_to_a_topic_gets_none_of_it() -> None:
    plan = spread({"journal": range(3), "links": range(2)}, {"x": ["journal"], "y": ["journal", "links"]}, {})
    assert "links" not in plan["x"]
    assert [0, 1] == plan["y"]["links"]


def test_of_two_who_claim_a_partition_the_later_owner_keeps_it() -> None:
    cluster = Cluster({"journal": 2})
    members = {}
    for name, since in (("frozen", 10.0), ("present", 20.0), ("new", 30.0)):
        assignor = StickyByTopic(clock=lambda since=since: since)  # type: ignore[misc]  # binds the loop's value
        if name != "new":
            assignor.on_assignment(ConsumerProtocol.ASSIGNMENT(0, [("journal", [0, 1])], b""))
        members[name] = assignor.metadata({"journal"})
    given = StickyByTopic().assign(cluster, {name: members[name] for name in ("frozen", "present")})
    assert [1] == [len(given["present"].partitions())]
    given = StickyByTopic().assign(cluster, members)
    assert 1 == len(given["present"].partitions())


def test_a_claim_that_cannot_be_read_claims_nothing() -> None:
    for claim in (b"", b"\xff", b"[]", b'{"since": {}}', b'{"owned": 3}'):
        strange = ConsumerProtocolMemberMetadata(0, ["journal"], claim)
        given = StickyByTopic().assign(Cluster({"journal": 2}), {"strange": strange})
        assert [0, 1] == sorted(p.partition for p in given["strange"].partitions())


def test_a_topic_that_does_not_exist_is_assigned_to_nobody() -> None:
    member = StickyByTopic().metadata({"missing"})
    assert [] == StickyByTopic().assign(Cluster({}), {"only": member})["only"].partitions()


def test_what_is_told_survives_the_wire() -> None:
    assignor = StickyByTopic(clock=lambda: 5.0)
    assignor.on_assignment(ConsumerProtocol.ASSIGNMENT(0, [("journal", [3, 1])], b""))
    told = ConsumerProtocol.METADATA.decode(assignor.metadata({"journal"}).encode())
    given = StickyByTopic().assign(Cluster({"journal": 4}), {"one": told, "two": StickyByTopic().metadata({"journal"})})
    wire = ConsumerProtocol.ASSIGNMENT.decode(given["one"].encode())
    assert [1, 3] == sorted(p.partition for p in wire.partitions())
