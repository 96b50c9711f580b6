"""kafka-python's admin client: the connection, and the committed offsets of a consumer group."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from kafka import TopicPartition
from kafka.admin import KafkaAdminClient

TIMEOUT_MS = 10_000
"""Time-out of one request, and of the first connection."""


def admin(bootstrap: str) -> Any:
    """A ``KafkaAdminClient``, which closes at the end of a ``with``. Raises ``kafka.errors.KafkaError``."""
    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # what matters is also raised
    return KafkaAdminClient(bootstrap_servers=bootstrap, bootstrap_timeout_ms=TIMEOUT_MS, request_timeout_ms=TIMEOUT_MS)


def reached(client: Any, group: str, places: Iterable[tuple[str, int]] | None = None) -> dict[tuple[str, int], int]:
    """A group's committed offset of each partition in ``places`` (default: all), without those it never committed.

    Raises ``kafka.errors.KafkaError``: ``CoordinatorNotAvailableError`` when the cluster never had a group.
    """
    wanted = None if places is None else [TopicPartition(*place) for place in places]
    said = client.list_group_offsets({group: wanted}).get(group, {})
    return {(at.topic, at.partition): known.offset for at, known in said.items() if known.offset >= 0}
