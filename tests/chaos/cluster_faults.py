"""What time and operators do to a cluster: offsets expire, records are deleted, topics are made anew."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from aiokafka import TopicPartition
from kafka import TopicPartition as AdminPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

PATIENCE = 30.0
"""Seconds for a group to be left by all, or a topic to be gone."""


def forget_offsets(bootstrap: str, group: str, partitions: Iterable[TopicPartition]) -> None:
    """The group's committed offsets expire. Nobody may be in the group any more; raises ``TimeoutError``."""
    wanted = [AdminPartition(tp.topic, tp.partition) for tp in partitions]
    with _admin(bootstrap) as admin:

        def forgotten() -> bool:
            answers = admin.delete_group_offsets(group, wanted)
            return all(error.errno == 0 for error in answers.values())

        _wait(forgotten, f"the offsets of {group} could not be deleted")


def delete_records(bootstrap: str, before: Mapping[TopicPartition, int]) -> None:
    """What lies before these offsets is gone, as when its retention is over. Raises ``KafkaError``."""
    with _admin(bootstrap) as admin:
        admin.delete_records({AdminPartition(tp.topic, tp.partition): offset for tp, offset in before.items()})


def delete_topics(bootstrap: str, topics: Iterable[str]) -> None:
    """They are gone when this returns. Raises ``TimeoutError``."""
    names = list(topics)
    with _admin(bootstrap) as admin:
        admin.delete_topics(names)
        _wait(lambda: not {*names} & {*admin.list_topics()}, f"{names} could not be deleted")


@contextmanager
def _admin(bootstrap: str) -> Iterator[Any]:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        yield admin
    finally:
        admin.close()


def _wait(done: Callable[[], bool], complaint: str) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            if done():
                return
            error: KafkaError | None = None
        except KafkaError as refused:
            error = refused
        if time.monotonic() > until:
            raise TimeoutError(complaint) from error
        time.sleep(0.5)
