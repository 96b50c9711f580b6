"""A Kafka record as the bus reads it, and a placeholder for records that could not be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import msgspec

from engine.kafka.decompression import Flaw
from engine.kafka.mark import Placed


class KafkaRecord(Placed, Protocol):
    """A record as it is read. ``timestamp`` in ms; ``key`` and ``value`` are bytes, or ``None``."""

    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> Any: ...
    @property
    def value(self) -> Any: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class Record(msgspec.Struct, frozen=True, gc=False):
    """A ``KafkaRecord`` as the bus's readers make it, at a third of a named tuple's cost."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: Any
    value: Any
    headers: tuple[tuple[str, bytes], ...] = ()


class Unusable(NamedTuple):
    """A ``KafkaRecord`` that stands for all offsets from ``offset`` up to ``last``, which can't be used.

    It is one record of a batch that is too large (unchanged), or the rest of a batch: then ``value`` is the whole batch
    as Kafka stores it, compressed. Its ``headers`` are empty, so that nobody takes it for a record of the bus; the
    sender's headers are in ``sent``.
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
    """The offset after the record, or after all that it stands for."""
    return (record.last if isinstance(record, Unusable) else record.offset) + 1
