"""A broker with a bus on it for one test, and the words in which a test tells its figures."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError

from deploy.broker import EmbeddedBroker

from .bus import Bus
from .checker import Problem

PARTITIONS = 4
DRAIN_SECONDS = 120.0


@contextmanager
def arena(home: Path, seed: int, partitions: int = PARTITIONS) -> Iterator[tuple[EmbeddedBroker, Bus]]:
    """A broker below ``home / "broker"`` and a bus with its topics; no worker runs yet, and none is left."""
    with EmbeddedBroker(home / "broker") as broker:
        bus = Bus(home, broker.bootstrap, partitions, seed)
        bus.apply_topics()
        try:
            yield broker, bus
        finally:
            bus.fleet.destroy()


def now() -> int:
    """µs since 1970."""
    return time.time_ns() // 1000


def verdict(problems: Sequence[Problem]) -> str:
    """For the figures: how many problems of which kind, and the first few."""
    if not problems:
        return "0 problems"
    kinds = dict(Counter(problem.kind for problem in problems))
    return "\n".join([f"problems {kinds}", *(f"    {one.kind}: {one.what[:300]}" for one in problems[:12])])


async def members(bootstrap: str, group: str) -> set[str]:
    """The addresses of the group's members; nobody before there is such a group."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        (answer,) = await admin.describe_consumer_groups([group])
        (described,) = answer.to_object()["groups"]
        return {member["client_host"].removeprefix("/") for member in described["members"]}
    except GroupCoordinatorNotAvailableError:
        return set()
    finally:
        await admin.close()
