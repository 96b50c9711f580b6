"""A Kafka record as the bus reads it: light, and there is one also for what could not be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from engine.mark import Placed
from engine.unpacking import Flaw


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


class Light(NamedTuple):
    """A ``KafkaRecord`` as the bus's readers make them."""

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
    size = len(record.key or b"") + len(record.value or b"")
    sent = record.sent if isinstance(record, Unusable) else record.headers
    for name, value in sent:
        size += len(name) + len(value or b"")
    return size


def end_of(record: KafkaRecord) -> int:
    """The offset behind what the record stands for."""
    return (record.last if isinstance(record, Unusable) else record.offset) + 1
