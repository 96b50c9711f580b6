"""Asking a cluster with kafka-python: the connection, and how far a consumer group has come."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from kafka import TopicPartition
from kafka.admin import KafkaAdminClient

TIMEOUT_MS = 10_000
"""Of one request, and of the first answer."""


def admin(bootstrap: str) -> Any:
    """A ``KafkaAdminClient``, which closes at the end of a ``with``. Raises ``kafka.errors.KafkaError``."""
    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # what matters of it is raised, too
    return KafkaAdminClient(bootstrap_servers=bootstrap, bootstrap_timeout_ms=TIMEOUT_MS, request_timeout_ms=TIMEOUT_MS)


def reached(client: Any, group: str, places: Iterable[tuple[str, int]] | None = None) -> dict[tuple[str, int], int]:
    """The next offset of each partition for a group, of ``places`` or of all; those that it never committed are left
    out. Raises ``kafka.errors.KafkaError``: ``CoordinatorNotAvailableError`` when no group was ever there.
    """
    wanted = None if places is None else [TopicPartition(*place) for place in places]
    said = client.list_group_offsets({group: wanted}).get(group, {})
    return {(at.topic, at.partition): known.offset for at, known in said.items() if known.offset >= 0}
