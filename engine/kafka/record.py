"""A Kafka record as the bus reads it: light, and there is one also for what could not be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import msgspec

from engine.kafka.mark import Placed
from engine.kafka.unpacking import Flaw


class KafkaRecord(Placed, Protocol):
    """What is read of a record. ``timestamp`` in ms; ``key`` and ``value`` are bytes, or ``None``."""

    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> Any: ...
    @property
    def value(self) -> Any: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class Record(msgspec.Struct, frozen=True, gc=False):
    """A ``KafkaRecord`` as the bus's readers make them, a third of a named tuple's price."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: Any
    value: Any
    headers: tuple[tuple[str, bytes], ...] = ()


class Unusable(NamedTuple):
    """A ``KafkaRecord`` that stands for all offsets from ``offset`` up to ``last``, which are not to be used.

    One record of a batch that is too large (then it is as it came), or the rest of a batch: ``value`` is then the whole
    batch as Kafka holds it, compressed. Its ``headers`` are empty, so that nobody takes it for a record of the bus;
    what its sender had put there is in ``sent``.
    """

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: Any
    value: Any
    flaw: Flaw
    last: int
    sent: tuple[tuple[str, bytes], ...] = ()
    headers: tuple[tuple[str, bytes], ...] = ()


def size_of(record: KafkaRecord) -> int:
    """Bytes of key, value and headers."""
    key, value = record.key, record.value
    size = (len(key) if key else 0) + (len(value) if value else 0)
    for name, said in record.sent if type(record) is Unusable else record.headers:
        size += len(name) + (len(said) if said else 0)
    return size


def end_of(record: KafkaRecord) -> int:
    """The offset behind what the record stands for."""
    return (record.last if isinstance(record, Unusable) else record.offset) + 1
