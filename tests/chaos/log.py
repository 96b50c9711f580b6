"""What stands on the bus's topics, as a ``read_committed`` reader sees it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.journal import EVENT
from schemas.topics import DEAD, JOURNAL, PROFILES, department_of, events_topic

Header = tuple[str, bytes]

FETCH_BYTES = 8 * 1024 * 1024
STALL_SECONDS = 60.0


class Record(NamedTuple):
    """One record. ``timestamp`` is when the broker appended it (ms)."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header] = ()

    @property
    def origin(self) -> str:
        """Its place, as the dead letters name it."""
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass
class Log:
    """Every record by topic and partition, in order; of profiles the latest by key, since they are written often.

    ``foreign``: what others wrote on the bus's own topics, which is no part of the log.
    ``profiled``: when profiles were appended to each partition (ms), every instant once.
    """

    records: dict[tuple[str, int], list[Record]] = field(default_factory=dict)
    profiles: dict[bytes, Record] = field(default_factory=dict)
    profile_records: int = 0
    profiled: dict[int, list[int]] = field(default_factory=dict)
    foreign: list[Record] = field(default_factory=list)

    def add(self, record: Record) -> None:
        """Takes the next record of a partition."""
        if record.topic != PROFILES:
            self.records.setdefault((record.topic, record.partition), []).append(record)
            return
        assert record.key is not None
        self.profile_records += 1
        self.profiles[record.key] = record
        instants = self.profiled.setdefault(record.partition, [])
        if not instants or instants[-1] < record.timestamp:
            instants.append(record.timestamp)

    def forget(self) -> None:
        """Lets go of the values of events in the journal, once they were folded: only their headers are still asked.

        A run of a million events is to fit a small machine.
        """
        for (topic, _), records in self.records.items():
            if topic == JOURNAL:
                records[:] = [one._replace(value=None) if EVENT in dict(one.headers) else one for one in records]

    def of(self, *topics: str) -> list[Record]:
        """The records of some topics, partition after partition."""
        return [r for (topic, _), records in sorted(self.records.items()) if topic in topics for r in records]


class Reader:
    """Fills a log from a cluster; each reading goes on where the last one ended."""

    def __init__(self, bootstrap: str, topics: Iterable[tuple[str, int]]) -> None:
        self.log = Log()
        self.forged: set[str] = set()
        """Places of records that bear the bus's mark and are not the bus's."""
        self._partitions = [TopicPartition(name, number) for name, count in topics for number in range(count)]
        self._positions = dict.fromkeys(self._partitions, 0)
        self._options: dict[str, Any] = {
            "bootstrap_servers": bootstrap,
            "isolation_level": "read_committed",
            "enable_auto_commit": False,
            "max_partition_fetch_bytes": FETCH_BYTES,
        }

    async def read(self) -> Log:
        """Up to the end as it is now. Raises ``TimeoutError`` when nothing moves for a minute."""
        async with AIOKafkaConsumer(**self._options) as consumer:
            consumer.assign(self._partitions)
            for tp, position in self._positions.items():
                consumer.seek(tp, position)
            ends = await consumer.end_offsets(self._partitions)
            behind = {tp for tp in self._partitions if self._positions[tp] < ends[tp]}
            consumer.pause(*(tp for tp in self._partitions if tp not in behind))
            while behind:
                async with asyncio.timeout(STALL_SECONDS):
                    self._take(await consumer.getmany(*behind, timeout_ms=500, max_records=20_000))
                for tp in list(behind):
                    self._positions[tp] = await consumer.position(tp)
                    if self._positions[tp] >= ends[tp]:
                        behind.remove(tp)
                        consumer.pause(tp)
        return self.log

    def begin_anew(self, topic: str) -> None:
        """The topic was deleted and made again: its records come after those that were read before."""
        self._positions |= {tp: 0 for tp in self._partitions if tp.topic == topic}

    def _take(self, fetched: dict[TopicPartition, list[Any]]) -> None:
        for records in fetched.values():
            for r in records:
                headers = _shared(tuple(r.headers))
                record = Record(r.topic, r.partition, r.offset, r.timestamp, r.key, r.value, headers)
                marked = ("v", b"1") in headers and record.origin not in self.forged
                if marked or not _only_the_bus_writes(r.topic):
                    self.log.add(record)
                else:
                    self.log.foreign.append(record)


def _only_the_bus_writes(topic: str) -> bool:
    return topic != DEAD and topic != events_topic(department_of(topic))


@lru_cache(maxsize=64)
def _known(headers: tuple[Header, ...]) -> tuple[Header, ...]:
    return headers


def _shared(headers: tuple[Header, ...]) -> tuple[Header, ...]:
    """The same headers in less memory: aiokafka makes a new string of every name of every record."""
    if len(headers) == 1:
        return _known(headers)
    return tuple((sys.intern(name), value) for name, value in headers)
