"""The topics as a ``read_committed`` reader has them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

LINKS, IDENTITIES, JOURNAL = "cx.links.v1", "cx.identities.v1", "cx.journal.v1"
TIMELINE, PROFILES, DEAD = "cx.timeline.v1", "cx.profiles.v1", "cx.dead.v1"


class Record(Protocol):
    """A record of any Kafka client. ``timestamp``: when the broker appended it (ms)."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class Topics:
    """All records, by topic and partition, in the order of the log."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._logs: defaultdict[str, defaultdict[int, list[Record]]] = defaultdict(lambda: defaultdict(list))
        for record in sorted(records, key=lambda r: (r.topic, r.partition, r.offset)):
            self._logs[record.topic][record.partition].append(record)

    def log(self, topic: str) -> dict[int, list[Record]]:
        """A topic's partitions."""
        return dict(self._logs.get(topic, {}))

    def of(self, topic: str) -> list[Record]:
        """A topic's records, partition after partition."""
        return [record for _, records in sorted(self.log(topic).items()) for record in records]

    def departments(self) -> list[Record]:
        """What the departments published."""
        names = [name for name in sorted(self._logs) if name.endswith(".events.v1")]
        return [record for name in names for record in self.of(name)]

    def alerts(self) -> dict[tuple[str, int], list[Record]]:
        """The alert topics, by department and partition."""
        names = [name for name in sorted(self._logs) if name.startswith("cx.alerts.")]
        return {(name.split(".")[2], number): log for name in names for number, log in self.log(name).items()}


def origin(record: Record) -> str:
    """A record's place, as the bus names it."""
    return f"{record.topic}/{record.partition}/{record.offset}"


KNOWN = ("form", "kind", "uid", "time", "received", "origin", "replay")
"""What the header ``event`` of a links or journal record says, a MessagePack array."""


def header(record: Record, name: str) -> str:
    """A header's text, or what the header ``event`` says under that name. Raises ``KeyError``."""
    headers = dict(record.headers)
    if name in headers:
        return headers[name].decode()
    told = dict(zip(KNOWN, msgspec.msgpack.decode(headers["event"]), strict=True))[name]
    return told.hex() if isinstance(told, bytes) else str(told)
