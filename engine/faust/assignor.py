"""The partition assignor: balanced within each topic, and sticky wherever that is possible."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata

VERSION = 0


class StickyByTopic:
    """Partition assignor for the classic group protocol.

    Each topic is balanced on its own (aiokafka's sticky assignor balances the sum, so that one worker may get all of
    the busiest topic), and a partition stays with its owner if the balance allows it. Every rebalance revokes
    everything first; a partition that comes back keeps its state.

    A member sends what it owned and since when, so that of two who claim a partition the later one is believed (the
    other was frozen). ``clock`` gives seconds; only that comparison uses it.
    """

    name = "sticky-by-topic"

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._owned: dict[str, list[int]] = {}
        self._since = 0.0

    def metadata(self, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
        """What this member sends to the group's leader."""
        claim = json.dumps({"since": self._since, "owned": self._owned}).encode()
        return ConsumerProtocolMemberMetadata(VERSION, sorted(topics), claim)

    def on_assignment(self, assignment: ConsumerProtocolMemberAssignment) -> None:
        """Remember the partitions that this member got."""
        self._owned = {topic: sorted(partitions) for topic, partitions in assignment.assignment}
        self._since = self._clock()

    def assign(
        self, cluster: Any, members: Mapping[str, ConsumerProtocolMemberMetadata]
    ) -> dict[str, ConsumerProtocolMemberAssignment]:
        """Called on the group's leader: assigns partitions to every member."""
        topics = {topic for member in members.values() for topic in member.subscription}
        plan = spread(
            {topic: sorted(cluster.partitions_for_topic(topic) or ()) for topic in topics},
            {name: member.subscription for name, member in members.items()},
            _claims(members),
        )
        return {
            name: ConsumerProtocolMemberAssignment(VERSION, sorted(plan[name].items()), b"") for name in sorted(members)
        }


def _claims(members: Mapping[str, ConsumerProtocolMemberMetadata]) -> dict[tuple[str, int], str]:
    """The last owner of each partition, as far as the members know. A claim that can't be decoded is ignored."""
    owners: dict[tuple[str, int], str] = {}
    told: list[tuple[float, str, dict[str, list[int]]]] = []
    for name, member in members.items():
        try:
            claim = json.loads(member.user_data or b"{}")
            told.append((float(claim.get("since", 0)), name, dict(claim.get("owned", {}))))
        except (ValueError, AttributeError, TypeError):
            continue
    for _, name, owned in sorted(told, key=lambda one: one[:2]):
        owners.update({(topic, partition): name for topic, partitions in owned.items() for partition in partitions})
    return owners


def spread(
    partitions: Mapping[str, Sequence[int]],
    subscriptions: Mapping[str, Iterable[str]],
    owners: Mapping[tuple[str, int], str],
) -> dict[str, dict[str, list[int]]]:
    """Topic by topic: each of m members gets n // m partitions or one more, and keeps what it had; the member with the
    fewest, of the topic and then in total, gets the next one.
    """
    plan: dict[str, dict[str, list[int]]] = {name: {} for name in subscriptions}
    load: dict[str, int] = defaultdict(int)
    for topic in sorted(partitions):
        names = sorted(name for name, topics in subscriptions.items() if topic in set(topics))
        if not names:
            continue
        least, extras = divmod(len(partitions[topic]), len(names))
        share: dict[str, list[int]] = {name: [] for name in names}
        left: list[int] = []
        claimed: dict[str, list[int]] = {name: [] for name in names}
        for partition in partitions[topic]:
            claimed.get(owners.get((topic, partition), ""), left).append(partition)
        for name in sorted(names, key=lambda one: (-len(claimed[one]), load[one], one)):
            extra = 1 if extras and len(claimed[name]) > least else 0
            extras -= extra
            share[name] = claimed[name][: least + extra]
            left += claimed[name][least + extra :]
        for partition in sorted(left):
            name = min(names, key=lambda one: (len(share[one]), load[one] + len(share[one]), one))
            share[name].append(partition)
        for name in names:
            load[name] += len(share[name])
            if share[name]:
                plan[name][topic] = sorted(share[name])
    return plan
