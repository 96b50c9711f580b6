"""The checkpoint of a local store: written with the data, so that a restart reads only what came since.

A store is a cache of public topics, behind them and never ahead. Its checkpoint says of *which* topics, up to which
offsets, and when. A cache of other topics, or one that is too old, is discarded: tombstones that compaction has removed
meanwhile would be missed, and deleted data would reappear.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import isfinite

from aiokafka import TopicPartition

from engine.kafka.cluster import Cluster
from engine.kafka.copies import Doubt, Log, Position, Reached, doubt

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Bounds:
    """First and next offset of each partition from which a state is restored, and the ids of the topics."""

    begins: Mapping[TopicPartition, int]
    ends: Mapping[TopicPartition, int]
    cluster: Cluster

    def of(self, partitions: Collection[TopicPartition]) -> Bounds:
        """The bounds of some of the partitions."""
        topics = {tp.topic: self.cluster.topics[tp.topic] for tp in partitions}
        return Bounds(
            {tp: self.begins[tp] for tp in partitions},
            {tp: self.ends[tp] for tp in partitions},
            Cluster(self.cluster.id, topics),
        )


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a store is. ``offsets``: by partition, the first offset not in the store. ``time``: seconds since
    1970.
    """

    cluster: Cluster
    offsets: Mapping[TopicPartition, int]
    time: float

    def encode(self) -> bytes:
        """The checkpoint as bytes, to be written with the data."""
        held = {
            "format": FORMAT,
            "cluster": self.cluster.id,
            "topics": dict(self.cluster.topics),
            "offsets": [[tp.topic, tp.partition, offset] for tp, offset in self.offsets.items()],
            "time": self.time,
        }
        return json.dumps(held).encode()

    @classmethod
    def decode(cls, held: bytes) -> Checkpoint | None:
        """Decodes what ``encode`` wrote; ``None`` if another version of the engine did."""
        try:
            told = json.loads(held)
            if told["format"] != FORMAT:
                return None
            offsets = {TopicPartition(topic, partition): offset for topic, partition, offset in told["offsets"]}
            if not isfinite(told["time"]):
                return None
            return cls(Cluster(told["cluster"], told["topics"]), offsets, told["time"])
        except (ValueError, KeyError, TypeError):
            return None

    def unusable(self, bounds: Bounds, now: float, most_seconds: float) -> str | None:
        """Why the store can't be brought up to date by reading the topics further, in words; ``None`` if it can.

        ``now``: seconds since 1970. The store is too old if its checkpoint is older than ``most_seconds`` and there is
        something to read.
        """
        if self.offsets.keys() != bounds.ends.keys():
            return _WORDS[Doubt.OTHER_TOPIC]
        # if the clock was set back, the true age is unknown: a time in the future counts as equally far in the past
        as_of_ms = int((now - abs(now - self.time)) * 1000)
        for tp, offset in self.offsets.items():
            position = Position(self.cluster.id, self.cluster.topics.get(tp.topic, ""), Reached(offset, as_of_ms))
            log = Log(bounds.cluster.id, bounds.cluster.topics[tp.topic], bounds.begins[tp], bounds.ends[tp])
            found = doubt(position, log, int(now * 1000), int(most_seconds * 1000))
            if found is not None:
                return _WORDS[found].format(tp=tp, offset=offset, log=log, days=most_seconds / 86_400)
        return None


_WORDS: Mapping[Doubt, str] = {
    Doubt.OTHER_CLUSTER: "it belongs to another cluster",
    Doubt.OTHER_TOPIC: "it belongs to other topics, or to topics that were created again",
    Doubt.TOO_OLD: "it is older than {days:g} days",
    Doubt.BEYOND_END: "partition {tp.partition} of {tp.topic} ends at {log.end}, before {offset}",
    Doubt.BEFORE_START: "partition {tp.partition} of {tp.topic} begins at {log.start}, after {offset}",
}
