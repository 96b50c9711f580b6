"""Reads the state of the cluster and changes nothing. All methods raise ``kafka.errors.KafkaError``, ``fingerprint``
also ``Problem``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from aiokafka.protocol import commit, coordination, fetch, group, metadata, offset, produce, transaction
from aiokafka.protocol.api import RequestStruct
from kafka.admin import ConfigResource, ConfigResourceType, OffsetSpec
from kafka.protocol.api_key import ApiKey
from kafka.structs import TopicPartition

from engine.kafka.mark import MARK

from ..admin import admin
from ..feed import Feed, Stalled
from .brokers import Broker, Setting
from .topics import PartitionView, TopicView
from .transactions import CoordinatorState, Look, OpenTransaction

PATIENCE = 10.0
"""Seconds for reading a topic that may be long."""
ACTIVE = ("Ongoing", "PrepareCommit", "PrepareAbort", "PrepareEpochFence")
"""States of a transaction that its coordinator will end."""


@contextmanager
def asked(bootstrap: str) -> Iterator[ClusterView]:
    """A connection to the cluster, closed at the end of the block."""
    with admin(bootstrap) as client:
        yield ClusterView(client, bootstrap)


class ClusterView:
    """The cluster's state, converted to values that the checks take."""

    def __init__(self, admin: Any, bootstrap: str) -> None:
        self._admin = admin
        self._bootstrap = bootstrap

    def brokers(self) -> list[Broker]:
        """All brokers that are registered in the cluster."""
        described = self._admin.describe_cluster()["brokers"]
        names = [str(one["broker_id"]) for one in described]
        asked = [ConfigResource(ConfigResourceType.BROKER, name) for name in names]
        settings = self._admin.describe_configs(asked, config_filter="all")["broker"]
        found = []
        for one, name in zip(described, names, strict=True):
            data = self._admin.get_broker_version_data(one["broker_id"])
            found.append(
                Broker(
                    node=one["broker_id"],
                    version=".".join(map(str, data.broker_version)),
                    speaks={_request(key): versions for key, versions in data.api_versions.items()},
                    settings={
                        key: Setting(said["value"], said["read_only"], said["config_source"] == "DYNAMIC_BROKER_CONFIG")
                        for key, said in settings[name].items()
                    },
                )
            )
        return found

    def features(self) -> dict[str, int]:
        """Feature name → finalized level."""
        return {
            name: said["finalized"][1] for name, said in self._admin.describe_features().items() if "finalized" in said
        }

    def topics(self, names: Sequence[str]) -> dict[str, TopicView]:
        """Those of the topics ``names`` that exist, by name."""
        described = {one["name"]: one for one in self._admin.describe_topics(list(names)) if one["partitions"]}
        if not described:
            return {}
        asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in described]
        settings = self._admin.describe_configs(asked, config_filter="all")["topic"]
        return {
            name: TopicView(
                {
                    said["partition_index"]: PartitionView(
                        said["leader_id"] if said["leader_id"] >= 0 else None,
                        tuple(said["replica_nodes"]),
                        tuple(said["isr_nodes"]),
                    )
                    for said in one["partitions"]
                },
                {key: said["value"] for key, said in settings[name].items()},
            )
            for name, one in described.items()
        }

    def transactions(self, topics: Mapping[str, TopicView]) -> Look:
        """The open transactions in the partitions that have a leader."""
        partitions = [TopicPartition(*at) for at in _led(topics)]
        open_ones = frozenset(
            OpenTransaction(
                at.topic, at.partition, one.producer_id, one.producer_epoch, one.current_transaction_start_offset
            )
            for at, state in self._admin.describe_producers(partitions).items()
            for one in state.active_producers
            if one.current_transaction_start_offset >= 0
        )
        return Look(int(time.time() * 1000), open_ones, self._known() if open_ones else ())

    def _known(self) -> tuple[CoordinatorState, ...]:
        listed = self._admin.list_transactions(state_filters=ACTIVE)
        names = {one.transactional_id for some in listed.values() for one in some}
        return tuple(
            CoordinatorState(
                name,
                said.producer_id,
                said.transaction_start_time_ms,
                said.transaction_timeout_ms,
                frozenset((at.topic, at.partition) for at in said.topic_partitions),
            )
            for name, said in self._admin.describe_transactions(sorted(names)).items()
        )

    def newest(self, topics: Mapping[str, TopicView]) -> dict[str, int]:
        """The latest append time of each topic that has one, in ms since 1970."""
        stamped = {
            name: one for name, one in topics.items() if one.settings.get("message.timestamp.type") == "LogAppendTime"
        }
        asked = {TopicPartition(*at): OffsetSpec.MAX_TIMESTAMP for at in _led(stamped)}
        found: dict[str, int] = {}
        for at, said in (self._admin.list_partition_offsets(asked) if asked else {}).items():
            if said.timestamp > 0:
                found[at.topic] = max(said.timestamp, found.get(at.topic, 0))
        return found

    def fingerprint(self, topic: str, key: bytes) -> tuple[bytes | None, bool]:
        """The first value of ``key`` that the bus wrote, and whether the topic was read far enough to know.

        It is the first record that the bus ever writes there, and compaction keeps the order.
        """
        with Feed(self._bootstrap, [topic]) as feed:
            try:
                for record in feed.all(within=PATIENCE):
                    if record.key == key and MARK in record.headers:
                        return record.value, True
            except Stalled:
                return None, False
        return None, True


def spoken() -> dict[str, tuple[int, int]]:
    """Request → lowest and highest version that aiokafka, the bus's client, can send."""
    modules = {one.__name__ for one in (commit, coordination, fetch, group, metadata, offset, produce, transaction)}
    versions: dict[str, list[int]] = {}
    waiting = list(RequestStruct.__subclasses__())
    while waiting:
        struct = waiting.pop()
        waiting += struct.__subclasses__()
        if struct.__module__ in modules and hasattr(struct, "API_VERSION"):
            versions.setdefault(_request(struct.API_KEY), []).append(struct.API_VERSION)
    return {name: (min(some), max(some)) for name, some in versions.items()}


def _request(key: int) -> str:
    try:
        return str(ApiKey(key).name)
    except ValueError:
        return str(key)


def _led(topics: Mapping[str, TopicView]) -> Iterator[tuple[str, int]]:
    for name, one in topics.items():
        for number, partition in one.partitions.items():
            if partition.leader is not None:
                yield name, number
